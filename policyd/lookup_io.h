/*
 * lookup_io.h - finding the answer for a domain that memory does not have: Redis first, then stsd, then what was known
 * before. One look-up a domain at a time, whoever waits for it.
 */
#ifndef POSTERN_LOOKUP_IO_H
#define POSTERN_LOOKUP_IO_H

#include <event2/event.h>

#include "call_client.h"
#include "conf.h"
#include "memory.h"
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

/* memory, redis and stsd stay the caller's and must outlive the look-ups. */
struct lookups *lookups_new(struct event_base *base, struct memory *memory, struct redis *redis,
                            struct call_client *stsd, const struct conf_policyd *conf);
void lookups_free(struct lookups *l); /* nobody is called back */

/*
 * Look a domain (in its one form) up and put the answer into memory. port: of the next hop, 0 for none: TLSA records of
 * another port than 25 were not looked at, so DANE does not count for it, and the answer does not go to memory; from
 * old answers in memory it is TEMP. Returns a handle for lookup_cancel, or NULL at LOOKUPS_MAX.
 */
struct lookup_wait *lookup_start(struct lookups *l, const char *domain, uint16_t port, lookup_done_fn *fn, void *ctx);
void lookup_cancel(struct lookup_wait *w);

/* Ask stsd in the background for newer facts about a domain whose answer still holds. Does nothing when that is under
 * way or at LOOKUPS_MAX. */
void lookup_refresh(struct lookups *l, const char *domain);

/* Redis says that the record of this domain has changed; domain NULL: anything may have. */
void lookup_changed(struct lookups *l, const char *domain, size_t len);

/* New settings from the configuration. */
void lookups_configure(struct lookups *l, const struct conf_policyd *conf);

size_t lookups_count(const struct lookups *l);

#endif
