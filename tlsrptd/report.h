/*
 * report.h - one report (RFC 8460 4): what was counted of a domain on a day under one TLSRPT record, as JSON, and what
 * goes around it. Pure.
 */
#ifndef POSTERN_REPORT_H
#define POSTERN_REPORT_H

#include <stddef.h>

#include "buf.h"
#include "counts.h"
#include "err.h"

#define REPORT_ID_BUF   512
#define REPORT_NAME_BUF 640
#define REPORT_JSON_MAX 10485760 /* octets; details are left out, the rarest first, until it fits (E13) */

struct report_settings {
    const char *organization; /* organization-name, UTF-8 */
    const char *contact;      /* contact-info: an address */
    const char *submitter;    /* its domain (E4) */
};

struct report {
    int32_t day;
    char domain[DOMAIN_BUF];
    char submitter[DOMAIN_BUF];
    char id[REPORT_ID_BUF];          /* report-id, the same whenever it is built of the same record (J5) */
    char file_name[REPORT_NAME_BUF]; /* of the gzip form (E6) */
    struct buf json;
    struct buf gzip; /* the same, compressed */
    size_t left_out; /* failure details that are not in it */
};

/* The distinct records of these counts, sorted: *record is an array that borrows from c, to be freed. The count, or 0
 * without memory or records. */
size_t report_records(const char *const **record, const struct counts *c);

/*
 * Build the report of one record. Returns 0, *out to be given to report_clear; -1 with the reason: no policy under that
 * record, no memory, too large without any details.
 */
int report_build(struct report *out, const struct counts *c, const char *record, const struct report_settings *s,
                 struct err *e);
void report_clear(struct report *r);

#endif
