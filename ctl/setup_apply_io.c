/* setup_apply_io.c - see setup_apply_io.h. */
#include "setup_apply_io.h"

#include "clock.h"
#include "conf_edit.h"
#include "program_output_io.h"
#include "setup_daemons_io.h"
#include "setup_local_io.h"
#include "setup_text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 20) /* of one command */

/* A run of --apply: what is there to put back. */
struct applying {
    const struct setup_folder *folder;
    const struct setup_server *server;
    const struct setup_request *r;
    const struct setup_plan *plan;
    struct setup_manifest m;               /* as it is to be */
    struct setup_file *was;                /* of each file of m, just before; of those not changed now, empty */
    bool *changing;                        /* the same */
    size_t *step_done;                     /* of each step of the plan the number of its part in m, from 1; 0: none */
    size_t made;                           /* steps of the plan that are behind */
    enum setup_news news[SETUP_DAEMONS];   /* for Postern's own daemons */
    struct conf *conf;                     /* postern.conf as it is afterwards; NULL: it is not changed */
    struct buf conf_text;                  /* its text */
    bool local, daemons_told, server_told; /* begun */
    struct buf *said;
};

/* --- the plan --- */

static void settle_conf(struct setup_step *s, const struct setup_request *r)
{
    struct buf value;
    char *what = NULL;

    buf_init(&value, CONF_FILE_MAX);
    if (conf_edit_get(&value, buf_text(r->conf_text), r->conf_text->len, s->section, s->key) == 1) {
        s->state = strcmp(buf_text(&value), s->value) == 0 ? SETUP_THERE : SETUP_CLASH;
        if (s->state == SETUP_CLASH && asprintf(&what, "postern.conf has %.200s there; take it out, or write this (%s)",
                                                buf_text(&value), s->what) > 0) {
            free(s->what);
            s->what = what;
        }
    }
    buf_clear(&value);
}

int setup_make_plan(struct setup_plan *out, const struct setup_server *server, const struct setup_request *r,
                    struct err *e)
{
    *out = (struct setup_plan){.server = server->name};
    if (server->plan(out, r, e) != 0 || setup_plan_finish(out, e) != 0) {
        setup_plan_clear(out);
        return -1;
    }
    for (size_t i = 0; i < out->count; i++)
        if (out->step[i].kind == SETUP_CONF && out->step[i].state == SETUP_NEEDED)
            settle_conf(&out->step[i], r);
    if (setup_local_look(out, r->ctl) != 0)
        setup_note(out, SETUP_NEEDED,
                   "Redis could not be asked what the list local has; without it nothing can be "
                   "put into that list");
    return 0;
}

bool setup_is_ours(const struct setup_request *r, const char *path)
{
    const struct setup_kept *kept = r->before != NULL ? setup_manifest_file(r->before, path) : NULL;
    struct setup_file now;
    bool ours;

    if (kept == NULL || kept->after[0] == '\0' || setup_file_look(&now, path, NULL) != 0)
        return false;
    ours = strcmp(now.hash, kept->after) == 0;
    setup_file_clear(&now);
    return ours;
}

bool setup_conf_is_set(const struct setup_request *r, const char *section, const char *key)
{
    struct buf value;
    bool set;

    buf_init(&value, CONF_FILE_MAX);
    set = conf_edit_get(&value, buf_text(r->conf_text), r->conf_text->len, section, key) == 1;
    buf_clear(&value);
    return set;
}

int setup_run_command(struct buf *out, char *const argv[], struct err *e)
{
    char self[4096], *own[64] = {self};
    ssize_t len = strcmp(argv[0], "posternctl") == 0 ? readlink("/proc/self/exe", self, sizeof(self) - 1) : -1;

    if (len < 0)
        return program_output(out, argv, e);
    self[len] = '\0';
    for (size_t i = 1; i + 1 < sizeof(own) / sizeof(own[0]) && argv[i] != NULL; i++)
        own[i] = argv[i];
    return program_output(out, own, e);
}

/* --- what is changed is kept --- */

static bool is_needed(const struct setup_step *s)
{
    return s->state == SETUP_NEEDED && s->kind != SETUP_NOTE;
}

/* Room for one more file in the lists that go beside those of the manifest. */
static int grow(struct applying *a, struct err *e)
{
    size_t count = a->m.file_count;
    struct setup_file *was = realloc(a->was, (count + 1) * sizeof(*was));
    bool *changing = NULL;

    if (was != NULL) {
        a->was = was;
        changing = realloc(a->changing, (count + 1) * sizeof(*changing));
    }
    if (changing == NULL) {
        err_set(e, "no memory");
        return -1;
    }
    a->changing = changing;
    a->was[count] = (struct setup_file){.there = false};
    a->changing[count] = false;
    return 0;
}

static void describe(struct setup_kept *kept, const struct setup_file *now)
{
    if (now->link != NULL)
        kept->link = strdup(now->link);
    memcpy(kept->before, now->hash, sizeof(kept->before));
    kept->mode = now->mode;
    kept->uid = now->uid;
    kept->gid = now->gid;
}

static int keep_file(struct applying *a, const char *path, struct err *e)
{
    struct setup_kept *kept = setup_manifest_file(&a->m, path);
    struct setup_file now;
    size_t i;

    if (path[0] != '/')
        return err_set(e, "%s: no path from the root", path);
    if (kept != NULL && a->changing[kept - a->m.file])
        return 0;
    if (setup_file_look(&now, path, e) != 0)
        return -1;
    if (kept != NULL) {
        kept->edited |= strcmp(kept->after, now.hash) != 0;
    } else {
        if (grow(a, e) != 0 || (kept = setup_manifest_add_file(&a->m, path)) == NULL) {
            setup_file_clear(&now);
            return err_set(e, "more than %d files are to be kept, or no memory", SETUP_FILES_MAX);
        }
        describe(kept, &now);
        if (now.there && setup_folder_keep(a->folder, kept->number, "kept", &now.text, e) != 0) {
            setup_file_clear(&now);
            return -1;
        }
    }
    i = (size_t)(kept - a->m.file);
    if (a->was == NULL || a->changing == NULL) {
        setup_file_clear(&now);
        return err_set(e, "no memory");
    }
    a->was[i] = now;
    a->changing[i] = true;
    return 0;
}

static int keep_files(struct applying *a, struct err *e)
{
    for (size_t i = 0; i < a->plan->count; i++) {
        const struct setup_step *s = &a->plan->step[i];
        const char *path = s->kind == SETUP_CONF ? a->m.conf_file : s->path;

        if (is_needed(s) && path != NULL && keep_file(a, path, e) != 0)
            return -1;
    }
    return 0;
}

static bool same_words(char *const *a, char *const *b)
{
    for (; *a != NULL && *b != NULL; a++, b++)
        if (strcmp(*a, *b) != 0)
            return false;
    return *a == *b;
}

/* What an earlier run has made of the same thing, and nobody has changed since; NULL: nothing. */
static struct setup_done *made_before(const struct setup_manifest *m, const struct setup_step *s)
{
    for (size_t i = 0; s->kind == SETUP_COMMAND && s->shows != NULL && i < m->done_count; i++)
        if (m->done[i].step.shows != NULL && same_words(m->done[i].step.shows, s->shows) &&
            setup_is_as_made(&m->done[i]))
            return &m->done[i];
    return NULL;
}

/* It is made otherwise now; what takes it back stays what it was, back to before the first run. */
static int made_anew(struct setup_done *d, const struct setup_step *s)
{
    char **argv = setup_words_copy((const char *const *)s->argv);

    if (argv == NULL)
        return -1;
    setup_words_free(d->step.argv);
    d->step.argv = argv;
    return 0;
}

/* Each step that is taken back by itself, with what was there before. */
static int note_steps(struct applying *a, struct err *e)
{
    const struct buf *text = a->r->conf_text;

    for (size_t i = 0; i < a->plan->count; i++) {
        const struct setup_step *s = &a->plan->step[i];
        struct setup_done *d;
        struct buf before;

        if (!is_needed(s) || s->kind == SETUP_FILE || (s->kind == SETUP_COMMAND && s->undo == NULL))
            continue;
        d = made_before(&a->m, s);
        if (d != NULL) {
            if (made_anew(d, s) != 0)
                return err_set(e, "no memory");
            a->step_done[i] = (size_t)(d - a->m.done) + 1;
            continue;
        }
        d = setup_manifest_add_done(&a->m, s);
        if (d == NULL)
            return err_set(e, "more than %d steps, or no memory", SETUP_STEPS_MAX);
        a->step_done[i] = a->m.done_count;
        buf_init(&before, CONF_FILE_MAX);
        if (s->kind == SETUP_CONF && conf_edit_get(&before, buf_text(text), text->len, s->section, s->key) == 1)
            d->said = strdup(buf_text(&before));
        buf_clear(&before);
    }
    return 0;
}

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

        if (!is_needed(s) || s->kind != SETUP_CONF)
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

        if (!is_needed(s))
            continue;
        setup_daemons_note(a->news, s);
        say_step(a->said, s);
        buf_init(&out, OUTPUT_MAX);
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
        buf_init(&out, OUTPUT_MAX);
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
    buf_init(&step, OUTPUT_MAX);
    for (size_t i = 0; i < plan.count && rc == 0; i++)
        if (is_needed(&plan.step[i]) || plan.step[i].state == SETUP_CLASH) {
            setup_step_print(&step, &plan.step[i]);
            rc = err_set(e, "it was made, and is not there: %.200s", buf_text(&step));
        }
    buf_clear(&step);
    setup_plan_clear(&plan);
    return rc;
}

static int tell_server(struct applying *a, struct err *e)
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
    buf_init(&out, OUTPUT_MAX);
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
    if (setup_daemons_reload(a->said, a->news, a->r->conf, a->conf, e) != 0 || tell_server(a, e) != 0)
        return -1;
    if (a->server->works != NULL && a->server->works(a->said, a->r, e) != 0)
        return -1;
    a->m.stage = SETUP_APPLIED;
    return setup_folder_write(a->folder, &a->m, e);
}

/* --- put back --- */

static void take_local_back(struct applying *a, struct buf *faults)
{
    char **domains = calloc(a->plan->count + 1, sizeof(*domains));
    struct err e = {""};
    size_t count = 0;

    for (size_t i = 0; domains != NULL && i < a->plan->count; i++)
        if (a->plan->step[i].kind == SETUP_LOCAL && is_needed(&a->plan->step[i]))
            domains[count++] = a->plan->step[i].domain;
    if (setup_local_take(a->plan->server, domains, a->r->ctl, faults, &e) != 0)
        buf_printf(faults, "%s\n", e.text);
    free(domains);
}

/* What changes no file that is kept */
static void take_commands_back(struct applying *a, struct buf *faults)
{
    for (size_t i = a->made; i > 0; i--) {
        const struct setup_step *s = &a->plan->step[i - 1];
        struct err e = {""};
        struct buf out;

        if (!is_needed(s) || s->kind != SETUP_COMMAND || s->undo == NULL || s->path != NULL)
            continue;
        buf_init(&out, OUTPUT_MAX);
        if (setup_run_command(&out, s->undo, &e) != 0)
            buf_printf(faults, "%s\n", e.text);
        buf_clear(&out);
    }
}

/* All as it was before this run. Returns false when not all of it is. */
static bool put_back(struct applying *a, struct buf *faults)
{
    struct err e = {""};

    for (size_t i = a->m.file_count; i > 0; i--)
        if (a->changing[i - 1] && setup_file_restore(a->m.file[i - 1].path, &a->was[i - 1], &e) != 0)
            buf_printf(faults, "%s\n", e.text);
    take_commands_back(a, faults);
    if (a->local)
        take_local_back(a, faults);
    if (a->daemons_told && setup_daemons_reload(a->said, a->news, a->conf, a->r->conf, &e) != 0)
        buf_printf(faults, "%s\n", e.text);
    if (a->server_told && tell_server(a, &e) != 0)
        buf_printf(faults, "%s\n", e.text);
    return faults->len == 0;
}

/* The manifest of before; 0, or -1 with the reason. */
static int put_manifest_back(const struct applying *a, struct err *e)
{
    if (a->r->before != NULL)
        return setup_folder_write(a->folder, a->r->before, e);
    return setup_folder_forget(a->folder, &a->m, true, e);
}

/* The manifest of before, if all is as it was; else that of this run stays, so that --undo can be tried. */
static void fail(struct applying *a, struct err *e)
{
    struct err again = {""};
    struct buf faults;

    buf_init(&faults, OUTPUT_MAX);
    if (!put_back(a, &faults)) {
        buf_add(a->said, buf_text(&faults), faults.len);
        err_prefix(e, "not all of it could be put back (\"posternctl %s --undo\" tries again)", a->server->command);
    } else if (put_manifest_back(a, &again) != 0) {
        buf_printf(a->said, "%s\n", again.text);
        err_prefix(e, "all is as it was before, but for what was kept of it in %.80s", a->folder->path);
    } else {
        err_prefix(e, "all is as it was before");
    }
    buf_clear(&faults);
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
        rc = keep_files(&a, e);
    if (rc == 0)
        rc = note_steps(&a, e);
    if (rc == 0)
        rc = setup_folder_write(folder, &a.m, e);
    if (rc == 0 && carry_out(&a, e) != 0) {
        fail(&a, e);
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
