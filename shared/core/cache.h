/*
 * cache.h - a bounded table from names to values with SIEVE eviction (Zhang et al., NSDI 2024): a name that was asked
 * for since the hand last passed stays, so a burst of names seen once does not push out those in daily use. Keys are
 * hashed with SipHash-1-3 under a secret, so that nobody can choose names that collide.
 */
#ifndef POSTERN_CACHE_H
#define POSTERN_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_KEY_MAX 511

struct cache;

/*
 * limit: entries held at most, 0 for no limit (a plain map). free_value may be NULL. secret: 16 random octets. NULL
 * without memory.
 */
struct cache *cache_new(size_t limit, void (*free_value)(void *value), const uint8_t secret[16]);
void cache_free(struct cache *c);

/* The value, or NULL. Marks it as used. Allocates nothing. */
void *cache_get(struct cache *c, const char *key, size_t len);

/* The same without the mark. */
void *cache_peek(const struct cache *c, const char *key, size_t len);

/*
 * Put a value, owned by the cache from now on; the one that was there before is freed, and at the limit the entry that
 * SIEVE names. Returns 0, or -1 without memory or for a key over CACHE_KEY_MAX: the value is still the caller's.
 */
int cache_put(struct cache *c, const char *key, size_t len, void *value);

/* Take an entry out. With free_value its value is freed. Returns whether it was there. */
bool cache_remove(struct cache *c, const char *key, size_t len);

/* Returns how many there were. */
size_t cache_flush(struct cache *c);

/* Take so many entries out, the newest ones, or all if there are no more. With free_value their values are freed. */
void cache_shrink(struct cache *c, size_t by);

size_t cache_count(const struct cache *c);       /* entries held */
uint64_t cache_evictions(const struct cache *c); /* entries that went at the limit, since cache_new */

/*
 * Walk, newest entry first: *cursor starts as NULL. Returns the value and the key (NUL-terminated), or NULL at the end.
 * Entries may not be put or removed during the walk.
 */
void *cache_next(const struct cache *c, const void **cursor, const char **key);

#endif
