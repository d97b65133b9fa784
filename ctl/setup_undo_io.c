/* setup_undo_io.c - what setup_apply has made is taken back; see setup_apply_io.h. */
#include "setup_apply_io.h"

#include "conf_edit.h"
#include "print.h"
#include "setup_command_io.h"
#include "setup_daemons_io.h"
#include "setup_local_io.h"
#include "setup_text.h"

#include <stdlib.h>
#include <string.h>

struct undoing {
    const struct setup_folder *folder;
    const struct setup_server *server;
    const struct setup_request *r;
    struct setup_manifest *m;     /* as it is written while it goes on */
    bool edited[SETUP_FILES_MAX]; /* of each file: it is taken back step by step */
    bool *changed;                /* of each step: what it has made is otherwise now */
    enum setup_news news[SETUP_DAEMONS];
    struct buf *said;
    struct buf left;
};

static void say_left(struct undoing *u, const char *what, const char *why)
{
    print_text(&u->left, what, strlen(what));
    buf_printf(&u->left, ": %s\n", why);
}

/* --- files --- */

/* A run that was broken off: nobody knows what the file was to be. What there is now is kept, too. */
static int keep_unknown(struct undoing *u, const struct setup_kept *f, const struct setup_file *now, struct err *e)
{
    if (u->m->stage != SETUP_APPLYING || !now->there)
        return 0;
    buf_printf(u->said, "%s as it is now: %s/%u.left\n", f->path, u->folder->path, f->number);
    return setup_folder_keep(u->folder, f->number, "left", &now->text, e);
}

static int restore_file(struct undoing *u, const struct setup_kept *f, const struct setup_file *now, struct err *e)
{
    struct setup_file was;
    int rc;

    if (keep_unknown(u, f, now, e) != 0 || setup_folder_kept(&was, u->folder, f, e) != 0)
        return -1;
    rc = setup_file_restore(f->path, &was, e);
    setup_file_clear(&was);
    if (rc == 0)
        buf_printf(u->said, "%s is as it was%s\n", f->path, f->before[0] == '\0' ? ": not there" : "");
    return rc;
}

/* Of an edited file what --apply has put in. Returns 1, 0: it has none of that, or -1 with the reason. */
static int take_part(struct undoing *u, const struct setup_kept *f, struct setup_file *now, struct err *e)
{
    struct buf rest;
    int rc = 0;

    buf_init(&rest, SETUP_FILE_MAX);
    if (u->server->without != NULL && now->there && u->server->without(&rest, buf_text(&now->text))) {
        struct setup_file left = {.there = rest.len > 0 || f->before[0] != '\0',
                                  .link = now->link,
                                  .mode = now->mode,
                                  .uid = now->uid,
                                  .gid = now->gid,
                                  .text = rest};
        rc = setup_file_restore(f->path, &left, e) == 0 ? 1 : -1;
        buf_printf(u->said, "%s: what was put in is out, your own lines stay\n", f->path);
    }
    buf_clear(&rest);
    return rc;
}

static bool as_before(const struct setup_kept *f, const struct setup_file *now)
{
    return strcmp(now->hash, f->before) == 0 && (now->link == NULL) == (f->link == NULL);
}

/* Which files has somebody edited since? */
static int find_edited(struct undoing *u, struct err *e)
{
    for (size_t i = 0; i < u->m->file_count; i++) {
        const struct setup_kept *f = &u->m->file[i];
        struct setup_file now;

        if (setup_file_look(&now, f->path, e) != 0)
            return -1;
        u->edited[i] =
            !as_before(f, &now) && u->m->stage != SETUP_APPLYING && (f->edited || strcmp(now.hash, f->after) != 0);
        setup_file_clear(&now);
    }
    return 0;
}

static int take_file(struct undoing *u, size_t i, struct err *e)
{
    const struct setup_kept *f = &u->m->file[i];
    struct setup_file now;
    int rc = 0;

    if (setup_file_look(&now, f->path, e) != 0)
        return -1;
    setup_file_tidy(f->path);
    if (u->edited[i])
        rc = take_part(u, f, &now, e);
    else if (!as_before(f, &now))
        rc = restore_file(u, f, &now, e);
    if (rc == 0 && u->edited[i] && f->before[0] == '\0')
        say_left(u, f->path, "was edited since it was made here, and stays");
    setup_file_clear(&now);
    return rc < 0 ? -1 : 0;
}

/* --- step by step --- */

static bool is_edited(const struct undoing *u, const char *path)
{
    const struct setup_kept *f = path != NULL ? setup_manifest_file(u->m, path) : NULL;

    return f == NULL || u->edited[f - u->m->file];
}

static bool is_to_be_taken(const struct undoing *u, const struct setup_done *d)
{
    return d->step.kind == SETUP_COMMAND && !d->taken && d->step.undo != NULL && is_edited(u, d->step.path) &&
           (u->m->stage != SETUP_APPLYING || d->step.path == NULL);
}

/* What it has done is written down at once, so that an --undo after one that failed does not do it again. */
static int take_command(struct undoing *u, struct setup_done *d, bool changed, struct err *e)
{
    struct err why = {""};
    struct buf out, words;
    int rc = 0;

    buf_init(&words, SETUP_OUTPUT_MAX);
    buf_init(&out, SETUP_OUTPUT_MAX);
    setup_words_print(&words, d->step.undo);
    if (changed) {
        buf_printf(&u->left, "changed since, and left as it is; this would take it back: %s\n", buf_text(&words));
    } else if (setup_run_command(&out, d->step.undo, &why) == 0) {
        buf_printf(u->said, "%s\n", buf_text(&words));
        d->taken = true;
        rc = setup_folder_write(u->folder, u->m, e);
    } else {
        say_left(u, buf_text(&words), why.text);
    }
    buf_clear(&out);
    buf_clear(&words);
    return rc;
}

/* Replaces *text by it without the setting, or with what it was; false: somebody has changed it. */
static bool take_setting(struct buf *text, const struct setup_done *d)
{
    const struct setup_step *s = &d->step;
    struct buf value, next;
    bool same;

    buf_init(&value, CONF_FILE_MAX);
    buf_init(&next, CONF_FILE_MAX);
    same = conf_edit_get(&value, buf_text(text), text->len, s->section, s->key) == 1 &&
           strcmp(buf_text(&value), s->value) == 0;
    if (same && d->said != NULL)
        same = conf_edit_set(&next, buf_text(text), text->len, s->section, s->key, d->said, NULL) == 0;
    else if (same)
        same = conf_edit_unset(&next, buf_text(text), text->len, s->section, s->key, NULL) == 0;
    buf_clear(&value);
    if (same) {
        buf_clear(text);
        *text = next;
    } else {
        buf_clear(&next);
    }
    return same;
}

/* All of them, out of the text. */
static void take_each_setting(struct undoing *u, struct buf *text)
{
    for (size_t i = u->m->done_count; i > 0; i--) {
        struct setup_done *d = &u->m->done[i - 1];

        if (d->step.kind != SETUP_CONF || d->taken)
            continue;
        d->taken = take_setting(text, d);
        if (!d->taken)
            buf_printf(&u->left, "%s: %s { %s } was changed since, and stays\n", u->m->conf_file, d->step.section,
                       d->step.key);
    }
}

static int take_settings(struct undoing *u, struct err *e)
{
    struct setup_file now;
    struct setup_owner owner;
    struct conf *conf = NULL;
    int rc;

    if (!is_edited(u, u->m->conf_file) || setup_manifest_file(u->m, u->m->conf_file) == NULL)
        return 0;
    if (setup_file_look(&now, u->m->conf_file, e) != 0)
        return -1;
    take_each_setting(u, &now.text);
    owner = (struct setup_owner){.mode = now.mode, .uid = now.uid, .gid = now.gid};
    rc = conf_parse(&conf, u->m->conf_file, buf_text(&now.text), now.text.len, e);
    if (rc == 0)
        rc = setup_file_put(u->m->conf_file, buf_text(&now.text), now.text.len, &owner, e);
    if (rc == 0)
        rc = setup_folder_write(u->folder, u->m, e);
    conf_free(conf);
    setup_file_clear(&now);
    return rc;
}

static int take_local(struct undoing *u, struct err *e)
{
    char **domains = calloc(u->m->done_count + 1, sizeof(*domains));
    size_t count = 0;
    int rc;

    if (domains == NULL)
        return err_set(e, "no memory");
    for (size_t i = 0; i < u->m->done_count; i++)
        if (u->m->done[i].step.kind == SETUP_LOCAL)
            domains[count++] = u->m->done[i].step.domain;
    rc = setup_local_take(u->m->server, domains, u->r->ctl, &u->left, e);
    free(domains);
    return rc;
}

/* --- a run --- */

static int tell_all(struct undoing *u, struct err *e)
{
    struct conf *now = NULL;
    struct buf out;
    int rc = 0;

    for (size_t i = 0; i < u->m->done_count; i++)
        setup_daemons_note(u->news, &u->m->done[i].step);
    if (conf_read(&now, u->m->conf_file, e) == 0)
        rc = setup_daemons_reload(u->said, u->news, u->r->conf, now, e);
    else
        rc = -1;
    conf_free(now);
    if (rc != 0 || u->m->reload == NULL || !u->server->running(u->r))
        return rc;
    buf_init(&out, SETUP_OUTPUT_MAX);
    setup_words_print(u->said, u->m->reload);
    buf_char(u->said, '\n');
    rc = setup_run_command(&out, u->m->reload, e);
    buf_clear(&out);
    return rc;
}

static int hold(struct undoing *u, bool force, struct err *e)
{
    struct err why = {""};

    if (u->server->hold == NULL || u->server->hold(u->said, u->r, &why) >= 0)
        return 0;
    if (!force)
        return err_set(e,
                       "nothing was taken back, as flagged mail in the queue would go out like any other "
                       "(--force goes on): %s",
                       why.text);
    buf_printf(u->said, "flagged mail is not on hold: %s\n", why.text);
    return 0;
}

/* What the steps have made is looked at before anything changes: Postfix knows parameters in main.cf by services in
 * master.cf. */
static int find_changed(struct undoing *u, struct err *e)
{
    u->changed = calloc(u->m->done_count + 1, sizeof(*u->changed));
    if (u->changed == NULL)
        return err_set(e, "no memory");
    for (size_t i = 0; i < u->m->done_count; i++)
        u->changed[i] = is_to_be_taken(u, &u->m->done[i]) && !setup_is_as_made(&u->m->done[i]);
    return 0;
}

static int take_all(struct undoing *u, struct err *e)
{
    int rc = 0;

    if (find_edited(u, e) != 0 || find_changed(u, e) != 0)
        return -1;
    for (size_t i = u->m->file_count; i > 0; i--)
        if (take_file(u, i - 1, e) != 0)
            return -1;
    for (size_t i = u->m->done_count; i > 0 && rc == 0; i--)
        if (is_to_be_taken(u, &u->m->done[i - 1]))
            rc = take_command(u, &u->m->done[i - 1], u->changed[i - 1], e);
    if (rc != 0 || take_settings(u, e) != 0 || hold(u, true, e) != 0 || tell_all(u, e) != 0)
        return -1;
    if (take_local(u, e) != 0)
        return err_prefix(e, "all is taken back but entries of the list local (--undo once more does that)");
    return 0;
}

static size_t count_lines(const struct buf *text)
{
    size_t lines = 0;

    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    return lines;
}

int setup_undo(struct buf *said, const struct setup_folder *folder, const struct setup_server *server,
               const struct setup_request *r, bool force, size_t *left, struct err *e)
{
    struct setup_manifest begun;
    struct undoing u = {.folder = folder, .server = server, .r = r, .m = &begun, .said = said};
    int rc;

    *left = 0;
    if (r->before == NULL)
        return 0;
    buf_init(&u.left, SETUP_OUTPUT_MAX);
    begun = *r->before;
    rc = hold(&u, force, e);
    begun.stage = begun.stage == SETUP_APPLYING ? SETUP_APPLYING : SETUP_UNDOING;
    if (rc == 0)
        rc = setup_folder_write(folder, &begun, e);
    if (rc == 0)
        rc = take_all(&u, e);
    if (rc == 0)
        rc = hold(&u, true, e); /* what came in meanwhile */
    *left = count_lines(&u.left);
    if (*left > 0)
        buf_printf(said, "Left, and for you to decide:\n%s", buf_text(&u.left));
    if (*left > 0 && rc == 0)
        buf_printf(said, "The files as they were before are %s/*.kept\n", folder->path);
    if (rc == 0)
        rc = setup_folder_forget(folder, r->before, *left == 0, e);
    buf_clear(&u.left);
    free(u.changed);
    return rc == 0 ? 1 : -1;
}
