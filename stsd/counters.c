/* counters.c - the names and meanings of stsd's numbers. */
#include "counters.h"

#define COUNTER(name_, help_) METRIC("counter", "postern_stsd_" name_, help_)
#define GAUGE(name_, help_)   METRIC("gauge", "postern_stsd_" name_, help_)

struct metric counters[COUNTERS] = {
    [COUNT_REQUESTS] = COUNTER("requests_total", "Requests for a destination record."),
    [COUNT_MEMORY_HITS] = COUNTER("memory_hits_total", "Records given from memory."),
    [COUNT_REDIS_HITS] = COUNTER("redis_hits_total", "Records found fresh in Redis."),
    [COUNT_RESOLUTIONS] = COUNTER("resolutions_total", "Domains resolved."),
    [COUNT_OTHER_NODE] = COUNTER("other_node_total", "Waits for another node that resolves the same domain."),
    [COUNT_REFUSED] = COUNTER("refused_total", "Requests refused because too many were waiting."),
    [COUNT_DNS_QUERIES] = COUNTER("dns_queries_total", "DNS queries asked for."),
    [COUNT_DNS_FAILURES] = COUNTER("dns_failures_total", "DNS queries that ended in a temporary failure."),
    [COUNT_FETCHES] = COUNTER("policy_fetches_total", "MTA-STS policies fetched over HTTPS."),
    [COUNT_FETCH_FAILURES] = COUNTER("policy_fetch_failures_total", "Fetches that gave no policy."),
    [COUNT_SCHEDULED] = COUNTER("scheduled_total", "Policies fetched again ahead of their end."),
    [COUNT_EVENTS] = COUNTER("events_total", "Failed fetches that were to be told to the collector (tlsrpt)."),
    [COUNT_EVENTS_LOST] = COUNTER("events_lost_total", "Of these, not taken by the collector, and given up."),
    [GAUGE_WANTED] = GAUGE("wanted", "Domains being worked on."),
    [GAUGE_WAITING] = GAUGE("waiting", "Domains that wait for their turn."),
    [GAUGE_RECORDS] = GAUGE("memory_records", "Records in memory."),
    [GAUGE_REDIS_UP] = GAUGE("redis_up", "1 while Redis is connected."),
    [GAUGE_EVENTS] = GAUGE("events_waiting", "Failed fetches that the collector has not confirmed yet."),
};
