/* redis_ask_io.c - the Redis layer on an event base of its own, run until the reply has come. */
#include "redis_ask_io.h"

#include <event2/event.h>
#include <stdlib.h>

struct redis_ask {
    struct event_base *base;
    struct redis *redis;
    const char *url;
};

struct waiting {
    const struct redis_ask *ask;
    redis_take_fn *take;
    void *ctx;
    struct err *e;
    int rc;
    bool done;
};

static int away(const struct redis_ask *a, const char *why, struct err *e)
{
    return err_set(e, "Redis at %s: %s", a->url, why);
}

static int ask_connect(struct redis_ask *a, const struct conf_redis *conf, struct err *e)
{
    struct conf_redis ours = *conf;

    if (conf->url[0] == '\0')
        return err_set(e, "the configuration names no Redis (url of the section redis): lists, fallback states, rules "
                          "and published policies are kept there");
    if (ours.timeout_ms < REDIS_ASK_TIMEOUT_MS)
        ours.timeout_ms = REDIS_ASK_TIMEOUT_MS;
    a->url = conf->url;
    a->base = event_base_new();
    if (a->base == NULL)
        return err_set(e, "no event loop to wait with");
    a->redis = redis_new(a->base, &ours, e);
    if (a->redis == NULL)
        return -1;
    while (!redis_up(a->redis) && redis_why(a->redis)[0] == '\0' && event_base_loop(a->base, EVLOOP_ONCE) == 0) {
    }
    return redis_up(a->redis) ? 0 : away(a, redis_why(a->redis), e);
}

struct redis_ask *redis_ask_open(const struct conf_redis *conf, struct err *e)
{
    struct redis_ask *a = calloc(1, sizeof(*a));

    if (a == NULL) {
        err_set(e, "no memory");
        return NULL;
    }
    if (ask_connect(a, conf, e) == 0)
        return a;
    redis_ask_close(a);
    return NULL;
}

void redis_ask_close(struct redis_ask *a)
{
    if (a == NULL)
        return;
    redis_free(a->redis);
    if (a->base != NULL)
        event_base_free(a->base);
    free(a);
}

struct redis *redis_ask_redis(const struct redis_ask *a)
{
    return a->redis;
}

void redis_ask_wait(struct redis_ask *a, const bool *done)
{
    while (!*done && event_base_loop(a->base, EVLOOP_ONCE) == 0) {
    }
}

static void on_reply(void *ctx, redisReply *reply)
{
    struct waiting *w = ctx;

    w->done = true;
    if (reply == NULL)
        w->rc = away(w->ask, redis_why(w->ask->redis), w->e);
    else if (reply->type == REDIS_REPLY_ERROR)
        w->rc = away(w->ask, reply->str, w->e);
    else
        w->rc = w->take != NULL ? w->take(w->ctx, reply, w->e) : 0;
}

int redis_ask(struct redis_ask *a, redis_take_fn *take, void *ctx, size_t count, const char *const *words,
              const size_t *lengths, struct err *e)
{
    struct waiting w = {.ask = a, .take = take, .ctx = ctx, .e = e, .rc = -1};

    if (redis_send(a->redis, on_reply, &w, count, words, lengths) != 0)
        return away(a, redis_why(a->redis), e);
    redis_ask_wait(a, &w.done);
    return w.done ? w.rc : err_set(e, "the event loop failed");
}
