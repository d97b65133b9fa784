/*
 * report.h - one report (RFC 8460 4): what was counted of a domain on a day under one TLSRPT record, as JSON, and what
 * goes around it. Pure.
 */
#ifndef POSTERN_REPORT_H
#define POSTERN_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "counts.h"
#include "err.h"

#define REPORT_ID_BUF     512
#define REPORT_NAME_BUF   640
#define REPORT_UNIQUE_BUF 17
#define REPORT_JSON_MAX   7000000 /* octets; its mail is below REPORT_MAIL_MAX, also if it does not compress (E13) */

struct report_settings {
    const char *organization; /* organization-name, UTF-8; "": the submitter */
    const char *contact;      /* contact-info: an address (J4) */
    const char *submitter;    /* its domain (E4) */
};

struct report {
    int32_t day;
    char domain[DOMAIN_BUF];
    char submitter[DOMAIN_BUF];
    char unique[REPORT_UNIQUE_BUF];  /* hex digits, from day, domain, record and submitter */
    char id[REPORT_ID_BUF];          /* report-id, "20261122.UNIQUE.DOMAIN@SUBMITTER": the same whenever it is built of
                                        the same record (J5); a domain of more than 128 octets is not in it */
    char file_name[REPORT_NAME_BUF]; /* of the gzip form (E6) */
    uint64_t successful, failed;     /* sessions of all policies; one under two policies is in it twice */
    struct buf json;
    struct buf gzip; /* the same, compressed */
    size_t left_out; /* failure details that are not in it: the rarest, merged by their result type (E13) */
};

/* The distinct records of these counts, sorted: *record is an array that borrows from c, to be freed. The count, or 0
 * without memory or records. */
size_t report_records(const char *const **record, const struct counts *c);

/*
 * Build the report of one record. Returns 0, *out to be given to report_clear; -1 with the reason, nothing to clear: no
 * policy under that record, a domain or contact that is none, no memory, too large without any details.
 */
int report_build(struct report *out, const struct counts *c, const char *record, const struct report_settings *s,
                 struct err *e);

/* NULL-safe, may be called twice. */
void report_clear(struct report *r);

#endif
