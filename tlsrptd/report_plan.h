/* report_plan.h - where the reports of a domain and day go: each usable destination of each record that its sessions
 * had (checks W3, W4, W5, W7, W10). Pure. */
#ifndef POSTERN_REPORT_PLAN_H
#define POSTERN_REPORT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "counts.h"
#include "err.h"
#include "rua_uri.h"

struct report_destination {
    char *uri;    /* as published */
    char *record; /* owned, as uri */
    enum rua_kind kind;
    char address[RUA_ADDRESS_BUF]; /* of RUA_MAILTO */
};

struct report_plan {
    struct report_destination *destination; /* those of a record stand together */
    size_t count;
    size_t left_out; /* beyond max */
};

/*
 * success: also when nothing failed. The same address or URI stands once for each record. Returns 0, *out to be given
 * to report_plan_clear; without destinations e says why. -1 without memory, nothing to clear.
 */
int report_plan_make(struct report_plan *out, const struct counts *c, bool success, size_t max, struct err *e);

/*
 * Leave only what the record that the domain has now names, too, and of that no more than max (the rest is left_out);
 * of addresses the writing does not matter. record is foreign text. Returns how many it does not name.
 */
size_t report_plan_confirm(struct report_plan *p, const char *record, size_t max);

void report_plan_clear(struct report_plan *p); /* may be called twice */

#endif
