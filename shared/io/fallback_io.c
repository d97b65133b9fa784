/*
 * fallback_io.c - a state is changed by compare-and-set: a script writes the new one if what is there is what the new
 * one was made of, else it says what is there, and the event is noted on that. The first attempt assumes that nothing
 * is there, so a first event takes one turn.
 */
#include "fallback_io.h"
#include "domain.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX  (FALLBACK_JSON_MAX + 1) /* octets of a state that are looked at; one more than may be */
#define KEY_BUF   512
#define TRIES_MAX 1000 /* each time another writer came between */

#define NUMBER_(n) #n
#define NUMBER(n)  NUMBER_(n)

/*
 * KEYS: the hash. ARGV: host, the state that was assumed ("": none), the new one, seconds to keep, octets to look at,
 * and "1" when it is to be written only where something is known of the next hop. Replies "OK", or the state that is
 * there.
 */
static const char script[] = //
    "local seen = string.sub(redis.call('HGET', KEYS[1], ARGV[1]) or '', 1, tonumber(ARGV[5])) "
    "if seen ~= ARGV[2] then return seen end "
    "if ARGV[6] == '1' and redis.call('HLEN', KEYS[1]) == 0 then return redis.status_reply('OK') end "
    "local most = " NUMBER(
        FALLBACK_KEPT_MAX) " " //
                           "if seen == '' and redis.call('HLEN', KEYS[1]) >= most then redis.call('DEL', KEYS[1]) end "
                           "redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) "
                           "redis.call('EXPIRE', KEYS[1], ARGV[4]) "
                           "return redis.status_reply('OK')";

/* Of the command. */
enum { WORD_SEEN = 5, WORD_NEW = 6, WORDS = 10 };

struct report {
    struct redis *redis;
    enum fallback_event event;
    int64_t at;
    bool only_known;
    fallback_reported_fn *done;
    void *ctx;
    unsigned tries;
    size_t seen_len; /* foreign octets, which may have NUL in them */
    char seen[SEEN_MAX];
    char host[DOMAIN_BUF];
    char key[KEY_BUF];
};

static void report_end(struct report *r, const char *why)
{
    fallback_reported_fn *done = r->done;
    void *ctx = r->ctx;

    free(r);
    done(ctx, why);
}

/* What is there with the event noted on it. */
static void state_make(struct buf *out, const struct report *r)
{
    struct fallback_state state = {0};
    struct err e = {""};

    if (r->seen_len > 0 && fallback_from_json(&state, r->seen, r->seen_len, &e) != 0)
        log_warning("fallback-unreadable", "key=%s host=%s error=%s action=%s", r->key, r->host, e.text, "replace");
    fallback_note(&state, r->event, r->at);
    fallback_to_json(out, &state);
    if (!buf_ok(out))
        log_oom();
}

static redis_reply_fn on_reply;

static int report_send(struct report *r)
{
    char seconds[24], octets[24];
    const char *word[WORDS] = {"EVAL",  script, "1",     r->key, r->host,
                               r->seen, "",     seconds, octets, r->only_known ? "1" : ""};
    size_t length[WORDS];
    struct buf state;
    int rc;

    buf_init(&state, FALLBACK_JSON_MAX);
    state_make(&state, r);
    word[WORD_NEW] = buf_text(&state);
    (void)snprintf(seconds, sizeof(seconds), "%d", FALLBACK_STATE_TTL);
    (void)snprintf(octets, sizeof(octets), "%d", SEEN_MAX);
    for (size_t i = 0; i < WORDS; i++)
        length[i] = i == WORD_SEEN ? r->seen_len : strlen(word[i]);
    rc = redis_send(r->redis, on_reply, r, WORDS, word, length);
    buf_clear(&state);
    return rc;
}

/* Another state is there than was thought. */
static void report_again(struct report *r, const redisReply *reply)
{
    r->seen_len = reply->len < SEEN_MAX ? reply->len : SEEN_MAX;
    memcpy(r->seen, reply->str, r->seen_len);
    if (++r->tries == TRIES_MAX)
        report_end(r, "others write the same state all the time");
    else if (report_send(r) != 0)
        report_end(r, "Redis is away");
}

static void on_reply(void *ctx, redisReply *reply)
{
    struct report *r = ctx;

    if (reply == NULL)
        report_end(r, "Redis went away, or gave no reply in time");
    else if (reply->type == REDIS_REPLY_STRING)
        report_again(r, reply);
    else
        report_end(r, reply->type == REDIS_REPLY_STATUS  ? NULL
                      : reply->type == REDIS_REPLY_ERROR ? reply->str
                                                         : "a reply that cannot be");
}

static int report_begin(struct redis *redis, const char *nexthop, const struct report *what, const char *host)
{
    struct report *r = must_have(malloc(sizeof(*r)));

    *r = *what;
    r->redis = redis;
    if (snprintf(r->host, sizeof(r->host), "%s", host) < (int)sizeof(r->host) &&
        redis_key(redis, r->key, sizeof(r->key), "fallback", nexthop) > 0 && report_send(r) == 0)
        return 0;
    free(r);
    return -1;
}

int fallback_report(struct redis *redis, const char *nexthop, const char *host, enum fallback_event event, int64_t at,
                    fallback_reported_fn *done, void *ctx)
{
    return report_begin(redis, nexthop, &(struct report){.event = event, .at = at, .done = done, .ctx = ctx}, host);
}

int fallback_report_known(struct redis *redis, const char *nexthop, const char *host, enum fallback_event event,
                          int64_t at, fallback_reported_fn *done, void *ctx)
{
    const struct report what = {.event = event, .at = at, .only_known = true, .done = done, .ctx = ctx};

    return report_begin(redis, nexthop, &what, host);
}
