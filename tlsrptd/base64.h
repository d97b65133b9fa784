/* base64.h - octets as base64 (RFC 4648 4). Pure. */
#ifndef POSTERN_BASE64_H
#define POSTERN_BASE64_H

#include "buf.h"

#define BASE64_LINE 76 /* characters of a line in a mail (RFC 2045 6.8) */

/* Append it as one line, without a line end. */
void base64_add(struct buf *out, const void *data, size_t len);

/* Append it in lines of BASE64_LINE characters, CR LF behind each. */
void base64_add_lines(struct buf *out, const void *data, size_t len);

#endif
