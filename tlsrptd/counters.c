/* counters.c - the names and meanings of tlsrptd's numbers. */
#include "counters.h"

#define COUNTER(name_, help_)                                                \
    {                                                                        \
        .name = "postern_tlsrptd_" name_, .help = (help_), .type = "counter" \
    }
#define GAUGE(name_, help_)                                                \
    {                                                                      \
        .name = "postern_tlsrptd_" name_, .help = (help_), .type = "gauge" \
    }

struct metric tlsrptd_counters[COUNTERS] = {
    [COUNT_EVENTS] = COUNTER("events_total", "TLS sessions counted."),
    [COUNT_EVENTS_LOST] = COUNTER("events_lost_total", "Sessions for which there was room nowhere."),
    [COUNT_DATAGRAMS] = COUNTER("datagrams_total", "Datagrams received."),
    [COUNT_DATAGRAMS_UNREADABLE] = COUNTER("datagrams_unreadable_total", "Of these, no outcome as libtlsrpt tells it."),
    [COUNT_DATAGRAMS_DROPPED] = COUNTER("datagrams_dropped_total", "Of these, those that found memory full."),
    [COUNT_CALLED] = COUNTER("called_total", "Outcomes told by relayd and stsd."),
    [COUNT_CALLED_REFUSED] = COUNTER("called_refused_total", "Of these, those that could not be read."),
    [COUNT_LOG_LINES] = COUNTER("log_lines_total", "Lines of the mail log."),
    [COUNT_LOG_OCTETS] = COUNTER("log_octets_total", "Octets of the mail log."),
    [COUNT_LOG_LOST] = COUNTER("log_lost_total", "Times that a part of the mail log was gone before it was read."),
    [COUNT_EXIM] = COUNTER("exim_lines_total", "Lines of Exim."),
    [COUNT_EXIM_UNREADABLE] =
        COUNTER("exim_unreadable_total", "Lines of Exim that could not be read, or did not come."),
    [COUNT_EXIM_REFUSED] = COUNTER("exim_refused_total", "Lines of Exim for which there was no room."),
    [COUNT_ATTEMPTS] = COUNTER("attempts_total", "Attempts to deliver, of the mail log and Exim."),
    [COUNT_BATCHES] = COUNTER("batches_total", "Batches of counts that Redis has taken."),
    [COUNT_SPOOL_FAILURES] = COUNTER("spool_failures_total", "Batches that could not be written to the spool."),
    [COUNT_SPOOL_UNREADABLE] = COUNTER("spool_unreadable_total", "Batches in the spool that were broken."),
    [COUNT_FALLBACK_TOLD] = COUNTER("fallback_told_total", "Outcomes told to the fallback decision."),
    [COUNT_FALLBACK_LOST] = COUNTER("fallback_lost_total", "Of these, those that could not be kept."),
    [COUNT_REPORTS_SENT] = COUNTER("reports_sent_total", "Reports that a destination has taken."),
    [COUNT_REPORTS_FAILED] = COUNTER("reports_failed_total", "Tries to send a report that failed."),
    [COUNT_REPORTS_GIVEN_UP] = COUNTER("reports_given_up_total", "Reports that were never taken."),
    [COUNT_REPORTS_UNKNOWN] =
        COUNTER("reports_unknown_total", "Reports of which nobody knows whether they were taken."),
    [GAUGE_ATTEMPTS] = GAUGE("attempts", "Attempts that wait for the facts of their domain."),
    [GAUGE_SPOOLED] = GAUGE("spooled", "Batches that wait for Redis."),
    [GAUGE_SPOOL_OCTETS] = GAUGE("spool_octets", "Octets in the spool."),
    [GAUGE_FALLBACK] = GAUGE("fallback", "Outcomes that wait for Redis."),
    [GAUGE_REDIS_UP] = GAUGE("redis_up", "1 while Redis is there."),
};
