/* redis_hash_io.c - HSCAN in a script, which cuts what is too long before it is sent. */
#include "redis_hash_io.h"

#include <stdio.h>
#include <string.h>

#define READ_TRIES 20

/*
 * KEYS: the hash, the watched hash. ARGV: cursor, octets of a field, octets of a value. Replies n, the next cursor,
 * fields and values.
 */
#define CHECKED REDIS_WRONG REDIS_CHECK("wrong(KEYS[1]) or KEYS[2] and wrong(KEYS[2])")
static const char script[] = //
    CHECKED                  //
    "local edits = KEYS[2] and redis.call('HGET', KEYS[2], 'n') or '' "
    "local out, octets, at = {string.sub(edits, 1, 32), ''}, 0, ARGV[1] "
    "repeat "
    "  local page = redis.call('HSCAN', KEYS[1], at, 'COUNT', 100) "
    "  at = page[1] "
    "  for i = 1, #page[2], 2 do "
    "    out[#out + 1] = string.sub(page[2][i], 1, tonumber(ARGV[2])) "
    "    out[#out + 1] = string.sub(page[2][i + 1], 1, tonumber(ARGV[3])) "
    "    octets = octets + #out[#out] + #out[#out - 1] "
    "  end "
    "until at == '0' or octets > 200000 "
    "out[2] = at "
    "return out";

struct reading {
    redis_field_fn *fn;
    void *ctx;
    char cursor[32];
    char edits[33]; /* n, as it was at the first page */
    bool first, changed;
};

int redis_strange(struct err *e)
{
    return err_set(e, "Redis: a reply that cannot be");
}

int redis_take_done(void *ctx, const redisReply *reply, struct err *e)
{
    if (reply->type != REDIS_REPLY_INTEGER)
        return redis_strange(e);
    *(int *)ctx = reply->integer != 0;
    return 0;
}

bool redis_is_strings(const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return false;
    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type != REDIS_REPLY_STRING)
            return false;
    return true;
}

static int take_page(void *ctx, const redisReply *reply, struct err *e)
{
    struct reading *r = ctx;

    if (!redis_is_strings(reply) || reply->elements < 2 || reply->elements % 2 != 0)
        return redis_strange(e);
    if (r->first)
        (void)snprintf(r->edits, sizeof(r->edits), "%s", reply->element[0]->str);
    r->changed = strcmp(r->edits, reply->element[0]->str) != 0;
    r->first = false;
    (void)snprintf(r->cursor, sizeof(r->cursor), "%s", reply->element[1]->str);
    for (size_t i = 2; i < reply->elements; i += 2)
        r->fn(r->ctx, reply->element[i]->str, reply->element[i]->len, reply->element[i + 1]->str,
              reply->element[i + 1]->len);
    return 0;
}

/* Returns 1 when there was an edit meanwhile, 0, or -1. */
static int read_once(struct redis_ask *a, const struct redis_hash *hash, struct reading *r, struct err *e)
{
    const char *word[8] = {"EVAL_RO", script, hash->watched != NULL ? "2" : "1", hash->key};
    char field_max[24], value_max[24];
    size_t words = 4;

    (void)snprintf(field_max, sizeof(field_max), "%zu", hash->field_max);
    (void)snprintf(value_max, sizeof(value_max), "%zu", hash->value_max);
    if (hash->watched != NULL)
        word[words++] = hash->watched;
    word[words++] = r->cursor;
    word[words++] = field_max;
    word[words++] = value_max;
    do {
        if (redis_ask(a, take_page, r, words, word, NULL, e) != 0)
            return -1;
    } while (!r->changed && strcmp(r->cursor, "0") != 0);
    return r->changed;
}

int redis_hash_read(struct redis_ask *a, const struct redis_hash *hash, redis_field_fn *fn, void *ctx, struct err *e)
{
    for (int i = 0; i < READ_TRIES; i++) {
        struct reading r = {.fn = fn, .ctx = ctx, .cursor = "0", .first = true};
        int rc = read_once(a, hash, &r, e);

        if (rc <= 0)
            return rc;
        fn(ctx, NULL, 0, NULL, 0);
    }
    return err_set(e, "%s: edited all the time; try again", hash->key);
}
