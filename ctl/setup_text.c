/* setup_text.c - see setup_text.h. */
#include "setup_text.h"

#include "ascii.h"
#include "print.h"

#include <string.h>

#define BRIEF 60 /* octets of a command that is there */

static const char *const kinds[] = {"command", "file", "conf", "local", "note"};
static const char *const states[] = {"there", "needed", "clash"};

/* --- for people --- */

static bool is_plain(const char *word)
{
    if (*word == '\0')
        return false;
    for (const char *p = word; *p != '\0'; p++)
        if (!ascii_is_alnum(*p) && strchr("_./:=@%+,-", *p) == NULL)
            return false;
    return true;
}

static void print_quoted(struct buf *out, const char *word)
{
    buf_char(out, '\'');
    while (*word != '\0') {
        size_t len = strcspn(word, "'");

        print_text(out, word, len);
        if (word[len] == '\'')
            buf_str(out, "'\\''");
        word += len + (word[len] == '\'');
    }
    buf_char(out, '\'');
}

void setup_words_print(struct buf *out, char *const words[])
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        if (i > 0)
            buf_char(out, ' ');
        if (is_plain(words[i]))
            buf_str(out, words[i]);
        else
            print_quoted(out, words[i]);
    }
}

void setup_step_print(struct buf *out, const struct setup_step *s)
{
    if (s->kind == SETUP_COMMAND) {
        setup_words_print(out, s->argv);
    } else if (s->kind == SETUP_FILE) {
        print_text(out, s->path, strlen(s->path));
    } else if (s->kind == SETUP_CONF) {
        buf_printf(out, "%s.%s = ", s->section, s->key);
        print_text(out, s->value, strlen(s->value));
    } else if (s->kind == SETUP_LOCAL) {
        buf_str(out, "list local: ");
        print_text(out, s->domain, strlen(s->domain));
    } else {
        print_text(out, s->what, strlen(s->what));
    }
}

static void print_comment(struct buf *out, const char *what)
{
    buf_str(out, "  # ");
    print_text(out, what, strlen(what));
    buf_char(out, '\n');
}

/* A file by its lines, each as it is but harmless. */
static void print_file(struct buf *out, const struct setup_step *s)
{
    const char *at = s->text;

    buf_str(out, "  file ");
    print_text(out, s->path, strlen(s->path));
    buf_str(out, ":\n");
    while (*at != '\0') {
        size_t len = strcspn(at, "\n");

        buf_str(out, "    | ");
        print_text(out, at, len);
        buf_char(out, '\n');
        at += len + (at[len] == '\n');
    }
}

static void print_needed(struct buf *out, const struct setup_step *s, const char *conf_file)
{
    print_comment(out, s->what);
    if (s->kind == SETUP_FILE) {
        print_file(out, s);
        return;
    }
    buf_str(out, "  ");
    if (s->kind == SETUP_CONF) {
        print_text(out, conf_file, strlen(conf_file));
        buf_printf(out, ": %s { %s = ", s->section, s->key);
        print_text(out, s->value, strlen(s->value));
        buf_str(out, " }");
    } else if (s->kind == SETUP_LOCAL) {
        setup_words_print(out, (char *[]){(char *)"posternctl", (char *)"-c", (char *)conf_file, (char *)"list",
                                          (char *)"add", (char *)"local", s->domain, NULL});
    } else {
        setup_step_print(out, s);
    }
    buf_char(out, '\n');
}

/* A line of what is there, or in the way; of a command its last word, which says what it sets. */
static void print_brief(struct buf *out, const struct setup_step *s)
{
    const char *last = "";

    for (char **w = s->argv; w != NULL && *w != NULL; w++)
        last = *w;
    buf_str(out, "  ");
    if (s->kind == SETUP_COMMAND) {
        print_text(out, last, strnlen(last, BRIEF));
        buf_str(out, strlen(last) > BRIEF ? " …" : "");
    } else if (s->kind != SETUP_NOTE) {
        setup_step_print(out, s);
    }
    buf_str(out, s->kind != SETUP_NOTE ? "  # " : "");
    print_text(out, s->what, strlen(s->what));
    buf_char(out, '\n');
}

static void print_steps(struct buf *out, const struct setup_plan *p, enum setup_state state, const char *head,
                        enum tint tint, const char *conf_file, bool colour)
{
    bool any = false;

    for (size_t i = 0; i < p->count; i++) {
        const struct setup_step *s = &p->step[i];

        if (s->state != state || (s->kind == SETUP_NOTE && state != SETUP_CLASH))
            continue;
        if (!any)
            print_tinted(out, head, tint, colour);
        any = true;
        if (state == SETUP_NEEDED)
            print_needed(out, s, conf_file);
        else
            print_brief(out, s);
    }
}

static void print_notes(struct buf *out, const struct setup_plan *p, bool colour)
{
    bool any = false;

    for (size_t i = 0; i < p->count; i++) {
        if (p->step[i].kind != SETUP_NOTE || p->step[i].state == SETUP_CLASH)
            continue;
        if (!any)
            print_tinted(out, "Notes:\n", TINT_HEAD, colour);
        any = true;
        buf_str(out, p->step[i].state == SETUP_NEEDED ? "  by hand: " : "  ");
        print_text(out, p->step[i].what, strlen(p->step[i].what));
        buf_char(out, '\n');
    }
}

void setup_print(struct buf *out, const struct setup_plan *p, const char *conf_file, bool colour)
{
    size_t needed = setup_plan_count(p, SETUP_NEEDED), clashes = setup_plan_count(p, SETUP_CLASH);

    print_steps(out, p, SETUP_THERE, "There already:\n", TINT_GOOD, conf_file, colour);
    print_steps(out, p, SETUP_NEEDED, "Needed:\n", TINT_WARN, conf_file, colour);
    if (needed > 0 && p->reload != NULL) {
        print_comment(out, "the mail server takes all of it up");
        buf_str(out, "  ");
        setup_words_print(out, p->reload);
        buf_char(out, '\n');
    }
    print_steps(out, p, SETUP_CLASH, "In the way, and for you to decide:\n", TINT_BAD, conf_file, colour);
    print_notes(out, p, colour);
    if (clashes > 0)
        buf_printf(out, "%s: %zu needed, %zu in the way; --apply does nothing until these are gone\n", p->server,
                   needed, clashes);
    else if (needed > 0)
        buf_printf(out, "%s: %zu needed; --apply makes them\n", p->server, needed);
    else
        buf_printf(out, "%s: nothing is needed\n", p->server);
}

/* --- JSON --- */

/* Foreign text as JSON takes it: each line of it as print_text writes it. */
static json_t *harmless(const char *text)
{
    json_t *value = json_string(text); /* NULL when it is no UTF-8 */
    struct buf safe;

    if (value != NULL)
        return value;
    buf_init(&safe, 4 * strlen(text) + 1);
    print_text(&safe, text, strlen(text));
    value = buf_ok(&safe) ? json_string(buf_text(&safe)) : NULL;
    buf_clear(&safe);
    return value;
}

static json_t *words_json(char *const *words)
{
    json_t *array = words != NULL ? json_array() : json_null();

    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        if (json_array_append_new(array, harmless(words[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static int set_text(json_t *object, const char *key, const char *text)
{
    return text == NULL ? 0 : json_object_set_new(object, key, harmless(text));
}

static json_t *step_json(const struct setup_step *s)
{
    json_t *o = json_pack("{s:s, s:s}", "kind", kinds[s->kind], "state", states[s->state]);
    int rc = set_text(o, "what", s->what);

    if (s->argv != NULL)
        rc |= json_object_set_new(o, "argv", words_json(s->argv));
    if (s->undo != NULL)
        rc |= json_object_set_new(o, "undo", words_json(s->undo));
    rc |= set_text(o, "daemon", s->daemon) | set_text(o, "path", s->path) | set_text(o, "text", s->text) |
          set_text(o, "section", s->section) | set_text(o, "key", s->key) | set_text(o, "value", s->value) |
          set_text(o, "domain", s->domain);
    if (rc == 0)
        return o;
    json_decref(o);
    return NULL;
}

json_t *setup_json(const struct setup_plan *p)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < p->count; i++)
        if (json_array_append_new(steps, step_json(&p->step[i])) != 0) {
            json_decref(steps);
            return NULL;
        }
    return json_pack("{s:s, s:I, s:I, s:o, s:o}", "server", p->server, "needed",
                     (json_int_t)setup_plan_count(p, SETUP_NEEDED), "clashes",
                     (json_int_t)setup_plan_count(p, SETUP_CLASH), "steps", steps, "reload", words_json(p->reload));
}
