/* fallback_read_io.h - what became of TLS at a next hop, out of Redis: the hash PREFIXfallback:NEXTHOP, MX host to
 * state (fallback.h). */
#ifndef POSTERN_FALLBACK_READ_IO_H
#define POSTERN_FALLBACK_READ_IO_H

#include "fallback_hosts.h"
#include "redis_io.h"

/* hosts: the caller's from now on, free(); NULL: nothing is known, or nothing can be had, which leads to TLS. Called
 * once, never from within fallback_read. */
typedef void fallback_read_fn(void *ctx, struct fallback_hosts *hosts);

/* nexthop: nexthop_text(). Returns 0, or -1 when Redis is away: fn is not called then. */
int fallback_read(struct redis *redis, const char *nexthop, fallback_read_fn *fn, void *ctx);

#endif
