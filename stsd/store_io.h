/*
 * store_io.h - destination records in Redis, shared by all nodes:
 *     PREFIXdest:DOMAIN     the record as JSON, with expiry
 *     PREFIXlock:DOMAIN     held by the node that resolves the domain, with expiry
 *     PREFIXrefresh:        sorted set: domains with a policy, by the time when it is to be fetched again
 *     PREFIXused:           sorted set: the same domains, by the time of the last use
 *     PREFIXflushed:        no such key is ever made; being told of its changes is being told of a FLUSHALL
 * Records are read with dest_io.h. All calls return 0, or -1 when Redis is away: then their callback is not called.
 */
#ifndef POSTERN_STORE_IO_H
#define POSTERN_STORE_IO_H

#include "dest.h"
#include "redis_io.h"

#define STORE_TOKEN_BUF    33
#define STORE_KEEP_SECONDS 86400 /* a record is kept that long after its end, as what was known before */

/* Make the record known to all, until keep_until; refresh_at 0: no policy to keep fresh. */
int store_put(struct redis *redis, const struct dest *dest, int64_t keep_until, int64_t refresh_at);

/* When the policy of a domain is to be fetched again; 0: there is none to keep fresh. */
void store_schedule(struct redis *redis, const char *domain, int64_t refresh_at);

/* held: the lock is ours; otherwise another node has it. Redis going away counts as held: better twice than never. */
typedef void store_lock_fn(void *ctx, bool held);
int store_lock(struct redis *redis, const char *domain, const char *token, int64_t milliseconds, store_lock_fn *fn,
               void *ctx);
void store_unlock(struct redis *redis, const char *domain, const char *token);

/* Mail has asked for it then. A later time that Redis has stays. */
int store_used(struct redis *redis, const char *domain, int64_t used);

/* Domains (in their one form; others are taken out) whose policy is due now, at most limit; called once a domain, then
 * with NULL. used 0: not known; with NULL -1: Redis could not tell. */
typedef void store_due_fn(void *ctx, const char *domain, int64_t used);
int store_due(struct redis *redis, int64_t now, size_t limit, store_due_fn *fn, void *ctx);

/* This is no longer in use, or no domain: its policy is not kept fresh. */
void store_forget(struct redis *redis, const char *member, size_t len);

#endif
