/* rule_set.c - rules in their order. */
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "rule_filter.h"

struct rule_set {
    struct rule *rule[RULES_MAX];
    size_t count;
    unsigned need;
    struct rule_filter *filter;
};

struct rule_set *rule_set_new(void)
{
    return calloc(1, sizeof(struct rule_set));
}

void rule_set_free(struct rule_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        rule_free(set->rule[i]);
    rule_filter_free(set->filter);
    free(set);
}

int rule_set_add(struct rule_set *set, const char *text, size_t len, struct err *e)
{
    struct rule *rule;

    if (set->count == RULES_MAX)
        return err_set(e, "more than %d rules", RULES_MAX);
    if (rule_parse(&rule, text, len, e) != 0)
        return -1;
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->rule[i]->name, rule->name) == 0) {
            err_set(e, "column 1: there is a rule %s already; give each a name of its own", rule->name);
            rule_free(rule);
            return -1;
        }
    }
    set->rule[set->count++] = rule;
    set->need |= rule->need;
    rule_filter_free(set->filter);
    set->filter = NULL;
    return 0;
}

/* A line with nothing to read on it. */
static bool is_blank(const char *line, size_t len)
{
    size_t i = 0;

    while (i < len && ascii_is_blank(line[i]))
        i++;
    return i == len || line[i] == '#';
}

int rule_set_read(struct rule_set *set, const char *text, size_t len, struct err *e)
{
    size_t number = 1;

    for (size_t at = 0; at < len; number++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line = end == NULL ? len - at : (size_t)(end - text) - at;
        size_t trimmed = line > 0 && text[at + line - 1] == '\r' ? line - 1 : line;

        if (!is_blank(text + at, trimmed) && rule_set_add(set, text + at, trimmed, e) != 0)
            return err_prefix(e, "line %zu", number);
        at += line + 1;
    }
    return 0;
}

int rule_set_ready(struct rule_set *set)
{
    if (set->filter == NULL)
        set->filter = rule_filter_new(set);
    return set->filter == NULL ? -1 : 0;
}

const struct rule_filter *rule_set_filter(const struct rule_set *set)
{
    return set->filter;
}

size_t rule_set_count(const struct rule_set *set)
{
    return set->count;
}

const struct rule *rule_set_at(const struct rule_set *set, size_t i)
{
    return set->rule[i];
}

unsigned rule_set_need(const struct rule_set *set)
{
    return set->need;
}
