/* report_gzip.h - a report compressed (RFC 1952): one member without name and time, so the same text gives the same
 * octets. Pure. */
#ifndef POSTERN_REPORT_GZIP_H
#define POSTERN_REPORT_GZIP_H

#include "buf.h"

/* Append it. Returns 0, or -1 without memory or when out is full. */
int report_gzip(struct buf *out, const char *text, size_t len);

#endif
