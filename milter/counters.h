/* counters.h - the milter's numbers, for /metrics. Any thread may count. */
#ifndef POSTERN_MILTER_COUNTERS_H
#define POSTERN_MILTER_COUNTERS_H

#include "flag.h"
#include "lists_metrics.h"
#include "metrics.h"

enum counter {
    COUNT_SESSIONS,
    COUNT_MESSAGES,
    COUNT_REQUIRED, /* then by why, in the order of enum flag_why from TAG on */
    COUNT_REQUIRED_LAST = COUNT_REQUIRED + FLAG_BY_RULE - FLAG_BY_TAG,
    COUNT_REQUIRED_RECIPIENTS,
    COUNT_OPTIONAL, /* then by why, the same from RULE on */
    COUNT_OPTIONAL_LAST = COUNT_OPTIONAL + FLAG_BY_HEADER - FLAG_BY_RULE,
    COUNT_OPTIONAL_RECIPIENTS,
    COUNT_REJECTED,
    COUNT_UNFLAGGABLE,
    COUNT_STARTTLS_MISSING,
    COUNT_UNKNOWN_RULES,
    COUNT_FAILURES,
    GAUGE_SESSIONS,
    GAUGE_RULES,
    GAUGE_RULES_CURRENT,
    GAUGE_REDIS_CONFIGURED,
    GAUGE_REDIS_UP,
    GAUGE_TRACKING,
    GAUGE_LISTS,
    GAUGE_LISTS_LAST = GAUGE_LISTS + LISTS_METRICS - 1,
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

/* A message flagged, or one that may pass policies over; why is not FLAG_NOT. */
static inline void count_required(enum flag_why why)
{
    count(COUNT_REQUIRED + why - FLAG_BY_TAG);
}

static inline void count_optional(enum flag_why why)
{
    count(COUNT_OPTIONAL + why - FLAG_BY_RULE);
}

#endif
