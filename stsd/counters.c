/* counters.c - the names and meanings of stsd's numbers. */
#include "counters.h"

#define COUNTER(name_, help_) METRIC("counter", "postern_stsd_" name_, help_)
#define GAUGE(name_, help_)   METRIC("gauge", "postern_stsd_" name_, help_)
#define MORE(name_)           METRIC_MORE("postern_stsd_" name_)

#define RESOLUTION(what_, name_) \
    [COUNT_RESOLUTIONS + OUTCOME_##what_] = MORE("resolutions_total{outcome=\"" name_ "\"}")
#define FETCH(what_, name_) [COUNT_FETCHES + DEST_STS_##what_] = MORE("policy_fetches_total{outcome=\"" name_ "\"}")

#define PUBLISHED(what_, name_) \
    [COUNT_PUBLISH + PUBLISH_##what_] = MORE("published_requests_total{outcome=\"" name_ "\"}")

struct metric counters[COUNTERS] = {
    [COUNT_REQUESTS] = COUNTER("requests_total", "Requests for a destination record."),
    [COUNT_MEMORY_HITS] = COUNTER("memory_hits_total", "Records given from memory."),
    [COUNT_REDIS_HITS] = COUNTER("redis_hits_total", "Records found fresh in Redis."),
    [COUNT_RESOLUTIONS] = COUNTER("resolutions_total{outcome=\"temp-mx\"}", "Domains resolved, by what came of it."),
    RESOLUTION(TEMP_STS, "temp-sts"),
    RESOLUTION(TEMP_TLSA, "temp-tlsa"),
    RESOLUTION(NO_MAIL, "no-mail"),
    RESOLUTION(DANE, "dane"),
    RESOLUTION(STS_ENFORCE, "sts-enforce"),
    RESOLUTION(STS_TESTING, "sts-testing"),
    RESOLUTION(STS_NONE, "sts-none"),
    RESOLUTION(NOTHING, "nothing"),
    [HISTOGRAM_RESOLUTION] =
        METRIC("histogram", "postern_stsd_resolution_seconds", "From the first DNS query for a domain to its record."),
    [COUNT_OTHER_NODE] = COUNTER("other_node_total", "Waits for another node that resolves the same domain."),
    [COUNT_REFUSED] = COUNTER("refused_total", "Requests refused because too many were waiting."),
    [COUNT_DNS_QUERIES] = COUNTER("dns_queries_total", "DNS queries asked for."),
    [COUNT_DNS_FAILURES] = COUNTER("dns_failures_total", "DNS queries that ended in a temporary failure."),
    [COUNT_FETCHES_STARTED] =
        COUNTER("policy_fetches_started_total", "MTA-STS policies that were to be fetched over HTTPS."),
    [COUNT_FETCHES] = COUNTER("policy_fetches_total{outcome=\"ok\"}",
                              "Fetches that have ended, in the words of RFC 8460; untried: the fault was on our side."),
    FETCH(FETCH_ERROR, "sts-policy-fetch-error"),
    FETCH(POLICY_INVALID, "sts-policy-invalid"),
    FETCH(WEBPKI_INVALID, "sts-webpki-invalid"),
    [COUNT_FETCHES_UNTRIED] = MORE("policy_fetches_total{outcome=\"untried\"}"),
    [HISTOGRAM_FETCH] =
        METRIC("histogram", "postern_stsd_policy_fetch_seconds", "From the beginning of a fetch to its end."),
    [COUNT_SCHEDULED] = COUNTER("scheduled_total", "Policies fetched again ahead of their end."),
    [COUNT_EVENTS] = COUNTER("events_total", "Failed fetches that were to be told to the collector (tlsrpt)."),
    [COUNT_EVENTS_LOST] = COUNTER("events_lost_total", "Of these, not taken by the collector, and given up."),
    [COUNT_PUBLISH] = COUNTER("published_requests_total{outcome=\"policy\"}",
                              "Requests over HTTP (publish_listen), by what was answered."),
    PUBLISHED(NO_POLICY, "no-policy"),
    PUBLISHED(NOT_KNOWN, "not-known"),
    PUBLISHED(CHALLENGE, "challenge"),
    PUBLISHED(NO_CHALLENGE, "no-challenge"),
    PUBLISHED(NO_REDIS, "no-redis"),
    PUBLISHED(OTHER, "other"),
    [GAUGE_WANTED] = GAUGE("wanted", "Domains being worked on."),
    [GAUGE_WAITING] = GAUGE("waiting", "Domains that wait for their turn."),
    [GAUGE_RECORDS] = GAUGE("memory_records", "Records in memory."),
    [GAUGE_POLICIES] =
        GAUGE("policies{mode=\"enforce\"}", "MTA-STS policies in memory that have not expired, by mode."),
    [GAUGE_POLICIES + KNOWN_TESTING] = MORE("policies{mode=\"testing\"}"),
    [GAUGE_POLICIES + KNOWN_NONE] = MORE("policies{mode=\"none\"}"),
    [GAUGE_EXPIRING] =
        GAUGE("policies_expiring", "Enforced ones that mail asked for in the last two hours and that have less than a "
                                   "quarter of their life left: they could not be fetched again."),
    [GAUGE_OLDEST_FETCH] = GAUGE("policy_oldest_fetch_timestamp_seconds",
                                 "When the oldest of the enforced ones was fetched that mail asked for in the last two "
                                 "hours, seconds since the epoch; 0: there is none."),
    [GAUGE_SOONEST_EXPIRY] =
        GAUGE("policy_soonest_expiry_timestamp_seconds", "When the first of them expires; 0: there is none."),
    [GAUGE_REDIS_CONFIGURED] = GAUGE("redis_configured", "1 if there is to be a Redis."),
    [GAUGE_REDIS_UP] = GAUGE("redis_up", "1 while Redis is connected."),
    [GAUGE_EVENTS] = GAUGE("events_waiting", "Failed fetches that the collector has not confirmed yet."),
    [GAUGE_PUBLISHED] = GAUGE("published_domains", "Own domains whose policy is served."),
    [GAUGE_PUBLISHED_BAD] =
        GAUGE("published_bad", "Policies that Redis has and that cannot be read: the one from before is served."),
    [GAUGE_PUBLISHED_CURRENT] = GAUGE(
        "published_current", "1 while the policies are those of Redis; 0: kept from before, from the file, or not "
                             "known, and with nothing to serve them."),
    [GAUGE_PUBLISHED_KEPT] =
        GAUGE("published_kept", "1 while the file for a start without Redis is written, or none is wanted."),
    [GAUGE_PUBLISHED_READ] = GAUGE("published_read_timestamp_seconds",
                                   "When they were last heard of from Redis, seconds since the epoch; 0: never."),
};
