/* counters.h - policyd's numbers, one place for /metrics and `status`. */
#ifndef POSTERN_POLICYD_COUNTERS_H
#define POSTERN_POLICYD_COUNTERS_H

#include "answer.h"
#include "lists_metrics.h"
#include "metrics.h"

#include <stddef.h>
#include <stdint.h>

enum counter {
    COUNT_REQUESTS,
    COUNT_MEMORY_HITS,
    COUNT_MEMORY_MISSES,
    COUNT_LEVEL, /* then by the level of the answer, in the order of enum tls_level, and temp */
    COUNT_LEVEL_TEMP = COUNT_LEVEL + LEVEL_DANE_ONLY + 1,
    COUNT_BY, /* then by what has decided, in the order of enum decide_by */
    COUNT_BY_LAST = COUNT_BY + DECIDE_BYS - 1,
    HISTOGRAM_LOOKUP,
    HISTOGRAM_LOOKUP_LAST = HISTOGRAM_LOOKUP + METRIC_HISTOGRAM - 1,
    COUNT_FROM_REDIS,
    COUNT_FROM_STSD,
    COUNT_STALE,
    COUNT_TEMP,
    COUNT_BAD_REQUESTS,
    COUNT_REFRESHES,
    COUNT_CHANGES,
    COUNT_ACCEPTED,
    COUNT_POLICY_REQUESTS,
    COUNT_POLICY_TAGGED,
    COUNT_EXIM_REQUESTS,
    COUNT_SNI_FOUND,
    COUNT_SNI_NONE,
    COUNT_EVICTIONS,
    GAUGE_WORKERS,
    GAUGE_CONNECTIONS,
    GAUGE_LOOKUPS,
    GAUGE_ENTRIES,
    GAUGE_REDIS_CONFIGURED,
    GAUGE_REDIS_UP,
    GAUGE_TRACKING,
    GAUGE_LISTS,
    GAUGE_LISTS_LAST = GAUGE_LISTS + LISTS_METRICS - 1,
    COUNTERS
};

/* Indexed by enum counter: the numbers of this process. There is one policyd in a process, so there is one table. */
extern struct metric *counters;

/*
 * Several workers have a table each, one after the other, which all of them see. Before they are forked: make them;
 * in the worker: take one's own. A worker that replaces another goes on with its counters.
 */
void counters_share(size_t workers);
void counters_take(size_t worker);

/* The worker has gone: it has no connections or domains any more. */
void counters_gone(size_t worker);

/* All tables, and how many they are; one number over all of them. */
const struct metric *counters_all(size_t *workers);
uint64_t counters_sum(enum counter which);

static inline void count(enum counter which)
{
    counters[which].value++;
}

/* An answer was given to the MTA. */
static inline void count_answer(const struct answer *a)
{
    counters[a->by >= DECIDE_TEMP_UNKNOWN ? COUNT_LEVEL_TEMP : COUNT_LEVEL + a->level].value++;
    counters[COUNT_BY + a->by].value++;
}

#endif
