/*
 * fallback_feed_io.h - TLS outcomes into the fallback states (fallback_io.h), of many deliveries at a time: outcomes of
 * one next hop and host that come close together are told once, and those that change nothing (TLS went well where
 * nothing was known to fail) are not told at all. While Redis is away, the last outcome of each is kept and told later,
 * with its own time.
 */
#ifndef POSTERN_FALLBACK_FEED_IO_H
#define POSTERN_FALLBACK_FEED_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "fallback.h"
#include "redis_io.h"

struct fallback_feed;

struct fallback_feed *fallback_feed_new(struct event_base *base, struct redis *redis);
void fallback_feed_free(struct fallback_feed *f);

/* nexthop: as nexthop.h writes it; host: in its one form, or an address. Copied. */
void fallback_feed_add(struct fallback_feed *f, const char *nexthop, const char *host, enum fallback_event event,
                       int64_t at);

struct fallback_feed_stats {
    uint64_t told, lost, waiting;
};
struct fallback_feed_stats fallback_feed_stats(const struct fallback_feed *f);

#endif
