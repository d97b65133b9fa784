/* setup_manifest.c - see setup_manifest.h. */
#include "setup_manifest.h"

#include "ascii.h"
#include "hex.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1

static const char *const stages[] = {"applying", "applied", "undoing"};
static const char *const kinds[] = {"command", "file", "conf", "local", "note"};

/* --- parts --- */

struct setup_kept *setup_manifest_file(const struct setup_manifest *m, const char *path)
{
    for (size_t i = 0; i < m->file_count; i++)
        if (strcmp(m->file[i].path, path) == 0)
            return &m->file[i];
    return NULL;
}

struct setup_kept *setup_manifest_add_file(struct setup_manifest *m, const char *path)
{
    struct setup_kept *more;
    char *copy;

    if (m->file_count >= SETUP_FILES_MAX)
        return NULL;
    more = realloc(m->file, (m->file_count + 1) * sizeof(*more));
    if (more == NULL)
        return NULL;
    m->file = more;
    copy = strdup(path);
    if (copy == NULL)
        return NULL;
    m->file[m->file_count] = (struct setup_kept){.path = copy, .number = (unsigned)m->file_count};
    return &m->file[m->file_count++];
}

static bool copy_word(char **out, const char *text)
{
    *out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out != NULL;
}

static bool copy_words(char ***out, char *const *words)
{
    *out = setup_words_copy((const char *const *)words);
    return words == NULL || *out != NULL;
}

struct setup_done *setup_manifest_add_done(struct setup_manifest *m, const struct setup_step *step)
{
    struct setup_done *more;
    struct setup_step *s;
    bool ok;

    if (m->done_count >= SETUP_STEPS_MAX)
        return NULL;
    more = realloc(m->done, (m->done_count + 1) * sizeof(*more));
    if (more == NULL)
        return NULL;
    m->done = more;
    m->done[m->done_count] = (struct setup_done){.step = {.kind = step->kind}};
    s = &m->done[m->done_count].step;
    ok = copy_word(&s->what, step->what) && copy_word(&s->daemon, step->daemon) && copy_word(&s->path, step->path) &&
         copy_word(&s->section, step->section) && copy_word(&s->key, step->key) && copy_word(&s->value, step->value) &&
         copy_word(&s->domain, step->domain) && copy_words(&s->argv, step->argv) && copy_words(&s->undo, step->undo) &&
         copy_words(&s->shows, step->shows);
    if (!ok) {
        setup_step_clear(s);
        return NULL;
    }
    return &m->done[m->done_count++];
}

void setup_manifest_clear(struct setup_manifest *m)
{
    for (size_t i = 0; i < m->file_count; i++) {
        free(m->file[i].path);
        free(m->file[i].link);
    }
    for (size_t i = 0; i < m->done_count; i++) {
        setup_step_clear(&m->done[i].step);
        free(m->done[i].said);
    }
    free(m->file);
    free(m->done);
    free(m->server);
    free(m->conf_file);
    setup_words_free(m->reload);
    *m = (struct setup_manifest){.stage = SETUP_APPLYING};
}

/* --- writing --- */

/* A text, null where there is none, {"hex":DIGITS} where it is no UTF-8: what was there before is any octets. */
static json_t *text_json(const char *text)
{
    json_t *value = text != NULL ? json_string(text) : json_null();
    size_t len = text != NULL ? strlen(text) : 0;
    char *digits = value == NULL ? malloc(2 * len + 1) : NULL;

    if (digits == NULL)
        return value;
    hex_write(digits, text, len);
    value = json_pack("{s:s}", "hex", digits);
    free(digits);
    return value;
}

static json_t *words_json(char *const *words)
{
    json_t *array = words != NULL ? json_array() : json_null();

    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        if (json_array_append_new(array, text_json(words[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *file_json(const struct setup_kept *f)
{
    return json_pack("{s:o, s:o, s:s, s:s, s:b, s:I, s:I, s:I, s:I}", "path", text_json(f->path), "link",
                     text_json(f->link), "before", f->before, "after", f->after, "edited", f->edited, "mode",
                     (json_int_t)f->mode, "uid", (json_int_t)f->uid, "gid", (json_int_t)f->gid, "number",
                     (json_int_t)f->number);
}

static json_t *done_json(const struct setup_done *d)
{
    const struct setup_step *s = &d->step;

    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "kind", kinds[s->kind],
                     "what", text_json(s->what), "daemon", text_json(s->daemon), "path", text_json(s->path), "argv",
                     words_json(s->argv), "undo", words_json(s->undo), "shows", words_json(s->shows), "section",
                     text_json(s->section), "key", text_json(s->key), "value", text_json(s->value), "domain",
                     text_json(s->domain), "said", text_json(d->said), "taken", d->taken);
}

int setup_manifest_write(struct buf *out, const struct setup_manifest *m)
{
    json_t *files = json_array(), *done = json_array(), *all;
    char *text;
    int rc = 0;

    for (size_t i = 0; i < m->file_count; i++)
        rc |= json_array_append_new(files, file_json(&m->file[i]));
    for (size_t i = 0; i < m->done_count; i++)
        rc |= json_array_append_new(done, done_json(&m->done[i]));
    all = json_pack("{s:i, s:s, s:s, s:o, s:I, s:o, s:o, s:o}", "version", VERSION, "stage", stages[m->stage], "server",
                    m->server, "conf", text_json(m->conf_file), "when", (json_int_t)m->when, "files", files, "done",
                    done, "reload", words_json(m->reload));
    text = rc == 0 && all != NULL ? json_dumps(all, JSON_INDENT(1)) : NULL;
    json_decref(all);
    if (text == NULL)
        return -1;
    buf_str(out, text);
    buf_char(out, '\n');
    free(text);
    return buf_ok(out) ? 0 : -1;
}

/* --- reading --- */

/* What text_json has written, to be freed; NULL: it is none, or no memory. */
static char *text_of(const json_t *value)
{
    const char *hex = json_string_value(json_object_get(value, "hex"));
    size_t len = hex != NULL ? strlen(hex) / 2 : 0;
    char *text;

    if (json_is_string(value))
        return strdup(json_string_value(value));
    text = hex != NULL && strlen(hex) == 2 * len ? malloc(len + 1) : NULL;
    for (size_t i = 0; text != NULL && i < len; i++) {
        int octet = ascii_hex_pair(hex + 2 * i, 2);
        if (octet <= 0) {
            free(text);
            return NULL;
        }
        text[i] = (char)octet;
    }
    if (text != NULL)
        text[len] = '\0';
    return text;
}

/* A text, or null where it need not be there. */
static int get_text(char **out, const json_t *object, const char *key, bool needed, struct err *e)
{
    const json_t *value = json_object_get(object, key);

    *out = NULL;
    if (value == NULL || json_is_null(value))
        return needed ? err_set(e, "\"%s\" is missing", key) : 0;
    *out = text_of(value);
    return *out != NULL ? 0 : err_set(e, "\"%s\" is no text", key);
}

static int get_words(char ***out, const json_t *object, const char *key, struct err *e)
{
    const json_t *value = json_object_get(object, key);
    size_t count = json_array_size(value);

    *out = NULL;
    if (value == NULL || json_is_null(value))
        return 0;
    if (!json_is_array(value) || count == 0)
        return err_set(e, "\"%s\" is no list of words", key);
    *out = calloc(count + 1, sizeof(**out));
    for (size_t i = 0; *out != NULL && i < count; i++) {
        (*out)[i] = text_of(json_array_get(value, i));
        if ((*out)[i] == NULL)
            return err_set(e, "\"%s\" is no list of words", key);
    }
    return *out != NULL ? 0 : err_set(e, "no memory");
}

static int get_number(unsigned *out, const json_t *object, const char *key, json_int_t max, struct err *e)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max)
        return err_set(e, "\"%s\" is no number from 0 to %lld", key, (long long)max);
    *out = (unsigned)json_integer_value(value);
    return 0;
}

static int get_hash(char out[SETUP_HASH], const json_t *object, const char *key, struct err *e)
{
    const char *text = json_string_value(json_object_get(object, key));
    size_t len = text != NULL ? strlen(text) : 1;

    if (len != 0 && (len != SETUP_HASH - 1 || strspn(text, "0123456789abcdef") != len))
        return err_set(e, "\"%s\" is no SHA-256", key);
    memcpy(out, text, len + 1);
    return 0;
}

static int get_word(size_t *out, const json_t *object, const char *key, const char *const *words, size_t count,
                    struct err *e)
{
    const char *text = json_string_value(json_object_get(object, key));

    for (*out = 0; text != NULL && *out < count; ++*out)
        if (strcmp(words[*out], text) == 0)
            return 0;
    return err_set(e, "\"%s\" is none of the words that there are", key);
}

static struct setup_kept *add_file(struct setup_manifest *m, const char *path, struct err *e)
{
    struct setup_kept *f;

    if (path == NULL || *path != '/') {
        err_set(e, "\"path\" is no path from the root");
        return NULL;
    }
    if (setup_manifest_file(m, path) != NULL) {
        err_set(e, "\"path\" is there twice: %.100s", path);
        return NULL;
    }
    f = setup_manifest_add_file(m, path);
    if (f == NULL)
        err_set(e, "more than %d files, or no memory", SETUP_FILES_MAX);
    return f;
}

static int read_file(struct setup_manifest *m, const json_t *object, struct err *e)
{
    char *path = text_of(json_object_get(object, "path"));
    struct setup_kept *f = add_file(m, path, e);

    free(path);
    if (f == NULL)
        return -1;
    f->edited = json_is_true(json_object_get(object, "edited"));
    if (get_text(&f->link, object, "link", false, e) != 0 || get_hash(f->before, object, "before", e) != 0 ||
        get_hash(f->after, object, "after", e) != 0 || get_number(&f->mode, object, "mode", 07777, e) != 0 ||
        get_number(&f->uid, object, "uid", UINT32_MAX, e) != 0 ||
        get_number(&f->gid, object, "gid", UINT32_MAX, e) != 0 ||
        get_number(&f->number, object, "number", SETUP_FILES_MAX - 1, e) != 0)
        return -1;
    return 0;
}

/* Has it what its kind must have? */
static int check_done(const struct setup_step *s, struct err *e)
{
    if (s->kind == SETUP_COMMAND && s->argv == NULL)
        return err_set(e, "a command without \"argv\"");
    if (s->kind == SETUP_CONF && (s->section == NULL || s->key == NULL || s->value == NULL))
        return err_set(e, "a setting without \"section\", \"key\" or \"value\"");
    if (s->kind == SETUP_LOCAL && s->domain == NULL)
        return err_set(e, "an entry without \"domain\"");
    if (s->kind == SETUP_FILE || s->kind == SETUP_NOTE)
        return err_set(e, "\"kind\" is none of those that are taken back");
    return 0;
}

static int read_done(struct setup_manifest *m, const json_t *object, struct err *e)
{
    struct setup_step none = {.kind = SETUP_NOTE};
    struct setup_done *d = setup_manifest_add_done(m, &none);
    struct setup_step *s;
    size_t kind = 0;

    if (d == NULL)
        return err_set(e, "more than %d steps, or no memory", SETUP_STEPS_MAX);
    s = &d->step;
    if (get_word(&kind, object, "kind", kinds, sizeof(kinds) / sizeof(kinds[0]), e) != 0 ||
        get_text(&s->what, object, "what", false, e) != 0 || get_text(&s->daemon, object, "daemon", false, e) != 0 ||
        get_text(&s->path, object, "path", false, e) != 0 || get_words(&s->argv, object, "argv", e) != 0 ||
        get_words(&s->undo, object, "undo", e) != 0 || get_words(&s->shows, object, "shows", e) != 0 ||
        get_text(&s->section, object, "section", false, e) != 0 || get_text(&s->key, object, "key", false, e) != 0 ||
        get_text(&s->value, object, "value", false, e) != 0 || get_text(&s->domain, object, "domain", false, e) != 0 ||
        get_text(&d->said, object, "said", false, e) != 0)
        return -1;
    s->kind = (enum setup_kind)kind;
    d->taken = json_is_true(json_object_get(object, "taken"));
    return check_done(s, e);
}

static int read_all(struct setup_manifest *out, const json_t *all, struct err *e)
{
    const json_t *files = json_object_get(all, "files"), *done = json_object_get(all, "done");
    const json_t *when = json_object_get(all, "when");
    size_t stage = 0;

    if (json_integer_value(json_object_get(all, "version")) != VERSION)
        return err_set(e, "it is not of version %d, and from another Postern", VERSION);
    if (get_word(&stage, all, "stage", stages, sizeof(stages) / sizeof(stages[0]), e) != 0 ||
        get_text(&out->server, all, "server", true, e) != 0 || get_text(&out->conf_file, all, "conf", true, e) != 0 ||
        get_words(&out->reload, all, "reload", e) != 0)
        return -1;
    out->stage = (enum setup_stage)stage;
    if (!json_is_integer(when) || !json_is_array(files) || !json_is_array(done))
        return err_set(e, "\"when\", \"files\" or \"done\" is missing");
    out->when = json_integer_value(when);
    for (size_t i = 0; i < json_array_size(files); i++)
        if (read_file(out, json_array_get(files, i), e) != 0)
            return err_prefix(e, "file %zu", i + 1);
    for (size_t i = 0; i < json_array_size(done); i++)
        if (read_done(out, json_array_get(done, i), e) != 0)
            return err_prefix(e, "step %zu", i + 1);
    return 0;
}

int setup_manifest_read(struct setup_manifest *out, const char *text, size_t len, struct err *e)
{
    json_error_t where;
    json_t *all;
    int rc;

    *out = (struct setup_manifest){.stage = SETUP_APPLYING};
    if (len > SETUP_MANIFEST_MAX)
        return err_set(e, "longer than %zu octets", SETUP_MANIFEST_MAX);
    all = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (all == NULL)
        return err_set(e, "line %d: %.100s", where.line, where.text);
    rc = read_all(out, all, e);
    json_decref(all);
    if (rc != 0)
        setup_manifest_clear(out);
    return rc;
}
