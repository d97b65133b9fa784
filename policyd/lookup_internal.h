/* lookup_internal.h - the insides of look-ups, shared by lookup_io.c (the way to facts) and lookup_end_io.c (the
 * answer, with or without them). */
#ifndef POSTERN_LOOKUP_INTERNAL_H
#define POSTERN_LOOKUP_INTERNAL_H

#include "cache.h"
#include "decide.h"
#include "lookup_io.h"

#include <sys/queue.h>
#include <time.h>

struct lookup_wait {
    TAILQ_ENTRY(lookup_wait) link;
    lookup_done_fn *fn; /* NULL: cancelled */
    void *ctx;
    bool other_port;
};

struct pending {
    struct lookups *lookups;
    TAILQ_HEAD(wait_list, lookup_wait) waits;
    struct event *deadline;
    struct call_sent *sent; /* the call to stsd that is under way */
    struct dest *old;       /* facts from Redis that are past their time */
    bool in_redis;          /* a GET is under way; its callback may come when the pending is closed */
    bool closed;            /* finished; freed when the GET's callback has come */
    bool dirty;             /* the record changed in Redis meanwhile */
    bool last_look;         /* Redis is read once more before old facts are used */
    size_t len;
    char domain[DOMAIN_BUF];
    char why[DECIDE_REASON_MAX / 2]; /* why nothing newer can be had */
};

struct lookups {
    struct event_base *base;
    struct memory *memory;
    struct redis *redis;
    struct call_client *stsd;
    struct cache *pending; /* by domain; a plain map */
    struct decide_options options;
    struct timeval timeout;
    int stsd_timeout_ms;
};

static inline int64_t now_seconds(void)
{
    return (int64_t)time(NULL);
}

/* lookup_io.c: GET its record. Returns 0, or -1 when Redis is away. */
int pending_ask_redis(struct pending *p);

/* lookup_end_io.c */
void pending_free(struct pending *p);

/* Each calls everybody back who waits and closes the look-up; it must not be touched afterwards. dest stays the
 * caller's. */
void finish_with(struct pending *p, const struct dest *dest, enum lookup_source source);
void finish_old(struct pending *p); /* with the best of what was known before */

/* Nothing newer can be had; why is for people. Ends the look-up, at once or after a last look at Redis. */
void finish_without(struct pending *p, const char *why);

#endif
