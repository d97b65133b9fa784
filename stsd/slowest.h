/* slowest.h - the slowest of what was done lately: SLOWEST_MAX places, each for SLOWEST_KEEP seconds. Pure. */
#ifndef POSTERN_SLOWEST_H
#define POSTERN_SLOWEST_H

#include <stddef.h>
#include <stdint.h>

#include "domain.h"

#define SLOWEST_MAX  20
#define SLOWEST_KEEP 600
#define SLOWEST_END  64 /* octets of how it ended, with the NUL; more is cut, and what is not printable ASCII is '?' */

struct slow {
    int64_t ended; /* seconds since the epoch */
    int64_t ms;
    char domain[DOMAIN_BUF];
    char end[SLOWEST_END];
};

/* All zero: empty. */
struct slowest {
    struct slow place[SLOWEST_MAX];
    size_t count;
};

/* Take one in, unless all places are taken by slower ones. A domain has one place: that of its slowest. */
void slowest_add(struct slowest *s, const char *domain, int64_t ms, const char *end, int64_t now);

/* Those that are left at this time, slowest first. Returns how many. */
size_t slowest_list(const struct slowest *s, struct slow out[SLOWEST_MAX], int64_t now);

#endif
