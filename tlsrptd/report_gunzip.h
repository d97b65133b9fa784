/* report_gunzip.h - a gzip file of anybody's, decompressed up to a limit (RFC 1952). Pure. */
#ifndef POSTERN_REPORT_GUNZIP_H
#define POSTERN_REPORT_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

/* Do they begin as a gzip file does? */
bool report_is_gzip(const char *octets, size_t len);

/*
 * Append what the first member holds; more than out may take is an error, and no more is decompressed then. *behind:
 * octets after the member, without zeros at the end. Returns 0, or -1 with the reason.
 */
int report_gunzip(struct buf *out, size_t *behind, const char *octets, size_t len, struct err *e);

#endif
