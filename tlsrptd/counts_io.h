/* counts_io.h - the counts of a day out of Redis (counts.h). */
#ifndef POSTERN_COUNTS_IO_H
#define POSTERN_COUNTS_IO_H

#include "counts.h"
#include "redis_io.h"

/* The domains of a day, sorted; valid during the callback. why: NULL, or why it cannot be told. */
typedef void counts_domains_fn(void *ctx, const char *const *domain, size_t count, const char *why);

/* Both return 0, and fn is called once, later; or -1 when Redis is away: it is not called then. */
int counts_domains(struct redis *r, int32_t day, counts_domains_fn *fn, void *ctx);

/* c: valid during the callback; without policies when nothing was counted; NULL with why. */
typedef void counts_fn(void *ctx, const struct counts *c, const char *why);
int counts_get(struct redis *r, int32_t day, const char *domain, counts_fn *fn, void *ctx);

#endif
