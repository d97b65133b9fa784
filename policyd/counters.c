/* counters.c - the names and meanings of policyd's numbers. */
#include "counters.h"

#define COUNTER(name_, help_) METRIC("counter", "postern_policyd_" name_, help_)
#define GAUGE(name_, help_)   METRIC("gauge", "postern_policyd_" name_, help_)

static struct metric one[COUNTERS] = {
    [COUNT_REQUESTS] = COUNTER("requests_total", "Look-ups by the MTA."),
    [COUNT_MEMORY_HITS] = COUNTER("memory_hits_total", "Look-ups answered from memory."),
    [COUNT_FROM_REDIS] = COUNTER("from_redis_total", "Domains answered with facts from Redis."),
    [COUNT_FROM_STSD] = COUNTER("from_stsd_total", "Domains answered with facts from stsd."),
    [COUNT_STALE] = COUNTER("stale_total", "Domains answered with old facts, as no newer could be had."),
    [COUNT_TEMP] = COUNTER("temporary_errors_total", "Domains for which no policy could be given."),
    [COUNT_BAD_REQUESTS] =
        COUNTER("bad_requests_total", "Requests that broke the protocol or named no map or next hop."),
    [COUNT_REFRESHES] = COUNTER("refreshes_total", "Look-ups made ahead of an answer's end."),
    [COUNT_CHANGES] = COUNTER("changes_total", "Changes told by Redis."),
    [COUNT_ACCEPTED] = COUNTER("connections_total", "Connections accepted."),
    [COUNT_POLICY_REQUESTS] = COUNTER("policy_requests_total", "Requests of the policy delegation protocol."),
    [COUNT_POLICY_TAGGED] = COUNTER("policy_tagged_total", "Of these, recipients with the tag: REQUIRETLS."),
    [GAUGE_WORKERS] = GAUGE("workers", "Processes that answer."),
    [GAUGE_CONNECTIONS] = GAUGE("connections", "Connections open."),
    [GAUGE_LOOKUPS] = GAUGE("lookups", "Domains being looked up, by each worker."),
    [GAUGE_ENTRIES] = GAUGE("memory_entries", "Domains in memory, of each worker."),
    [GAUGE_EVICTIONS] = GAUGE("memory_evictions", "Domains dropped from memory to make room, since start."),
    [GAUGE_REDIS_UP] = GAUGE("redis_up", "Workers to which Redis is connected."),
    [GAUGE_TRACKING] = GAUGE("redis_tracking", "Workers that Redis tells of changes."),
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
