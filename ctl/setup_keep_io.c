/* setup_keep_io.c - what --apply is about to change is kept; see setup_apply_internal.h. */
#include "setup_apply_internal.h"

#include "conf_edit.h"
#include "setup_command_io.h"

#include <stdlib.h>
#include <string.h>

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

        if (apply_is_needed(s) && path != NULL && keep_file(a, path, e) != 0)
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

        if (!apply_is_needed(s) || s->kind == SETUP_FILE || (s->kind == SETUP_COMMAND && s->undo == NULL))
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

int apply_keep(struct applying *a, struct err *e)
{
    return keep_files(a, e) == 0 ? note_steps(a, e) : -1;
}
