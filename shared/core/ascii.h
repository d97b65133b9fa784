/* ascii.h - classes of octets as the RFCs mean them; unlike <ctype.h> they know no locale and take any char. */
#ifndef POSTERN_ASCII_H
#define POSTERN_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_alnum(char c)
{
    return ascii_is_digit(c) || ascii_is_alpha(c);
}

/* WSP of RFC 5234: SP or HTAB. */
static inline bool ascii_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* VCHAR of RFC 5234: printable, no blank. */
static inline bool ascii_is_visible(char c)
{
    return c > 0x20 && c < 0x7f;
}

/* The value of a hexadecimal digit in any case, or -1. */
static inline int ascii_hex_value(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The octet that two hexadecimal digits stand for, or -1 when they are none or the len octets have not as many. */
static inline int ascii_hex_pair(const char *s, size_t len)
{
    int high = len < 2 ? -1 : ascii_hex_value(s[0]);
    int low = len < 2 ? -1 : ascii_hex_value(s[1]);

    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Foreign text for people and logs: what is not printable ASCII becomes '?'. */
static inline void ascii_make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if (!ascii_is_visible(*text) && *text != ' ')
            *text = '?';
}

#endif
