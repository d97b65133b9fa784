/* tlsrpt_tell_io.c - see tlsrpt_tell_io.h. */
#include "tlsrpt_tell_io.h"

#include "call_client.h"
#include "clock.h"
#include "log.h"
#include "millis.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define WINDOW     64    /* events without an answer at one time; one while the collector is away */
#define ANSWER_MS  10000 /* longest wait for an answer */
#define AGAIN_MS   500   /* to the first new attempt; each wait is twice the last, up to */
#define AGAIN_MOST 15000
#define LOG_EVERY  60 /* seconds */
#define TRIES      5  /* as often the collector may put an event off while it takes others */

struct told {
    TAILQ_ENTRY(told) next;
    struct tlsrpt_tell *tell;
    struct call_sent *sent; /* NULL: it waits for its turn */
    unsigned tries;         /* put off, each time since another event was taken, */
    uint64_t taken_then;    /* and how many had been taken at the last of them */
    size_t len;
    char json[];
};

struct tlsrpt_tell {
    struct call_client *client;
    TAILQ_HEAD(told_list, told) all;
    size_t octets, sent;
    uint64_t taken; /* by the collector */
    bool away;
    int64_t again_ms;
    struct event *again;
    struct tlsrpt_tell_stats stats;
    uint64_t lost_logged;
    int64_t log_next;

    struct event *drained;
    void (*drained_fn)(void *ctx);
    void *drained_ctx;
};

static void lose(struct tlsrpt_tell *t, const char *why)
{
    t->stats.lost++;
    if (now_ms() / 1000 < t->log_next)
        return;
    log_warning("events-lost", "count=%" PRIu64 " waiting=%" PRIu64 " why=%s", t->stats.lost - t->lost_logged,
                t->stats.waiting, why);
    t->lost_logged = t->stats.lost;
    t->log_next = now_ms() / 1000 + LOG_EVERY;
}

static void told_drop(struct told *e)
{
    struct tlsrpt_tell *t = e->tell;

    if (e->sent != NULL)
        call_cancel(e->sent);
    TAILQ_REMOVE(&t->all, e, next);
    t->octets -= sizeof(*e) + e->len;
    t->stats.waiting--;
    free(e);
    if (t->stats.waiting == 0 && t->drained != NULL)
        event_active(t->drained, EV_TIMEOUT, 0);
}

/* --- sending --- */

static void on_reply(void *ctx, enum call_status status, const char *text, size_t len, int reached);

static void send_one(struct told *e)
{
    struct tlsrpt_tell *t = e->tell;

    e->sent = call_send(t->client, "event", e->json, e->len, ANSWER_MS, on_reply, e);
    if (e->sent != NULL) {
        t->sent++;
        return;
    }
    lose(t, "it is too long");
    told_drop(e);
}

/* Those that have been sent stand in front, but for a few. */
static void send_more(struct tlsrpt_tell *t)
{
    size_t window = t->away ? 1 : WINDOW;
    struct told *e = TAILQ_FIRST(&t->all), *after;

    if (evtimer_pending(t->again, NULL))
        return;
    for (; e != NULL && t->sent < window; e = after) {
        after = TAILQ_NEXT(e, next);
        if (e->sent == NULL)
            send_one(e);
    }
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    send_more(ctx);
}

static void go_away(struct tlsrpt_tell *t, const char *why)
{
    if (evtimer_pending(t->again, NULL))
        return;
    if (!t->away)
        log_warning("collector-away", "why=%s", why);
    t->again_ms = t->away ? t->again_ms * 2 : AGAIN_MS;
    if (t->again_ms > AGAIN_MOST)
        t->again_ms = AGAIN_MOST;
    t->away = true;
    timer_start(t->again, t->again_ms);
}

static void come_back(struct tlsrpt_tell *t)
{
    if (t->away)
        log_info("collector-back", "waiting=%" PRIu64, t->stats.waiting);
    t->away = false;
}

/* The collector is there, but does not take this one now: others come first. If it does take them, the fault lies in
 * the event. Returns whether it is still wanted. */
static bool put_off(struct told *e)
{
    struct tlsrpt_tell *t = e->tell;

    TAILQ_REMOVE(&t->all, e, next);
    TAILQ_INSERT_TAIL(&t->all, e, next);
    if (t->taken == e->taken_then)
        return true;
    e->taken_then = t->taken;
    return ++e->tries < TRIES;
}

static void on_reply(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    struct told *e = ctx;
    struct tlsrpt_tell *t = e->tell;

    (void)len;
    e->sent = NULL;
    t->sent--;
    if (status == CALL_TEMP && (!reached || put_off(e))) {
        go_away(t, text);
        return;
    }
    if (status == CALL_OK)
        t->taken++;
    else
        lose(t, text);
    told_drop(e);
    come_back(t);
    send_more(t);
}

void tlsrpt_tell(struct tlsrpt_tell *t, const char *json, size_t len)
{
    struct told *e;

    if (t == NULL)
        return;
    t->stats.events++;
    if (t->stats.waiting >= TLSRPT_TELL_EVENTS || t->octets + sizeof(*e) + len > TLSRPT_TELL_OCTETS) {
        lose(t, "the collector is away or too slow, and no more can wait");
        return;
    }
    e = must_have(malloc(sizeof(*e) + len));
    e->tell = t;
    e->sent = NULL;
    e->tries = 0;
    e->taken_then = t->taken;
    e->len = len;
    memcpy(e->json, json, len);
    TAILQ_INSERT_TAIL(&t->all, e, next);
    t->octets += sizeof(*e) + len;
    t->stats.waiting++;
    send_more(t);
}

struct tlsrpt_tell_stats tlsrpt_tell_stats(const struct tlsrpt_tell *t)
{
    return t != NULL ? t->stats : (struct tlsrpt_tell_stats){0, 0, 0};
}

/* --- beginning and end --- */

static void on_drained(evutil_socket_t fd, short what, void *ctx)
{
    struct tlsrpt_tell *t = ctx;

    (void)fd;
    (void)what;
    event_free(t->drained);
    t->drained = NULL;
    t->drained_fn(t->drained_ctx);
}

bool tlsrpt_tell_drain(struct tlsrpt_tell *t, int64_t ms, void (*fn)(void *ctx), void *ctx)
{
    if (t == NULL || t->stats.waiting == 0)
        return true;
    t->drained_fn = fn;
    t->drained_ctx = ctx;
    if (t->drained == NULL)
        t->drained = must_have(evtimer_new(event_get_base(t->again), on_drained, t));
    timer_start(t->drained, ms);
    return false;
}

struct tlsrpt_tell *tlsrpt_tell_new(struct event_base *base, const char *address, struct err *e)
{
    struct tlsrpt_tell *t = must_have(calloc(1, sizeof(*t)));

    TAILQ_INIT(&t->all);
    t->client = call_client_new(base, address, e);
    if (t->client == NULL) {
        free(t);
        return NULL;
    }
    t->again = must_have(evtimer_new(base, on_again, t));
    return t;
}

void tlsrpt_tell_free(struct tlsrpt_tell *t)
{
    if (t == NULL)
        return;
    if (t->drained != NULL)
        event_free(t->drained);
    t->drained = NULL;
    t->stats.lost += t->stats.waiting;
    if (t->stats.lost > t->lost_logged)
        log_warning("events-lost", "count=%" PRIu64 " why=%s", t->stats.lost - t->lost_logged, "the program ends");
    for (struct told *e = TAILQ_FIRST(&t->all), *after; e != NULL; e = after) {
        after = TAILQ_NEXT(e, next);
        told_drop(e);
    }
    event_free(t->again);
    call_client_free(t->client);
    free(t);
}
