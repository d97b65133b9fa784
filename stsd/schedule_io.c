/* schedule_io.c - every few seconds a small batch of what is due. */
#include "schedule_io.h"

#include "clock.h"
#include "counters.h"
#include "log.h"
#include "store_io.h"

#include <stdlib.h>
#include <string.h>

#define EVERY_SECONDS 5
#define BATCH         100
#define BUSY          1000 /* domains being worked on, above which nothing is added */

struct schedule {
    struct records *records;
    struct redis *redis;
    struct event *tick;
    int64_t used_within;
    bool asking; /* the last question to Redis has not been answered yet */
};

static void without_redis(struct schedule *s);

static void on_due(void *ctx, const char *domain, int64_t used)
{
    struct schedule *s = ctx;

    if (domain == NULL) {
        s->asking = false;
        if (used < 0 && event_pending(s->tick, EV_TIMEOUT, NULL))
            without_redis(s);
        return;
    }
    if (!known_in_use(used, now_seconds(), s->used_within)) {
        log_info("policy-not-in-use", "domain=%s", domain);
        store_forget(s->redis, domain, strlen(domain));
        return;
    }
    count(COUNT_SCHEDULED);
    records_get(s->records, domain, RECORDS_POLICY, NULL, NULL);
}

static void without_redis(struct schedule *s)
{
    int64_t now = now_seconds();
    char names[BATCH][DOMAIN_BUF];
    size_t found = records_due(s->records, now, s->used_within, names, BATCH);

    for (size_t i = 0; i < found; i++)
        on_due(s, names[i], now);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct schedule *s = ctx;

    (void)fd;
    (void)what;
    if (s->asking || records_busy(s->records) > BUSY)
        return;
    if (store_due(s->redis, now_seconds(), BATCH, on_due, s) == 0)
        s->asking = true;
    else
        without_redis(s);
}

void schedule_configure(struct schedule *s, int64_t used_within)
{
    s->used_within = used_within;
}

void schedule_stop(struct schedule *s)
{
    event_del(s->tick);
}

struct schedule *schedule_new(struct event_base *base, struct records *records, struct redis *redis,
                              int64_t used_within)
{
    struct timeval every = {.tv_sec = EVERY_SECONDS};
    struct schedule *s = must_have(calloc(1, sizeof(*s)));

    s->records = records;
    s->redis = redis;
    s->used_within = used_within;
    s->tick = must_have(event_new(base, -1, EV_PERSIST, on_tick, s));
    event_add(s->tick, &every);
    return s;
}

void schedule_free(struct schedule *s)
{
    if (s == NULL)
        return;
    event_free(s->tick);
    free(s);
}
