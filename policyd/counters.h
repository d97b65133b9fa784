/* counters.h - policyd's numbers, one place for /metrics and `status`. */
#ifndef POSTERN_POLICYD_COUNTERS_H
#define POSTERN_POLICYD_COUNTERS_H

#include "metrics.h"

enum counter {
    COUNT_REQUESTS,
    COUNT_MEMORY_HITS,
    COUNT_FROM_REDIS,
    COUNT_FROM_STSD,
    COUNT_STALE,
    COUNT_TEMP,
    COUNT_BAD_REQUESTS,
    COUNT_REFRESHES,
    COUNT_CHANGES,
    COUNT_ACCEPTED,
    GAUGE_CONNECTIONS,
    GAUGE_LOOKUPS,
    GAUGE_ENTRIES,
    GAUGE_EVICTIONS,
    GAUGE_REDIS_UP,
    GAUGE_TRACKING,
    COUNTERS
};

/* Indexed by enum counter. There is one policyd in a process, so there is one table. */
extern struct metric counters[COUNTERS];

static inline void count(enum counter which)
{
    counters[which].value++;
}

#endif
