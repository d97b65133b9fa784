/* counters.c - the names and meanings of policyd's numbers. */
#include "counters.h"

#define COUNTER(name_, help_) METRIC("counter", "postern_policyd_" name_, help_)
#define GAUGE(name_, help_)   METRIC("gauge", "postern_policyd_" name_, help_)
#define MORE(name_)           METRIC_MORE("postern_policyd_" name_)
#define LEVEL(what_, name_)   [COUNT_LEVEL + LEVEL_##what_] = MORE("answers_total{level=\"" name_ "\"}")
#define BY(what_, name_)      [COUNT_BY + DECIDE_##what_] = MORE("decisions_total{reason=\"" name_ "\"}")

static struct metric one[COUNTERS] = {
    [COUNT_REQUESTS] = COUNTER("requests_total", "Look-ups by the MTA."),
    [COUNT_MEMORY_HITS] = COUNTER("memory_hits_total", "Look-ups answered from memory."),
    [COUNT_MEMORY_MISSES] = COUNTER("memory_misses_total", "Look-ups for which others had to be asked."),
    [COUNT_LEVEL] = COUNTER("answers_total{level=\"default\"}",
                            "Policies given to the MTA, by TLS level; temp: none could be given."),
    LEVEL(NONE, "none"),
    LEVEL(MAY, "may"),
    LEVEL(ENCRYPT, "encrypt"),
    LEVEL(DANE, "dane"),
    LEVEL(VERIFY, "verify"),
    LEVEL(SECURE, "secure"),
    LEVEL(DANE_ONLY, "dane-only"),
    [COUNT_LEVEL_TEMP] = MORE("answers_total{level=\"temp\"}"),
    [COUNT_BY] = COUNTER("decisions_total{reason=\"nothing\"}", "The same, by what has decided."),
    BY(BY_HOP, "no-domain"),
    BY(BY_DANE, "dane"),
    BY(BY_STS, "mta-sts"),
    BY(BY_REQUIRE, "require"),
    BY(BY_EXCLUDE, "exclude"),
    BY(BY_ONLY, "only"),
    BY(BY_PROTOCOLS, "protocols"),
    BY(BY_FALLBACK, "fallback"),
    BY(BY_IMPLICIT, "implicit-tls"),
    BY(BY_DEFAULT_LEVEL, "default-level"),
    BY(TEMP_UNKNOWN, "temp-unknown"),
    BY(TEMP_MX, "temp-mx"),
    BY(TEMP_TLSA, "temp-tlsa"),
    BY(TEMP_STS, "temp-mta-sts"),
    BY(TEMP_STALE, "temp-stale"),
    BY(TEMP_LISTS, "temp-lists"),
    [HISTOGRAM_LOOKUP] = METRIC("histogram", "postern_policyd_lookup_seconds",
                                "From a request that memory could not answer to its answer."),
    [COUNT_FROM_REDIS] = COUNTER("from_redis_total", "Domains answered with facts from Redis."),
    [COUNT_FROM_STSD] = COUNTER("from_stsd_total", "Domains answered with facts from stsd."),
    [COUNT_STALE] = COUNTER("stale_total", "Domains answered with old facts, as no newer could be had."),
    [COUNT_TEMP] = COUNTER("temporary_errors_total", "Domains for which no policy could be given."),
    [COUNT_BAD_REQUESTS] =
        COUNTER("bad_requests_total", "Requests that broke the protocol or named no map or next hop."),
    [COUNT_REFRESHES] = COUNTER("refreshes_total", "Look-ups made ahead of an answer's end."),
    [COUNT_CHANGES] = COUNTER("changes_total", "Changes told by Redis."),
    [COUNT_ACCEPTED] = COUNTER("connections_accepted_total", "Connections accepted."),
    [COUNT_POLICY_REQUESTS] = COUNTER("policy_requests_total", "Requests of the policy delegation protocol."),
    [COUNT_POLICY_TAGGED] = COUNTER("policy_tagged_total", "Of these, recipients with the tag: REQUIRETLS."),
    [COUNT_EXIM_REQUESTS] = COUNTER("exim_requests_total", "Of the look-ups, those by Exim."),
    [COUNT_SNI_FOUND] = COUNTER("sni_requests_total{outcome=\"found\"}",
                                "Host names that clients asked for in TLS: is there a certificate for them?"),
    [COUNT_SNI_NONE] = MORE("sni_requests_total{outcome=\"none\"}"),
    [COUNT_EVICTIONS] = COUNTER("memory_evictions_total", "Domains dropped from memory to make room."),
    [GAUGE_WORKERS] = GAUGE("workers", "Processes that answer."),
    [GAUGE_CONNECTIONS] = GAUGE("connections", "Connections open."),
    [GAUGE_LOOKUPS] = GAUGE("lookups", "Domains being looked up, by each worker."),
    [GAUGE_ENTRIES] = GAUGE("memory_entries", "Domains in memory, of each worker."),
    [GAUGE_REDIS_CONFIGURED] = GAUGE("redis_configured", "Workers that are to have a Redis."),
    [GAUGE_REDIS_UP] = GAUGE("redis_up", "Workers to which Redis is connected."),
    [GAUGE_TRACKING] = GAUGE("redis_tracking", "Workers that Redis tells of changes."),
    LISTS_METRICS_TABLE(GAUGE_LISTS, "postern_policyd_"),
};

struct metric *counters = one;
static struct metric *tables = one;
static size_t table_count = 1;

void counters_share(size_t workers)
{
    if (workers == 1)
        return;
    tables = metrics_share(one, COUNTERS, workers);
    table_count = workers;
}

void counters_take(size_t worker)
{
    counters = tables + worker * COUNTERS;
}

void counters_gone(size_t worker)
{
    metrics_clear_gauges(tables + worker * COUNTERS, COUNTERS);
}

const struct metric *counters_all(size_t *workers)
{
    *workers = table_count;
    return tables;
}

uint64_t counters_sum(enum counter which)
{
    return metrics_sum(tables, COUNTERS, table_count, which);
}
