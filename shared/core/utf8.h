/* utf8.h - is this UTF-8? (RFC 3629) */
#ifndef POSTERN_UTF8_H
#define POSTERN_UTF8_H

#include <stddef.h>

/*
 * The octets of the sequence that begins at s (len octets are there, at least one): 1 for ASCII, NUL and control octets
 * included, 2 to 4 for others; 0 when it is none: cut short, overlong, a surrogate, beyond U+10FFFF.
 */
size_t utf8_measure(const char *s, size_t len);

#endif
