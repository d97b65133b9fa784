/* give_back_io.c - chains of one record each: the reply to one brings the next. */
#include "give_back_io.h"

#include "log.h"
#include "refresh.h"
#include "store_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHAINS 50

struct give_back {
    struct redis *redis;
    struct known *known;
    char (*domain)[DOMAIN_BUF]; /* still to be given, the last first */
    size_t count;
    size_t chains; /* under way */
};

static void give_next(struct give_back *g);

static void on_given(void *ctx)
{
    struct give_back *g = ctx;

    g->chains--;
    give_next(g);
}

static void give_next(struct give_back *g)
{
    int64_t now = (int64_t)time(NULL);

    while (g->count > 0) {
        const struct record *record = known_get(g->known, g->domain[--g->count]);

        if (record == NULL || !record_counts(record, now))
            continue;
        if (store_restore(g->redis, record->dest, refresh_keep_until(record->dest, STORE_KEEP_SECONDS),
                          known_next_fetch(g->known, record->dest, false, now), record->used, on_given, g) == 0)
            g->chains++;
        else
            g->count = 0; /* away again */
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
    g->domain = calloc(count + 1, sizeof(*g->domain));
    if (g->domain == NULL)
        log_oom();
    while (cache_next(g->known->cache, &cursor, &domain) != NULL)
        snprintf(g->domain[g->count++], DOMAIN_BUF, "%s", domain);
    for (size_t i = g->chains; i < CHAINS && g->count > 0; i++)
        give_next(g);
}

struct give_back *give_back_new(struct redis *redis, struct known *known)
{
    struct give_back *g = calloc(1, sizeof(*g));

    if (g == NULL)
        log_oom();
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
