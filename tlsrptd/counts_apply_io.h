/*
 * counts_apply_io.h - a batch (batch.h) into the day's counts in Redis (counts.h), by one script: all of it or nothing,
 * and once, however often it is sent. The number of the last batch of a lane that was taken is in the key
 * PREFIXtlsrpt-applied:LANE, which outlives the counts. The Redis user needs EVAL, and in scripts GET, SET, HDEL, SREM,
 * HSETNX, HINCRBY, HSET, SADD, EXPIRE.
 */
#ifndef POSTERN_COUNTS_APPLY_IO_H
#define POSTERN_COUNTS_APPLY_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "redis_io.h"

enum counts_applied {
    COUNTS_APPLIED, /* it is in Redis, now or from before */
    COUNTS_GAP,     /* nothing was done: Redis has lost the batch before it, which is to be sent again */
    COUNTS_REFUSED, /* nothing was done: an error, which is logged */
    COUNTS_AWAY     /* not known */
};

typedef void counts_applied_fn(void *ctx, enum counts_applied how);

/*
 * first: no batch before it can be sent again, so it is taken whatever Redis has of that lane. keep: seconds that
 * counts stay in Redis after their day, to which three days are added. Returns 0, and fn is called once, later; or -1
 * when Redis is away.
 */
int counts_apply(struct redis *r, const struct batch *b, bool first, int64_t keep, counts_applied_fn *fn, void *ctx);

#endif
