/* fallback_read_io.c - see fallback_read_io.h. */
#include "fallback_read_io.h"
#include "log.h"
#include "nexthop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF (NEXTHOP_BUF + 128)

/* A hash that is not ours may be of any size: no more of it comes than a state can have. */
static const char script[] = "if redis.call('HLEN', KEYS[1]) > 256 then return {} end "
                             "local all = redis.call('HGETALL', KEYS[1]) "
                             "for i, text in ipairs(all) do all[i] = string.sub(text, 1, 300) end "
                             "return all";

struct asked {
    fallback_read_fn *fn;
    void *ctx;
    char nexthop[NEXTHOP_BUF];
};

/* Returns 0, or -1 with the host and the reason in e. */
static int take(struct fallback_hosts *hosts, const redisReply *name, const redisReply *state, struct err *e)
{
    if (name->type != REDIS_REPLY_STRING || state->type != REDIS_REPLY_STRING)
        return err_set(e, "another kind of value");
    if (fallback_hosts_read(hosts, name->str, name->len, state->str, state->len, e) == 0)
        return 0;
    return err_prefix(e, "%s", name->str);
}

static void take_all(struct fallback_hosts *hosts, const struct asked *a, const redisReply *reply)
{
    struct err first = {""};
    size_t bad = 0;

    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        struct err e = {""};

        if (take(hosts, reply->element[i], reply->element[i + 1], &e) != 0 && bad++ == 0)
            first = e;
    }
    if (bad != 0)
        log_warning("bad-fallback-state", "key=fallback:%s left_out=%zu first=%s", a->nexthop, bad, first.text);
}

/* What else Redis refuses is logged for all commands (redis_io.c). */
static void take_error(const struct asked *a, const char *why)
{
    if (strstr(why, "WRONGTYPE") != NULL)
        log_warning("bad-fallback-state", "key=fallback:%s why=%s", a->nexthop, why);
}

static void on_reply(void *ctx, redisReply *reply)
{
    struct asked *a = ctx;
    struct fallback_hosts *hosts = NULL;

    if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
        take_error(a, reply->str);
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements >= 2) {
        hosts = must_have(calloc(1, sizeof(*hosts)));
        take_all(hosts, a, reply);
    }
    a->fn(a->ctx, hosts);
    free(a);
}

int fallback_read(struct redis *redis, const char *nexthop, fallback_read_fn *fn, void *ctx)
{
    struct asked *a = must_have(calloc(1, sizeof(*a)));
    char key[KEY_BUF];

    a->fn = fn;
    a->ctx = ctx;
    snprintf(a->nexthop, sizeof(a->nexthop), "%s", nexthop);
    if (redis_key(redis, key, sizeof(key), "fallback", nexthop) != 0 &&
        redis_send(redis, on_reply, a, 4, (const char *[]){"EVAL_RO", script, "1", key}, NULL) == 0)
        return 0;
    free(a);
    return -1;
}
