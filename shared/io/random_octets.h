/* random_octets.h - octets that nobody can guess, from the kernel: secrets of hash tables, names that are unique. */
#ifndef POSTERN_RANDOM_OCTETS_H
#define POSTERN_RANDOM_OCTETS_H

#include <stddef.h>
#include <sys/random.h>

#include "hex.h"
#include "log.h"

/* Fill out with so many, up to 256. A running kernel always has them; if it has not, that is as no memory: the end. */
static inline void random_octets(void *out, size_t len)
{
    if (getrandom(out, len, 0) != (ssize_t)len)
        log_oom();
}

#define RANDOM_HEX_MAX 64 /* octets */

/* A name that nobody can guess: two hexadecimal digits for each of so many octets, and a NUL. */
static inline void random_hex(char *out, size_t octets)
{
    unsigned char octet[RANDOM_HEX_MAX];

    random_octets(octet, octets);
    hex_write(out, octet, octets);
}

#endif
