/* report_read.h - anybody's report: a mail, gzip or JSON, read as foreign bytes (RFC 8460 4, 5; RFC.md D 7). Pure. */
#ifndef POSTERN_REPORT_READ_H
#define POSTERN_REPORT_READ_H

#include <jansson.h>
#include <stddef.h>

#include "err.h"

#define REPORT_READ_MAIL_MAX 15728640 /* octets */
#define REPORT_READ_JSON_MAX 20971520 /* octets, after decompression */

/* Returns the report's JSON (json_decref), or NULL with the reason. */
json_t *report_read(const char *octets, size_t len, struct err *e);

#endif
