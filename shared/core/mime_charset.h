/*
 * mime_charset.h - the charsets of mail that are turned into UTF-8 here: UTF-8 and US-ASCII, ISO-8859-1 and
 * windows-1252 (read as the same, as everybody mixes them up), ISO-8859-15. Pure.
 */
#ifndef POSTERN_MIME_CHARSET_H
#define POSTERN_MIME_CHARSET_H

#include "buf.h"

enum mime_charset { MIME_CHARSET_UNKNOWN, MIME_CHARSET_UTF8, MIME_CHARSET_WINDOWS_1252, MIME_CHARSET_ISO_8859_15 };

/* By its name or a usual alias, in any case; US-ASCII is UTF-8 here. */
enum mime_charset mime_charset_find(const char *name, size_t len);

/*
 * Append the octets as UTF-8: CR LF becomes LF, NUL and what no character has U+FFFD. Octets that are not UTF-8 where
 * they should be, or whose charset is unknown, are read as windows-1252, so that what is ASCII in them can be found.
 * When out is full, what is there ends with a whole character.
 */
void mime_charset_to_utf8(struct buf *out, enum mime_charset charset, const char *octets, size_t len);

#endif
