/*
 * fallback_io.h - TLS outcomes into the fallback states in Redis (fallback.h), of which any number of programs may
 * write at a time: PREFIXfallback:NEXTHOP is a hash, the field an MX host, the value its state. The Redis user needs
 * EVAL, and in scripts HGET, HSET, HLEN, DEL, EXPIRE.
 */
#ifndef POSTERN_FALLBACK_IO_H
#define POSTERN_FALLBACK_IO_H

#include <stdint.h>

#include "fallback.h"
#include "redis_io.h"

#define FALLBACK_KEPT_MAX 128 /* hosts of a next hop in Redis; one more, and all are forgotten: TLS is tried again */

/* why: NULL when the event is in Redis, else what went wrong; valid during the callback. */
typedef void fallback_reported_fn(void *ctx, const char *why);

/*
 * Note an event at a time. nexthop: as nexthop.h writes it ("example.com", "[host.example.com]"); host: the MX host, or
 * address, in its one form. A state that cannot be read counts as none, and is replaced. Returns 0, and done is called
 * once, later; or -1 when Redis is away, or a name is too long: done is not called then.
 */
int fallback_report(struct redis *r, const char *nexthop, const char *host, enum fallback_event event, int64_t at,
                    fallback_reported_fn *done, void *ctx);

/*
 * The same, but nothing is written where nothing is known of the next hop, as it would change nothing: for what went
 * well, which is nearly all.
 */
int fallback_report_known(struct redis *r, const char *nexthop, const char *host, enum fallback_event event, int64_t at,
                          fallback_reported_fn *done, void *ctx);

#endif
