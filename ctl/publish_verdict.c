/* publish_verdict.c - see publish_verdict.h. */
#include "publish_verdict.h"

#include "print.h"
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum tint tint;
    enum ctl_exit code;
} levels[] = {
    [VERDICT_OK] = {"ok", TINT_GOOD, CTL_YES},
    [VERDICT_WARN] = {"warn", TINT_WARN, CTL_YES},
    [VERDICT_UNKNOWN] = {"unknown", TINT_WARN, CTL_LATER},
    [VERDICT_BAD] = {"bad", TINT_BAD, CTL_NO},
};

const char *verdict_level_name(enum verdict_level level)
{
    return levels[level].name;
}

const char *verdict_dnssec(bool secure)
{
    return secure ? "validated by DNSSEC" : "not validated by DNSSEC";
}

static bool make_room(struct verdicts *v)
{
    size_t room = v->room > 0 ? v->room * 2 : 16;
    struct verdict *grown;

    if (v->count < v->room)
        return true;
    grown = reallocarray(v->line, room, sizeof(*grown));
    if (grown == NULL)
        return false;
    v->line = grown;
    v->room = room;
    return true;
}

void verdicts_add(struct verdicts *v, enum verdict_level level, const char *what, const char *fmt, ...)
{
    char words[VERDICT_TEXT_MAX + 1];
    struct verdict *line;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, args);
    va_end(args);
    if (v->failed || !make_room(v)) {
        v->failed = true;
        return;
    }
    line = &v->line[v->count++];
    *line = (struct verdict){level, strdup(what), strdup(words)};
    v->failed = line->what == NULL || line->words == NULL;
}

void verdicts_clear(struct verdicts *v)
{
    if (v == NULL)
        return;
    for (size_t i = 0; i < v->count; i++) {
        free(v->line[i].what);
        free(v->line[i].words);
    }
    free(v->line);
    *v = (struct verdicts){0};
}

enum verdict_level verdicts_worst(const struct verdicts *v)
{
    enum verdict_level worst = v->failed ? VERDICT_UNKNOWN : VERDICT_OK;

    for (size_t i = 0; i < v->count; i++)
        if (v->line[i].level > worst)
            worst = v->line[i].level;
    return worst;
}

enum ctl_exit verdicts_exit(const struct verdicts *v)
{
    return levels[verdicts_worst(v)].code;
}

void verdicts_print(struct buf *out, const struct verdicts *v, bool colour)
{
    struct table *t = table_new(3);

    for (size_t i = 0; i < v->count && !v->failed; i++) {
        const struct verdict *line = &v->line[i];

        table_add(t, levels[line->level].tint, levels[line->level].name);
        table_add(t, TINT_NONE, line->what);
        table_add(t, TINT_NONE, line->words);
    }
    if (v->failed)
        out->failed = true;
    table_print(out, t, 0, colour);
    table_free(t);
}

/* Foreign octets are made harmless, which makes them UTF-8, too. */
static json_t *text_json(const char *text)
{
    struct buf harmless;
    json_t *value;

    buf_init(&harmless, 4 * strlen(text) + 1);
    print_text(&harmless, text, strlen(text));
    value = buf_ok(&harmless) ? json_string(buf_text(&harmless)) : NULL;
    buf_clear(&harmless);
    return value;
}

json_t *verdicts_json(const struct verdicts *v)
{
    json_t *array = v->failed ? NULL : json_array();

    for (size_t i = 0; i < v->count && array != NULL; i++) {
        const struct verdict *line = &v->line[i];
        json_t *object = json_pack("{s:s, s:o, s:o}", "level", levels[line->level].name, "what", text_json(line->what),
                                   "words", text_json(line->words));

        if (json_array_append_new(array, object) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}
