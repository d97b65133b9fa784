/* utf8.h - is this UTF-8? And its code points. (RFC 3629) */
#ifndef POSTERN_UTF8_H
#define POSTERN_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4 /* octets of a sequence */

/*
 * The octets of the sequence that begins at s (len octets are there, at least one): 1 for ASCII, NUL and control octets
 * included, 2 to 4 for others; 0 when it is none: cut short, overlong, a surrogate, beyond U+10FFFF.
 */
size_t utf8_measure(const char *s, size_t len);

/* The code point of a sequence of so many octets, as utf8_measure has found them. */
uint32_t utf8_code(const char *s, size_t octets);

/* Write the sequence of a code point. Returns its octets; 0 for a surrogate or what is beyond U+10FFFF. */
size_t utf8_write(char out[UTF8_MAX], uint32_t code);

#endif
