/* rules_text.c - edits of rules are edits of lines: what is taken out, and where what goes in. */
#include "rules_text.h"

#include "ascii.h"

#include <string.h>

#define SHOWN 60 /* octets of a name in an error */

/* --- lines --- */

static bool is_name_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_' || c == '.';
}

static size_t blanks(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && ascii_is_blank(text[i]))
        i++;
    return i;
}

/* The next line of a text; *at begins as 0, out as {0}. Returns false at the end. */
static bool line_next(struct rules_line *out, size_t *at, const char *text, size_t len)
{
    const char *lf;
    size_t begin;

    if (*at >= len)
        return false;
    lf = memchr(text + *at, '\n', len - *at);
    out->text = text + *at;
    out->len = lf == NULL ? len - *at : (size_t)(lf - out->text);
    *at += out->len + 1;
    if (out->len > 0 && out->text[out->len - 1] == '\r')
        out->len--;
    out->number++;
    begin = blanks(out->text, out->len);
    out->rule = begin < out->len && out->text[begin] != '#';
    return true;
}

const char *rules_line_name(const struct rules_line *line, size_t *len)
{
    size_t begin = blanks(line->text, line->len), end = begin, colon;

    while (end < line->len && is_name_char(line->text[end]))
        end++;
    colon = end + blanks(line->text + end, line->len - end);
    if (!line->rule || end == begin || colon == line->len || line->text[colon] != ':')
        return NULL;
    *len = end - begin;
    return line->text + begin;
}

static bool is_named(const struct rules_line *line, const char *name, size_t name_len)
{
    size_t len = 0;
    const char *its = rules_line_name(line, &len);

    return its != NULL && len == name_len && memcmp(its, name, len) == 0;
}

size_t rules_text_read(struct rule_set *set, const char *text, size_t len, rules_line_fn *fn, void *ctx)
{
    struct rules_line line = {0};
    struct err why;
    size_t bad = 0;

    for (size_t at = 0; line_next(&line, &at, text, len);) {
        const struct rule *rule = NULL;

        if (!line.rule)
            continue;
        why.text[0] = '\0';
        if (rule_set_add(set, line.text, line.len, &why) == 0)
            rule = rule_set_at(set, rule_set_count(set) - 1);
        else
            bad++;
        if (fn != NULL)
            fn(ctx, &line, rule, &why);
    }
    return bad;
}

size_t rules_text_count(const char *text, size_t len)
{
    struct rules_line line = {0};
    size_t count = 0;

    for (size_t at = 0; line_next(&line, &at, text, len);)
        count += line.rule ? 1 : 0;
    return count;
}

/* --- places in a text --- */

/* Octets from..to of it, whole lines. */
struct span {
    size_t comments; /* where the comments directly above begin; where the line does when there are none */
    size_t from, to;
};

static bool is_comment(const struct rules_line *line)
{
    return !line->rule && blanks(line->text, line->len) < line->len;
}

/* The first rule, or (name) the first of that name. */
static bool span_find(struct span *out, const char *text, size_t len, const char *name, size_t name_len)
{
    struct rules_line line = {0};
    size_t comments = 0;
    bool commented = false;

    for (size_t at = 0, begin = 0; line_next(&line, &at, text, len); begin = at) {
        if (is_comment(&line) && !commented)
            comments = begin;
        if (line.rule && (name == NULL || is_named(&line, name, name_len))) {
            *out = (struct span){commented ? comments : begin, begin, at < len ? at : len};
            return true;
        }
        commented = is_comment(&line);
    }
    return false;
}

static int no_rule(struct err *e, const char *name, size_t len)
{
    return err_set(e, "Redis has no rule %.*s; \"posternctl rules show\" shows those that there are",
                   (int)(len < SHOWN ? len : SHOWN), name);
}

static int find_named(struct span *out, const char *text, size_t len, const char *name, size_t name_len, struct err *e)
{
    return span_find(out, text, len, name, name_len) ? 0 : no_rule(e, name, name_len);
}

static int place_find(size_t *out, const char *text, size_t len, const struct rules_where *where, struct err *e)
{
    const char *name = where->name != NULL ? where->name : "";
    struct span span = {.comments = len};

    *out = len;
    if (where->place == RULES_FIRST && span_find(&span, text, len, NULL, 0))
        *out = span.comments;
    if (where->place != RULES_BEFORE && where->place != RULES_AFTER)
        return 0;
    if (find_named(&span, text, len, name, strlen(name), e) != 0)
        return -1;
    *out = where->place == RULES_BEFORE ? span.comments : span.to;
    return 0;
}

/* --- edits --- */

/* Whole lines; the last gets an end. */
static void add_lines(struct buf *out, const char *text, size_t len)
{
    buf_add(out, text, len);
    if (len > 0 && text[len - 1] != '\n')
        buf_char(out, '\n');
}

static int finish(const struct buf *out, struct err *e)
{
    return buf_ok(out) ? 0 : err_set(e, "the text of all rules is longer than %d octets, or no memory", RULES_TEXT_MAX);
}

/* Put lines at a place. */
static int put(struct buf *out, const char *text, size_t len, size_t place, const char *lines, size_t lines_len,
               struct err *e)
{
    add_lines(out, text, place);
    add_lines(out, lines, lines_len);
    add_lines(out, text + place, len - place);
    return finish(out, e);
}

/* The name of a rule that is a word. */
static const char *name_of(size_t *len, const char *rule, struct err *e)
{
    struct rules_line line = {0};
    size_t at = 0;
    const char *name = line_next(&line, &at, rule, strlen(rule)) ? rules_line_name(&line, len) : NULL;

    if (name == NULL)
        err_set(e, "the rule has no name; write NAME: EXPRESSION -> ACTION");
    return name;
}

int rules_text_add(struct buf *out, const char *text, size_t len, const char *rule, const struct rules_where *where,
                   struct err *e)
{
    size_t name_len = 0, place = 0;
    const char *name = name_of(&name_len, rule, e);
    struct span span = {0};

    if (name == NULL)
        return -1;
    if (span_find(&span, text, len, name, name_len))
        return err_set(e, "Redis has a rule %.*s; \"posternctl rules replace\" puts another one in its place",
                       (int)(name_len < SHOWN ? name_len : SHOWN), name);
    return place_find(&place, text, len, where, e) == 0 ? put(out, text, len, place, rule, strlen(rule), e) : -1;
}

int rules_text_replace(struct buf *out, const char *text, size_t len, const char *rule, struct err *e)
{
    size_t name_len = 0;
    const char *name = name_of(&name_len, rule, e);
    struct span span = {0};

    if (name == NULL || find_named(&span, text, len, name, name_len, e) != 0)
        return -1;
    add_lines(out, text, span.from);
    return put(out, text + span.to, len - span.to, 0, rule, strlen(rule), e);
}

int rules_text_del(struct buf *out, const char *text, size_t len, const char *name, struct err *e)
{
    struct span span = {0};

    if (find_named(&span, text, len, name, strlen(name), e) != 0)
        return -1;
    add_lines(out, text, span.from);
    add_lines(out, text + span.to, len - span.to);
    return finish(out, e);
}

int rules_text_move(struct buf *out, const char *text, size_t len, const char *name, const struct rules_where *where,
                    struct err *e)
{
    struct span span = {0};
    struct buf rest;
    size_t place = 0;
    int rc;

    if (find_named(&span, text, len, name, strlen(name), e) != 0)
        return -1;
    if (where->name != NULL && strcmp(where->name, name) == 0)
        return err_set(e, "a rule cannot go before or after itself");
    buf_init(&rest, RULES_TEXT_MAX);
    add_lines(&rest, text, span.comments);
    add_lines(&rest, text + span.to, len - span.to);
    rc = finish(&rest, e);
    if (rc == 0)
        rc = place_find(&place, buf_text(&rest), rest.len, where, e);
    if (rc == 0)
        rc = put(out, buf_text(&rest), rest.len, place, text + span.comments, span.to - span.comments, e);
    buf_clear(&rest);
    return rc;
}
