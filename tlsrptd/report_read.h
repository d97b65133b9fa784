/*
 * report_read.h - anybody's report: a mail, gzip or JSON, read as foreign octets (RFC 8460 4, 5). What
 * other reporters are known to do is taken, and brought into the form of RFC 8460 (report_normal.h). Pure.
 */
#ifndef POSTERN_REPORT_READ_H
#define POSTERN_REPORT_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define REPORT_READ_MAIL_MAX 15728640 /* octets */
#define REPORT_READ_JSON_MAX 20971520 /* octets, after decompression */
#define REPORT_READ_NEST_MAX 1000000  /* objects and arrays in it */

/* A report and what came around it. Text is UTF-8 without NUL; NULL where there was none. */
struct report_found {
    json_t *json;
    bool gzip;     /* it was compressed */
    size_t behind; /* octets that follow the compressed report, and are not read */
    bool mail;     /* it came as one; the rest is of mails alone */
    char *type;    /* media type of the part that has the report */
    char *file_name;
    char *subject;
    char *domain;    /* TLS-Report-Domain */
    char *submitter; /* TLS-Report-Submitter */
};

/*
 * Read it: octets that begin like gzip, or with '{', or else a mail. In a mail the report is the first part of type
 * application/tlsrpt+gzip or application/tlsrpt+json in a multipart/report of report-type tlsrpt, or the mail is itself
 * of such a type; anything else is refused. Returns 0, *out to be given to report_found_clear, or -1 with the reason.
 */
int report_find(struct report_found *out, const char *octets, size_t len, struct err *e);
void report_found_clear(struct report_found *f);

#endif
