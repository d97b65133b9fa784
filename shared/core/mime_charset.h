/*
 * mime_charset.h - the charsets of mail, turned into UTF-8: UTF-8 and US-ASCII, ISO-8859-1 and windows-1252 (read as
 * the same, as everybody mixes them up) and ISO-8859-15 here, others by a converter of the caller's. Pure.
 */
#ifndef POSTERN_MIME_CHARSET_H
#define POSTERN_MIME_CHARSET_H

#include "buf.h"

enum mime_charset { MIME_CHARSET_UNKNOWN, MIME_CHARSET_UTF8, MIME_CHARSET_WINDOWS_1252, MIME_CHARSET_ISO_8859_15 };

/* By its name or a usual alias, in any case; US-ASCII is UTF-8 here, as is unknown-8bit (RFC 1428). */
enum mime_charset mime_charset_find(const char *name, size_t len);

/*
 * Append the octets as UTF-8: CR LF becomes LF, NUL and what no character has U+FFFD. Octets that are not UTF-8 where
 * they should be, or whose charset is unknown, are read as windows-1252, so that what is ASCII in them can be found.
 * When out is full, what is there ends with a whole character.
 */
void mime_charset_to_utf8(struct buf *out, enum mime_charset charset, const char *octets, size_t len);

/* Why what was read may not be what a mail program shows; bits, 0: it surely is. */
enum mime_doubt {
    MIME_DOUBT_CHARSET = 1, /* there is no such charset */
    MIME_DOUBT_OCTETS = 2,  /* there are octets that it does not have, and what follows may be read wrongly */
    MIME_DOUBT_ASCII = 4    /* ASCII does not stand for itself in it: who does not know it shows something else */
};

#define MIME_CHARSET_GROWTH 12 /* octets of UTF-8 that one octet of a charset becomes at most */

/*
 * Append text in that charset as UTF-8, from its first state, and U+FFFD for what it does not have; up to the limit of
 * out. Returns bits of enum mime_doubt; when it is MIME_DOUBT_CHARSET, nothing was appended.
 */
typedef unsigned mime_convert(struct buf *out, const char *charset, size_t charset_len, const char *octets, size_t len);

/* Opening a charset may be work: a message gets so many. */
struct mime_converter {
    mime_convert *convert; /* NULL: none */
    size_t left;           /* texts that it may still be asked for */
};

/*
 * Append text in a charset by name, "" for none said, as mime_charset_to_utf8 does; by c (NULL: none) what is not
 * known here. Returns bits of enum mime_doubt.
 */
unsigned mime_charset_read(struct buf *out, const char *charset, size_t charset_len, const char *octets, size_t len,
                           struct mime_converter *c);

#endif
