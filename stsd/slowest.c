/* slowest.c - see slowest.h. */
#include "slowest.h"

#include "ascii.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A clock that was set back ends it, too. */
static bool is_over(const struct slow *p, int64_t now)
{
    return p->ended > now || now - p->ended >= SLOWEST_KEEP;
}

/* Its own, one that is over or free, or that of the fastest. */
static struct slow *place_for(struct slowest *s, const char *domain, int64_t now)
{
    struct slow *best = NULL;

    for (size_t i = 0; i < s->count; i++) {
        struct slow *p = &s->place[i];

        if (strcmp(p->domain, domain) == 0)
            return p;
        if (best == NULL || (!is_over(best, now) && (is_over(p, now) || p->ms < best->ms)))
            best = p;
    }
    if (s->count < SLOWEST_MAX && (best == NULL || !is_over(best, now)))
        return &s->place[s->count++];
    return best;
}

void slowest_add(struct slowest *s, const char *domain, int64_t ms, const char *end, int64_t now)
{
    struct slow *p = place_for(s, domain, now);

    if (p->domain[0] != '\0' && !is_over(p, now) && p->ms >= ms)
        return;
    p->ended = now;
    p->ms = ms;
    snprintf(p->domain, sizeof(p->domain), "%s", domain);
    snprintf(p->end, sizeof(p->end), "%s", end);
    ascii_make_printable(p->end);
}

static int by_ms(const void *a, const void *b)
{
    const struct slow *x = a, *y = b;

    if (x->ms != y->ms)
        return x->ms < y->ms ? 1 : -1;
    return strcmp(x->domain, y->domain);
}

size_t slowest_list(const struct slowest *s, struct slow out[SLOWEST_MAX], int64_t now)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++)
        if (!is_over(&s->place[i], now))
            out[count++] = s->place[i];
    qsort(out, count, sizeof(out[0]), by_ms);
    return count;
}
