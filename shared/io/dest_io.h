/* dest_io.h - destination records out of Redis, PREFIXdest:DOMAIN (doc/architecture.md, "Redis"). */
#ifndef POSTERN_DEST_IO_H
#define POSTERN_DEST_IO_H

#include "dest.h"
#include "redis_io.h"

/*
 * dest is the callee's from now on; NULL: there is none. answered: Redis said so itself, be it that there is none or
 * that what is there is no record of this domain (logged); false: it went away or reported an error, so there may be
 * one. Called once, never from within dest_io_get.
 */
typedef void dest_io_fn(void *ctx, struct dest *dest, bool answered);

/* Returns 0, or -1 when Redis is away: fn is not called then. */
int dest_io_get(struct redis *redis, const char *domain, dest_io_fn *fn, void *ctx);

#endif
