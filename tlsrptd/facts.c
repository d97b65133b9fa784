/* facts.c - see facts.h. */
#include "facts.h"

#include <stdlib.h>
#include <string.h>

struct facts {
    unsigned refs;
    int64_t until; /* of the clock that does not go back, in ms */
    struct dest *dest;
};

const struct dest *facts_dest(const struct facts *f)
{
    return f->dest;
}

void facts_hold(struct facts *f)
{
    if (f != NULL)
        f->refs++;
}

void facts_release(struct facts *f)
{
    if (f == NULL || --f->refs > 0)
        return;
    dest_free(f->dest);
    free(f);
}

static void let_go(void *f)
{
    facts_release(f);
}

struct cache *facts_memory_new(size_t limit, const uint8_t secret[SIPHASH_KEY])
{
    return cache_new(limit, let_go, secret);
}

/* One reference is the memory's, one the caller's. */
struct facts *facts_keep(struct cache *memory, struct dest *dest, int64_t now, int64_t ms)
{
    int64_t left = dest->valid_until - now;
    struct facts *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return NULL;
    if (left > FACTS_SECONDS)
        left = FACTS_SECONDS;
    *f = (struct facts){.refs = 2, .until = ms + (left > 0 ? left * 1000 : 0), .dest = dest};
    if (cache_put(memory, dest->domain, strlen(dest->domain), f) == 0)
        return f;
    free(f);
    return NULL;
}

struct facts *facts_recall(struct cache *memory, const char *domain, int64_t ms)
{
    struct facts *f = cache_get(memory, domain, strlen(domain));

    if (f == NULL || ms >= f->until)
        return NULL;
    facts_hold(f);
    return f;
}
