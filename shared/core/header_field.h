/*
 * header_field.h - the fields of a message header (RFC 5322 2.2): found in a block of octets, unfolded, their comments
 * dropped, their encoded words (RFC 2047) decoded. Pure.
 *
 * Values may be folded with CR LF or LF, as they are in a message and as a milter gets them. All functions take hostile
 * octets, and their time is linear in them.
 */
#ifndef POSTERN_HEADER_FIELD_H
#define POSTERN_HEADER_FIELD_H

#include "mime_charset.h"

struct header_field {
    const char *name; /* in the caller's octets, as is value; no blank at its end */
    size_t name_len;
    const char *value; /* all behind the colon, without the last line end */
    size_t value_len;
};

/*
 * The next field of a block, whose first octet is at *pos. Returns 1; or 0: there is none more, and *pos is behind the
 * empty line, at the line that is no field, or at the end.
 */
int header_field_next(struct header_field *out, size_t *pos, const char *block, size_t len);

/* Is that its name? In any case. */
bool header_field_is(const struct header_field *f, const char *name);

/* Append the value on one line, blanks at its ends dropped. Line ends without a blank behind them, and NUL, become a
 * blank. */
void header_unfold(struct buf *out, const char *value, size_t len);

/*
 * The same without comments (RFC 5322 3.2.2: nested, none in quoted strings), each a blank. Returns 0; -1: a comment or
 * a quoted string without its end, nothing appended.
 */
int header_uncomment(struct buf *out, const char *value, size_t len);

/*
 * Append the value as people read it: unfolded, encoded words decoded wherever they stand (blanks between two of them
 * dropped, a character cut in two by them made whole), in UTF-8, without NUL. Words that are none, or in an unknown
 * encoding, stay as they are. Charsets are those of mime_charset.h and of c (NULL: none). Returns 0, or -1: a word may
 * not be what a mail program shows (enum mime_doubt).
 */
int header_decode(struct buf *out, const char *value, size_t len, struct mime_converter *c);

#endif
