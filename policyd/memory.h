/*
 * memory.h - policyd's memory of answers, by next hop (nexthop_text()): the cache, the epoch that ends all of them at
 * once, and the rule which answer may be given. Pure.
 *
 * An answer that is known to be out of date (its key changed in Redis, or changes may have been missed) stays for the
 * case that nothing newer can be had, if it binds; one that binds nothing does not.
 */
#ifndef POSTERN_MEMORY_H
#define POSTERN_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "busy.h"
#include "cache.h"

struct memory {
    struct cache *cache;
    struct busy *busy; /* what is asked for most */
    uint32_t epoch;
};

/* Returns 0, or -1 without memory. secret: see cache.h. */
int memory_init(struct memory *m, size_t limit, const uint8_t secret[16]);
void memory_clear(struct memory *m);

/* The answer that may be given now, or NULL. What was made of facts from the future (DEST_CLOCK_SLACK) is not. */
struct answer *memory_get(struct memory *m, const char *nexthop, size_t len, int64_t now);

/* The answer that is there, whether or not it may be given; NULL: none. */
struct answer *memory_peek(const struct memory *m, const char *nexthop, size_t len);

/*
 * The answer that may be given when nothing newer can be had, or NULL. memory_revive lets it be given for so many
 * seconds without a new attempt.
 */
struct answer *memory_get_stale(struct memory *m, const char *nexthop, size_t len, int64_t now);
void memory_revive(struct memory *m, struct answer *a, int64_t now, int64_t seconds);

/* Put an answer, the memory's own from now on. Returns 0, or -1 without memory: it is still the caller's. */
int memory_put(struct memory *m, const char *nexthop, size_t len, struct answer *a);

/* The facts behind this answer have changed, or behind all of them. */
void memory_expire(struct memory *m, const char *nexthop, size_t len);
void memory_expire_all(struct memory *m);

#endif
