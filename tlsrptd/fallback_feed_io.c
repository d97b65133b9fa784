/* fallback_feed_io.c - see fallback_feed_io.h. */
#include "fallback_feed_io.h"

#include "cache.h"
#include "clock.h"
#include "domain.h"
#include "fallback_io.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"
#include "siphash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define KINDS      4   /* of enum fallback_event */
#define GATHER_MS  100 /* what went well is told together */
#define AGAIN_MS   1000
#define FLIGHT_MAX 200
#define QUIET_MAX  50000 /* hosts that are known to be well */
#define LOG_EVERY  60    /* seconds */

/* Of one next hop and host: what is to be told. */
struct news {
    TAILQ_ENTRY(news) next;
    struct fallback_feed *feed;
    int64_t at[KINDS];         /* 0: nothing */
    enum fallback_event event; /* that is under way, */
    int64_t event_at;
    size_t key_len;
    char *host;                   /* within the key, */
    char key[2 * DOMAIN_BUF + 4]; /* which is "NEXTHOP\0HOST" */
};

struct fallback_feed {
    struct redis *redis;
    struct cache *waiting;            /* news by key; they belong to the list */
    TAILQ_HEAD(news_list, news) list; /* those under way are not in it */
    struct cache *quiet;              /* until when, by key */
    struct event *timer;
    size_t flight;
    struct fallback_feed_stats stats;
    uint64_t lost_logged;
    int64_t log_next;
    struct failing *failing; /* NULL: nobody wants to know */
    bool freed;              /* it ends with the last that is under way */
};

static bool is_failure(enum fallback_event event)
{
    return event == FALLBACK_HANDSHAKE_FAILED || event == FALLBACK_LATER_FAILED;
}

static void lose(struct fallback_feed *f, const char *why)
{
    f->stats.lost++;
    if (now_ms() / 1000 < f->log_next)
        return;
    log_warning("fallback-news-lost", "count=%" PRIu64 " waiting=%" PRIu64 " why=%s", f->stats.lost - f->lost_logged,
                f->stats.waiting, why);
    f->lost_logged = f->stats.lost;
    f->log_next = now_ms() / 1000 + LOG_EVERY;
}

/* --- hosts that are known to be well --- */

static bool is_quiet(struct fallback_feed *f, const char *key, size_t len)
{
    const int64_t *until = cache_get(f->quiet, key, len);

    return until != NULL && now_ms() < *until;
}

static void make_quiet(struct fallback_feed *f, const struct news *n)
{
    int64_t *until = must_have(malloc(sizeof(*until)));

    *until = now_ms() + (int64_t)FALLBACK_FEED_QUIET * 1000;
    if (cache_put(f->quiet, n->key, n->key_len, until) != 0)
        log_oom();
}

/* --- telling --- */

static void news_free(struct news *n)
{
    struct fallback_feed *f = n->feed;

    (void)cache_remove(f->waiting, n->key, n->key_len);
    f->stats.waiting--;
    free(n);
}

/* The oldest outcome, as they came. Returns false when there is none. */
static bool news_take(struct news *n)
{
    bool found = false;

    for (size_t i = 0; i < KINDS; i++)
        if (n->at[i] != 0 && (!found || n->at[i] < n->event_at)) {
            n->event = (enum fallback_event)i;
            n->event_at = n->at[i];
            found = true;
        }
    if (found)
        n->at[n->event] = 0;
    return found;
}

static void feed_end(struct fallback_feed *f)
{
    for (struct news *n = TAILQ_FIRST(&f->list), *next; n != NULL; n = next) {
        next = TAILQ_NEXT(n, next);
        news_free(n);
    }
    cache_free(f->waiting);
    cache_free(f->quiet);
    free(f);
}

static void send_next(struct fallback_feed *f);

/* It comes later, unless something newer of its kind is there. */
static void put_back(struct news *n)
{
    if (n->at[n->event] < n->event_at)
        n->at[n->event] = n->event_at;
}

static void on_told(void *ctx, const char *why)
{
    struct news *n = ctx;
    struct fallback_feed *f = n->feed;
    bool failed = n->at[FALLBACK_HANDSHAKE_FAILED] != 0 || n->at[FALLBACK_LATER_FAILED] != 0;

    f->flight--;
    TAILQ_INSERT_TAIL(&f->list, n, next);
    if (f->freed) {
        if (f->flight == 0)
            feed_end(f);
        return;
    }
    if (why == NULL) {
        f->stats.told++;
        if (n->event == FALLBACK_TLS_DONE && !failed)
            make_quiet(f, n);
        send_next(f);
    } else if (redis_up(f->redis)) {
        lose(f, why);
        send_next(f);
    } else {
        put_back(n);
        timer_start(f->timer, AGAIN_MS);
    }
}

static bool send_one(struct fallback_feed *f, struct news *n)
{
    int rc = is_failure(n->event) ? fallback_report(f->redis, n->key, n->host, n->event, n->event_at, on_told, n)
                                  : fallback_report_known(f->redis, n->key, n->host, n->event, n->event_at, on_told, n);

    if (rc != 0)
        return false;
    f->flight++;
    TAILQ_REMOVE(&f->list, n, next);
    return true;
}

static void send_next(struct fallback_feed *f)
{
    struct news *n = TAILQ_FIRST(&f->list), *next;

    for (; f->flight < FLIGHT_MAX && n != NULL; n = next) {
        next = TAILQ_NEXT(n, next);
        if (!news_take(n)) {
            TAILQ_REMOVE(&f->list, n, next);
            news_free(n);
        } else if (!send_one(f, n)) {
            put_back(n);
            timer_start(f->timer, AGAIN_MS);
            return;
        }
    }
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    send_next(ctx);
}

/* --- what comes in --- */

/* One that holds nothing but good news. */
static struct news *news_dispensable(struct fallback_feed *f)
{
    for (struct news *n = TAILQ_FIRST(&f->list); n != NULL; n = TAILQ_NEXT(n, next))
        if (n->at[FALLBACK_HANDSHAKE_FAILED] == 0 && n->at[FALLBACK_LATER_FAILED] == 0)
            return n;
    return NULL;
}

static bool room_make(struct fallback_feed *f, enum fallback_event event)
{
    struct news *old;

    if (f->stats.waiting < FALLBACK_FEED_MAX)
        return true;
    lose(f, "Redis is away or too slow, and no more can wait");
    old = is_failure(event) ? news_dispensable(f) : NULL;
    if (old == NULL)
        return false;
    TAILQ_REMOVE(&f->list, old, next);
    news_free(old);
    return true;
}

static struct news *news_of(struct fallback_feed *f, const char *key, size_t len, enum fallback_event event)
{
    struct news *n = cache_get(f->waiting, key, len);

    if (n != NULL || !room_make(f, event))
        return n;
    n = must_have(calloc(1, sizeof(*n)));
    n->feed = f;
    n->key_len = len;
    memcpy(n->key, key, len);
    n->host = n->key + strlen(n->key) + 1;
    if (cache_put(f->waiting, key, len, n) != 0)
        log_oom();
    TAILQ_INSERT_TAIL(&f->list, n, next);
    f->stats.waiting++;
    return n;
}

void fallback_feed_add(struct fallback_feed *f, const char *nexthop, const char *host, enum fallback_event event,
                       int64_t at)
{
    char key[2 * DOMAIN_BUF + 4];
    int len = snprintf(key, sizeof(key), "%s%c%s", nexthop, '\0', host);
    struct news *n;

    if (len < 0 || (size_t)len >= sizeof(key) || host[0] == '\0' || strlen(host) > DOMAIN_MAX || at <= 0)
        return;
    if (f->failing != NULL)
        failing_fallback(f->failing, nexthop, host, event, at);
    if (is_failure(event))
        (void)cache_remove(f->quiet, key, (size_t)len);
    else if (event == FALLBACK_TLS_DONE && is_quiet(f, key, (size_t)len))
        return;
    n = news_of(f, key, (size_t)len, event);
    if (n == NULL)
        return;
    if (n->at[event] < at)
        n->at[event] = at;
    if (is_failure(event) && redis_up(f->redis))
        timer_start(f->timer, 0);
    else if (!evtimer_pending(f->timer, NULL))
        timer_start(f->timer, GATHER_MS);
}

struct fallback_feed_stats fallback_feed_stats(const struct fallback_feed *f)
{
    return f->stats;
}

void fallback_feed_watch(struct fallback_feed *f, struct failing *failing)
{
    f->failing = failing;
}

struct fallback_feed *fallback_feed_new(struct event_base *base, struct redis *redis)
{
    struct fallback_feed *f = must_have(calloc(1, sizeof(*f)));
    uint8_t secret[SIPHASH_KEY];

    random_octets(secret, sizeof(secret));
    TAILQ_INIT(&f->list);
    f->redis = redis;
    f->waiting = must_have(cache_new(0, NULL, secret));
    f->quiet = must_have(cache_new(QUIET_MAX, free, secret));
    f->timer = must_have(evtimer_new(base, on_timer, f));
    return f;
}

void fallback_feed_free(struct fallback_feed *f)
{
    if (f == NULL)
        return;
    event_free(f->timer);
    f->timer = NULL;
    f->freed = true;
    if (f->flight == 0)
        feed_end(f);
}
