/* report_rows.h - the counts of a domain on a day, and how far its reports have come, as JSON and as text. Pure. */
#ifndef POSTERN_REPORT_ROWS_H
#define POSTERN_REPORT_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "counts.h"
#include "report_state.h"

/* A field of the hash tlsrpt-sent (report_state.h). */
struct report_sent_row {
    char field[REPORT_FIELD_BUF];
    struct report_state state;
};

/* A domain of a day. */
struct report_domain {
    const struct counts *counts;
    const struct report_sent_row *sent;
    size_t count;
    bool success; /* it gets a report also when nothing failed */
};

/* All return a new value, or NULL without memory. */

/*
 * In full: {"domain","policies","left_out","unreadable","reports"}. policies is as in a report, with "record" besides;
 * left_out is the number of sessions, unreadable that of fields in Redis, that are not in it.
 */
json_t *report_domain_json(const struct report_domain *d);

/* In short: {"domain","policies","successful","failed","left_out","unreadable","reports"}, with numbers of policies and
 * sessions. */
json_t *report_sums_json(const struct report_domain *d);

/*
 * For each destination of each record {"domain","destination","state"}, and "why", "at", "next" and "tries" when there
 * is something to say. A domain that gets no report has none.
 */
json_t *report_destinations_json(const struct report_domain *d);

/* The same, with "send": would it be sent, when that is asked for at now? */
json_t *report_plan_json(const struct report_domain *d, bool again, int64_t now);

/* Lines about what is not in one of the first two, or nothing. */
void report_missing_print(struct buf *out, const json_t *domain);

/* A table of arrays of these: of sums, and of destinations. */
void report_sums_print(struct buf *out, const json_t *domains, bool colour);
void report_destinations_print(struct buf *out, const json_t *rows, bool colour);

#endif
