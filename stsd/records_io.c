/*
 * records_io.c - one `want` a domain that is being worked on. Its way:
 *     turn -> Redis has it? -> lock (else wait and look again) -> resolution -> Redis, memory, everybody who waits
 * With Redis away the way is: turn -> resolution -> memory, everybody who waits.
 */
#include "records_io.h"

#include "cache.h"
#include "counters.h"
#include "dest_io.h"
#include "log.h"
#include "millis.h"
#include "refresh.h"
#include "store_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <time.h>

#define LOCK_SPARE_MS 2000 /* the lock outlives the longest resolution by that */
#define LOCK_LOOK_MS  100  /* how often to look whether the other node has finished, growing to */
#define LOCK_LOOK_MAX 800
#define KEEP_SECONDS  86400 /* Redis keeps a record that long after its end, as what was known before */
#define SPREAD_STEPS  1024

/* What memory holds. */
struct record {
    struct dest *dest;
    int64_t used; /* when mail last asked for it */
};

struct waiter {
    TAILQ_ENTRY(waiter) link;
    records_fn *fn;
    void *ctx;
};

struct want {
    TAILQ_ENTRY(want) turn; /* in records.turns until it has its turn */
    struct records *records;
    enum records_need need;
    int64_t started; /* when it got its turn */
    int look_ms;
    struct event *look;
    struct resolution *resolution;
    struct dest *previous; /* the newest record seen on the way; owned */
    bool locked;
    TAILQ_HEAD(waiter_list, waiter) waiters;
    char token[STORE_TOKEN_BUF];
    size_t len;
    char domain[DOMAIN_BUF];
};

struct records {
    const struct resolution_env *env;
    struct redis *redis;
    struct cache *memory; /* struct record by domain */
    struct cache *wants;  /* struct want by domain; a plain map */
    TAILQ_HEAD(turn_list, want) turns;
    size_t active, waiting;
    size_t active_max, waiting_max;
    int64_t refetch_after, retry_after;
};

static int64_t now_seconds(void)
{
    return (int64_t)time(NULL);
}

static void record_free(void *value)
{
    struct record *record = value;

    dest_free(record->dest);
    free(record);
}

/* Is this record what was asked for? */
static bool good_enough(const struct records *r, const struct dest *d, enum records_need need, int64_t started,
                        int64_t now)
{
    switch (need) {
    case RECORDS_USE:
        return refresh_holds(d, now);
    case RECORDS_AHEAD:
        return refresh_holds(d, now) && now < refresh_facts_at(d);
    case RECORDS_POLICY: /* at the earliest time that the spread allows, so that a due one is never good enough */
        return refresh_holds(d, now) && refresh_policy_at(&d->sts, r->refetch_after, r->retry_after, 1.0) > now;
    case RECORDS_FRESH:
        return d->resolved > started;
    }
    return false;
}

static void random_token(char out[STORE_TOKEN_BUF])
{
    uint8_t octet[(STORE_TOKEN_BUF - 1) / 2];

    if (getrandom(octet, sizeof(octet), 0) != (ssize_t)sizeof(octet))
        log_oom();
    for (size_t i = 0; i < sizeof(octet); i++)
        snprintf(out + i * 2, 3, "%02x", octet[i]);
}

/* 0..1, so that policies learnt together are not fetched together. */
static double random_spread(void)
{
    uint16_t r = 0;

    if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
        log_oom();
    return (double)(r % SPREAD_STEPS) / SPREAD_STEPS;
}

/* --- the end of a want --- */

static void start_next_turn(struct records *r);

static void want_free(struct want *w)
{
    event_free(w->look);
    dest_free(w->previous);
    free(w);
}

/* Call everybody back and let the want go; dest is the caller's. */
static void want_end(struct want *w, const struct dest *dest)
{
    struct records *r = w->records;
    struct waiter *waiter;

    if (w->locked)
        store_unlock(r->redis, w->domain, w->token);
    cache_remove(r->wants, w->domain, w->len);
    r->active--;
    while ((waiter = TAILQ_FIRST(&w->waiters)) != NULL) {
        TAILQ_REMOVE(&w->waiters, waiter, link);
        waiter->fn(waiter->ctx, dest);
        free(waiter);
    }
    want_free(w);
    start_next_turn(r);
}

/* Memory takes over dest. */
static const struct dest *remember(struct records *r, struct dest *dest, bool used)
{
    struct record *old = cache_peek(r->memory, dest->domain, strlen(dest->domain));
    struct record *record = calloc(1, sizeof(*record));

    if (record == NULL)
        log_oom();
    record->dest = dest;
    record->used = used ? now_seconds() : old != NULL ? old->used : 0;
    if (cache_put(r->memory, dest->domain, strlen(dest->domain), record) != 0)
        log_oom();
    return dest;
}

/* When to fetch the policy again. What is still due after an attempt to do just that is not due again at once. */
static int64_t next_fetch(const struct records *r, const struct dest *dest, bool tried, int64_t now)
{
    int64_t at = refresh_policy_at(&dest->sts, r->refetch_after, r->retry_after, random_spread());

    return tried && at != 0 && at <= now ? now + r->retry_after : at;
}

static void store(struct want *w, const struct dest *dest)
{
    struct records *r = w->records;
    int64_t now = now_seconds();
    int64_t fetch_at = next_fetch(r, dest, w->need == RECORDS_POLICY, now);

    if (store_put(r->redis, dest, STORE_REPLACE, refresh_keep_until(dest, KEEP_SECONDS), fetch_at) == 0 &&
        w->need == RECORDS_USE && fetch_at != 0)
        store_used(r->redis, w->domain, now);
}

void records_redis_up(struct records *r)
{
    const void *cursor = NULL;
    const char *domain;
    const struct record *record;
    int64_t now = now_seconds();

    while ((record = cache_next(r->memory, &cursor, &domain)) != NULL) {
        const struct dest *d = record->dest;
        int64_t fetch_at = next_fetch(r, d, false, now);

        if (now >= d->valid_until && !dest_sts_live(&d->sts, now))
            continue;
        if (store_put(r->redis, d, STORE_IF_MISSING, refresh_keep_until(d, KEEP_SECONDS), fetch_at) != 0)
            break; /* as many as can wait for their replies */
        if (fetch_at != 0 && record->used != 0)
            store_used(r->redis, domain, record->used);
    }
}

/*
 * Part of what was wanted could not be looked up: facts that still hold are better than none, with the policy if there
 * is a new one. Returns whether that ended the want; then dest is gone.
 */
static bool keep_known(struct want *w, struct dest *dest)
{
    struct records *r = w->records;
    const struct record *record = cache_peek(r->memory, w->domain, w->len);
    int64_t now = now_seconds();
    const struct dest *known = w->previous;

    if (record != NULL && (known == NULL || known->resolved < record->dest->resolved))
        known = record->dest;
    if (known == NULL || !refresh_holds(known, now) || dest->sts.fetched > known->sts.fetched)
        return false;
    if (w->need == RECORDS_POLICY)
        store_schedule(r->redis, w->domain, now + r->retry_after);
    want_end(w, known);
    dest_free(dest);
    return true;
}

static void on_resolved(void *ctx, struct dest *dest)
{
    struct want *w = ctx;
    struct records *r = w->records;

    w->resolution = NULL;
    count(COUNT_RESOLUTIONS);
    log_info("resolved", "domain=%s mx=%s hosts=%zu sts=%s mode=%s why=%s seconds=%lld", w->domain,
             dest_mx_name(dest->mx), dest->host_count, dest_sts_record_name(dest->sts.record),
             dest->sts.has_policy ? sts_mode_name(dest->sts.policy.mode) : NULL,
             dest->mx_why[0] != '\0' ? dest->mx_why : dest->sts.why, (long long)(now_seconds() - w->started));
    if (dest_temporary(dest) && keep_known(w, dest))
        return;
    store(w, dest);
    want_end(w, remember(r, dest, w->need == RECORDS_USE));
}

/* --- the way --- */

static void want_resolve(struct want *w)
{
    struct records *r = w->records;
    bool force = w->need == RECORDS_POLICY || w->need == RECORDS_FRESH;
    const struct record *known = cache_peek(r->memory, w->domain, w->len);
    const struct dest *previous = known == NULL ? NULL : known->dest;

    if (w->previous != NULL && (previous == NULL || previous->resolved <= w->previous->resolved))
        previous = w->previous;
    w->resolution = resolution_start(r->env, w->domain, previous, force, on_resolved, w);
}

static void want_look(struct want *w);

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    want_look(ctx);
}

static void on_locked(void *ctx, bool held)
{
    struct want *w = ctx;
    struct timeval wait;

    if (held) {
        w->locked = true;
        want_resolve(w);
        return;
    }
    if (w->look_ms == LOCK_LOOK_MS)
        count(COUNT_OTHER_NODE);
    wait = millis(w->look_ms);
    evtimer_add(w->look, &wait);
    w->look_ms = w->look_ms * 2 < LOCK_LOOK_MAX ? w->look_ms * 2 : LOCK_LOOK_MAX;
}

static void on_stored_record(void *ctx, struct dest *dest)
{
    struct want *w = ctx;
    struct records *r = w->records;

    if (dest != NULL) {
        dest_free(w->previous);
        w->previous = dest;
        if (good_enough(r, dest, w->need, w->started, now_seconds())) {
            count(COUNT_REDIS_HITS);
            w->previous = NULL;
            want_end(w, remember(r, dest, w->need == RECORDS_USE));
            return;
        }
    }
    if (store_lock(r->redis, w->domain, w->token, r->env->timeout_ms + LOCK_SPARE_MS, on_locked, w) != 0)
        want_resolve(w);
}

static void want_look(struct want *w)
{
    if (dest_io_get(w->records->redis, w->domain, on_stored_record, w) != 0)
        want_resolve(w);
}

static void start_next_turn(struct records *r)
{
    struct want *w = TAILQ_FIRST(&r->turns);

    if (w == NULL || r->active >= r->active_max)
        return;
    TAILQ_REMOVE(&r->turns, w, turn);
    w->started = now_seconds();
    r->waiting--;
    r->active++;
    want_look(w);
}

/* NULL: too many wait already. */
static struct want *want_new(struct records *r, const char *domain, size_t len, enum records_need need)
{
    struct want *w;

    if (r->active >= r->active_max && r->waiting >= r->waiting_max)
        return NULL;
    w = calloc(1, sizeof(*w));
    if (w == NULL)
        log_oom();
    w->records = r;
    w->need = need;
    w->look_ms = LOCK_LOOK_MS;
    w->len = len;
    memcpy(w->domain, domain, len + 1);
    TAILQ_INIT(&w->waiters);
    random_token(w->token);
    w->look = evtimer_new(r->env->base, on_look, w);
    if (w->look == NULL || cache_put(r->wants, domain, len, w) != 0)
        log_oom();
    TAILQ_INSERT_TAIL(&r->turns, w, turn);
    r->waiting++;
    return w;
}

/* Give the record from memory when it will do. */
static bool from_memory(struct records *r, const char *domain, size_t len, enum records_need need, records_fn *fn,
                        void *ctx)
{
    struct record *record = cache_get(r->memory, domain, len);
    int64_t now = now_seconds();

    if (record == NULL || need == RECORDS_FRESH || !good_enough(r, record->dest, need, now, now))
        return false;
    count(COUNT_MEMORY_HITS);
    if (need == RECORDS_USE)
        record->used = now;
    if (need == RECORDS_USE && now >= refresh_facts_at(record->dest) && cache_peek(r->wants, domain, len) == NULL &&
        want_new(r, domain, len, RECORDS_AHEAD) != NULL)
        start_next_turn(r);
    /* The want above ends after a round trip at the earliest, so the record is still there. */
    if (fn != NULL)
        fn(ctx, record->dest);
    return true;
}

void records_get(struct records *r, const char *domain, enum records_need need, records_fn *fn, void *ctx)
{
    size_t len = strlen(domain);
    struct want *w = cache_peek(r->wants, domain, len);
    struct waiter *waiter;

    if (from_memory(r, domain, len, need, fn, ctx))
        return;
    if (w == NULL)
        w = want_new(r, domain, len, need);
    if (w == NULL) {
        count(COUNT_REFUSED);
        if (fn != NULL)
            fn(ctx, NULL);
        return;
    }
    if (fn != NULL) {
        waiter = calloc(1, sizeof(*waiter));
        if (waiter == NULL)
            log_oom();
        waiter->fn = fn;
        waiter->ctx = ctx;
        TAILQ_INSERT_TAIL(&w->waiters, waiter, link);
    }
    start_next_turn(r);
}

/* --- the rest --- */

size_t records_due(struct records *r, int64_t now, int64_t used_since, const char **names, size_t limit)
{
    const void *cursor = NULL;
    const char *domain;
    const struct record *record;
    size_t found = 0;

    while (found < limit && (record = cache_next(r->memory, &cursor, &domain)) != NULL) {
        int64_t at = refresh_policy_at(&record->dest->sts, r->refetch_after, r->retry_after, 1.0);

        if (at != 0 && at <= now && record->used >= used_since)
            names[found++] = domain;
    }
    return found;
}

void records_configure(struct records *r, const struct conf_stsd *conf)
{
    r->active_max = (size_t)conf->lookup_concurrency;
    r->waiting_max = (size_t)conf->lookup_queue;
    r->refetch_after = conf->refetch_after;
    r->retry_after = conf->retry_after;
}

struct records *records_new(const struct resolution_env *env, struct redis *redis, const struct conf_stsd *conf)
{
    struct records *r = calloc(1, sizeof(*r));
    uint8_t secret[16];

    if (r == NULL || getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
        log_oom();
    r->env = env;
    r->redis = redis;
    TAILQ_INIT(&r->turns);
    r->memory = cache_new((size_t)conf->memory_records, record_free, secret);
    r->wants = cache_new(0, NULL, secret);
    if (r->memory == NULL || r->wants == NULL)
        log_oom();
    records_configure(r, conf);
    return r;
}

void records_free(struct records *r)
{
    const void *cursor = NULL;
    const char *domain;
    struct want *w;

    if (r == NULL)
        return;
    while ((w = cache_next(r->wants, &cursor, &domain)) != NULL) {
        struct waiter *waiter;

        while ((waiter = TAILQ_FIRST(&w->waiters)) != NULL) {
            TAILQ_REMOVE(&w->waiters, waiter, link);
            free(waiter);
        }
        resolution_cancel(w->resolution);
        want_free(w);
    }
    cache_free(r->wants);
    cache_free(r->memory);
    free(r);
}

size_t records_wanted(const struct records *r)
{
    return cache_count(r->wants);
}

size_t records_waiting(const struct records *r)
{
    return r->waiting;
}

size_t records_in_memory(const struct records *r)
{
    return cache_count(r->memory);
}
