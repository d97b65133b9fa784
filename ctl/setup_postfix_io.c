/* setup_postfix_io.c - see setup_postfix_io.h. */
#include "setup_postfix_io.h"

#include "postfix_check.h"
#include "postfix_read_io.h"
#include "postfix_run_io.h"
#include "print.h"
#include "setup_machine_io.h"
#include "setup_plan_io.h"
#include "setup_postfix.h"
#include "whole_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE_MAX  ((size_t)1 << 20)
#define AGAIN_PORT 10026
#define PORTS      10

/* What facts point to. */
struct gathered {
    struct setup_postfix_facts facts;
    struct postfix_conf set;
    char config_dir[PATH_MAX], log[PATH_MAX], mail_domain[300], conf_file[PATH_MAX], key_folder[PATH_MAX], group[300],
        log_group[300];
    struct buf transport, transport_now, generic, generic_now;
};

/* --- Postfix --- */

int setup_postfix_set(struct postfix_conf *out, const char *config_dir, struct err *e)
{
    struct postfix_printed none = {"", 0};
    struct buf text;
    int rc;

    buf_init(&text, POSTFIX_TEXT_MAX);
    rc = postfix_run(&text, config_dir, "postconf", (const char *[]){"-n", NULL}, e);
    if (rc == 0)
        rc = postfix_conf_read(out, (struct postfix_printed){buf_text(&text), text.len}, none, none, e);
    buf_clear(&text);
    return rc;
}

static int read_types(struct setup_postfix_facts *f, const struct setup_request *r, struct err *e)
{
    struct buf text;
    char *line, *rest = NULL;
    int rc;

    buf_init(&text, POSTFIX_TEXT_MAX);
    rc = postfix_run(&text, r->ctl->config_dir, "postconf", (const char *[]){"-m", NULL}, e);
    for (line = rc == 0 && text.len > 0 ? strtok_r(text.data, "\n", &rest) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        f->regexp |= strcmp(line, "regexp") == 0;
        f->socketmap |= strcmp(line, "socketmap") == 0;
    }
    buf_clear(&text);
    return rc;
}

/* --- the machine --- */

static void find_log(char out[PATH_MAX], const struct postfix_conf *postfix)
{
    const char *own = postfix_value(postfix, NULL, "maillog_file");

    if (*own == '/')
        (void)snprintf(out, PATH_MAX, "%s", own);
    else if (access("/var/log/mail.log", F_OK) == 0)
        (void)snprintf(out, PATH_MAX, "/var/log/mail.log");
    else
        (void)snprintf(out, PATH_MAX, "%s", access("/run/systemd/journal", F_OK) == 0 ? "journal" : "");
}

/* The first word of myorigin, or of the file that it names. */
static void find_domain(char out[300], const struct postfix_conf *postfix)
{
    const char *origin = postfix_value(postfix, NULL, "myorigin");
    FILE *in = *origin == '/' ? fopen(origin, "re") : NULL;

    out[0] = '\0';
    if (*origin != '/')
        (void)snprintf(out, 300, "%s", origin);
    else if (in == NULL || fscanf(in, "%299s", out) != 1)
        out[0] = '\0';
    if (in != NULL)
        fclose(in);
}

static bool in_master(const struct postfix_conf *postfix, unsigned port)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "127.0.0.1:%u", port);
    for (size_t i = 0; i < postfix->service_count; i++)
        if (strcmp(postfix->service[i].name, name) == 0 || strcmp(postfix->service[i].name, name + 10) == 0)
            return true;
    return false;
}

static unsigned find_port(const struct postfix_conf *postfix)
{
    for (unsigned port = AGAIN_PORT; port < AGAIN_PORT + PORTS; port++)
        if (!in_master(postfix, port) && machine_port_is_free(port))
            return port;
    return 0;
}

/* --- files --- */

static int read_table(struct setup_postfix_table *t, struct buf *template, struct buf *now, const char *name,
                      const struct gathered *g, const struct setup_request *r, struct err *e)
{
    char path[2 * PATH_MAX];
    int rc;

    (void)snprintf(path, sizeof(path), "%s/postfix/%s", r->share, name);
    rc = whole_file_read(template, path, e);
    if (rc == 0)
        return err_set(e, "%s: there is no such file; --share DIR says where Postern's are", path);
    if (rc < 0)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/%s", g->config_dir, name);
    rc = whole_file_read(now, path, e);
    if (rc < 0)
        return -1;
    t->template = buf_text(template);
    t->now = rc == 1 ? buf_text(now) : NULL;
    t->ours = setup_is_ours(r, path);
    return 0;
}

/* --- the plan --- */

static int gather(struct gathered *g, const struct postfix_conf *postfix, const struct setup_request *r, struct err *e)
{
    static const char authorities[] = "/etc/ssl/certs/ca-certificates.crt";
    struct setup_postfix_facts *f = &g->facts;
    struct setup_keys keys;

    if (realpath(postfix_value(postfix, NULL, "config_directory"), g->config_dir) == NULL ||
        realpath(r->ctl->conf_file, g->conf_file) == NULL)
        return err_set(e, "the folder of main.cf, or postern.conf, cannot be found: %s", strerror(errno));
    find_log(g->log, postfix);
    find_domain(g->mail_domain, postfix);
    machine_keys(&keys, g->key_folder, g->group, g->conf_file, r->conf->tlsrptd.user);
    f->log_group = machine_log_group(g->log_group, g->log, r->conf->tlsrptd.user);
    f->config_dir = g->config_dir;
    f->named = r->ctl->config_dir != NULL;
    f->resolver_is_near = machine_resolver_is_near(NULL);
    f->ca_file = access(authorities, R_OK) == 0 ? authorities : "";
    f->log = g->log;
    f->mail_domain = g->mail_domain;
    f->again_port = find_port(postfix);
    f->conf_file = g->conf_file;
    f->key_folder = g->key_folder;
    f->group = g->group;
    f->key_folder_there = keys.key_folder_there;
    memcpy(f->key_there, keys.key_there, sizeof(f->key_there));
    if (read_types(f, r, e) != 0 ||
        read_table(&f->transport, &g->transport, &g->transport_now, "transport_flags.regexp", g, r, e) != 0 ||
        read_table(&f->generic, &g->generic, &g->generic_now, "generic_flags.regexp", g, r, e) != 0 ||
        setup_postfix_set(&g->set, r->ctl->config_dir, e) != 0)
        return -1;
    f->set = &g->set;
    return 0;
}

int setup_postfix_plan(struct setup_plan *out, const struct setup_request *r, struct err *e)
{
    struct gathered *g = calloc(1, sizeof(*g));
    struct postfix_conf postfix;
    int rc;

    if (g == NULL)
        return err_set(e, "no memory");
    buf_init(&g->transport, TABLE_MAX);
    buf_init(&g->transport_now, TABLE_MAX);
    buf_init(&g->generic, TABLE_MAX);
    buf_init(&g->generic_now, TABLE_MAX);
    rc = postfix_read(&postfix, r->ctl->config_dir, e);
    if (rc == 0) {
        rc = gather(g, &postfix, r, e);
        if (rc == 0) {
            setup_postfix(out, &postfix, r->conf, &g->facts);
            postfix_conf_free(&g->set);
        }
        postfix_conf_free(&postfix);
    }
    buf_clear(&g->transport);
    buf_clear(&g->transport_now);
    buf_clear(&g->generic);
    buf_clear(&g->generic_now);
    free(g);
    return rc;
}

bool setup_postfix_running(const struct setup_request *r)
{
    struct buf out;
    bool runs;

    buf_init(&out, 65536);
    runs = postfix_run(&out, r->ctl->config_dir, "postfix", (const char *[]){"status", NULL}, NULL) == 0;
    buf_clear(&out);
    return runs;
}

/* --- afterwards --- */

static void say_findings(struct buf *said, const struct postfix_findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct postfix_finding *g = &f->item[i];

        buf_str(said, "check postfix: ");
        print_text(said, g->where, strlen(g->where));
        buf_str(said, ": ");
        print_text(said, g->what, strlen(g->what));
        buf_printf(said, ": %s; %s\n", postfix_finding_why(g->kind), postfix_finding_remedy(g->kind));
    }
}

void setup_postfix_findings(struct buf *said, const struct setup_request *r)
{
    struct postfix_findings found = {.item = calloc(POSTFIX_FINDINGS_MAX, sizeof(*found.item))};
    struct postfix_conf postfix;
    struct conf *conf = NULL;
    struct err e = {""};

    if (found.item != NULL && conf_read(&conf, r->ctl->conf_file, &e) == 0 &&
        postfix_read(&postfix, r->ctl->config_dir, &e) == 0) {
        if (postfix_check(&found, &postfix, conf, postfix_read_table, NULL, &e) == 0)
            say_findings(said, &found);
        postfix_conf_free(&postfix);
    }
    if (e.text[0] != '\0')
        buf_printf(said, "check postfix: %s\n", e.text);
    conf_free(conf);
    free(found.item);
}
