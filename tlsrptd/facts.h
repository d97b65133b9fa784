/* facts.h - the destination record of one domain, shared by all attempts that wait for it, and a memory of some. Pure.
 */
#ifndef POSTERN_FACTS_H
#define POSTERN_FACTS_H

#include "cache.h"
#include "dest.h"
#include "siphash.h"

#define FACTS_SECONDS 60 /* that they are remembered, or as long as they are valid, if that is less */

struct facts;

const struct dest *facts_dest(const struct facts *f);
void facts_hold(struct facts *f);    /* one more will release it; NULL-safe, as the next */
void facts_release(struct facts *f); /* the last one frees it */

/* A memory of so many domains; free it by cache_free. NULL without memory. */
struct cache *facts_memory_new(size_t limit, const uint8_t secret[SIPHASH_KEY]);

/* Take a record over and remember it. now: of day, and ms of a clock that does not go back. To be released; NULL
 * without memory. */
struct facts *facts_keep(struct cache *memory, struct dest *dest, int64_t now, int64_t ms);

/* What is remembered of a domain, in its one form; to be released. NULL: nothing. */
struct facts *facts_recall(struct cache *memory, const char *domain, int64_t ms);

#endif
