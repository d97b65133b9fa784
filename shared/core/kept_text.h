/*
 * kept_text.h - a text and its stamp as the octets of a file, which a daemon keeps for the time when it starts without
 * Redis. Pure.
 *
 *   NAME 1
 *   stamp TAB GENERATION TAB COUNT                "" and 0: no stamp
 *   …                                             the text
 *   end TAB CHECKSUM                              16 hex digits: SipHash-1-3 of all before it, under a fixed key
 *
 * The checksum finds damage, not forgery: who can write the file can write what the daemon knows.
 */
#ifndef POSTERN_KEPT_TEXT_H
#define POSTERN_KEPT_TEXT_H

#include "buf.h"
#include "err.h"
#include "lists_stamp.h"
#include "span.h"

#define KEPT_TEXT_MORE 200 /* octets of a file besides its text, at most */

struct kept_kind {
    const char *name; /* "postern-rules", at most 30 octets */
    const char *what; /* "file of rules" */
    size_t max;       /* octets of a file */
};

/* Append the file; the limit is that of the buffer. A text whose last line has no end is given one. */
void kept_text_write(struct buf *out, const struct kept_kind *kind, const struct lists_stamp *stamp, const char *text,
                     size_t len);

/*
 * Read it back: *stamp, and the text, a part of data. Returns 0; or -1 with the reason in e, no stamp and no text, when
 * the file is cut off, damaged, of another version, or too long.
 */
int kept_text_read(struct span *text, struct lists_stamp *stamp, const struct kept_kind *kind, const char *data,
                   size_t len, struct err *e);

#endif
