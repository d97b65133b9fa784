/* cache.c - chained hash table whose entries also form the SIEVE queue. */
#include "cache.h"

#include "siphash.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64

struct entry {
    struct entry *chain;         /* next in the bucket */
    struct entry *newer, *older; /* the queue */
    void *value;
    uint32_t hash;
    uint16_t len;
    bool used;
    char key[];
};

struct cache {
    struct entry **bucket;
    size_t mask; /* buckets - 1 */
    size_t count;
    size_t limit;
    struct entry *newest, *oldest;
    struct entry *hand;
    uint64_t evictions;
    uint8_t secret[SIPHASH_KEY];
    void (*free_value)(void *value);
};

static uint32_t hash_key(const struct cache *c, const char *key, size_t len)
{
    uint64_t hash = siphash(c->secret, key, len);

    return (uint32_t)(hash ^ (hash >> 32));
}

struct cache *cache_new(size_t limit, void (*free_value)(void *value), const uint8_t secret[16])
{
    struct cache *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->bucket = calloc(BUCKETS_MIN, sizeof(struct entry *));
    if (c->bucket == NULL) {
        free(c);
        return NULL;
    }
    c->mask = BUCKETS_MIN - 1;
    c->limit = limit;
    c->free_value = free_value;
    memcpy(c->secret, secret, sizeof(c->secret));
    return c;
}

void cache_free(struct cache *c)
{
    if (c == NULL)
        return;
    cache_flush(c);
    free(c->bucket);
    free(c);
}

static struct entry *find(const struct cache *c, const char *key, size_t len, uint32_t hash)
{
    struct entry *e = c->bucket[hash & c->mask];

    while (e != NULL && (e->hash != hash || e->len != len || memcmp(e->key, key, len) != 0))
        e = e->chain;
    return e;
}

void *cache_get(struct cache *c, const char *key, size_t len)
{
    struct entry *e = find(c, key, len, hash_key(c, key, len));

    if (e == NULL)
        return NULL;
    e->used = true;
    return e->value;
}

void *cache_peek(const struct cache *c, const char *key, size_t len)
{
    const struct entry *e = find(c, key, len, hash_key(c, key, len));

    return e == NULL ? NULL : e->value;
}

/* Twice the buckets. Without memory the chains just grow longer. */
static void grow(struct cache *c)
{
    size_t size = (c->mask + 1) * 2;
    struct entry **bucket = calloc(size, sizeof(struct entry *));

    if (bucket == NULL)
        return;
    for (struct entry *e = c->newest; e != NULL; e = e->older) {
        e->chain = bucket[e->hash & (size - 1)];
        bucket[e->hash & (size - 1)] = e;
    }
    free(c->bucket);
    c->bucket = bucket;
    c->mask = size - 1;
}

static void drop(struct cache *c, struct entry *e)
{
    struct entry **link = &c->bucket[e->hash & c->mask];

    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    if (e->newer != NULL)
        e->newer->older = e->older;
    else
        c->newest = e->older;
    if (e->older != NULL)
        e->older->newer = e->newer;
    else
        c->oldest = e->newer;
    if (c->hand == e)
        c->hand = e->newer;
    c->count--;
    if (c->free_value != NULL)
        c->free_value(e->value);
    free(e);
}

/* The hand goes from old to new, forgives each entry used since it last passed, and takes the first that was not. */
static void evict(struct cache *c)
{
    struct entry *e = c->hand != NULL ? c->hand : c->oldest;

    while (e->used) {
        e->used = false;
        e = e->newer != NULL ? e->newer : c->oldest;
    }
    c->hand = e;
    c->evictions++;
    drop(c, e);
}

int cache_put(struct cache *c, const char *key, size_t len, void *value)
{
    uint32_t hash = hash_key(c, key, len);
    struct entry *e = find(c, key, len, hash);

    if (e != NULL) {
        if (c->free_value != NULL && e->value != value)
            c->free_value(e->value);
        e->value = value;
        return 0;
    }
    if (len > CACHE_KEY_MAX)
        return -1;
    e = malloc(sizeof(*e) + len + 1);
    if (e == NULL)
        return -1;
    if (c->limit != 0 && c->count >= c->limit)
        evict(c);
    if (c->count > c->mask)
        grow(c);
    *e = (struct entry){.chain = c->bucket[hash & c->mask], .older = c->newest, .value = value, .hash = hash};
    e->len = (uint16_t)len;
    memcpy(e->key, key, len);
    e->key[len] = '\0';
    c->bucket[hash & c->mask] = e;
    if (c->newest != NULL)
        c->newest->newer = e;
    else
        c->oldest = e;
    c->newest = e;
    c->count++;
    return 0;
}

bool cache_remove(struct cache *c, const char *key, size_t len)
{
    struct entry *e = find(c, key, len, hash_key(c, key, len));

    if (e == NULL)
        return false;
    drop(c, e);
    return true;
}

void cache_shrink(struct cache *c, size_t by)
{
    for (; by > 0 && c->newest != NULL; by--)
        drop(c, c->newest);
}

size_t cache_flush(struct cache *c)
{
    size_t count = c->count;

    cache_shrink(c, count);
    return count;
}

size_t cache_count(const struct cache *c)
{
    return c->count;
}

uint64_t cache_evictions(const struct cache *c)
{
    return c->evictions;
}

void *cache_next(const struct cache *c, const void **cursor, const char **key)
{
    const struct entry *e = *cursor == NULL ? c->newest : ((const struct entry *)*cursor)->older;

    if (e == NULL)
        return NULL;
    *cursor = e;
    *key = e->key;
    return e->value;
}
