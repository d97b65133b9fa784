/* setup_run_io.c - see setup_run_io.h. */
#include "setup_run_io.h"

#include "output_io.h"
#include "print.h"
#include "setup_apply_io.h"
#include "setup_plan_io.h"
#include "setup_text.h"
#include "whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PKGDATADIR
#define PKGDATADIR "/usr/share/postern"
#endif

/* All that a run has. */
struct setup_run {
    struct setup_request request;
    const struct setup_server *server;
    const struct cert_use *cert;
    char name[300]; /* of its folder */
    struct conf *conf;
    struct buf conf_text;
    struct setup_manifest before;
    bool any_before;
};

/*
 * A server with another folder for its configuration is another one: "postfix", "postfix,etc,postfix-out". A folder
 * that is not there goes by its text. Returns 1, 0: it is not there, or -1 with the reason.
 */
static int name_run(char out[300], const char *server, const char *config_dir, struct err *e)
{
    char *real = config_dir != NULL ? realpath(config_dir, NULL) : NULL;
    const char *path = real != NULL ? real : config_dir;
    size_t len = path != NULL ? strlen(path) : 0;
    bool there = config_dir == NULL || real != NULL, comma = path != NULL && strchr(path, ',') != NULL;

    if (!there && (*config_dir != '/' || errno != ENOENT))
        return err_set(e, "%s: %s", config_dir, strerror(errno));
    while (len > 0 && path[len - 1] == '/')
        len--;
    len = (size_t)snprintf(out, 300, "%s%.*s", server, (int)len, len > 0 ? path : "");
    free(real);
    if (comma || len >= 250)
        return err_set(e, "--config-dir: %s: %s", config_dir, comma ? "has a comma in its name" : "too long");
    for (char *p = out; *p != '\0'; p++)
        *p = *p == '/' ? ',' : *p;
    return there ? 1 : 0;
}

static int read_manifest(struct setup_run *run, struct err *e)
{
    int rc;

    if (run->any_before)
        setup_manifest_clear(&run->before);
    rc = setup_folder_manifest(&run->before, run->conf->posternctl.setup_folder, run->name, e);

    run->any_before = rc == 1;
    run->request.before = rc == 1 ? &run->before : NULL;
    return rc < 0 ? -1 : 0;
}

static int read_postern_conf(struct setup_run *run, const struct ctl *ctl, struct err *e)
{
    conf_free(run->conf);
    run->conf = NULL;
    buf_reset(&run->conf_text);
    if (whole_file_read(&run->conf_text, ctl->conf_file, e) == 0)
        return err_set(e, "%s: there is no such file; it may be empty, but must be there", ctl->conf_file);
    if (!buf_ok(&run->conf_text))
        return err_set(e, "%s: too long, or no memory", ctl->conf_file);
    if (conf_parse(&run->conf, ctl->conf_file, buf_text(&run->conf_text), run->conf_text.len, e) != 0)
        return -1;
    run->request = (struct setup_request){.ctl = ctl,
                                          .conf = run->conf,
                                          .conf_text = &run->conf_text,
                                          .cert = run->cert,
                                          .share = ctl->share != NULL ? ctl->share : PKGDATADIR};
    return 0;
}

static int begin(struct setup_run *run, const struct ctl *ctl, const struct cert_use *cert, struct err *e)
{
    const struct setup_server *s = run->server;
    int there = name_run(run->name, s->kept_as != NULL ? s->kept_as : s->name, ctl->config_dir, e);

    run->cert = cert;
    if (there < 0 || read_postern_conf(run, ctl, e) != 0)
        return -1;
    if (there == 0 && read_manifest(run, e) != 0)
        return -1;
    if (there == 0 && !run->any_before)
        return err_set(e, "%s: %s", ctl->config_dir, strerror(ENOENT));
    return 0;
}

static void end(struct setup_run *run)
{
    if (run->any_before)
        setup_manifest_clear(&run->before);
    buf_clear(&run->conf_text);
    conf_free(run->conf);
}

/* --- output --- */

/* Each line of a text as an element. */
static json_t *lines_json(const struct buf *text)
{
    json_t *lines = json_array();
    const char *at = buf_text(text);

    while (*at != '\0') {
        size_t len = strcspn(at, "\n");
        struct buf line;

        buf_init(&line, 4 * len + 1);
        print_text(&line, at, len);
        (void)json_array_append_new(lines, json_string(buf_text(&line)));
        buf_clear(&line);
        at += len + (at[len] == '\n');
    }
    return lines;
}

/* What was done, line by line, each harmless. */
static void add_lines(struct buf *out, const struct buf *text)
{
    const char *at = buf_text(text);

    while (*at != '\0') {
        size_t len = strcspn(at, "\n");

        print_text(out, at, len);
        buf_char(out, '\n');
        at += len + (at[len] == '\n');
    }
}

static int print_plan(const struct ctl *ctl, const struct setup_plan *plan)
{
    struct buf text;

    if (ctl->options & CTL_JSON)
        return output_json(setup_json(plan));
    buf_init(&text, CTL_OUTPUT_MAX);
    setup_print(&text, plan, ctl->conf_file, ctl->colour);
    return output_and_clear(&text);
}

static void add_notes(struct buf *out, const struct setup_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->step[i].kind == SETUP_NOTE)
            buf_printf(out, "%s%s\n", plan->step[i].state == SETUP_NEEDED ? "by hand: " : "", plan->step[i].what);
}

/* what: "applied", or "undone"; done: it came off. */
static int print_done(const struct ctl *ctl, const char *what, bool done, const struct setup_plan *plan,
                      const struct buf *said)
{
    struct buf text;

    if (ctl->options & CTL_JSON) {
        json_t *object = plan != NULL ? setup_json(plan) : json_object();
        (void)json_object_set_new(object, what, json_boolean(done));
        (void)json_object_set_new(object, "said", lines_json(said));
        return output_json(object);
    }
    buf_init(&text, CTL_OUTPUT_MAX);
    add_lines(&text, said);
    return output_and_clear(&text);
}

/* --- what is asked for --- */

static int show(const struct ctl *ctl, struct setup_run *run, struct err *e)
{
    struct setup_plan plan;
    int rc;

    if (setup_make_plan(&plan, run->server, &run->request, e) != 0)
        return CTL_USAGE;
    rc = print_plan(ctl, &plan);
    if (rc == CTL_YES && setup_plan_count(&plan, SETUP_NEEDED) + setup_plan_count(&plan, SETUP_CLASH) > 0)
        rc = CTL_NO;
    setup_plan_clear(&plan);
    return rc;
}

/* The plan is such that it can be carried out. */
static int apply_plan(const struct ctl *ctl, const struct setup_run *run, const struct setup_folder *folder,
                      const struct setup_plan *plan, struct err *e)
{
    struct buf said;
    int rc;

    buf_init(&said, CTL_OUTPUT_MAX);
    rc = setup_apply(&said, folder, run->server, &run->request, plan, e);
    if (rc == 0) {
        buf_str(&said, "Done; --undo takes it back.\n");
        add_notes(&said, plan);
        if (run->server->findings != NULL)
            run->server->findings(&said, &run->request);
        rc = print_done(ctl, "applied", true, plan, &said);
    } else {
        rc = (ctl->options & CTL_JSON) == 0 ? print_done(ctl, "applied", false, NULL, &said) : CTL_NO;
        rc = rc == CTL_YES ? CTL_NO : rc;
    }
    buf_clear(&said);
    return rc;
}

static int apply(const struct ctl *ctl, const struct setup_run *run, const struct setup_folder *folder, struct err *e)
{
    struct setup_plan plan;
    int rc;

    if (setup_make_plan(&plan, run->server, &run->request, e) != 0)
        return CTL_USAGE;
    if (setup_plan_count(&plan, SETUP_CLASH) > 0) {
        rc = print_plan(ctl, &plan);
        err_set(e, "nothing was changed, as something is in the way");
        rc = rc == CTL_YES ? CTL_NO : rc;
    } else if (setup_plan_count(&plan, SETUP_NEEDED) == 0) {
        rc = print_plan(ctl, &plan);
    } else {
        rc = apply_plan(ctl, run, folder, &plan, e);
    }
    setup_plan_clear(&plan);
    return rc;
}

static int undo(const struct ctl *ctl, const struct setup_run *run, const struct setup_folder *folder, struct err *e)
{
    struct buf said;
    size_t left = 0;
    int rc, printed;

    buf_init(&said, CTL_OUTPUT_MAX);
    rc = setup_undo(&said, folder, run->server, &run->request, (ctl->options & CTL_FORCE) != 0, &left, e);
    if (rc == 0)
        buf_printf(&said, "%s: there is nothing to take back\n", run->server->name);
    else if (rc == 1)
        buf_str(&said, left > 0 ? "Taken back, but for what is left.\n" : "Taken back.\n");
    printed = print_done(ctl, "undone", rc >= 0, NULL, &said);
    buf_clear(&said);
    return rc < 0 || left > 0 ? CTL_NO : printed;
}

/* Of --apply and --undo: nobody else does it at the same time. */
static int change(const struct ctl *ctl, struct setup_run *run, enum setup_way way, struct err *e)
{
    struct setup_folder folder;
    int rc = CTL_NO;

    if (setup_folder_open(&folder, run->conf->posternctl.setup_folder, run->name, e) != 0)
        return CTL_NO;
    /* Once more, as another run may have changed postern.conf before this one had the lock. */
    if (read_postern_conf(run, ctl, e) == 0 && read_manifest(run, e) == 0)
        rc = way == SETUP_UNDO ? undo(ctl, run, &folder, e) : apply(ctl, run, &folder, e);
    setup_folder_close(&folder);
    return rc;
}

int setup_run(const struct ctl *ctl, const struct setup_server *server, const struct cert_use *cert, enum setup_way way)
{
    struct setup_run run = {.server = server};
    struct err e = {""};
    int rc = CTL_USAGE;

    buf_init(&run.conf_text, CONF_FILE_MAX);
    if (begin(&run, ctl, cert, &e) == 0) {
        if (way != SETUP_SHOW)
            rc = change(ctl, &run, way, &e);
        else
            rc = read_manifest(&run, &e) == 0 ? show(ctl, &run, &e) : CTL_NO;
    }
    if (rc != CTL_YES && e.text[0] != '\0')
        report_error("%s: %s", server->command, e.text);
    end(&run);
    return rc;
}
