/* counters.h - relayd's numbers, for /metrics. */
#ifndef POSTERN_RELAYD_COUNTERS_H
#define POSTERN_RELAYD_COUNTERS_H

#include "metrics.h"
#include "relay_failure.h"

enum counter {
    COUNT_CONNECTIONS,
    COUNT_TRANSACTIONS,
    COUNT_MESSAGES,
    COUNT_BROKEN,
    COUNT_ABANDONED,
    COUNT_OCTETS,
    HISTOGRAM_DELIVERY,
    HISTOGRAM_DELIVERY_LAST = HISTOGRAM_DELIVERY + METRIC_HISTOGRAM - 1,
    HISTOGRAM_CONNECT,
    HISTOGRAM_CONNECT_LAST = HISTOGRAM_CONNECT + METRIC_HISTOGRAM - 1,
    COUNT_RECIPIENTS,
    COUNT_DELIVERED, /* these three are of one family */
    COUNT_PUT_OFF,
    COUNT_REFUSED,
    COUNT_EVENTS,
    COUNT_EVENTS_LOST,
    COUNT_REUSED,
    COUNT_VERIFIED, /* then why not, in the order of enum relay_failed from LOCAL on */
    COUNT_DECLINED_LAST = COUNT_VERIFIED + RELAY_FAILED_COUNT - RELAY_FAILED_LOCAL,
    GAUGE_CONNECTIONS,
    GAUGE_UPSTREAMS,
    GAUGE_WAITING,
    GAUGE_EVENTS,
    COUNTERS
};

/* Indexed by enum counter. */
extern struct metric relayd_counters[COUNTERS];

static inline void count_many(enum counter which, uint64_t n)
{
    relayd_counters[which].value += n;
}

static inline void count(enum counter which)
{
    count_many(which, 1);
}

/* The counter of what became of a host: NOTHING, its connection was verified, or from LOCAL on. */
static inline enum counter counter_of(enum relay_failed what)
{
    return what == RELAY_FAILED_NOTHING ? COUNT_VERIFIED : COUNT_VERIFIED + 1 + what - RELAY_FAILED_LOCAL;
}

/* Others are not counted. */
static inline void count_host(enum relay_failed what)
{
    if (what == RELAY_FAILED_NOTHING || what >= RELAY_FAILED_LOCAL)
        count(counter_of(what));
}

#endif
