/* counters.h - stsd's numbers, one place for /metrics and `status`. */
#ifndef POSTERN_STSD_COUNTERS_H
#define POSTERN_STSD_COUNTERS_H

#include "known.h"
#include "metrics.h"
#include "outcome.h"

/* What was answered over HTTP (publish_io.h). */
enum publish_outcome {
    PUBLISH_POLICY,
    PUBLISH_NO_POLICY, /* 404: not a domain of ours, or no host mta-sts.DOMAIN */
    PUBLISH_NOT_KNOWN, /* 503: the policies are not known yet */
    PUBLISH_CHALLENGE, /* an answer to ACME */
    PUBLISH_NO_CHALLENGE,
    PUBLISH_NO_REDIS, /* 503: challenges are there alone */
    PUBLISH_OTHER,    /* 404: another path */
    PUBLISH_OUTCOMES
};

enum counter {
    COUNT_REQUESTS,
    COUNT_MEMORY_HITS,
    COUNT_REDIS_HITS,
    COUNT_RESOLUTIONS, /* then by outcome, in the order of enum outcome */
    COUNT_RESOLUTIONS_LAST = COUNT_RESOLUTIONS + OUTCOMES - 1,
    HISTOGRAM_RESOLUTION,
    HISTOGRAM_RESOLUTION_LAST = HISTOGRAM_RESOLUTION + METRIC_HISTOGRAM - 1,
    COUNT_OTHER_NODE,
    COUNT_REFUSED,
    COUNT_DNS_QUERIES,
    COUNT_DNS_FAILURES,
    COUNT_FETCHES_STARTED,
    COUNT_FETCHES, /* then by outcome, in the order of enum dest_sts_failure, and untried */
    COUNT_FETCHES_UNTRIED = COUNT_FETCHES + DEST_STS_WEBPKI_INVALID + 1,
    HISTOGRAM_FETCH,
    HISTOGRAM_FETCH_LAST = HISTOGRAM_FETCH + METRIC_HISTOGRAM - 1,
    COUNT_SCHEDULED,
    COUNT_EVENTS,
    COUNT_EVENTS_LOST,
    COUNT_PUBLISH, /* then by outcome, in the order of enum publish_outcome */
    COUNT_PUBLISH_LAST = COUNT_PUBLISH + PUBLISH_OUTCOMES - 1,
    GAUGE_WANTED,
    GAUGE_WAITING,
    GAUGE_RECORDS,
    GAUGE_POLICIES, /* then by mode: enforce, testing, none */
    GAUGE_POLICIES_LAST = GAUGE_POLICIES + KNOWN_MODES - 1,
    GAUGE_EXPIRING,
    GAUGE_OLDEST_FETCH,
    GAUGE_SOONEST_EXPIRY,
    GAUGE_REDIS_CONFIGURED,
    GAUGE_REDIS_UP,
    GAUGE_EVENTS,
    GAUGE_PUBLISHED,
    GAUGE_PUBLISHED_BAD,
    GAUGE_PUBLISHED_CURRENT,
    GAUGE_PUBLISHED_KEPT,
    GAUGE_PUBLISHED_READ,
    COUNTERS
};

/* Indexed by enum counter. There is one stsd in a process, so there is one table. */
extern struct metric counters[COUNTERS];

static inline void count(enum counter which)
{
    counters[which].value++;
}

#endif
