/*
 * redis_track_io.c - invalidation messages.
 *
 * Steps: CLIENT ID and SUBSCRIBE on the connection for messages; when both are answered and the other connection is up,
 * CLIENT TRACKING OFF and ON there; when ON is answered, changes are told from now on, and fn(NULL) tells that there
 * may have been some before.
 */
#include "redis_track_io.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHANNEL    "__redis__:invalidate"
#define PREFIX_MAX 128

struct redis_track {
    struct redis *redis;
    struct redis_link *link;
    redis_changed_fn *fn;
    void *ctx;
    size_t prefix_len;                        /* of the prefix of all keys */
    char prefix[REDIS_KINDS_MAX][PREFIX_MAX]; /* with the kind */
    size_t kinds;
    long long client_id;
    bool subscribed;
    unsigned asked; /* CLIENT TRACKING ON without reply on the present connection; only the last one's reply counts */
    bool on;
    bool telling; /* keys, one after the other: redis_track_free leaves the struct to whoever does */
    bool freed;
};

static void on_off(void *ctx, redisReply *reply)
{
    (void)ctx;
    (void)reply;
}

static void on_on(void *ctx, redisReply *reply)
{
    struct redis_track *t = ctx;

    /* NULL is of a connection that redis_track_down has dealt with. */
    if (reply == NULL || --t->asked > 0 || !t->subscribed)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        log_warning("redis_tracking", "error=%s", reply->str);
        redis_link_drop(t->link, "tracking refused");
        return;
    }
    t->on = true;
    t->fn(t->ctx, NULL, 0);
}

/* Off first: Redis takes no second ON for the same prefixes. */
static void tracking_ask(struct redis_track *t)
{
    static const char *const off[] = {"CLIENT", "TRACKING", "OFF"};
    const char *on[6 + 2 * REDIS_KINDS_MAX] = {"CLIENT", "TRACKING", "ON", "REDIRECT", NULL, "BCAST"};
    char id[24];
    size_t count = 6;
    size_t i;

    (void)snprintf(id, sizeof(id), "%lld", t->client_id);
    on[4] = id;
    for (i = 0; i < t->kinds; i++) {
        on[count++] = "PREFIX";
        on[count++] = t->prefix[i];
    }
    if (redis_send(t->redis, on_off, t, 3, off, NULL) == 0 && redis_send(t->redis, on_on, t, count, on, NULL) == 0)
        t->asked++;
    else if (redis_up(t->redis))
        redis_link_drop(t->link,
                        "too many commands wait"); /* and try again; while commands are down redis_track_up will */
}

static bool word_is(const redisReply *reply, const char *word)
{
    return reply->type == REDIS_REPLY_STRING && strcasecmp(reply->str, word) == 0;
}

/* False when fn has freed the tracker. */
static bool change_tell(struct redis_track *t, const char *key, size_t len)
{
    t->telling = true;
    t->fn(t->ctx, key, len);
    t->telling = false;
    if (t->freed) {
        free(t);
        return false;
    }
    return true;
}

static bool key_tell(struct redis_track *t, const redisReply *key)
{
    size_t i;

    for (i = 0; key->type == REDIS_REPLY_STRING && i < t->kinds; i++) {
        size_t len = strlen(t->prefix[i]);

        if (key->len >= len && memcmp(key->str, t->prefix[i], len) == 0)
            return change_tell(t, key->str + t->prefix_len, key->len - t->prefix_len);
    }
    return true;
}

static void message_take(struct redis_track *t, const redisReply *what)
{
    size_t i;

    if (!t->on)
        return; /* fn(NULL) is still to come */
    if (what->type != REDIS_REPLY_ARRAY) {
        t->fn(t->ctx, NULL, 0); /* nil: all is gone, FLUSHALL */
        return;
    }
    for (i = 0; i < what->elements && key_tell(t, what->element[i]); i++) {
    }
}

static void on_reply(void *ctx, redisReply *reply)
{
    struct redis_track *t = ctx;

    if (reply->type == REDIS_REPLY_INTEGER) {
        t->client_id = reply->integer;
    } else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && word_is(reply->element[0], "message")) {
        message_take(t, reply->element[2]);
    } else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && word_is(reply->element[0], "subscribe")) {
        t->subscribed = true;
        tracking_ask(t);
    } else {
        redis_link_drop(t->link, reply->type == REDIS_REPLY_ERROR ? "subscription refused" : "unexpected reply");
    }
}

static void on_up(void *ctx)
{
    static const char *const id[] = {"CLIENT", "ID"};
    static const char *const subscribe[] = {"SUBSCRIBE", CHANNEL};
    struct redis_track *t = ctx;

    redis_link_send(t->link, 2, id, NULL);
    redis_link_send(t->link, 2, subscribe, NULL);
}

static void on_down(void *ctx)
{
    struct redis_track *t = ctx;

    t->subscribed = false;
    t->on = false;
}

static const struct redis_link_hooks hooks = {.up = on_up, .down = on_down, .reply = on_reply};

struct redis_track *redis_track_new(struct event_base *base, struct redis *r, const struct redis_login *login,
                                    const char *prefix, const char *const *kinds, redis_changed_fn *fn, void *ctx)
{
    struct redis_track *t = calloc(1, sizeof(*t));

    if (t == NULL)
        log_oom();
    t->redis = r;
    t->fn = fn;
    t->ctx = ctx;
    t->prefix_len = strlen(prefix);
    for (; kinds[t->kinds] != NULL; t->kinds++) {
        int n = t->kinds < REDIS_KINDS_MAX ? snprintf(t->prefix[t->kinds], PREFIX_MAX, "%s%s:", prefix, kinds[t->kinds])
                                           : PREFIX_MAX;

        if (n < 0 || n >= PREFIX_MAX) {
            log_error("redis_tracking", "error=%s", "too many kinds, or the key prefix is too long");
            free(t);
            return NULL;
        }
    }
    t->link = redis_link_new(base, login, "changes", &hooks, t);
    return t;
}

void redis_track_free(struct redis_track *t)
{
    if (t != NULL) {
        redis_link_free(t->link);
        t->freed = true;
        if (!t->telling)
            free(t);
    }
}

void redis_track_up(struct redis_track *t)
{
    if (t->subscribed)
        tracking_ask(t);
}

/* The other connection goes too: what made the one fail (a hung or restarted server) may have been missed by the other.
 */
void redis_track_down(struct redis_track *t)
{
    t->asked = 0;
    t->on = false;
    if (redis_link_up(t->link))
        redis_link_drop(t->link, "the connection for commands was lost");
}

bool redis_track_on(const struct redis_track *t)
{
    return t != NULL && t->on;
}
