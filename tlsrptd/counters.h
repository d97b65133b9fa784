/* counters.h - tlsrptd's numbers, for /metrics and posternctl status. */
#ifndef POSTERN_TLSRPTD_COUNTERS_H
#define POSTERN_TLSRPTD_COUNTERS_H

#include "metrics.h"
#include "tlsrpt_event.h"

/* Where a session was heard of; call: relayd and stsd. */
enum session_source { SESSION_LOG, SESSION_DATAGRAM, SESSION_EXIM, SESSION_CALL, SESSION_SOURCES };

/*
 * What became of it: 0, it came off, or from 1 on, in the order of enum tlsrpt_result, the first failure of the first
 * policy by which it did not.
 */
#define SESSION_RESULTS 12
size_t session_result(const struct tlsrpt_event *event);

enum counter {
    COUNT_EVENTS,
    COUNT_SESSIONS, /* then by source and result */
    COUNT_SESSIONS_LAST = COUNT_SESSIONS + SESSION_SOURCES * SESSION_RESULTS - 1,
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
    GAUGE_SPOOL_LIMIT,
    GAUGE_FALLBACK,
    GAUGE_REPORTS,
    GAUGE_REPORT_SENT,
    GAUGE_LOG_FOLLOWED,
    GAUGE_LOG_READ,
    GAUGE_LOG_ENTRY,
    GAUGE_REDIS_CONFIGURED,
    GAUGE_REDIS_UP,
    COUNTERS
};

/* Indexed by enum counter. */
extern struct metric tlsrptd_counters[COUNTERS];

static inline void count(enum counter which)
{
    tlsrptd_counters[which].value++;
}

static inline void count_session(enum session_source source, const struct tlsrpt_event *event)
{
    tlsrptd_counters[COUNT_SESSIONS + source * SESSION_RESULTS + session_result(event)].value++;
}

#endif
