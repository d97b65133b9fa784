/* published_store_io.c - the published policies in Redis: keys, scripts and the replies to them. */
#include "published_store_io.h"

#include "redis_hash_io.h"
#include "token_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF    128
#define NUMBER_(n) #n
#define NUMBER(n)  NUMBER_(n)
#define MAX        NUMBER(PUBLISHED_MAX)
#define RECENT     NUMBER(PUBLISHED_RECENT)
#define JSON_CUT   NUMBER(PUBLISHED_JSON_MAX) " + 1" /* what is longer is seen to be too long */

/*
 * KEYS: the policies, the hash about them. ARGV: a generation if there is none yet, the domain, "1" and what was seen
 * of it, or "0"; and for script_write the policy to be. Replies 1, or 0: it is another one by now.
 */
#define BEGIN                                                             \
    REDIS_WRONG                                                           \
    REDIS_CHECK("wrong(KEYS[1]) or wrong(KEYS[2])")                       \
    "local now = redis.call('HGET', KEYS[1], ARGV[2]) "                   \
    "now = now and string.sub(now, 1, " JSON_CUT ") "                     \
    "if ARGV[3] == '1' and now ~= ARGV[4] or ARGV[3] == '0' and now then" \
    "  return 0 "                                                         \
    "end "

#define EDITED                                                                              \
    "local n = redis.call('HINCRBY', KEYS[2], 'n', 1) "                                     \
    "redis.call('HSET', KEYS[2], string.format('e%d', math.fmod(n, " RECENT ")), ARGV[2]) " \
    "redis.call('HSETNX', KEYS[2], 'g', ARGV[1]) "

static const char script_write[] = //
    BEGIN                          //
    "if not now and redis.call('HLEN', KEYS[1]) >= " MAX " then "
    "  return redis.error_reply('FULL there are " MAX " domains already') "
    "end " //
    EDITED //
    "redis.call('HSET', KEYS[1], ARGV[2], ARGV[5]) "
    "return 1";

static const char script_remove[] = //
    BEGIN                           //
    "if not now then return 1 end " //
    EDITED                          //
    "redis.call('HDEL', KEYS[1], ARGV[2]) "
    "return 1";

/* ARGV: the domain. Replies the value, or nil. */
static const char script_read[] =             //
    REDIS_WRONG REDIS_CHECK("wrong(KEYS[1])") //
    "local now = redis.call('HGET', KEYS[1], ARGV[1]) "
    "return now and string.sub(now, 1, " JSON_CUT ")";

struct keys {
    char policies[KEY_BUF], head[KEY_BUF];
    char generation[TOKEN_BUF]; /* for the case that there is none yet */
};

static int keys_make(const struct redis_ask *a, struct keys *out, struct err *e)
{
    if (redis_key(redis_ask_redis(a), out->policies, KEY_BUF, PUBLISHED_KEY, PUBLISHED_POLICIES) == 0 ||
        redis_key(redis_ask_redis(a), out->head, KEY_BUF, PUBLISHED_KEY, "") == 0)
        return err_set(e, "a Redis key that is too long: shorten the prefix");
    return token_make(out->generation, e);
}

/* --- reading --- */

void published_stored_clear(struct published_stored *s)
{
    if (s == NULL)
        return;
    published_clear(&s->policy);
    buf_clear(&s->json);
    *s = (struct published_stored){.there = false};
}

/* Returns 0, or -1: no memory. */
static int stored_fill(struct published_stored *out, const char *domain, size_t domain_len, const char *json,
                       size_t len)
{
    *out = (struct published_stored){.there = true};
    (void)snprintf(out->domain, sizeof(out->domain), "%.*s", (int)domain_len, domain);
    buf_init(&out->json, (size_t)PUBLISHED_JSON_MAX + 1);
    buf_add(&out->json, json, len);
    if (domain_len > DOMAIN_MAX || strlen(out->domain) != domain_len)
        err_set(&out->why, "the name is no domain");
    else
        (void)published_read(&out->policy, out->domain, json, len, &out->why);
    return buf_ok(&out->json) ? 0 : -1;
}

static int take_value(void *ctx, const redisReply *reply, struct err *e)
{
    struct published_stored *out = ctx;
    char domain[DOMAIN_BUF];

    if (reply->type == REDIS_REPLY_NIL)
        return 0;
    if (reply->type != REDIS_REPLY_STRING)
        return redis_strange(e);
    memcpy(domain, out->domain, sizeof(domain));
    return stored_fill(out, domain, strlen(domain), reply->str, reply->len) == 0 ? 0 : err_set(e, "no memory");
}

int published_store_read(struct redis_ask *a, const char *domain, struct published_stored *out, struct err *e)
{
    struct keys k;

    *out = (struct published_stored){.there = false};
    (void)snprintf(out->domain, sizeof(out->domain), "%s", domain);
    if (keys_make(a, &k, e) == 0 &&
        redis_ask(a, take_value, out, 5, (const char *const[]){"EVAL", script_read, "1", k.policies, domain}, NULL,
                  e) == 0)
        return 0;
    published_stored_clear(out);
    return -1;
}

void published_all_clear(struct published_all *all)
{
    for (size_t i = 0; i < all->count; i++)
        published_stored_clear(&all->row[i]);
    free(all->row);
    *all = (struct published_all){0};
}

static void all_add(struct published_all *all, const char *field, size_t field_len, const char *value, size_t len)
{
    if (all->count == all->room) {
        size_t room = all->room > 0 ? all->room * 2 : 64;
        struct published_stored *grown = reallocarray(all->row, room, sizeof(*grown));

        if (grown == NULL) {
            all->failed = true;
            return;
        }
        all->row = grown;
        all->room = room;
    }
    if (stored_fill(&all->row[all->count++], field, field_len, value, len) != 0)
        all->failed = true;
}

static void on_field(void *ctx, const char *field, size_t field_len, const char *value, size_t value_len)
{
    struct published_all *all = ctx;

    if (field == NULL)
        published_all_clear(all);
    else if (!all->failed)
        all_add(all, field, field_len, value, value_len);
}

static int by_domain(const void *a, const void *b)
{
    return strcmp(((const struct published_stored *)a)->domain, ((const struct published_stored *)b)->domain);
}

/* A field may have been told twice. */
static void all_unique(struct published_all *all)
{
    size_t kept = 0;

    for (size_t i = 0; i < all->count; i++) {
        if (kept > 0 && by_domain(&all->row[kept - 1], &all->row[i]) == 0)
            published_stored_clear(&all->row[i]);
        else
            all->row[kept++] = all->row[i];
    }
    all->count = kept;
}

int published_store_read_all(struct redis_ask *a, struct published_all *out, struct err *e)
{
    struct keys k;
    const struct redis_hash hash = {
        .key = k.policies, .watched = k.head, .field_max = DOMAIN_MAX + 1, .value_max = (size_t)PUBLISHED_JSON_MAX + 1};

    *out = (struct published_all){0};
    if (keys_make(a, &k, e) != 0)
        return -1;
    if (redis_hash_read(a, &hash, on_field, out, e) != 0 || out->failed) {
        if (out->failed)
            err_set(e, "no memory");
        published_all_clear(out);
        return -1;
    }
    if (out->count > 0)
        qsort(out->row, out->count, sizeof(*out->row), by_domain);
    all_unique(out);
    return 0;
}

/* --- edits --- */

static int edit(struct redis_ask *a, const char *script, const struct published_stored *seen, const struct buf *json,
                struct err *e)
{
    struct keys k;
    const char *const word[] = {"EVAL",
                                script,
                                "2",
                                k.policies,
                                k.head,
                                k.generation,
                                seen->domain,
                                seen->there ? "1" : "0",
                                buf_text(&seen->json),
                                buf_text(json)};
    size_t length[sizeof(word) / sizeof(word[0])];
    int edited = 0;

    if (keys_make(a, &k, e) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
        length[i] = strlen(word[i]);
    length[8] = seen->json.len;
    length[9] = json->len;
    return redis_ask(a, redis_take_done, &edited, sizeof(word) / sizeof(word[0]), word, length, e) == 0 ? edited : -1;
}

int published_store_write(struct redis_ask *a, const struct published_stored *seen, const struct published *policy,
                          struct err *e)
{
    struct published again = {0};
    struct buf json;
    int rc = -1;

    buf_init(&json, PUBLISHED_JSON_MAX);
    published_write(&json, policy);
    if (!buf_ok(&json))
        err_set(e, "no memory, or a policy that is too long");
    else if (published_read(&again, seen->domain, buf_text(&json), json.len, e) == 0)
        rc = edit(a, script_write, seen, &json, e);
    published_clear(&again);
    buf_clear(&json);
    return rc;
}

int published_store_remove(struct redis_ask *a, const struct published_stored *seen, struct err *e)
{
    struct buf none;

    buf_init(&none, 0);
    return edit(a, script_remove, seen, &none, e);
}
