/*
 * fallback_feed_io.h - TLS outcomes into the fallback states (fallback_io.h), of many deliveries at a time: outcomes of
 * one next hop and host that come close together are told once, and those that change nothing (TLS went well where
 * nothing was known to fail) are not told at all. While Redis is away, the last outcome of each kind is kept and told
 * later, with its own time.
 *
 * A failure is always written, at once. What went well, or in plain text, is written only where something is known of
 * the next hop (fallback_report_known); and that TLS went well with a host is asked no more often than every
 * FALLBACK_FEED_QUIET seconds, unless a failure of it came by here in between. So a failure that another node saw is
 * cleared by our good news so much later at most.
 */
#ifndef POSTERN_FALLBACK_FEED_IO_H
#define POSTERN_FALLBACK_FEED_IO_H

#include <event2/event.h>
#include <stdint.h>

#include "failing.h"
#include "fallback.h"
#include "redis_io.h"

#define FALLBACK_FEED_MAX   10000 /* next hops and hosts that wait; for one more, what went well is lost first */
#define FALLBACK_FEED_QUIET 60    /* seconds */

struct fallback_feed;

struct fallback_feed *fallback_feed_new(struct event_base *base, struct redis *redis);

/* From now on failing is told, too; it must outlive f. */
void fallback_feed_watch(struct fallback_feed *f, struct failing *failing);

/* Before redis_free, which ends what is under way, or after it. */
void fallback_feed_free(struct fallback_feed *f);

/* nexthop: as nexthop.h writes it; host: in its one form, or an address. Copied. */
void fallback_feed_add(struct fallback_feed *f, const char *nexthop, const char *host, enum fallback_event event,
                       int64_t at);

struct fallback_feed_stats {
    uint64_t told;    /* that Redis has taken */
    uint64_t lost;    /* as too many waited, or Redis refused them */
    uint64_t waiting; /* now */
};
struct fallback_feed_stats fallback_feed_stats(const struct fallback_feed *f);

#endif
