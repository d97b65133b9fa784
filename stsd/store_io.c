/* store_io.c - see store_io.h. */
#include "store_io.h"

#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF    (DOMAIN_BUF + 128)
#define NUMBER_BUF 24

/* A callback with its context across one command. */
struct call_back {
    union {
        store_lock_fn *lock;
        store_due_fn *due;
    } fn;
    void *ctx;
    struct redis *redis; /* of `due` */
};

static struct call_back *call_back_new(void *ctx)
{
    struct call_back *cb = must_have(calloc(1, sizeof(*cb)));

    cb->ctx = ctx;
    return cb;
}

static void number(char out[NUMBER_BUF], int64_t value)
{
    snprintf(out, NUMBER_BUF, "%" PRId64, value);
}

/* --- records --- */

void store_schedule(struct redis *redis, const char *domain, int64_t refresh_at)
{
    char key[KEY_BUF], score[NUMBER_BUF];

    if (redis_key(redis, key, sizeof(key), "refresh", "") == 0)
        return;
    number(score, refresh_at);
    if (refresh_at == 0)
        redis_send(redis, NULL, NULL, 3, (const char *[]){"ZREM", key, domain}, NULL);
    else
        redis_send(redis, NULL, NULL, 4, (const char *[]){"ZADD", key, score, domain}, NULL);
}

int store_put(struct redis *redis, const struct dest *dest, int64_t keep_until, int64_t refresh_at)
{
    char key[KEY_BUF], at[NUMBER_BUF];
    struct buf json;
    int rc = -1;

    if (!redis_up(redis))
        return -1;
    buf_init(&json, DEST_JSON_MAX);
    dest_to_json(&json, dest);
    number(at, keep_until);
    if (!buf_ok(&json))
        log_error("record-too-large", "domain=%s", dest->domain);
    else if (redis_key(redis, key, sizeof(key), "dest", dest->domain) != 0)
        rc = redis_send(redis, NULL, NULL, 5, (const char *[]){"SET", key, json.data, "EXAT", at}, NULL);
    buf_clear(&json);
    if (rc == 0)
        store_schedule(redis, dest->domain, refresh_at);
    return rc;
}

/* --- the lock --- */

static void on_lock(void *ctx, redisReply *reply)
{
    struct call_back *cb = ctx;

    cb->fn.lock(cb->ctx, reply == NULL || reply->type != REDIS_REPLY_NIL);
    free(cb);
}

int store_lock(struct redis *redis, const char *domain, const char *token, int64_t milliseconds, store_lock_fn *fn,
               void *ctx)
{
    struct call_back *cb = call_back_new(ctx);
    char key[KEY_BUF], ms[NUMBER_BUF];

    cb->fn.lock = fn;
    number(ms, milliseconds);
    if (redis_key(redis, key, sizeof(key), "lock", domain) != 0 &&
        redis_send(redis, on_lock, cb, 6, (const char *[]){"SET", key, token, "NX", "PX", ms}, NULL) == 0)
        return 0;
    free(cb);
    return -1;
}

/* Only our own: it may have expired and be another node's by now. */
void store_unlock(struct redis *redis, const char *domain, const char *token)
{
    static const char script[] =
        "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
    char key[KEY_BUF];

    if (redis_key(redis, key, sizeof(key), "lock", domain) != 0)
        redis_send(redis, NULL, NULL, 5, (const char *[]){"EVAL", script, "1", key, token}, NULL);
}

/* --- what is in use and due --- */

int store_used(struct redis *redis, const char *domain, int64_t used)
{
    char key[KEY_BUF], score[NUMBER_BUF];

    number(score, used);
    if (redis_key(redis, key, sizeof(key), "used", "") == 0)
        return -1;
    return redis_send(redis, NULL, NULL, 5, (const char *[]){"ZADD", key, "GT", score, domain}, NULL);
}

void store_forget(struct redis *redis, const char *member, size_t len)
{
    static const char *const kinds[] = {"refresh", "used"};
    char key[KEY_BUF];

    for (size_t i = 0; i < 2; i++) {
        size_t key_len = redis_key(redis, key, sizeof(key), kinds[i], "");

        if (key_len != 0)
            redis_send(redis, NULL, NULL, 3, (const char *[]){"ZREM", key, member}, (size_t[]){4, key_len, len});
    }
}

/* What stands in the set may be anybody's: only a domain in its one form goes on. (The script lets nothing pass, and
 * takes out, what is longer than any.) */
static bool is_domain(const redisReply *reply)
{
    char domain[DOMAIN_BUF];

    return reply->type == REDIS_REPLY_STRING && domain_normalise(domain, reply->str, (size_t)reply->len, NULL) == 0 &&
           strcmp(domain, reply->str) == 0;
}

/* Pairs of domain and score, from both sets in one script, so that it is one round trip. */
static void on_due(void *ctx, redisReply *reply)
{
    struct call_back *cb = ctx;

    int64_t end = -1;

    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY) {
        end = 0;
        for (size_t i = 0; i + 1 < reply->elements; i += 2) {
            const redisReply *domain = reply->element[i], *used = reply->element[i + 1];

            if (is_domain(domain) && used->type == REDIS_REPLY_STRING)
                cb->fn.due(cb->ctx, domain->str, (int64_t)strtoll(used->str, NULL, 10));
            else if (domain->type == REDIS_REPLY_STRING)
                store_forget(cb->redis, domain->str, (size_t)domain->len);
        }
    }
    cb->fn.due(cb->ctx, NULL, end);
    free(cb);
}

int store_due(struct redis *redis, int64_t now, size_t limit, store_due_fn *fn, void *ctx)
{
    static const char script[] =
        "local out = {} "
        "for _, d in ipairs(redis.call('zrangebyscore', KEYS[1], '-inf', ARGV[1], 'limit', 0, ARGV[2])) do "
        "if #d > 253 then redis.pcall('zrem', KEYS[1], d) else "
        "out[#out + 1] = d out[#out + 1] = redis.call('zscore', KEYS[2], d) or '0' end end return out";
    struct call_back *cb = call_back_new(ctx);
    char refresh[KEY_BUF], used[KEY_BUF], until[NUMBER_BUF], count[NUMBER_BUF];

    cb->fn.due = fn;
    cb->redis = redis;
    number(until, now);
    number(count, (int64_t)limit);
    if (redis_key(redis, refresh, sizeof(refresh), "refresh", "") != 0 &&
        redis_key(redis, used, sizeof(used), "used", "") != 0 &&
        redis_send(redis, on_due, cb, 7, (const char *[]){"EVAL", script, "2", refresh, used, until, count}, NULL) == 0)
        return 0;
    free(cb);
    return -1;
}
