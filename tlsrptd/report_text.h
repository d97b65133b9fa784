/* report_text.h - foreign text made fit for a report (RFC 7493 2.1; J1, J17). Pure. */
#ifndef POSTERN_REPORT_TEXT_H
#define POSTERN_REPORT_TEXT_H

#include "buf.h"

/*
 * Append at most max octets of text as UTF-8, cut at a whole character. '?' is written for each octet that is not
 * UTF-8, and for characters that I-JSON does not allow (U+FFFF, U+FDD0, …) or that JSON would not escape although they
 * are controls (U+007F to U+009F).
 */
void report_text(struct buf *out, const char *text, size_t max);

#endif
