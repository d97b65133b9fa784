/* counters.h - relayd's numbers, for /metrics. */
#ifndef POSTERN_RELAYD_COUNTERS_H
#define POSTERN_RELAYD_COUNTERS_H

#include "metrics.h"

enum counter {
    COUNT_CONNECTIONS,
    COUNT_TRANSACTIONS,
    COUNT_MESSAGES,
    COUNT_BROKEN,
    COUNT_ABANDONED,
    COUNT_OCTETS,
    COUNT_RECIPIENTS,
    COUNT_DELIVERED,
    COUNT_PUT_OFF,
    COUNT_REFUSED,
    COUNT_EVENTS,
    COUNT_EVENTS_LOST,
    GAUGE_CONNECTIONS,
    GAUGE_UPSTREAMS,
    GAUGE_EVENTS,
    COUNTERS
};

/* Indexed by enum counter. */
extern struct metric counters[COUNTERS];

static inline void count_many(enum counter which, uint64_t n)
{
    counters[which].value += n;
}

static inline void count(enum counter which)
{
    count_many(which, 1);
}

#endif
