/* memory.c - see memory.h. */
#include "memory.h"

#include <stdlib.h>

int memory_init(struct memory *m, size_t limit, const uint8_t secret[16])
{
    *m = (struct memory){.epoch = 1, .cache = cache_new(limit, free, secret), .busy = busy_new()};
    if (m->cache != NULL && m->busy != NULL)
        return 0;
    memory_clear(m);
    return -1;
}

void memory_clear(struct memory *m)
{
    cache_free(m->cache);
    m->cache = NULL;
    busy_free(m->busy);
    m->busy = NULL;
}

/* A clock that was wrong and has been put right must not make answers hold for longer. */
static bool from_future(const struct answer *a, int64_t now)
{
    return a->resolved > now + DEST_CLOCK_SLACK;
}

struct answer *memory_get(struct memory *m, const char *nexthop, size_t len, int64_t now)
{
    struct answer *a = cache_get(m->cache, nexthop, len);

    return a != NULL && a->epoch == m->epoch && now < a->valid_until && !from_future(a, now) ? a : NULL;
}

struct answer *memory_get_stale(struct memory *m, const char *nexthop, size_t len, int64_t now)
{
    struct answer *a = cache_get(m->cache, nexthop, len);

    return a != NULL && now < a->stale_until && (a->binds || (a->epoch == m->epoch && !from_future(a, now))) ? a : NULL;
}

struct answer *memory_peek(const struct memory *m, const char *nexthop, size_t len)
{
    return cache_peek(m->cache, nexthop, len);
}

void memory_revive(struct memory *m, struct answer *a, int64_t now, int64_t seconds)
{
    a->valid_until = now + seconds < a->stale_until ? now + seconds : a->stale_until;
    a->refresh_at = a->valid_until;
    a->epoch = m->epoch;
}

int memory_put(struct memory *m, const char *nexthop, size_t len, struct answer *a)
{
    a->epoch = m->epoch;
    return cache_put(m->cache, nexthop, len, a);
}

void memory_expire(struct memory *m, const char *nexthop, size_t len)
{
    struct answer *a = cache_peek(m->cache, nexthop, len);

    if (a == NULL)
        return;
    a->valid_until = 0;
    if (!a->binds)
        a->stale_until = 0;
}

void memory_expire_all(struct memory *m)
{
    m->epoch++;
}
