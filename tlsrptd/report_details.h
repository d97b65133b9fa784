/*
 * report_details.h - the failure-details of a report (RFC 8460 4.4; J13 to J18): equal ones merged, and so few that the
 * report does not grow too large (E13). Pure.
 */
#ifndef POSTERN_REPORT_DETAILS_H
#define POSTERN_REPORT_DETAILS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "counts.h"

#define REPORT_NUMBER_MAX INT64_C(9007199254740991) /* I-JSON: 2^53 - 1 (RFC 7493 2.2) */

struct report_detail {
    json_t *entry; /* all members but failed-session-count; owned, as the next */
    char *text;    /* of the entry */
    uint64_t sessions;
    size_t policy; /* index in counts */
    enum tlsrpt_result result;
};

struct report_details {
    struct report_detail *detail;
    size_t count;
};

/* A sum that stays where it is at the end of its range. */
static inline uint64_t report_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The number as I-JSON can have it. */
json_t *report_number(uint64_t n);

/* A text of a report (report_text.h), at most max octets; NULL without memory. */
json_t *report_string(const char *text, size_t max);

/*
 * The details of the policies of a record, those that are equal merged, of each policy the most frequent first. When
 * they would take more than max octets as JSON, the rarest become one of their result type and the reason "other", so
 * that sums stay; *left_out says how many. Returns 0, *out to be given to report_details_clear; 1: they cannot be made
 * so few, nothing to clear; -1 without memory, nothing to clear.
 */
int report_details_make(struct report_details *out, size_t *left_out, const struct counts *c, const char *record,
                        size_t max);
void report_details_clear(struct report_details *d);

#endif
