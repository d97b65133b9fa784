/* rules_print.h - the rules about messages for people, and as JSON. Pure. */
#ifndef POSTERN_RULES_PRINT_H
#define POSTERN_RULES_PRINT_H

#include <jansson.h>

#include "rules_text.h"

#define RULES_PRINT_MAX ((size_t)64 << 20) /* octets of rules as text */

/* What there is to show. */
struct rules_shown {
    struct rule_set *set; /* the rules of the configuration; those of the text come behind them while it is shown */
    const char *text;     /* that in Redis; NULL: it is not known, or there is no Redis */
    size_t len;
    const struct lists_stamp *stamp;
};

/* Numbered in the order in which they are asked; what cannot be read has no number, but the reason. Returns how many
 * cannot. */
size_t rules_print(struct buf *out, const struct rules_shown *shown, bool colour);
json_t *rules_json(const struct rules_shown *shown, size_t *bad);

/* Foreign octets as a JSON string that is valid UTF-8. */
json_t *rules_json_text(const char *text, size_t len);

#endif
