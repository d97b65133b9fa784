/*
 * rule_filter.h - conditions that need not be asked about a text, because something is not in it which they want. Pure.
 *
 * What all contains and matches of a set want (rule_literal.h) is looked for at once, in one pass over the values of a
 * field (text_search.h), or two when there are expressions with [A-Z] or \d. A condition that may be left out is false:
 * asking it would not fit either, it could only be unknown, when its work passes a limit.
 */
#ifndef POSTERN_RULE_FILTER_H
#define POSTERN_RULE_FILTER_H

#include "rule_expression.h"
#include "rule_view.h"

struct rule_filter;

/* Of all rules in a set, which does not change after it. NULL without memory. Threads may share it. */
struct rule_filter *rule_filter_new(const struct rule_set *set);
void rule_filter_free(struct rule_filter *f); /* NULL-safe */

/* What was found in a message; not for two threads at a time. Starts as zeros. */
struct rule_filter_found {
    struct rule_filter_field {
        enum rule_filter_state {
            RULE_FILTER_NOT_LOOKED,
            RULE_FILTER_LOOKED,
            RULE_FILTER_ODD, /* says nothing about expressions */
            RULE_FILTER_USELESS
        } state;
        unsigned char *texts[2]; /* as they are, and as shapes */
    } field[RULE_FIELDS];
};

void rule_filter_message(struct rule_filter_found *found); /* a new message: what was found is forgotten */
void rule_filter_clear(struct rule_filter_found *found);   /* frees; safe on zeros */

/* Can the condition with that number, counted over all rules of the set, not fit? f NULL: that is not known. */
bool rule_filter_out(const struct rule_filter *f, struct rule_filter_found *found, struct rule_view *view,
                     enum rule_field field, size_t number);

#endif
