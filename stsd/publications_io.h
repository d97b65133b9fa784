/*
 * publications_io.h - the published policies as this process knows them: read from Redis when it comes up and whenever
 * it tells of a change, kept in a file for a start without Redis. In Redis they are as ctl/published_store_io.h says.
 *
 * What has been published stays so until posternctl takes it away: what Redis has lost, or goes back on (it came up
 * empty, from an old copy, or is another one), is put back, the later of two policies of a domain (RFC 8461 8.3: a
 * policy that vanishes leaves senders with what they have, and new ones without).
 *
 * The Redis user needs EVAL, EVAL_RO, and in scripts HMGET, HGET, HSCAN, HSET and HDEL, for PREFIXpublished: and
 * PREFIXpublished:policies.
 */
#ifndef POSTERN_PUBLICATIONS_IO_H
#define POSTERN_PUBLICATIONS_IO_H

#include <event2/event.h>

#include "publications.h"
#include "redis_io.h"

struct publications_keeper;

/* Reads the file; "" for none. redis outlives it; no_redis: none is configured. */
struct publications_keeper *publications_keeper_new(struct event_base *base, struct redis *redis, bool no_redis,
                                                    const char *file);
void publications_keeper_free(struct publications_keeper *k); /* NULL-safe; after redis_free */

/* Redis tells that they, or anything, may have changed. NULL-safe. */
void publications_keeper_told(struct publications_keeper *k);

/* NULL: they are not known. Valid until the next turn of the loop. */
const struct publications *publications_keeper_get(const struct publications_keeper *k);

struct publications_state {
    size_t domains;
    size_t bad;    /* policies that Redis has and that cannot be read */
    bool current;  /* they are those of Redis, and Redis has them all */
    int64_t since; /* when they were last heard of from Redis, seconds since the epoch; 0: never */
    bool kept;     /* the file, if there is to be one, has been written */
};
void publications_keeper_state(struct publications_state *out, const struct publications_keeper *k);

#endif
