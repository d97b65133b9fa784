/*
 * literal_part.h - a part of a regular expression, and which texts every text has that it fits: for rule_literal.c
 * alone. Pure. shapes: see rule_literals_find.
 */
#ifndef POSTERN_LITERAL_PART_H
#define POSTERN_LITERAL_PART_H

#include "rule_literal.h"

struct literal_part {
    bool whole;                   /* every text that it fits is one of `last` */
    bool classes;                 /* of digits or letters have a part in `last` */
    struct rule_literal_set last; /* what it fits ends in one of these */
    struct rule_literals need;
};

void literal_part_empty(struct literal_part *p); /* it fits the empty text, and only that */
void literal_part_any(struct literal_part *p);   /* it may fit any text */

/* It fits this text, and only that; up to RULE_LITERAL_LEN octets. */
void literal_part_text(struct literal_part *p, const char *text, size_t len);

/* So many copies of `once`, which is changed, behind p: at least `least`, at most `most`, 0 for no end. */
void literal_part_join_copies(struct literal_part *p, struct literal_part *once, unsigned least, unsigned most,
                              bool shapes);

/* p or the other fits; both are changed. first: there is no p yet. */
void literal_part_or(struct literal_part *p, struct literal_part *other, bool first, bool shapes);

/* `last` may not be what the text goes on from, but it is there: that is one of its needs. */
void literal_part_settle(struct literal_part *p, bool shapes);

/* Returns false when there is no room for all of them; some are then in the set. */
bool literal_set_unite(struct rule_literal_set *set, const struct rule_literal_set *more);

#endif
