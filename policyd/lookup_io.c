/*
 * lookup_io.c - one `pending` a next hop. It waits until the operator's lists are there, reads what became of TLS where
 * a fallback mode asks for it, and then goes through these stages, each one falling to the next:
 *     Redis has fresh facts -> stsd gives facts -> old facts from Redis -> old answer from memory -> temporary error
 * The deadline jumps to the old facts from wherever the look-up is. A next hop in brackets has no facts.
 */
#include "lookup_internal.h"

#include "counters.h"
#include "dest_io.h"
#include "fallback_read_io.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"
#include "refresh.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

const char *lookup_source_name(enum lookup_source source)
{
    static const char *const names[] = {"redis", "stsd", "stale", "none"};

    return names[source];
}

static void look_up(struct pending *p);

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
    if (dest != NULL && strcmp(dest->domain, p->hop.name) != 0) {
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

    p->sent = call_send(l->parts.stsd, "resolve", p->hop.name, strlen(p->hop.name), l->stsd_timeout_ms, on_stsd, p);
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
    if (dest_io_get(p->lookups->parts.redis, p->hop.name, on_redis, p) != 0)
        return -1;
    p->in_redis = true;
    return 0;
}

/* --- the lists, and what became of TLS --- */

static void find_facts(struct pending *p)
{
    if (p->hop.kind != NEXTHOP_DOMAIN)
        finish_fixed(p);
    else if (p->refresh || pending_ask_redis(p) != 0)
        ask_stsd(p);
}

static void on_states(void *ctx, struct fallback_hosts *states)
{
    struct pending *p = ctx;

    p->in_redis = false;
    free(p->states);
    p->states = states;
    if (p->closed)
        pending_free(p);
    else
        find_facts(p);
}

/* Is there a mode that asks for it? Most have none, and nothing is read then. */
static bool wants_states(const struct pending *p)
{
    const struct lists *lists = operator_lists_get(p->lookups->parts.lists);

    return p->lookups->rules.fallback.mode != FALLBACK_HOLD ||
           (lists != NULL && list_count(lists->list[LIST_FALLBACK]) != 0);
}

/* A next hop without facts may end here at once. */
static void look_up(struct pending *p)
{
    p->for_lists = operator_lists_awaited(p->lookups->parts.lists);
    if (p->for_lists)
        return;
    if (wants_states(p) && fallback_read(p->lookups->parts.redis, p->name, on_states, p) == 0)
        p->in_redis = true;
    else
        find_facts(p);
}

static void on_begin(evutil_socket_t fd, short what, void *ctx)
{
    struct pending *p = ctx;

    (void)fd;
    (void)what;
    p->dirty = false;
    look_up(p);
}

/* --- the beginning --- */

/* A new entry of the table, or NULL when it is full. */
static struct pending *pending_new(struct lookups *l, const struct nexthop *hop, const char *name, size_t len)
{
    struct pending *p;

    if (cache_count(l->pending) >= LOOKUPS_MAX)
        return NULL;
    p = must_have(calloc(1, sizeof(*p)));
    p->lookups = l;
    p->hop = *hop;
    p->hop.port = 0;
    p->begun_ms = now_ms();
    p->len = len;
    memcpy(p->name, name, len + 1);
    TAILQ_INIT(&p->waits);
    p->deadline = must_have(evtimer_new(l->base, on_deadline, p));
    p->begin = must_have(evtimer_new(l->base, on_begin, p));
    if (cache_put(l->pending, name, len, p) != 0)
        log_oom();
    evtimer_add(p->deadline, &l->timeout);
    return p;
}

/* The one that is under way, or a new one; NULL at LOOKUPS_MAX. */
static struct pending *pending_for(struct lookups *l, const struct nexthop *hop)
{
    struct pending *p;
    char name[NEXTHOP_BUF];
    size_t len;

    nexthop_text(name, hop);
    len = strlen(name);
    p = cache_peek(l->pending, name, len);
    if (p != NULL)
        return p;
    p = pending_new(l, hop, name, len);
    if (p != NULL && hop->kind == NEXTHOP_DOMAIN)
        look_up(p);
    else if (p != NULL)
        event_active(p->begin, EV_TIMEOUT, 0);
    return p;
}

struct lookup_wait *lookup_start(struct lookups *l, const struct nexthop *hop, lookup_done_fn *fn, void *ctx)
{
    struct pending *p = pending_for(l, hop);
    struct lookup_wait *w;

    if (p == NULL)
        return NULL;
    w = must_have(calloc(1, sizeof(*w)));
    *w = (struct lookup_wait){.fn = fn, .ctx = ctx, .began = now_us(), .port = hop->port};
    TAILQ_INSERT_TAIL(&p->waits, w, link);
    return w;
}

void lookup_prepare(struct lookups *l, const struct nexthop *hop)
{
    (void)pending_for(l, hop);
}

/* It stays in the list until the look-up ends: the list may be being walked. */
void lookup_cancel(struct lookup_wait *w)
{
    w->fn = NULL;
}

bool lookup_remembers(const struct nexthop *hop)
{
    return hop->kind != NEXTHOP_DOMAIN ? hop->port != 465 : hop->port == 0 || hop->port == 25;
}

void lookup_refresh(struct lookups *l, const struct nexthop *hop)
{
    struct pending *p;

    if (hop->kind != NEXTHOP_DOMAIN || cache_peek(l->pending, hop->name, strlen(hop->name)) != NULL)
        return;
    p = pending_new(l, hop, hop->name, strlen(hop->name));
    if (p == NULL)
        return;
    count(COUNT_REFRESHES);
    p->refresh = true;
    look_up(p);
}

static void all_changed(struct lookups *l)
{
    const void *cursor = NULL;
    const char *key;
    struct pending *p;

    memory_expire_all(l->parts.memory);
    while ((p = cache_next(l->pending, &cursor, &key)) != NULL)
        p->dirty = true;
}

void lookup_changed(struct lookups *l, const char *name, size_t len)
{
    struct pending *p;

    count(COUNT_CHANGES);
    if (name == NULL) {
        all_changed(l);
        return;
    }
    memory_expire(l->parts.memory, name, len);
    p = cache_peek(l->pending, name, len);
    if (p != NULL)
        p->dirty = true;
}

/* Those that waited begin in the next turn of the loop: the table is being walked. */
void lookup_lists_changed(struct lookups *l)
{
    const void *cursor = NULL;
    const char *key;
    struct pending *p;

    all_changed(l);
    while ((p = cache_next(l->pending, &cursor, &key)) != NULL)
        if (p->for_lists)
            event_active(p->begin, EV_TIMEOUT, 0);
}

void lookups_configure(struct lookups *l, const struct conf_policyd *conf)
{
    verdict_rules(&l->rules, conf);
    l->timeout = millis(conf->lookup_timeout_ms);
    l->stsd_timeout_ms = (int)conf->lookup_timeout_ms;
}

struct lookups *lookups_new(struct event_base *base, const struct lookup_parts *parts, const struct conf_policyd *conf)
{
    struct lookups *l = must_have(calloc(1, sizeof(*l)));
    uint8_t secret[16];

    random_octets(secret, sizeof(secret));
    l->base = base;
    l->parts = *parts;
    l->pending = must_have(cache_new(0, NULL, secret));
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

static const char *waits_for(const struct pending *p)
{
    if (p->sent != NULL)
        return "stsd";
    return p->for_lists ? "lists" : "redis";
}

/* The table is walked from the newest to the oldest. */
size_t lookups_oldest(const struct lookups *l, struct lookup_waiting *out, size_t max)
{
    const void *cursor = NULL;
    const struct pending *p;
    size_t skip = cache_count(l->pending) > max ? cache_count(l->pending) - max : 0;
    size_t count = 0;
    const char *key;

    while ((p = cache_next(l->pending, &cursor, &key)) != NULL) {
        if (skip > 0) {
            skip--;
            continue;
        }
        out[count++] = (struct lookup_waiting){p->name, now_ms() - p->begun_ms, waits_for(p)};
    }
    return count;
}

size_t lookups_count(const struct lookups *l)
{
    return cache_count(l->pending);
}
