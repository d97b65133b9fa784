/* lookup_internal.h - the insides of look-ups, shared by lookup_io.c (the way to facts) and lookup_end_io.c (the
 * answer, with or without them). */
#ifndef POSTERN_LOOKUP_INTERNAL_H
#define POSTERN_LOOKUP_INTERNAL_H

#include "cache.h"
#include "clock.h"
#include "lookup_io.h"
#include "verdict.h"

#include <sys/queue.h>

struct lookup_wait {
    TAILQ_ENTRY(lookup_wait) link;
    lookup_done_fn *fn; /* NULL: cancelled */
    void *ctx;
    int64_t began; /* now_us */
    uint16_t port;
};

struct pending {
    struct lookups *lookups;
    TAILQ_HEAD(wait_list, lookup_wait) waits;
    struct event *deadline;
    struct event *begin;           /* from the loop, never from within a call */
    struct call_sent *sent;        /* the call to stsd that is under way */
    struct dest *old;              /* facts from Redis that are past their time */
    struct fallback_hosts *states; /* what became of TLS; NULL: nothing is known */
    bool in_redis;                 /* a command is under way; its callback may come when the pending is closed */
    bool for_lists;                /* waits until the operator's lists are there */
    bool refresh;                  /* begins with stsd */
    bool closed;                   /* finished; freed when the command's callback has come */
    bool dirty;                    /* the record changed in Redis meanwhile */
    bool last_look;                /* Redis is read once more before old facts are used */
    bool sts_elsewhere;            /* see struct decide_options; for all ports */
    int64_t begun_ms;              /* now_ms() */
    struct nexthop hop;            /* without port */
    size_t len;
    char name[NEXTHOP_BUF];          /* nexthop_text(hop) */
    char why[DECIDE_REASON_MAX / 2]; /* why nothing newer can be had */
};

struct lookups {
    struct event_base *base;
    struct lookup_parts parts;
    struct cache *pending; /* by name; a plain map */
    struct verdict_rules rules;
    struct timeval timeout;
    int stsd_timeout_ms;
};

/* lookup_io.c: ask Redis for its facts. Returns 0, or -1 when Redis is away. */
int pending_ask_redis(struct pending *p);

/* lookup_end_io.c: a next hop without facts: the lists alone say. */
void finish_fixed(struct pending *p);

/* lookup_end_io.c */
void pending_free(struct pending *p);

/* Each calls everybody back who waits and closes the look-up; it must not be touched afterwards. dest stays the
 * caller's. */
void finish_with(struct pending *p, const struct dest *dest, enum lookup_source source);
void finish_old(struct pending *p); /* with the best of what was known before */

/* Nothing newer can be had; why is for people. Ends the look-up, at once or after a last look at Redis. */
void finish_without(struct pending *p, const char *why);

#endif
