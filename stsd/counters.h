/* counters.h - stsd's numbers, one place for /metrics and `status`. */
#ifndef POSTERN_STSD_COUNTERS_H
#define POSTERN_STSD_COUNTERS_H

#include "metrics.h"

enum counter {
    COUNT_REQUESTS,
    COUNT_MEMORY_HITS,
    COUNT_REDIS_HITS,
    COUNT_RESOLUTIONS,
    COUNT_OTHER_NODE,
    COUNT_REFUSED,
    COUNT_DNS_QUERIES,
    COUNT_DNS_FAILURES,
    COUNT_FETCHES,
    COUNT_FETCH_FAILURES,
    COUNT_SCHEDULED,
    COUNT_EVENTS,
    COUNT_EVENTS_LOST,
    GAUGE_WANTED,
    GAUGE_WAITING,
    GAUGE_RECORDS,
    GAUGE_REDIS_UP,
    GAUGE_EVENTS,
    COUNTERS
};

/* Indexed by enum counter. There is one stsd in a process, so there is one table. */
extern struct metric counters[COUNTERS];

static inline void count(enum counter which)
{
    counters[which].value++;
}

#endif
