/* rules_store_io.c - the rules in Redis: key, scripts and the replies to them. */
#include "rules_store_io.h"

#include "redis_hash_io.h"
#include "rules_kept.h"
#include "token_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KEY_BUF 128

/* A field of KEYS[1], cut; "": not there. */
#define BEGIN                                                                                                          \
    REDIS_WRONG REDIS_CHECK("wrong(KEYS[1])") "local function seen(field, max) "                                       \
                                              "  return string.sub(redis.call('HGET', KEYS[1], field) or '', 1, max) " \
                                              "end "

/* ARGV: octets of a text. */
static const char script_read[] = //
    BEGIN "return {tostring(redis.call('EXISTS', KEYS[1])), seen('g', 32), seen('n', 32), "
          "seen('text', tonumber(ARGV[1]))}";

/* ARGV: g and n as they were seen, g, n and text to be. Replies 1, or 0: g and n are others by now. */
static const char script_write[] = //
    BEGIN "if seen('g', 32) ~= ARGV[1] or seen('n', 32) ~= ARGV[2] then return 0 end "
          "redis.call('HSET', KEYS[1], 'g', ARGV[3], 'n', ARGV[4], 'text', ARGV[5]) "
          "return 1";

static int key_make(const struct redis_ask *a, char out[KEY_BUF], struct err *e)
{
    if (redis_key(redis_ask_redis(a), out, KEY_BUF, "rules", "") == 0)
        return err_set(e, "a Redis key that is too long: shorten the prefix");
    return 0;
}

static int take_rules(void *ctx, const redisReply *reply, struct err *e)
{
    struct rules_stored *out = ctx;
    redisReply *const *element = reply->element;

    if (!redis_is_strings(reply) || reply->elements != 4)
        return redis_strange(e);
    out->there = strcmp(element[0]->str, "0") != 0;
    (void)snprintf(out->g, sizeof(out->g), "%s", element[1]->str);
    (void)snprintf(out->n, sizeof(out->n), "%s", element[2]->str);
    (void)lists_stamp_parse(&out->stamp, element[1]->str, element[1]->len, element[2]->str, element[2]->len, &out->why);
    buf_add(&out->text, element[3]->str, element[3]->len);
    if (buf_ok(&out->text))
        return 0;
    return err_set(e, "the text of the rules in Redis is longer than %d octets, or no memory", RULES_TEXT_MAX);
}

int rules_store_read(struct redis_ask *a, struct rules_stored *out, struct err *e)
{
    char key[KEY_BUF], max[24];

    *out = (struct rules_stored){.there = false};
    buf_init(&out->text, RULES_TEXT_MAX);
    (void)snprintf(max, sizeof(max), "%d", RULES_TEXT_MAX + 1);
    if (key_make(a, key, e) == 0 &&
        redis_ask(a, take_rules, out, 5, (const char *const[]){"EVAL", script_read, "1", key, max}, NULL, e) == 0)
        return 0;
    rules_store_clear(out);
    return -1;
}

void rules_store_clear(struct rules_stored *s)
{
    buf_clear(&s->text);
}

int rules_store_write(struct redis_ask *a, const struct rules_stored *seen, bool anew, const struct buf *text,
                      struct err *e)
{
    char key[KEY_BUF], g[TOKEN_BUF], n[24];
    const char *word[] = {"EVAL", script_write, "1", key, seen->g, seen->n, g, n, buf_text(text)};
    size_t length[sizeof(word) / sizeof(word[0])];
    int written = 0;

    if (key_make(a, key, e) != 0 || token_make(g, e) != 0)
        return -1;
    if (!anew && seen->stamp.generation[0] != '\0')
        (void)snprintf(g, sizeof(g), "%s", seen->stamp.generation);
    (void)snprintf(n, sizeof(n), "%" PRId64, anew ? 1 : seen->stamp.count + 1);
    for (size_t i = 0; i + 1 < sizeof(word) / sizeof(word[0]); i++)
        length[i] = strlen(word[i]);
    length[sizeof(word) / sizeof(word[0]) - 1] = text->len;
    return redis_ask(a, redis_take_done, &written, sizeof(word) / sizeof(word[0]), word, length, e) == 0 ? written : -1;
}
