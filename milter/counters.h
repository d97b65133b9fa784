/* counters.h - the milter's numbers, for /metrics. Any thread may count. */
#ifndef POSTERN_MILTER_COUNTERS_H
#define POSTERN_MILTER_COUNTERS_H

#include "metrics.h"

enum counter {
    COUNT_SESSIONS,
    COUNT_MESSAGES,
    COUNT_REQUIRED,
    COUNT_REQUIRED_RECIPIENTS,
    COUNT_OPTIONAL,
    COUNT_OPTIONAL_RECIPIENTS,
    COUNT_REJECTED,
    COUNT_UNFLAGGABLE,
    COUNT_STARTTLS_MISSING,
    COUNT_UNKNOWN_RULES,
    COUNT_FAILURES,
    GAUGE_SESSIONS,
    GAUGE_RULES,
    GAUGE_REDIS_UP,
    GAUGE_TRACKING,
    COUNTERS
};

/* Indexed by enum counter. */
extern struct metric counters[COUNTERS];

static inline void count_many(enum counter which, uint64_t n)
{
    __atomic_fetch_add(&counters[which].value, n, __ATOMIC_RELAXED);
}

static inline void count(enum counter which)
{
    count_many(which, 1);
}

#endif
