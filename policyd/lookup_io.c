/*
 * lookup_io.c - one `pending` a domain goes through these stages, each one falling to the next:
 *     Redis has fresh facts -> stsd gives facts -> old facts from Redis -> old answer from memory -> temporary error
 * The deadline jumps to the old facts from wherever the look-up is.
 */
#include "lookup_io.h"

#include "counters.h"
#include "decide.h"
#include "dest_io.h"
#include "log.h"
#include "millis.h"
#include "refresh.h"
#include "resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <time.h>

#define REFRESH_AGAIN 10 /* seconds between two background look-ups of one domain */

struct lookup_wait {
    TAILQ_ENTRY(lookup_wait) link;
    lookup_done_fn *fn; /* NULL: cancelled */
    void *ctx;
    bool other_port;
};

struct pending {
    struct lookups *lookups;
    TAILQ_HEAD(wait_list, lookup_wait) waits;
    struct event *deadline;
    struct call_sent *sent; /* the call to stsd that is under way */
    struct dest *old;       /* facts from Redis that are past their time */
    bool in_redis;          /* a GET is under way; its callback may come when the pending is closed */
    bool closed;            /* finished; freed when the GET's callback has come */
    bool dirty;             /* the record changed in Redis meanwhile */
    size_t len;
    char domain[DOMAIN_BUF];
    char why[DECIDE_REASON_MAX / 2]; /* why nothing newer can be had */
};

struct lookups {
    struct event_base *base;
    struct memory *memory;
    struct redis *redis;
    struct call_client *stsd;
    struct cache *pending; /* by domain; a plain map */
    struct decide_options options;
    struct timeval timeout;
    int stsd_timeout_ms;
};

const char *lookup_source_name(enum lookup_source source)
{
    static const char *const names[] = {"redis", "stsd", "stale", "none"};

    return names[source];
}

static int64_t now_seconds(void)
{
    return (int64_t)time(NULL);
}

static void ask_redis(struct pending *p);
static void ask_stsd(struct pending *p);

/* --- the end of a look-up --- */

static void pending_free(struct pending *p)
{
    event_free(p->deadline);
    dest_free(p->old);
    free(p);
}

/* Out of the table, so that the next look-up of this domain starts anew; freed now or with the GET's callback. */
static void pending_close(struct pending *p)
{
    cache_remove(p->lookups->pending, p->domain, p->len);
    p->closed = true;
    event_del(p->deadline);
    if (p->sent != NULL)
        call_cancel(p->sent);
    p->sent = NULL;
    if (!p->in_redis)
        pending_free(p);
}

/* Those who asked for another port get a decision of their own, without DANE. */
static void deliver_other_port(struct pending *p, struct lookup_wait *w, const struct lookup_result *result)
{
    struct decide_options options = p->lookups->options;
    struct lookup_result other = *result;
    struct decision decision;
    struct answer *a;

    options.dane = false;
    decide(&decision, result->dest, result->source == LOOKUP_STALE ? DECIDE_STALE : DECIDE_FRESH, &options,
           now_seconds());
    a = answer_new(&decision, result->dest, &options);
    if (a == NULL)
        log_oom();
    other.answer = a;
    other.decision = &decision;
    w->fn(w->ctx, &other);
    free(a);
}

static void deliver(struct pending *p, const struct lookup_result *result)
{
    struct lookup_wait *w;

    while ((w = TAILQ_FIRST(&p->waits)) != NULL) {
        TAILQ_REMOVE(&p->waits, w, link);
        if (w->fn != NULL && w->other_port)
            deliver_other_port(p, w, result);
        else if (w->fn != NULL)
            w->fn(w->ctx, result);
        free(w);
    }
}

/* The last reason is what the MTA is told: add to it why nothing newer can be had, without what does not belong into a
 * line. */
static void say_why(struct decision *decision, const char *why)
{
    char *reason = decision->reason[decision->reason_count - 1];
    size_t len = strlen(reason);

    snprintf(reason + len, DECIDE_REASON_MAX - len, " (%s)", why);
    for (char *c = reason + len; *c != '\0'; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
}

static struct answer *answer_make(struct pending *p, struct decision *decision, const struct dest *dest,
                                  enum lookup_source source)
{
    struct lookups *l = p->lookups;
    int64_t now = now_seconds();
    struct answer *a;

    decide(decision, dest, source == LOOKUP_STALE ? DECIDE_STALE : DECIDE_FRESH, &l->options, now);
    if (p->why[0] != '\0' && decision->temp)
        say_why(decision, p->why);
    a = answer_new(decision, dest, &l->options);
    if (a == NULL)
        log_oom();
    if (a->refresh_at <= now)
        a->refresh_at = now + REFRESH_AGAIN;
    if (decision->temp)
        count(COUNT_TEMP);
    log_info("policy", "domain=%s level=%s source=%s reason=%s", p->domain,
             decision->temp ? "temp" : tls_level_name(decision->level), lookup_source_name(source),
             decision->reason[decision->reason_count - 1]);
    return a;
}

static void finish_from_memory(struct pending *p, const struct answer *a, enum lookup_source source)
{
    deliver(p, &(struct lookup_result){.answer = a, .source = source});
    pending_close(p);
}

/* stsd has lost a policy that we still know. */
static bool policy_goes_on(struct pending *p, const struct dest *dest, enum lookup_source source)
{
    struct memory *memory = p->lookups->memory;
    int64_t now = now_seconds();
    struct answer *a = memory_get_stale(memory, p->domain, p->len, now);

    if (a == NULL || !answer_outlives(a, dest, now))
        return false;
    log_warning("policy-goes-on", "domain=%s why=%s", p->domain,
                "the new facts say nothing of the enforced policy that is known");
    memory_revive(memory, a, now, RESOLVE_TEMP_TTL);
    finish_from_memory(p, a, source);
    return true;
}

/* dest stays the caller's. */
static void finish_with(struct pending *p, const struct dest *dest, enum lookup_source source)
{
    struct memory *memory = p->lookups->memory;
    const struct answer *held = memory_get(memory, p->domain, p->len, now_seconds());
    struct decision decision;
    struct answer *a;

    if (dest != NULL && held != NULL && held->resolved > dest->resolved) { /* another node knows less than we do */
        finish_from_memory(p, held, source);
        return;
    }
    if (dest != NULL && policy_goes_on(p, dest, source))
        return;
    a = answer_make(p, &decision, dest, source);
    /* Nothing is put into memory during the callbacks, so the answer stays where it is. */
    if (dest != NULL && memory_put(memory, p->domain, p->len, a) != 0)
        log_oom();
    deliver(p, &(struct lookup_result){.answer = a, .decision = &decision, .dest = dest, .source = source});
    if (dest == NULL)
        free(a);
    else if (p->dirty)
        memory_expire(memory, p->domain, p->len);
    pending_close(p);
}

/* --- nothing newer can be had --- */

/* Do these old facts demand TLS? */
static bool old_binds(const struct pending *p)
{
    struct decision decision;

    decide(&decision, p->old, DECIDE_STALE, &p->lookups->options, now_seconds());
    return !decision.temp && decision.level >= LEVEL_ENCRYPT;
}

/*
 * The later of the old facts and the old answer goes on, but one that binds before one that does not. Facts that have
 * changed since, as Redis told, go on only if they bind: the new ones may demand more.
 */
static void finish_old(struct pending *p)
{
    struct memory *memory = p->lookups->memory;
    int64_t now = now_seconds();
    struct answer *a = memory_get_stale(memory, p->domain, p->len, now);
    bool binds = p->old != NULL && old_binds(p);

    if (p->old != NULL && (binds || !p->dirty) &&
        (a == NULL || !a->binds || (binds && p->old->resolved > a->resolved))) {
        count(COUNT_STALE);
        finish_with(p, p->old, LOOKUP_STALE);
    } else if (a != NULL) {
        count(COUNT_STALE);
        memory_revive(memory, a, now, RESOLVE_TEMP_TTL);
        finish_from_memory(p, a, LOOKUP_STALE);
    } else {
        finish_with(p, NULL, LOOKUP_NONE);
    }
}

static void on_last_look(void *ctx, struct dest *dest, bool answered)
{
    struct pending *p = ctx;

    (void)answered;
    p->in_redis = false;
    if (p->closed) {
        dest_free(dest);
        pending_free(p);
        return;
    }
    if (dest != NULL && refresh_holds(dest, now_seconds())) {
        finish_with(p, dest, LOOKUP_REDIS);
        dest_free(dest);
        return;
    }
    if (dest != NULL) {
        dest_free(p->old);
        p->old = dest;
    }
    finish_old(p);
}

/* When Redis has told of a change meanwhile it may have what stsd has not: look there once more. */
static void finish_without(struct pending *p, const char *why)
{
    log_warning("facts-unavailable", "domain=%s why=%s", p->domain, why);
    snprintf(p->why, sizeof(p->why), "%s", why);
    if (p->dirty && !p->in_redis && dest_io_get(p->lookups->redis, p->domain, on_last_look, p) == 0)
        p->in_redis = true;
    else
        finish_old(p);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct pending *p = ctx;

    (void)fd;
    (void)what;
    if (p->in_redis && p->why[0] != '\0')
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
    } else if (p->dirty) { /* it changed while the reply was under way */
        p->dirty = false;
        dest_free(dest);
        ask_redis(p);
    } else if (dest == NULL || !refresh_holds(dest, now_seconds())) {
        p->old = dest;
        ask_stsd(p);
    } else {
        count(COUNT_FROM_REDIS);
        finish_with(p, dest, LOOKUP_REDIS);
        dest_free(dest);
    }
}

static void ask_redis(struct pending *p)
{
    if (dest_io_get(p->lookups->redis, p->domain, on_redis, p) == 0)
        p->in_redis = true;
    else
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
        ask_redis(p);
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
