/* postfix_table.c - the tables regexp: and pcre: of Postfix. Lines that Postfix passes over are kept, with the fault.
 */
#include "postfix_table.h"

#include "ascii.h"
#include "postfix_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void set_fault(struct postfix_rule *r, const char *fault)
{
    snprintf(r->fault, sizeof(r->fault), "%s", fault);
}

/* Postfix may well take the line. */
static void set_unseen(struct postfix_rule *r, const char *fault)
{
    set_fault(r, fault);
    r->unseen = true;
}

static bool is_space(char c)
{
    return ascii_is_blank(c) || (c >= '\n' && c <= '\r');
}

static char *skip_space(char *at)
{
    while (is_space(*at))
        at++;
    return at;
}

/* Of a table all expressions together may be so much; this one is counted if it can be read. */
static bool is_modest(struct postfix_table *t, const char *pattern)
{
    size_t work = postfix_expression_work(pattern);

    if (work > POSTFIX_WORK_MAX || t->work + work > POSTFIX_WORK_ALL)
        return false;
    t->work += work;
    return true;
}

/* "!/expression/flags" at the beginning of text. Returns what is behind it; NULL: no memory. */
static char *read_pattern(struct postfix_table *t, struct postfix_rule *r, char *text)
{
    char delimiter, *end, *flag;

    for (; *text == '!'; text = skip_space(text + 1))
        r->negated = !r->negated;
    delimiter = *text != '\0' ? *text++ : '\0';
    for (end = text; *end != '\0' && *end != delimiter; end++)
        end += *end == '\\' && end[1] != '\0';
    r->pattern = strndup(text, (size_t)(end - text));
    if (r->pattern == NULL)
        return NULL;
    if (*end == '\0') {
        set_fault(r, "the expression does not end");
        return end;
    }
    flag = ++end;
    while (*end != '\0' && !is_space(*end) && *end != '!')
        end++;
    if (*end == '!')
        set_unseen(r, "two expressions in one line: not evaluated here");
    else if (!is_modest(t, r->pattern))
        set_unseen(r, "an expression that is too much to be evaluated here");
    else
        r->expression = postfix_expression_new(t->pcre, r->pattern, flag, (size_t)(end - flag), r->fault);
    return skip_space(end);
}

/* A $ that is no $$ */
static bool has_substitution(const char *result)
{
    for (const char *p = strchr(result, '$'); p != NULL; p = strchr(p, '$')) {
        if (p[1] != '$')
            return true;
        p += 2;
    }
    return false;
}

static bool keyword(const char *line, const char *word)
{
    size_t len = strlen(word);

    return strncasecmp(line, word, len) == 0 && !ascii_is_alnum(line[len]);
}

/* One logical line; it is changed. Returns 0, or -1: no memory. */
static int read_rule(struct postfix_table *t, struct postfix_rule *r, char *line)
{
    if (keyword(line, "endif")) {
        r->kind = POSTFIX_ENDIF;
        return 0;
    }
    if (keyword(line, "if")) {
        r->kind = POSTFIX_IF;
        return read_pattern(t, r, skip_space(line + 2)) != NULL ? 0 : -1;
    }
    r->kind = POSTFIX_MATCH;
    if (ascii_is_alnum(*line)) {
        set_fault(r, "no expression, if or endif");
        r->pattern = strdup("");
        r->result = strdup("");
    } else {
        line = read_pattern(t, r, line);
        r->result = line != NULL ? strdup(line) : NULL;
    }
    if (r->result == NULL || r->pattern == NULL)
        return -1;
    for (size_t len = strlen(r->result); len > 0 && is_space(r->result[len - 1]); len--)
        r->result[len - 1] = '\0';
    r->substitutes = has_substitution(r->result);
    return 0;
}

static int add_line(struct postfix_table *t, const struct buf *text, size_t line, struct err *e)
{
    char *copy;
    int rc;

    if (text->len == 0)
        return 0;
    if (t->count >= POSTFIX_RULES_MAX)
        return err_set(e, "more than %d lines", POSTFIX_RULES_MAX);
    copy = buf_ok(text) ? strdup(buf_text(text)) : NULL;
    if (copy == NULL)
        return err_set(e, "no memory");
    t->rule[t->count].line = line;
    rc = read_rule(t, &t->rule[t->count], skip_space(copy));
    t->count++;
    free(copy);
    return rc == 0 ? 0 : err_set(e, "no memory");
}

/* For each IF the rule behind its ENDIF. What Postfix passes over is not there. */
static int match_ends(struct postfix_table *t, struct err *e)
{
    size_t *open = calloc(t->count + 1, sizeof(*open));
    size_t depth = 0;

    if (open == NULL)
        return err_set(e, "no memory");
    for (size_t i = 0; i < t->count; i++) {
        struct postfix_rule *r = &t->rule[i];
        r->end = t->count;
        if (r->kind == POSTFIX_IF && (r->fault[0] == '\0' || r->unseen))
            open[depth++] = i;
        else if (r->kind == POSTFIX_ENDIF && depth > 0)
            t->rule[open[--depth]].end = i + 1;
    }
    free(open);
    return 0;
}

static int begin(struct postfix_table *out, bool pcre, const char *text, size_t len, struct err *e)
{
    *out = (struct postfix_table){.pcre = pcre};
    if (len > POSTFIX_TABLE_MAX)
        return err_set(e, "longer than %zu octets", POSTFIX_TABLE_MAX);
    if (len > 0 && memchr(text, '\0', len) != NULL)
        return err_set(e, "has a NUL, and Postfix does not read what stands behind it in its line");
    out->rule = calloc(POSTFIX_RULES_MAX, sizeof(*out->rule));
    return out->rule != NULL ? 0 : err_set(e, "no memory");
}

static int finish(struct postfix_table *out, int rc, struct err *e)
{
    if (rc == 0)
        rc = match_ends(out, e);
    if (rc != 0)
        postfix_table_free(out);
    return rc;
}

/* Nothing but blanks, or a comment */
static bool is_passed_over(const char *line, size_t len)
{
    size_t at = 0;

    while (at < len && is_space(line[at]))
        at++;
    return at == len || line[at] == '#';
}

int postfix_table_read(struct postfix_table *out, bool pcre, const char *text, size_t len, struct err *e)
{
    struct buf logical;
    size_t began = 1, number = 1;
    int rc = begin(out, pcre, text, len, e);

    buf_init(&logical, POSTFIX_TABLE_MAX);
    for (size_t at = 0, next; rc == 0 && at < len; at = next, number++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line = end != NULL ? (size_t)(end - text) - at : len - at;
        next = at + line + 1;
        if (is_passed_over(text + at, line))
            continue;
        if (!is_space(text[at])) {
            rc = add_line(out, &logical, began, e);
            buf_reset(&logical);
            began = number;
        }
        buf_add(&logical, text + at, line);
    }
    if (rc == 0)
        rc = add_line(out, &logical, began, e);
    buf_clear(&logical);
    return finish(out, rc, e);
}

/* Without the braces and blanks around it */
static void unbrace(const char **word, size_t *len)
{
    if (*len >= 2 && (*word)[0] == '{' && (*word)[*len - 1] == '}') {
        *word += 1;
        *len -= 2;
    }
    for (; *len > 0 && is_space((*word)[0]); *len -= 1)
        *word += 1;
    while (*len > 0 && is_space((*word)[*len - 1]))
        *len -= 1;
}

int postfix_table_inline(struct postfix_table *out, bool pcre, const char *text, size_t len, struct err *e)
{
    struct buf all, line;
    const char *at, *word;
    size_t number = 0;
    int rc = begin(out, pcre, text, len, e);

    buf_init(&all, POSTFIX_TABLE_MAX);
    buf_init(&line, POSTFIX_TABLE_MAX);
    unbrace(&text, &len);
    buf_add(&all, text, len);
    at = buf_text(&all);
    while (rc == 0 && postfix_word(&at, &word, &len)) {
        unbrace(&word, &len);
        buf_reset(&line);
        buf_add(&line, word, len);
        rc = add_line(out, &line, ++number, e);
    }
    buf_clear(&line);
    buf_clear(&all);
    return finish(out, rc, e);
}

void postfix_table_free(struct postfix_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        struct postfix_rule *r = &t->rule[i];
        free(r->pattern);
        free(r->result);
        postfix_expression_free(r->expression);
    }
    free(t->rule);
    *t = (struct postfix_table){.count = 0};
}

/* The number behind a $, in one of its forms; *at is then behind it. */
static size_t group_number(const char **at)
{
    const char *p = *at;
    char close = *p == '{' ? '}' : *p == '(' ? ')' : '\0';
    size_t n = 0;

    p += close != '\0';
    for (; ascii_is_digit(*p); p++)
        n = n < POSTFIX_CAPTURES ? 10 * n + (size_t)(*p - '0') : n;
    *at = p + (close != '\0' && *p == close);
    return n < POSTFIX_CAPTURES ? n : 0;
}

static void put_result(struct buf *out, const char *result, const char *address, const struct postfix_groups *g)
{
    size_t n;

    while (*result != '\0') {
        if (*result != '$') {
            buf_char(out, *result++);
            continue;
        }
        result++;
        if (*result == '$') {
            buf_char(out, *result++);
            continue;
        }
        n = group_number(&result);
        buf_add(out, address + g->from[n], g->to[n] - g->from[n]);
    }
}

const struct postfix_rule *postfix_table_find(const struct postfix_table *t, const char *address, bool substitution,
                                              struct buf *result)
{
    struct postfix_groups g;

    for (size_t i = 0; i < t->count; i++) {
        const struct postfix_rule *r = &t->rule[i];
        if (r->fault[0] != '\0' || r->kind == POSTFIX_ENDIF || (r->substitutes && (!substitution || r->negated)))
            continue;
        if (postfix_expression_fits(r->expression, address, &g) == r->negated) {
            i = r->kind == POSTFIX_IF ? r->end - 1 : i;
            continue;
        }
        if (r->kind == POSTFIX_IF)
            continue;
        if (result != NULL)
            put_result(result, r->result, address, &g);
        return r;
    }
    return NULL;
}
