/* report_json.h - a report's JSON (RFC 8460 4.4; checks J1 to J19). Pure. */
#ifndef POSTERN_REPORT_JSON_H
#define POSTERN_REPORT_JSON_H

#include <stddef.h>

#include "buf.h"
#include "counts.h"

struct report_head {
    const char *organization, *contact, *id;
};

/*
 * Append it; out's limit is the report's. *left_out: the details that are merged with others for that. Returns 0; 1:
 * too large without any details; -1 without memory.
 */
int report_json(struct buf *out, size_t *left_out, const struct counts *c, const char *record,
                const struct report_head *head);

#endif
