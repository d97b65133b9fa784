/* fallback_text.h - the fallback states for people, and as JSON. Pure. */
#ifndef POSTERN_FALLBACK_TEXT_H
#define POSTERN_FALLBACK_TEXT_H

#include <jansson.h>

#include "fallback.h"

struct fallback_row {
    char *nexthop, *host;
    struct fallback_state state;
    char *why; /* NULL, or why it cannot be read */
};

struct fallback_rows {
    struct fallback_row *row;
    size_t count, room;
    bool failed; /* no memory: sticks */
};

void fallback_rows_clear(struct fallback_rows *rows);

/* Add the state of a host as Redis has it. */
void fallback_rows_add_json(struct fallback_rows *rows, const char *nexthop, const char *host, size_t host_len,
                            const char *json, size_t json_len);

/* Add a next hop whose states cannot be read at all. */
void fallback_rows_add_wrong(struct fallback_rows *rows, const char *nexthop, const char *why);

/* Sort by next hop and host, and keep one of those told twice. */
void fallback_rows_sort(struct fallback_rows *rows);

void fallback_print(struct buf *out, const struct fallback_rows *rows, int64_t now, bool colour);
json_t *fallback_json(const struct fallback_rows *rows); /* NULL without memory */

#endif
