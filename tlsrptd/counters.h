/* counters.h - tlsrptd's numbers, for /metrics and posternctl status. */
#ifndef POSTERN_TLSRPTD_COUNTERS_H
#define POSTERN_TLSRPTD_COUNTERS_H

#include "metrics.h"

enum counter {
    COUNT_EVENTS,
    COUNT_EVENTS_LOST,
    COUNT_DATAGRAMS,
    COUNT_DATAGRAMS_UNREADABLE,
    COUNT_DATAGRAMS_DROPPED,
    COUNT_CALLED,
    COUNT_CALLED_REFUSED,
    COUNT_LOG_LINES,
    COUNT_LOG_OCTETS,
    COUNT_LOG_LOST,
    COUNT_EXIM,
    COUNT_EXIM_UNREADABLE,
    COUNT_EXIM_REFUSED,
    COUNT_ATTEMPTS,
    COUNT_BATCHES,
    COUNT_SPOOL_FAILURES,
    COUNT_SPOOL_UNREADABLE,
    COUNT_FALLBACK_TOLD,
    COUNT_FALLBACK_LOST,
    COUNT_REPORTS_SENT,
    COUNT_REPORTS_FAILED,
    COUNT_REPORTS_GIVEN_UP,
    COUNT_REPORTS_UNKNOWN,
    GAUGE_ATTEMPTS,
    GAUGE_SPOOLED,
    GAUGE_SPOOL_OCTETS,
    GAUGE_FALLBACK,
    GAUGE_REDIS_UP,
    COUNTERS
};

/* Indexed by enum counter. */
extern struct metric tlsrptd_counters[COUNTERS];

static inline void count(enum counter which)
{
    tlsrptd_counters[which].value++;
}

#endif
