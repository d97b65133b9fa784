/* hex.h - octets as hexadecimal digits, small letters. Pure. */
#ifndef POSTERN_HEX_H
#define POSTERN_HEX_H

#include <stddef.h>

/* Write two digits for each octet, and a NUL behind them. */
static inline void hex_write(char *out, const void *octets, size_t len)
{
    static const char digit[] = "0123456789abcdef";
    const unsigned char *octet = octets;

    for (size_t i = 0; i < len; i++) {
        *out++ = digit[octet[i] >> 4];
        *out++ = digit[octet[i] & 15];
    }
    *out = '\0';
}

#endif
