/*
 * lookup_io.c - one `pending` a domain goes through these stages, each one falling to the next:
 *     Redis has fresh facts -> stsd gives facts -> old facts from Redis -> old answer from memory -> temporary error
 * The deadline jumps to the old facts from wherever the look-up is.
 */
#include "lookup_internal.h"

#include "counters.h"
#include "dest_io.h"
#include "log.h"
#include "millis.h"
#include "refresh.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <time.h>

const char *lookup_source_name(enum lookup_source source)
{
    static const char *const names[] = {"redis", "stsd", "stale", "none"};

    return names[source];
}

static void look_up(struct pending *p);
static void ask_stsd(struct pending *p);

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct pending *p = ctx;

    (void)fd;
    (void)what;
    if (p->last_look)
        return; /* the last look at Redis is under way, with a deadline of its own */
    if (p->sent != NULL)
        call_cancel(p->sent);
    p->sent = NULL;
    finish_without(p, "no answer in time");
}

/* --- stsd --- */

static void on_stsd(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    struct pending *p = ctx;
    struct dest *dest = NULL;
    struct err e = {""};

    (void)reached;
    p->sent = NULL;
    if (status == CALL_OK)
        dest = dest_from_json(text, len, &e);
    if (dest != NULL && strcmp(dest->domain, p->domain) != 0) {
        err_set(&e, "stsd answered for another domain");
        dest_free(dest);
        dest = NULL;
    }
    if (dest != NULL) {
        count(COUNT_FROM_STSD);
        finish_with(p, dest, LOOKUP_STSD);
        dest_free(dest);
    } else {
        finish_without(p, status == CALL_OK ? e.text : text);
    }
}

static void ask_stsd(struct pending *p)
{
    struct lookups *l = p->lookups;

    p->sent = call_send(l->stsd, "resolve", p->domain, p->len, l->stsd_timeout_ms, on_stsd, p);
    if (p->sent == NULL) /* the deadline, at once: callers are not called back from within their call */
        event_active(p->deadline, EV_TIMEOUT, 0);
}

/* --- Redis --- */

static void on_redis(void *ctx, struct dest *dest, bool answered)
{
    struct pending *p = ctx;

    (void)answered;
    p->in_redis = false;
    if (p->closed) {
        dest_free(dest);
        pending_free(p);
    } else if (p->dirty && !p->last_look) { /* it changed while the reply was under way */
        p->dirty = false;
        dest_free(dest);
        look_up(p);
    } else if (dest != NULL && refresh_holds(dest, now_seconds())) {
        count(COUNT_FROM_REDIS);
        finish_with(p, dest, LOOKUP_REDIS);
        dest_free(dest);
    } else {
        if (dest != NULL) {
            dest_free(p->old);
            p->old = dest;
        }
        if (p->last_look)
            finish_old(p);
        else
            ask_stsd(p);
    }
}

int pending_ask_redis(struct pending *p)
{
    if (dest_io_get(p->lookups->redis, p->domain, on_redis, p) != 0)
        return -1;
    p->in_redis = true;
    return 0;
}

static void look_up(struct pending *p)
{
    if (pending_ask_redis(p) != 0)
        ask_stsd(p);
}

/* --- the beginning --- */

/* A new entry of the table, or NULL when it is full. */
static struct pending *pending_new(struct lookups *l, const char *domain, size_t len)
{
    struct pending *p;

    if (cache_count(l->pending) >= LOOKUPS_MAX)
        return NULL;
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        log_oom();
    p->lookups = l;
    p->len = len;
    memcpy(p->domain, domain, len + 1);
    TAILQ_INIT(&p->waits);
    p->deadline = evtimer_new(l->base, on_deadline, p);
    if (p->deadline == NULL || cache_put(l->pending, domain, len, p) != 0)
        log_oom();
    evtimer_add(p->deadline, &l->timeout);
    return p;
}

struct lookup_wait *lookup_start(struct lookups *l, const char *domain, uint16_t port, lookup_done_fn *fn, void *ctx)
{
    size_t len = strlen(domain);
    struct pending *p = cache_peek(l->pending, domain, len);
    struct lookup_wait *w;

    if (p == NULL) {
        p = pending_new(l, domain, len);
        if (p == NULL)
            return NULL;
        look_up(p);
    }
    w = calloc(1, sizeof(*w));
    if (w == NULL)
        log_oom();
    *w = (struct lookup_wait){.fn = fn, .ctx = ctx, .other_port = port != 0 && port != 25};
    TAILQ_INSERT_TAIL(&p->waits, w, link);
    return w;
}

/* It stays in the list until the look-up ends: the list may be being walked. */
void lookup_cancel(struct lookup_wait *w)
{
    w->fn = NULL;
}

void lookup_refresh(struct lookups *l, const char *domain)
{
    size_t len = strlen(domain);
    struct pending *p;

    if (cache_peek(l->pending, domain, len) != NULL)
        return;
    p = pending_new(l, domain, len);
    if (p == NULL)
        return;
    count(COUNT_REFRESHES);
    ask_stsd(p);
}

void lookup_changed(struct lookups *l, const char *domain, size_t len)
{
    const void *cursor = NULL;
    const char *key;
    struct pending *p;

    count(COUNT_CHANGES);
    if (domain != NULL) {
        memory_expire(l->memory, domain, len);
        p = cache_peek(l->pending, domain, len);
        if (p != NULL)
            p->dirty = true;
        return;
    }
    memory_expire_all(l->memory);
    while ((p = cache_next(l->pending, &cursor, &key)) != NULL)
        p->dirty = true;
}

void lookups_configure(struct lookups *l, const struct conf_policyd *conf)
{
    l->options = (struct decide_options){
        .dane = conf->dane, .sts = conf->sts, .sts_unknown_hold = conf->sts_unknown_hold, .stale_max = conf->stale_max};
    l->timeout = millis(conf->lookup_timeout_ms);
    l->stsd_timeout_ms = (int)conf->lookup_timeout_ms;
}

struct lookups *lookups_new(struct event_base *base, struct memory *memory, struct redis *redis,
                            struct call_client *stsd, const struct conf_policyd *conf)
{
    struct lookups *l = calloc(1, sizeof(*l));
    uint8_t secret[16];

    if (l == NULL)
        log_oom();
    if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
        log_oom();
    l->base = base;
    l->memory = memory;
    l->redis = redis;
    l->stsd = stsd;
    l->pending = cache_new(0, NULL, secret);
    if (l->pending == NULL)
        log_oom();
    lookups_configure(l, conf);
    return l;
}

/* Redis and stsd have been closed before, so that no callback of theirs is left. */
void lookups_free(struct lookups *l)
{
    const void *cursor = NULL;
    const char *key;
    struct pending *p;

    if (l == NULL)
        return;
    while ((p = cache_next(l->pending, &cursor, &key)) != NULL) {
        struct lookup_wait *w;

        while ((w = TAILQ_FIRST(&p->waits)) != NULL) {
            TAILQ_REMOVE(&p->waits, w, link);
            free(w);
        }
        pending_free(p);
    }
    cache_free(l->pending);
    free(l);
}

size_t lookups_count(const struct lookups *l)
{
    return cache_count(l->pending);
}
