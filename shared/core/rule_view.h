/*
 * rule_view.h - the values of a field of a message, for rule_eval.c alone. Pure. What contains and matches want, text
 * without case and text that is surely UTF-8, is made once for all values of a field together.
 */
#ifndef POSTERN_RULE_VIEW_H
#define POSTERN_RULE_VIEW_H

#include "rule_eval.h"

/* As the message has it; without case (utf8_fold.h); with "?" for every octet that is no UTF-8. */
enum rule_form { RULE_RAW, RULE_FOLDED, RULE_CLEAN, RULE_FORMS };

/* All values of a field in one of the forms, one behind the other. */
struct rule_copy {
    char *data;
    size_t cap;
    bool made;
    bool same; /* as the message has it, nothing was copied */
};

struct rule_view {
    const struct rule_message *message;
    struct rule_copy copy[RULE_FIELDS][RULE_FORMS];
    size_t octets[RULE_FIELDS]; /* of all values */
    size_t all;                 /* of all fields */
};

/* A new message: what was copied is forgotten, the memory kept. */
void rule_view_message(struct rule_view *v, const struct rule_message *message);
void rule_view_clear(struct rule_view *v);

/* Is that the field's name? In any case. */
bool rule_header_is(const struct rule_header *field, const char *name);

/* Where a walk over the values is. Starts as zeros. */
struct rule_walk {
    size_t next;
    size_t offset;
};

/*
 * The next value: *raw as the message has it, *text in the form wanted, of the same length. header: which header fields
 * (NULL: not a header field). Returns 1, 0 at the end, -1 without memory.
 */
int rule_view_next(struct rule_view *v, enum rule_field field, enum rule_form form, const char *header,
                   struct rule_walk *walk, struct rule_text *raw, struct rule_text *text);

#endif
