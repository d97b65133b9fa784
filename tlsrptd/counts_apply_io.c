/* counts_apply_io.c - see counts_apply_io.h. */
#include "counts_apply_io.h"
#include "counts.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF      768
#define DAY_SECONDS  INT64_C(86400)
#define MORE_DAYS    3 /* that counts stay: their day, and two for what comes late */
#define LONGER_DAYS  2 /* that the number of a lane stays longer than counts */
#define WORDS_BEFORE 10

/*
 * KEYS: the lane's number; of each group the hash and the set of its day. ARGV: number; the number that must be there,
 * or ""; seconds to keep counts, and numbers; most policies, and details; then the words of the batch. A hash and its
 * domain's place in the set come to be, and get their time, with a policy. A policy whose sessions were counted before
 * is there: that is one call, and calls are what all of this costs.
 *
 * Writes that change nothing come first: when a key is of another kind, or may not be written, nothing was done yet. A
 * field that is no number is replaced. Replies the number that is there now.
 */
static const char script[] = //
    "local number, have = tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or '0') or 0 "
    "if have >= number or (ARGV[2] ~= '' and have < tonumber(ARGV[2])) then return have end "
    "for i = 2, #KEYS, 2 do "
    "  redis.call('HDEL', KEYS[i], '') "
    "  if KEYS[i + 1] ~= KEYS[i - 1] then redis.call('SREM', KEYS[i + 1], '') end "
    "end "
    "redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[4]) "
    "local most_policies, most_details = tonumber(ARGV[5]), tonumber(ARGV[6]) "
    "local hash, set, domain, id "
    "local domains = {} "
    "local function add(field, n) "
    "  local sum = redis.pcall('HINCRBY', hash, field, n) "
    "  if type(sum) == 'number' then return sum end "
    "  redis.call('HSET', hash, field, n) "
    "  return tonumber(n) "
    "end "
    "local function found(field, n) return n ~= '0' and add(field, n) ~= tonumber(n) end "
    "local function policy(text, successful, failed) "
    "  local good, bad = found('successful ' .. id, successful), found('failed ' .. id, failed) "
    "  if good or bad or redis.call('HSETNX', hash, 'policy ' .. id, text) == 0 then return end "
    "  redis.call('EXPIRE', hash, ARGV[3]) "
    "  domains[set] = domains[set] or {} "
    "  table.insert(domains[set], domain) "
    "  if add('policies', 1) <= most_policies then return end "
    "  redis.call('HDEL', hash, 'policy ' .. id, 'successful ' .. id, 'failed ' .. id) "
    "  add('policies', -1) "
    "  id = nil "
    "  local out = tonumber(successful) + tonumber(failed) "
    "  if out > 0 then add('left-out', string.format('%.0f', out)) end "
    "end "
    "local function detail(text, n, other) "
    "  local field = 'failure ' .. id .. ' ' .. text "
    "  if add(field, n) ~= tonumber(n) or text == other or add('details', 1) <= most_details then return end "
    "  redis.call('HDEL', hash, field) "
    "  add('details', -1) "
    "  add('failure ' .. id .. ' ' .. other, n) "
    "end "
    "local at, key = 7, 0 "
    "while at <= #ARGV do "
    "  local word = ARGV[at] "
    "  if word == 'g' then "
    "    key = key + 2 "
    "    hash, set, domain = KEYS[key], KEYS[key + 1], ARGV[at + 2] "
    "    at = at + 3 "
    "  elseif word == 'p' then "
    "    id = ARGV[at + 1] "
    "    policy(ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]) "
    "    at = at + 5 "
    "  elseif word == 'd' then "
    "    if id then detail(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]) end "
    "    at = at + 4 "
    "  else "
    "    add('left-out', ARGV[at + 1]) "
    "    redis.call('EXPIRE', hash, ARGV[3]) "
    "    at = at + 2 "
    "  end "
    "end "
    "for set, names in pairs(domains) do "
    "  for i = 1, #names, 1000 do redis.call('SADD', set, unpack(names, i, math.min(i + 999, #names))) end "
    "  redis.call('EXPIRE', set, ARGV[3]) "
    "end "
    "return number";

/* --- the command --- */

struct command {
    const char **word;
    size_t *length;
    size_t count;
    struct buf keys; /* their texts, one after the other */
};

static void add(struct command *c, const char *word, size_t len)
{
    c->word[c->count] = word;
    c->length[c->count++] = len;
}

static void add_text(struct command *c, const char *text)
{
    add(c, text, strlen(text));
}

static bool key_add(struct buf *keys, struct redis *r, const char *kind, const char *name)
{
    char key[KEY_BUF];
    size_t len = redis_key(r, key, sizeof(key), kind, name);

    buf_add(keys, key, len + 1);
    return len > 0;
}

static size_t entry_words(char name)
{
    return name == 'g' ? 3 : name == 'p' ? 5 : name == 'd' ? 4 : 2;
}

/* Of each group the hash and the set, in the order of the batch. */
static bool keys_make(struct buf *keys, struct redis *r, const struct batch *b)
{
    bool good = key_add(keys, r, "tlsrpt-applied", b->lane);

    for (size_t i = 0; good && i < b->words; i += entry_words(b->word[i].data[0])) {
        char day[16], name[DOMAIN_BUF + sizeof(day)];

        if (b->word[i].data[0] != 'g')
            continue;
        (void)snprintf(day, sizeof(day), "%.*s", (int)b->word[i + 1].len, b->word[i + 1].data);
        (void)snprintf(name, sizeof(name), "%s:%.*s", day, (int)b->word[i + 2].len, b->word[i + 2].data);
        good = key_add(keys, r, "tlsrpt", name) && key_add(keys, r, "tlsrpt-domains", day);
    }
    if (keys->failed)
        log_oom();
    return good;
}

static void keys_add(struct command *c, size_t keys)
{
    const char *at = c->keys.data;

    for (size_t i = 0; i < keys; i++) {
        add_text(c, at);
        at += strlen(at) + 1;
    }
}

struct numbers {
    char keys[24], number[24], before[24], keep[24], keep_number[24], policies[24], details[24];
};

static void numbers_make(struct numbers *n, const struct batch *b, bool first, int64_t keep)
{
    (void)snprintf(n->keys, sizeof(n->keys), "%zu", 1 + 2 * b->groups);
    (void)snprintf(n->number, sizeof(n->number), "%" PRIu64, b->number);
    n->before[0] = '\0';
    if (!first)
        (void)snprintf(n->before, sizeof(n->before), "%" PRIu64, b->number - 1);
    (void)snprintf(n->keep, sizeof(n->keep), "%" PRId64, keep + MORE_DAYS * DAY_SECONDS);
    (void)snprintf(n->keep_number, sizeof(n->keep_number), "%" PRId64, keep + (MORE_DAYS + LONGER_DAYS) * DAY_SECONDS);
    (void)snprintf(n->policies, sizeof(n->policies), "%d", COUNTS_POLICIES_MAX);
    (void)snprintf(n->details, sizeof(n->details), "%d", COUNTS_DETAILS_MAX);
}

static void command_make(struct command *c, const struct batch *b, const struct numbers *n)
{
    size_t keys = 1 + 2 * b->groups, room = WORDS_BEFORE + keys + b->words;

    c->word = must_have(calloc(room, sizeof(*c->word)));
    c->length = must_have(calloc(room, sizeof(*c->length)));
    add_text(c, "EVAL");
    add(c, script, sizeof(script) - 1);
    add_text(c, n->keys);
    keys_add(c, keys);
    add_text(c, n->number);
    add_text(c, n->before);
    add_text(c, n->keep);
    add_text(c, n->keep_number);
    add_text(c, n->policies);
    add_text(c, n->details);
    for (size_t i = 0; i < b->words; i++)
        add(c, b->word[i].data, b->word[i].len);
}

/* --- the reply --- */

struct apply {
    uint64_t number;
    counts_applied_fn *fn;
    void *ctx;
};

static void on_reply(void *ctx, redisReply *reply)
{
    struct apply a = *(struct apply *)ctx;

    free(ctx);
    if (reply == NULL)
        a.fn(a.ctx, COUNTS_AWAY);
    else if (reply->type != REDIS_REPLY_INTEGER)
        a.fn(a.ctx, COUNTS_REFUSED);
    else
        a.fn(a.ctx, reply->integer >= 0 && (uint64_t)reply->integer >= a.number ? COUNTS_APPLIED : COUNTS_GAP);
}

int counts_apply(struct redis *r, const struct batch *b, bool first, int64_t keep, counts_applied_fn *fn, void *ctx)
{
    struct apply *a = must_have(calloc(1, sizeof(*a)));
    struct command c = {.count = 0};
    struct numbers n = {.keys = ""};
    int rc = -1;

    *a = (struct apply){b->number, fn, ctx};
    buf_init(&c.keys, (2 * b->groups + 1) * (size_t)KEY_BUF);
    if (keys_make(&c.keys, r, b)) {
        numbers_make(&n, b, first, keep);
        command_make(&c, b, &n);
        rc = redis_send(r, on_reply, a, c.count, c.word, c.length);
        free(c.word);
        free(c.length);
    }
    buf_clear(&c.keys);
    if (rc != 0)
        free(a);
    return rc;
}
