/*
 * rules_text.h - the text of a set of rules, line by line: what is wrong in it, and edits that leave all other lines as
 * they are. Pure.
 *
 * A rule's name is what stands before the first colon of its line, so that a rule that cannot be read can be taken out,
 * too. Comment lines directly above a rule are its own: they move with it. Nothing takes a comment away.
 */
#ifndef POSTERN_RULES_TEXT_H
#define POSTERN_RULES_TEXT_H

#include "rule.h"
#include "rules_kept.h"

/* Part of a text. */
struct rules_line {
    const char *text; /* without its end */
    size_t len;
    size_t number; /* from 1 */
    bool rule;     /* no comment, nor blank */
};

/* The name of the rule of a line, in the line. NULL: there is none. */
const char *rules_line_name(const struct rules_line *line, size_t *len);

/* Is told of each rule's line in its order: rule NULL, and why, when it cannot be read. */
typedef void rules_line_fn(void *ctx, const struct rules_line *line, const struct rule *rule, const struct err *why);

/* Add the rules of a text to those that are in the set; what cannot be read is left out. fn may be NULL. Returns how
 * many were left out. */
size_t rules_text_read(struct rule_set *set, const char *text, size_t len, rules_line_fn *fn, void *ctx);

size_t rules_text_count(const char *text, size_t len); /* lines of rules */

enum rules_place { RULES_LAST, RULES_FIRST, RULES_BEFORE, RULES_AFTER };

struct rules_where {
    enum rules_place place;
    const char *name; /* RULES_BEFORE, RULES_AFTER */
};

/*
 * Edits: append to out the text as it will be. The limit of out is that of the result, RULES_TEXT_MAX. Each line gets
 * an end. Return 0, or -1 with the reason in e: no rule of that name, or one already, too long a text.
 */
int rules_text_add(struct buf *out, const char *text, size_t len, const char *rule, const struct rules_where *where,
                   struct err *e);
int rules_text_replace(struct buf *out, const char *text, size_t len, const char *rule,
                       struct err *e); /* by its name */
int rules_text_del(struct buf *out, const char *text, size_t len, const char *name, struct err *e);
int rules_text_move(struct buf *out, const char *text, size_t len, const char *name, const struct rules_where *where,
                    struct err *e);

#endif
