/*
 * redis_track_io.c - invalidation messages.
 *
 * Steps: CLIENT ID and SUBSCRIBE on the connection for messages; when both are answered and the other connection is up,
 * CLIENT TRACKING OFF and ON there; when ON is answered, changes are told from now on, and fn(NULL) tells that there
 * may have been some before.
 */
#include "redis_track_io.h"
#include "log.h"
#include "redis_replies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL    "__redis__:invalidate"
#define PREFIX_MAX 128
#define WHY_MAX    200

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

static void on_on(void *ctx, redisReply *reply)
{
    struct redis_track *t = ctx;
    char why[WHY_MAX];

    /* NULL is of a connection that redis_track_down has dealt with. */
    if (reply == NULL || --t->asked > 0 || !t->subscribed)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        (void)snprintf(why, sizeof(why), "tracking refused: %s", reply->str);
        redis_link_drop(t->link, why);
        return;
    }
    t->on = true;
    redis_link_works(t->link);
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
    if (redis_send(t->redis, NULL, NULL, 3, off, NULL) == 0 && redis_send(t->redis, on_on, t, count, on, NULL) == 0)
        t->asked++;
    else if (redis_up(t->redis))
        redis_link_drop(t->link,
                        "too many commands wait"); /* and try again; while commands are down redis_track_up will */
}

static bool word_is(const redisReply *reply, const char *word)
{
    return reply->type == REDIS_REPLY_STRING && strcmp(reply->str, word) == 0;
}

/* [WORD, our channel, what] */
static bool said_of_channel(const redisReply *reply, const char *word)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && word_is(reply->element[0], word) &&
           word_is(reply->element[1], CHANNEL);
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

    for (i = 0; i < t->kinds; i++) {
        size_t len = strlen(t->prefix[i]);

        if (key->len >= len && memcmp(key->str, t->prefix[i], len) == 0)
            return change_tell(t, key->str + t->prefix_len, key->len - t->prefix_len);
    }
    return true;
}

/* Keys, or nil: all is gone, FLUSHALL. */
static bool message_fits(const redisReply *what)
{
    size_t i;

    for (i = 0; what->type == REDIS_REPLY_ARRAY && i < what->elements; i++)
        if (what->element[i]->type != REDIS_REPLY_STRING)
            return false;
    return what->type == REDIS_REPLY_ARRAY || what->type == REDIS_REPLY_NIL;
}

static void message_take(struct redis_track *t, const redisReply *what)
{
    size_t i;

    if (!t->on)
        return; /* fn(NULL) is still to come */
    if (what->type == REDIS_REPLY_NIL) {
        t->fn(t->ctx, NULL, 0);
        return;
    }
    for (i = 0; i < what->elements && key_tell(t, what->element[i]); i++) {
    }
}

static void reply_refuse(struct redis_track *t, const redisReply *reply)
{
    const char *what = t->subscribed ? "message" : (t->client_id != 0 ? "reply to SUBSCRIBE" : "reply to CLIENT ID");
    char why[WHY_MAX];

    (void)snprintf(why, sizeof(why), "unexpected %s: %s", what,
                   reply->type == REDIS_REPLY_ERROR ? reply->str : redis_reply_type_name(reply->type));
    redis_link_drop(t->link, why);
}

/* The replies to CLIENT ID and SUBSCRIBE, then messages. */
static void on_reply(void *ctx, redisReply *reply)
{
    struct redis_track *t = ctx;

    if (t->client_id == 0 && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0) {
        t->client_id = reply->integer;
    } else if (t->client_id != 0 && !t->subscribed && said_of_channel(reply, "subscribe")) {
        t->subscribed = true;
        tracking_ask(t);
    } else if (t->subscribed && said_of_channel(reply, "message") && message_fits(reply->element[2])) {
        message_take(t, reply->element[2]);
    } else {
        reply_refuse(t, reply);
    }
}

static void on_up(void *ctx)
{
    static const char *const id[] = {"CLIENT", "ID"};
    static const char *const subscribe[] = {"SUBSCRIBE", CHANNEL};
    struct redis_track *t = ctx;

    (void)redis_link_send(t->link, 2, id, NULL);
    (void)redis_link_send(t->link, 2, subscribe, NULL);
}

static void on_down(void *ctx)
{
    struct redis_track *t = ctx;

    t->client_id = 0;
    t->subscribed = false;
    t->on = false;
}

static const struct redis_link_hooks hooks = {.up = on_up, .down = on_down, .reply = on_reply};

struct redis_track *redis_track_new(struct event_base *base, struct redis *r, const struct redis_login *login,
                                    const char *prefix, const char *const *kinds, redis_changed_fn *fn, void *ctx)
{
    struct redis_track *t = must_have(calloc(1, sizeof(*t)));

    t->redis = r;
    t->fn = fn;
    t->ctx = ctx;
    t->prefix_len = strlen(prefix);
    for (; kinds[t->kinds] != NULL; t->kinds++) {
        int n = t->kinds < REDIS_KINDS_MAX ? snprintf(t->prefix[t->kinds], PREFIX_MAX, "%s%s:", prefix, kinds[t->kinds])
                                           : PREFIX_MAX;

        if (n < 0 || n >= PREFIX_MAX) {
            log_error("redis-tracking", "error=%s", "too many kinds, or the key prefix is too long");
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
