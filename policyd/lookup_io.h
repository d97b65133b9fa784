/*
 * lookup_io.h - finding the answer for a next hop that memory does not have: the facts of its domain, from Redis first,
 * then stsd, then what was known before; what became of TLS there; and what the operator's lists say. One look-up a
 * next hop at a time, whoever waits for it. The key in memory is nexthop_text().
 */
#ifndef POSTERN_LOOKUP_IO_H
#define POSTERN_LOOKUP_IO_H

#include <event2/event.h>

#include "call_client.h"
#include "conf.h"
#include "memory.h"
#include "nexthop.h"
#include "operator_lists_io.h"
#include "redis_io.h"

#define LOOKUPS_MAX 20000 /* domains being looked up at a time */

struct lookups;
struct lookup_wait;

enum lookup_source {
    LOOKUP_REDIS,
    LOOKUP_STSD,
    LOOKUP_STALE, /* newer facts could not be had */
    LOOKUP_NONE   /* nothing is known: a temporary error */
};
const char *lookup_source_name(enum lookup_source source); /* "redis", "stsd", "stale", "none" */

struct lookup_result {
    const struct answer *answer;     /* never NULL */
    const struct decision *decision; /* NULL when an old answer is given again from memory */
    const struct dest *dest;         /* NULL when no facts are at hand */
    enum lookup_source source;
};

/* The result is valid during the callback. Called once, never from within lookup_start. */
typedef void lookup_done_fn(void *ctx, const struct lookup_result *result);

/* What look-ups need; all of it stays the caller's and must outlive them. */
struct lookup_parts {
    struct memory *memory;
    struct redis *redis;
    struct call_client *stsd;
    const struct operator_lists *lists;
};

struct lookups *lookups_new(struct event_base *base, const struct lookup_parts *parts, const struct conf_policyd *conf);
void lookups_free(struct lookups *l); /* nobody is called back */

/*
 * Look a next hop up (no parent) and put the answer into memory. For another port than 25 TLSA records were not looked
 * at, so DANE does not count for it, and the answer does not go to memory; from old answers in memory it is TEMP.
 * Returns a handle for lookup_cancel, or NULL at LOOKUPS_MAX.
 */
struct lookup_wait *lookup_start(struct lookups *l, const struct nexthop *hop, lookup_done_fn *fn, void *ctx);
void lookup_cancel(struct lookup_wait *w);

/* The same for the answer alone, which nobody waits for. Does nothing when it is under way or at LOOKUPS_MAX. */
void lookup_prepare(struct lookups *l, const struct nexthop *hop);

/* The answer for this next hop goes to memory, and may be given from there. */
bool lookup_remembers(const struct nexthop *hop);

/* Ask stsd in the background for newer facts about a domain whose answer still holds. Does nothing when that is under
 * way, at LOOKUPS_MAX, and for next hops without facts. */
void lookup_refresh(struct lookups *l, const struct nexthop *hop);

/* Redis says that what is known of this next hop (nexthop_text) has changed; name NULL: anything may have. */
void lookup_changed(struct lookups *l, const char *name, size_t len);

/* The operator's lists have changed, or it has become clear that they cannot be had for now. */
void lookup_lists_changed(struct lookups *l);

/* New settings from the configuration. */
void lookups_configure(struct lookups *l, const struct conf_policyd *conf);

/* A look-up that is under way. */
struct lookup_waiting {
    const char *name;
    int64_t ms;            /* for so long */
    const char *waits_for; /* "lists", "redis" or "stsd" */
};

/* Those that have been under way longest, the oldest last; valid until the loop goes on. Returns how many. */
size_t lookups_oldest(const struct lookups *l, struct lookup_waiting *out, size_t max);

size_t lookups_count(const struct lookups *l);

#endif
