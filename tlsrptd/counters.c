/* counters.c - the names and meanings of tlsrptd's numbers. */
#include "counters.h"

/* The result types stand in two runs of numbers, of which each begins with the first here. */
size_t session_result(const struct tlsrpt_event *event)
{
    for (size_t i = 0; i < event->policies; i++) {
        const struct tlsrpt_policy *p = &event->policy[i];
        enum tlsrpt_result result = p->failures > 0 ? p->failure[0].result : TLSRPT_VALIDATION_FAILURE;

        if (!p->failed)
            continue;
        if (result >= TLSRPT_STS_POLICY_FETCH_ERROR)
            return 1 + TLSRPT_VALIDATION_FAILURE - TLSRPT_STARTTLS_NOT_SUPPORTED + 1 + result -
                   TLSRPT_STS_POLICY_FETCH_ERROR;
        return 1 + result - TLSRPT_STARTTLS_NOT_SUPPORTED;
    }
    return 0;
}

#define COUNTER(name_, help_) METRIC("counter", "postern_tlsrptd_" name_, help_)
#define GAUGE(name_, help_)   METRIC("gauge", "postern_tlsrptd_" name_, help_)

/* The sessions of a source, in the order of session_result(). */
#define SESSION(source_, name_, n_, result_)                        \
    [COUNT_SESSIONS + SESSION_##source_ * SESSION_RESULTS + (n_)] = \
        METRIC_MORE("postern_tlsrptd_sessions_total{source=\"" name_ "\",result=\"" result_ "\"}")
#define FAILURES(source_, name_)                                                                                   \
    SESSION(source_, name_, 1, "starttls-not-supported"), SESSION(source_, name_, 2, "certificate-host-mismatch"), \
        SESSION(source_, name_, 3, "certificate-not-trusted"), SESSION(source_, name_, 4, "certificate-expired"),  \
        SESSION(source_, name_, 5, "validation-failure"), SESSION(source_, name_, 6, "sts-policy-fetch-error"),    \
        SESSION(source_, name_, 7, "sts-policy-invalid"), SESSION(source_, name_, 8, "sts-webpki-invalid"),        \
        SESSION(source_, name_, 9, "tlsa-invalid"), SESSION(source_, name_, 10, "dnssec-invalid"),                 \
        SESSION(source_, name_, 11, "dane-required")

struct metric tlsrptd_counters[COUNTERS] = {
    [COUNT_EVENTS] = COUNTER("events_total", "TLS sessions counted."),
    [COUNT_SESSIONS] = COUNTER("sessions_total{source=\"log\",result=\"success\"}",
                               "The same, by where they were heard of and by the result type of RFC 8460."),
    FAILURES(LOG, "log"),
    SESSION(DATAGRAM, "datagram", 0, "success"),
    FAILURES(DATAGRAM, "datagram"),
    SESSION(EXIM, "exim", 0, "success"),
    FAILURES(EXIM, "exim"),
    SESSION(CALL, "call", 0, "success"),
    FAILURES(CALL, "call"),
    [COUNT_EVENTS_LOST] = COUNTER("events_lost_total", "Sessions for which there was room nowhere."),
    [COUNT_DATAGRAMS] = COUNTER("datagrams_total", "Datagrams received."),
    [COUNT_DATAGRAMS_UNREADABLE] = COUNTER("datagrams_unreadable_total", "Of these, no outcome as libtlsrpt tells it."),
    [COUNT_DATAGRAMS_DROPPED] = COUNTER("datagrams_dropped_total", "Of these, those that found memory full."),
    [COUNT_CALLED] = COUNTER("called_total", "Outcomes told by relayd and stsd."),
    [COUNT_CALLED_REFUSED] = COUNTER("called_refused_total", "Of these, those that could not be read."),
    [COUNT_LOG_LINES] = COUNTER("log_lines_total", "Lines of the mail log."),
    [COUNT_LOG_OCTETS] = COUNTER("log_bytes_total", "Octets of the mail log."),
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
    [GAUGE_ATTEMPTS] = GAUGE("attempts_waiting", "Attempts that wait for the facts of their domain."),
    [GAUGE_SPOOLED] = GAUGE("spool_batches", "Batches that wait for Redis."),
    [GAUGE_SPOOL_OCTETS] = GAUGE("spool_bytes", "Octets in the spool."),
    [GAUGE_SPOOL_LIMIT] = GAUGE("spool_limit_bytes", "Octets that it may have (spool_octets)."),
    [GAUGE_FALLBACK] = GAUGE("fallback_waiting", "Outcomes that wait for Redis."),
    [GAUGE_REPORTS] = GAUGE("reports_waiting", "Domains whose reports of the last days are still to go."),
    [GAUGE_REPORT_SENT] =
        GAUGE("report_sent_timestamp_seconds",
              "When a destination last took a report of this process, seconds since the epoch; 0: none yet."),
    [GAUGE_LOG_FOLLOWED] = GAUGE("log_followed", "1 if a mail log is to be followed."),
    [GAUGE_LOG_READ] = GAUGE("log_read_timestamp_seconds",
                             "When all of the mail log had last been read, seconds since the epoch; 0: not yet."),
    [GAUGE_LOG_ENTRY] =
        GAUGE("log_entry_timestamp_seconds", "The time of the last entry of the MTA that was read; 0: none yet."),
    [GAUGE_REDIS_CONFIGURED] = GAUGE("redis_configured", "1 if there is to be a Redis."),
    [GAUGE_REDIS_UP] = GAUGE("redis_up", "1 while Redis is there."),
};
