/* random_octets.h - octets that nobody can guess, from the kernel: secrets of hash tables, names that are unique. */
#ifndef POSTERN_RANDOM_OCTETS_H
#define POSTERN_RANDOM_OCTETS_H

#include <stddef.h>
#include <sys/random.h>

#include "log.h"

/* Fill out with so many, up to 256. A running kernel always has them; if it has not, that is as no memory: the end. */
static inline void random_octets(void *out, size_t len)
{
    if (getrandom(out, len, 0) != (ssize_t)len)
        log_oom();
}

#endif
