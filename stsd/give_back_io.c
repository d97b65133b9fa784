/* give_back_io.c - chains of one record each: read what Redis has, write when ours says more; then the next. */
#include "give_back_io.h"

#include "clock.h"
#include "dest_io.h"
#include "log.h"
#include "refresh.h"
#include "store_io.h"

#include <stdio.h>
#include <stdlib.h>

#define CHAINS 50

struct give_back {
    struct redis *redis;
    struct known *known;
    char (*domain)[DOMAIN_BUF]; /* still to be given, the last first */
    size_t count;
    size_t chains; /* under way */
};

/* A record of which Redis is asked what it has. */
struct giving {
    struct give_back *owner;
    bool given; /* and it is looked whether another node has written over it meanwhile */
    char domain[DOMAIN_BUF];
};

static void give_next(struct give_back *g);

/* Who used it last, and when, may be lost with the rest: to have it here somebody has. */
static void give(struct give_back *g, const struct record *record, int64_t now)
{
    const struct dest *dest = record->dest;

    if (store_put(g->redis, dest, refresh_keep_until(dest, STORE_KEEP_SECONDS),
                  known_next_fetch(g->known, dest, false, now)) == 0 &&
        dest->sts.has_policy)
        (void)store_used(g->redis, dest->domain, record->used != 0 ? record->used : now);
}

static void on_there(void *ctx, struct dest *dest, bool answered)
{
    struct giving *giving = ctx;
    struct give_back *g = giving->owner;
    struct record *record = known_get(g->known, giving->domain);
    int64_t now = now_seconds();
    bool beyond = answered && record != NULL && known_beyond(record, dest);
    bool again = beyond && !giving->given;

    if (dest != NULL && (record = known_put(g->known, dest, now)) == NULL)
        log_oom();
    if (beyond)
        give(g, record, now);
    giving->given = true;
    if (again && dest_io_get(g->redis, giving->domain, on_there, giving) == 0)
        return;
    free(giving);
    g->chains--;
    give_next(g);
}

static void give_next(struct give_back *g)
{
    int64_t now = now_seconds();

    while (g->count > 0) {
        const struct record *record = known_get(g->known, g->domain[--g->count]);
        struct giving *giving;

        if (record == NULL || !record_counts(record, now))
            continue;
        giving = must_have(calloc(1, sizeof(*giving)));
        giving->owner = g;
        (void)snprintf(giving->domain, sizeof(giving->domain), "%s", record->dest->domain);
        if (dest_io_get(g->redis, giving->domain, on_there, giving) == 0) {
            g->chains++;
        } else { /* away again */
            free(giving);
            g->count = 0;
        }
        return;
    }
}

void give_back_start(struct give_back *g)
{
    size_t count = cache_count(g->known->cache);
    const void *cursor = NULL;
    const char *domain;

    free(g->domain);
    g->count = 0;
    g->domain = must_have(calloc(count + 1, sizeof(*g->domain)));
    while (cache_next(g->known->cache, &cursor, &domain) != NULL)
        snprintf(g->domain[g->count++], DOMAIN_BUF, "%s", domain);
    for (size_t i = g->chains; i < CHAINS && g->count > 0; i++)
        give_next(g);
}

struct give_back *give_back_new(struct redis *redis, struct known *known)
{
    struct give_back *g = must_have(calloc(1, sizeof(*g)));

    g->redis = redis;
    g->known = known;
    return g;
}

void give_back_free(struct give_back *g)
{
    if (g == NULL)
        return;
    free(g->domain);
    free(g);
}
