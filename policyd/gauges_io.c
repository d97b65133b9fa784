/* gauges_io.c - see gauges_io.h. */
#include "gauges_io.h"

#include "cache.h"
#include "counters.h"
#include "log.h"

#include <string.h>

void gauges_update(void *ctx)
{
    struct gauges *g = ctx;
    uint64_t evictions = cache_evictions(g->memory->cache);

    counters[GAUGE_WORKERS].value = 1;
    counters[GAUGE_CONNECTIONS].value = serve_connections(g->serve);
    counters[GAUGE_LOOKUPS].value = lookups_count(g->lookups);
    counters[GAUGE_ENTRIES].value = cache_count(g->memory->cache);
    counters[COUNT_EVICTIONS].value += evictions - g->evictions;
    g->evictions = evictions;
    counters[GAUGE_REDIS_CONFIGURED].value = strcmp(redis_state(g->redis), "none") != 0;
    counters[GAUGE_REDIS_UP].value = redis_up(g->redis);
    counters[GAUGE_TRACKING].value = redis_tracking(g->redis);
    if (g->lists != NULL)
        lists_metrics(&counters[GAUGE_LISTS], g->lists);
}

static void on_second(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    gauges_update(ctx);
}

void gauges_start(struct gauges *g, struct event_base *base)
{
    const struct timeval second = {1, 0};

    gauges_update(g);
    g->timer = must_have(event_new(base, -1, EV_PERSIST, on_second, g));
    if (event_add(g->timer, &second) != 0)
        log_oom();
}

void gauges_stop(struct gauges *g)
{
    if (g->timer != NULL)
        event_free(g->timer);
    g->timer = NULL;
}
