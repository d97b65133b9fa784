/* fallback_store_io.c - the fallback states in Redis. */
#include "fallback_store_io.h"

#include "domain.h"
#include "fallback_io.h"
#include "nexthop.h"
#include "redis_hash_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF     512
#define PATTERN_BUF 512

static int key_make(const struct redis_ask *a, char out[KEY_BUF], const char *nexthop, struct err *e)
{
    if (redis_key(redis_ask_redis(a), out, KEY_BUF, "fallback", nexthop) == 0)
        return err_set(e, "a name that is too long");
    return 0;
}

/* --- one next hop --- */

struct reading {
    struct fallback_rows *rows;
    const char *nexthop;
};

/* Nothing is watched, so nothing is told anew. */
static void on_field(void *ctx, const char *field, size_t field_len, const char *value, size_t value_len)
{
    const struct reading *r = ctx;

    if (field != NULL)
        fallback_rows_add_json(r->rows, r->nexthop, field, field_len, value, value_len);
}

int fallback_store_read(struct redis_ask *a, const char *nexthop, struct fallback_rows *out, struct err *e)
{
    struct reading r = {.rows = out, .nexthop = nexthop};
    char key[KEY_BUF] = "";
    const struct redis_hash hash = {.key = key, .field_max = DOMAIN_BUF, .value_max = FALLBACK_JSON_MAX + 1};

    if (key_make(a, key, nexthop, e) != 0 || redis_hash_read(a, &hash, on_field, &r, e) != 0)
        return -1;
    return out->failed ? err_set(e, "no memory") : 0;
}

static int take_count(void *ctx, const redisReply *reply, struct err *e)
{
    if (reply->type != REDIS_REPLY_INTEGER)
        return redis_strange(e);
    *(int64_t *)ctx += reply->integer;
    return 0;
}

int fallback_store_clear(struct redis_ask *a, const char *nexthop, int64_t *count, struct err *e)
{
    char key[KEY_BUF];

    if (key_make(a, key, nexthop, e) != 0)
        return -1;
    return redis_ask(a, take_count, count, 2, (const char *const[]){"UNLINK", key}, NULL, e);
}

/* --- all of them --- */

/* ARGV: cursor, pattern, octets before the name, octets of the longest name. Replies the next cursor, and names. */
static const char script_names[] = //
    "local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000) "
    "local out = {page[1]} "
    "for _, key in ipairs(page[2]) do "
    "  local name = string.sub(key, ARGV[3] + 1) "
    "  if #name <= tonumber(ARGV[4]) then out[#out + 1] = name end "
    "end "
    "return out";

struct names {
    char **name;
    size_t count, room;
    char cursor[32];
};

static void names_clear(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->name[i]);
    free(n->name);
}

static int names_add(struct names *n, const char *name, struct err *e)
{
    if (n->count == n->room) {
        size_t room = n->room > 0 ? n->room * 2 : 64;
        char **grown = reallocarray(n->name, room, sizeof(*grown));

        if (grown == NULL)
            return err_set(e, "no memory");
        n->name = grown;
        n->room = room;
    }
    n->name[n->count] = strdup(name);
    return n->name[n->count++] != NULL ? 0 : err_set(e, "no memory");
}

static int take_names(void *ctx, const redisReply *reply, struct err *e)
{
    struct names *n = ctx;
    int rc = 0;

    if (!redis_is_strings(reply) || reply->elements < 1)
        return redis_strange(e);
    (void)snprintf(n->cursor, sizeof(n->cursor), "%s", reply->element[0]->str);
    for (size_t i = 1; i < reply->elements && rc == 0; i++)
        rc = names_add(n, reply->element[i]->str, e);
    return rc;
}

/* "PREFIXfallback:*", where nothing of the prefix means anything to a pattern. Returns the octets before the name. */
static size_t pattern_make(char out[PATTERN_BUF], const char *prefix)
{
    size_t len = 0;

    for (const char *c = prefix; *c != '\0' && len < PATTERN_BUF / 2; c++) {
        if (strchr("*?[]\\^-", *c) != NULL)
            out[len++] = '\\';
        out[len++] = *c;
    }
    (void)snprintf(out + len, PATTERN_BUF - len, "fallback:*");
    return strlen(prefix) + strlen("fallback:");
}

static int names_read(struct redis_ask *a, const char *prefix, struct names *out, struct err *e)
{
    char pattern[PATTERN_BUF], skip[24], name_max[24];

    *out = (struct names){.cursor = "0"};
    (void)snprintf(skip, sizeof(skip), "%zu", pattern_make(pattern, prefix));
    (void)snprintf(name_max, sizeof(name_max), "%d", NEXTHOP_BUF - 1);
    do {
        if (redis_ask(a, take_names, out, 7,
                      (const char *const[]){"EVAL", script_names, "0", out->cursor, pattern, skip, name_max}, NULL,
                      e) != 0)
            return -1;
    } while (strcmp(out->cursor, "0") != 0);
    return 0;
}

int fallback_store_read_all(struct redis_ask *a, const char *prefix, struct fallback_rows *out, struct err *e)
{
    struct names names;
    int rc = names_read(a, prefix, &names, e);

    for (size_t i = 0; i < names.count && rc == 0; i++) {
        rc = fallback_store_read(a, names.name[i], out, e);
        if (rc == 0 || strstr(e->text, "WRONGTYPE") == NULL)
            continue;
        fallback_rows_add_wrong(out, names.name[i], "no hash");
        rc = 0;
    }
    names_clear(&names);
    return rc;
}

int fallback_store_clear_all(struct redis_ask *a, const char *prefix, int64_t *count, struct err *e)
{
    struct names names;
    int rc = names_read(a, prefix, &names, e);

    for (size_t i = 0; i < names.count && rc == 0; i++)
        rc = fallback_store_clear(a, names.name[i], count, e);
    names_clear(&names);
    return rc;
}

/* --- an event --- */

struct reporting {
    bool done;
    int rc;
    struct err *e;
};

static void on_reported(void *ctx, const char *why)
{
    struct reporting *r = ctx;

    r->done = true;
    r->rc = why == NULL ? 0 : err_set(r->e, "%s", why);
}

int fallback_store_report(struct redis_ask *a, const char *nexthop, const char *host, enum fallback_event event,
                          int64_t at, struct err *e)
{
    struct reporting r = {.e = e, .rc = -1};

    if (fallback_report(redis_ask_redis(a), nexthop, host, event, at, on_reported, &r) != 0)
        return err_set(e, "Redis is away");
    redis_ask_wait(a, &r.done);
    return r.rc;
}
