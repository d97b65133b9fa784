/* counters.c - the names and meanings of the milter's numbers. */
#include "counters.h"

#define COUNTER(name_, help_) METRIC("counter", "postern_milter_" name_, help_)
#define GAUGE(name_, help_)   METRIC("gauge", "postern_milter_" name_, help_)
#define MORE(name_)           METRIC_MORE("postern_milter_" name_)

struct metric counters[COUNTERS] = {
    [COUNT_SESSIONS] = COUNTER("sessions_opened_total", "Sessions that the MTA has opened."),
    [COUNT_MESSAGES] = COUNTER("messages_total", "Messages looked at."),
    [COUNT_REQUIRED] =
        COUNTER("requiretls_messages_total{reason=\"tag\"}", "Messages with flagged recipients, by why."),
    [COUNT_REQUIRED + 1] = MORE("requiretls_messages_total{reason=\"mail-from\"}"),
    [COUNT_REQUIRED_LAST] = MORE("requiretls_messages_total{reason=\"rule\"}"),
    [COUNT_REQUIRED_RECIPIENTS] = COUNTER("requiretls_recipients_total", "Recipients flagged."),
    [COUNT_OPTIONAL] =
        COUNTER("tls_optional_messages_total{reason=\"rule\"}", "Messages that may pass TLS policies over, by why."),
    [COUNT_OPTIONAL_LAST] = MORE("tls_optional_messages_total{reason=\"header\"}"),
    [COUNT_OPTIONAL_RECIPIENTS] = COUNTER("tls_optional_recipients_total", "Recipients of these."),
    [COUNT_REJECTED] = COUNTER("rejected_total", "Messages rejected by a rule."),
    [COUNT_UNFLAGGABLE] = COUNTER("unflaggable_total", "Messages refused, as a recipient could not be flagged."),
    [COUNT_STARTTLS_MISSING] = COUNTER("starttls_missing_total", "Messages refused to clients on inbound-require."),
    [COUNT_UNKNOWN_RULES] = COUNTER("unknown_rules_total", "Rules that could not be evaluated within their limits."),
    [COUNT_FAILURES] = COUNTER("failures_total", "Messages put off because of a fault here."),
    [GAUGE_SESSIONS] = GAUGE("sessions", "Sessions open."),
    [GAUGE_RULES] = GAUGE("rules", "Rules in force."),
    [GAUGE_RULES_CURRENT] = GAUGE("rules_current", "1 while the rules in force are those of Redis, as far as it has "
                                                   "been reached; 0: they cannot be read, or are kept from before."),
    [GAUGE_REDIS_CONFIGURED] = GAUGE("redis_configured", "1 if there is to be a Redis."),
    [GAUGE_REDIS_UP] = GAUGE("redis_up", "Whether Redis is connected."),
    [GAUGE_TRACKING] = GAUGE("redis_tracking", "Whether Redis tells of changes."),
    LISTS_METRICS_TABLE(GAUGE_LISTS, "postern_milter_"),
};
