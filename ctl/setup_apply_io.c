/* setup_apply_io.c - see setup_apply_io.h. */
#include "setup_apply_internal.h"

#include "clock.h"
#include "conf_edit.h"
#include "setup_command_io.h"
#include "setup_local_io.h"
#include "setup_plan_io.h"
#include "setup_text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the steps --- */

static int change_conf(struct applying *a, struct err *e)
{
    const struct setup_kept *kept = setup_manifest_file(&a->m, a->m.conf_file);
    const struct setup_file *was;
    struct setup_owner owner;

    buf_init(&a->conf_text, CONF_FILE_MAX);
    buf_add(&a->conf_text, buf_text(a->r->conf_text), a->r->conf_text->len);
    for (size_t i = 0; i < a->plan->count; i++) {
        const struct setup_step *s = &a->plan->step[i];
        struct buf next;

        if (!apply_is_needed(s) || s->kind != SETUP_CONF)
            continue;
        buf_init(&next, CONF_FILE_MAX);
        if (conf_edit_set(&next, buf_text(&a->conf_text), a->conf_text.len, s->section, s->key, s->value, e) != 0) {
            buf_clear(&next);
            return err_prefix(e, "%s", a->m.conf_file);
        }
        buf_clear(&a->conf_text);
        a->conf_text = next;
    }
    if (conf_parse(&a->conf, a->m.conf_file, buf_text(&a->conf_text), a->conf_text.len, e) != 0)
        return -1;
    if (kept == NULL || !a->changing[kept - a->m.file])
        return 0;
    was = &a->was[kept - a->m.file];
    owner = (struct setup_owner){.mode = was->mode, .uid = was->uid, .gid = was->gid};
    return setup_file_put(a->m.conf_file, buf_text(&a->conf_text), a->conf_text.len, &owner, e);
}

static int make_file(struct applying *a, const struct setup_step *s, struct err *e)
{
    const struct setup_file *was = &a->was[setup_manifest_file(&a->m, s->path) - a->m.file];
    struct setup_owner owner = {.mode = s->mode, .uid = geteuid(), .gid = getegid()};

    if (was->there)
        owner = (struct setup_owner){.mode = was->mode, .uid = was->uid, .gid = was->gid};
    return setup_file_put(s->path, s->text, strlen(s->text), &owner, e);
}

static void say_step(struct buf *said, const struct setup_step *s)
{
    setup_step_print(said, s);
    buf_char(said, '\n');
}

static int make_steps(struct applying *a, struct err *e)
{
    for (size_t i = 0; i < a->plan->count; i++) {
        const struct setup_step *s = &a->plan->step[i];
        struct buf out;
        int rc = 0;

        if (!apply_is_needed(s))
            continue;
        setup_daemons_note(a->news, s);
        say_step(a->said, s);
        buf_init(&out, SETUP_OUTPUT_MAX);
        if (s->kind == SETUP_COMMAND)
            rc = setup_run_command(&out, s->argv, e);
        else if (s->kind == SETUP_FILE)
            rc = make_file(a, s, e);
        buf_add(a->said, buf_text(&out), out.len);
        buf_clear(&out);
        if (rc != 0)
            return -1;
        a->made = i + 1;
    }
    return 0;
}

/* postconf makes files of root's that everybody may read; there may be a password in there. */
static int keep_owner(const char *path, const struct setup_file *was, const struct setup_file *now, struct err *e)
{
    const struct setup_owner owner = {.mode = was->mode, .uid = was->uid, .gid = was->gid};

    if (!was->there || !now->there || was->link != NULL ||
        (was->mode == now->mode && was->uid == now->uid && was->gid == now->gid))
        return 0;
    return setup_file_put(path, buf_text(&now->text), now->text.len, &owner, e);
}

/* What shows that a step was made, for --undo. */
static int note_shown(struct applying *a, struct err *e)
{
    for (size_t i = 0; i < a->plan->count; i++) {
        struct setup_done *d = a->step_done[i] > 0 ? &a->m.done[a->step_done[i] - 1] : NULL;
        struct buf out;

        if (d == NULL || d->step.shows == NULL)
            continue;
        buf_init(&out, SETUP_OUTPUT_MAX);
        if (setup_run_command(&out, d->step.shows, e) != 0) {
            buf_clear(&out);
            return -1;
        }
        free(d->said);
        d->said = strdup(buf_text(&out));
        buf_clear(&out);
    }
    for (size_t i = 0; i < a->m.file_count; i++) {
        struct setup_file now;
        int rc;

        if (!a->changing[i])
            continue;
        if (setup_file_look(&now, a->m.file[i].path, e) != 0)
            return -1;
        memcpy(a->m.file[i].after, now.hash, sizeof(now.hash));
        rc = keep_owner(a->m.file[i].path, &a->was[i], &now, e);
        setup_file_clear(&now);
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* A plan that is made anew needs nothing. */
static int verify(struct applying *a, struct err *e)
{
    struct setup_request now = *a->r;
    struct setup_plan plan;
    struct buf step;
    int rc = 0;

    now.conf = a->conf;
    now.conf_text = &a->conf_text;
    now.before = &a->m;
    if (setup_make_plan(&plan, a->server, &now, e) != 0)
        return err_prefix(e, "afterwards");
    buf_init(&step, SETUP_OUTPUT_MAX);
    for (size_t i = 0; i < plan.count && rc == 0; i++)
        if (apply_is_needed(&plan.step[i]) || plan.step[i].state == SETUP_CLASH) {
            setup_step_print(&step, &plan.step[i]);
            rc = err_set(e, "it was made, and is not there: %.200s", buf_text(&step));
        }
    buf_clear(&step);
    setup_plan_clear(&plan);
    return rc;
}

int apply_tell_server(struct applying *a, struct err *e)
{
    struct buf out;
    int rc;

    if (a->plan->reload == NULL || !a->server->running(a->r)) {
        buf_printf(a->said, "%s does not run, so nothing is reloaded\n", a->server->name);
        return 0;
    }
    a->server_told = true;
    setup_words_print(a->said, a->plan->reload);
    buf_char(a->said, '\n');
    buf_init(&out, SETUP_OUTPUT_MAX);
    rc = setup_run_command(&out, a->plan->reload, e);
    buf_clear(&out);
    return rc;
}

static int carry_out(struct applying *a, struct err *e)
{
    if (change_conf(a, e) != 0 || make_steps(a, e) != 0)
        return -1;
    if (setup_local_add(a->plan, a->r->ctl, &a->local, e) != 0 || note_shown(a, e) != 0 || verify(a, e) != 0)
        return -1;
    a->daemons_told = true;
    if (setup_daemons_reload(a->said, a->news, a->r->conf, a->conf, e) != 0 || apply_tell_server(a, e) != 0)
        return -1;
    if (a->server->works != NULL && a->server->works(a->said, a->r, e) != 0)
        return -1;
    a->m.stage = SETUP_APPLIED;
    return setup_folder_write(a->folder, &a->m, e);
}

/* --- a run --- */

/* The manifest of before, to go on with. */
static int begin(struct applying *a, struct err *e)
{
    struct buf text;
    int rc;

    a->step_done = calloc(a->plan->count + 1, sizeof(*a->step_done));
    if (a->step_done == NULL)
        return err_set(e, "no memory");
    if (a->r->before != NULL) {
        buf_init(&text, SETUP_MANIFEST_MAX);
        rc = setup_manifest_write(&text, a->r->before) == 0 ? setup_manifest_read(&a->m, buf_text(&text), text.len, e)
                                                            : err_set(e, "no memory");
        buf_clear(&text);
        if (rc != 0)
            return -1;
    } else {
        a->m.server = strdup(a->server->name);
        a->m.conf_file = realpath(a->r->ctl->conf_file, NULL);
        if (a->m.server == NULL || a->m.conf_file == NULL) {
            err_set(e, "%s: cannot be found", a->r->ctl->conf_file);
            return -1;
        }
    }
    a->was = calloc(a->m.file_count + 1, sizeof(*a->was));
    a->changing = calloc(a->m.file_count + 1, sizeof(*a->changing));
    if (a->was == NULL || a->changing == NULL) {
        err_set(e, "no memory");
        return -1;
    }
    setup_words_free(a->m.reload);
    a->m.reload = setup_words_copy((const char *const *)a->plan->reload);
    a->m.stage = SETUP_APPLYING;
    a->m.when = now_seconds();
    return 0;
}

int setup_apply(struct buf *said, const struct setup_folder *folder, const struct setup_server *server,
                const struct setup_request *r, const struct setup_plan *plan, struct err *e)
{
    struct applying a = {.folder = folder, .server = server, .r = r, .plan = plan, .said = said};
    int rc;

    if (r->before != NULL && r->before->stage != SETUP_APPLIED)
        return err_set(e, "an earlier run was broken off; \"posternctl %s --undo\" first", server->command);
    rc = begin(&a, e);
    if (rc == 0)
        rc = apply_keep(&a, e);
    if (rc == 0)
        rc = setup_folder_write(folder, &a.m, e);
    if (rc == 0 && carry_out(&a, e) != 0) {
        apply_put_back(&a, e);
        rc = -1;
    }
    for (size_t i = 0; a.was != NULL && i < a.m.file_count; i++)
        setup_file_clear(&a.was[i]);
    free(a.was);
    free(a.changing);
    free(a.step_done);
    buf_clear(&a.conf_text);
    conf_free(a.conf);
    setup_manifest_clear(&a.m);
    return rc;
}
