/*
 * records_io.c - one `want` a domain that is being worked on. Its way:
 *     turn -> Redis has it? -> lock (else wait and look again) -> resolution -> Redis, memory, everybody who waits
 * With Redis away: memory has it? -> resolution -> memory, everybody who waits. Redis goes before memory, as another
 * node may have been there since. Who only waits, for a policy host or another node, does not keep others from their
 * turn.
 *
 * A live policy is never lost on the way: of the records seen (memory, Redis) the policy fetched last is carried on,
 * and Redis is read again before it is written, as it may have been away before, or have got a record since.
 */
#include "records_io.h"

#include "clock.h"
#include "counters.h"
#include "dest_io.h"
#include "give_back_io.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"
#include "refresh.h"
#include "store_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define LOCK_SPARE_MS 2000 /* the lock outlives the longest resolution by that */
#define LOCK_LOOK_MS  100  /* how often to look whether the other node has finished, growing to */
#define LOCK_LOOK_MAX 800

struct waiter {
    TAILQ_ENTRY(waiter) link;
    records_fn *fn;
    void *ctx;
};

struct want {
    TAILQ_ENTRY(want) turn; /* in records.turns until it has its turn */
    struct records *records;
    enum records_need need;
    bool used; /* mail asks for it */
    bool locked;
    bool active;      /* has its turn, and does more than wait */
    int64_t begun_ms; /* now_ms() */
    int64_t started;  /* when it got its turn */
    int look_ms;
    struct event *look;
    struct resolution *resolution;
    struct dest *fresh; /* resolved, while Redis is read again */
    TAILQ_HEAD(waiter_list, waiter) waiters;
    char token[STORE_TOKEN_BUF];
    size_t len;
    char domain[DOMAIN_BUF];
};

struct records {
    const struct resolution_env *env;
    struct redis *redis;
    struct known known;
    struct cache *wants; /* struct want by domain; a plain map */
    TAILQ_HEAD(turn_list, want) turns;
    size_t active, waiting;
    size_t active_max, waiting_max;
    struct give_back *give_back;
    struct slowest slowest;
};

/* --- what is remembered --- */

static void remember(struct records *r, struct dest *dest)
{
    if (known_put(&r->known, dest, now_seconds()) == NULL)
        log_oom();
}

/* Mail has asked for a domain: now and then Redis is told, so that some node keeps its policy fresh. */
static void note_used(struct records *r, struct record *record)
{
    int64_t now = now_seconds();

    if (record_use(record, now) && store_used(r->redis, record->dest->domain, now) == 0)
        record->used_told = now;
}

static void tell_redis(struct records *r, const struct need_end *end)
{
    const struct dest *dest = end->record->dest;

    if (end->tell == TELL_RECORD)
        store_put(r->redis, dest, refresh_keep_until(dest, STORE_KEEP_SECONDS), end->next_fetch);
    else if (end->tell == TELL_NEXT_FETCH)
        store_schedule(r->redis, dest->domain, end->next_fetch);
}

/* --- the end of a want --- */

static void start_next_turn(struct records *r);
static bool want_refresh(struct records *r, const char *domain);

static void want_free(struct want *w)
{
    event_free(w->look);
    dest_free(w->fresh);
    free(w);
}

static void want_count(struct want *w, bool active)
{
    struct records *r = w->records;

    if (active && !w->active)
        r->active++;
    if (!active && w->active)
        r->active--;
    w->active = active;
}

/* It only waits from now on: the next one's turn. */
static void want_aside(struct want *w)
{
    want_count(w, false);
    start_next_turn(w->records);
}

/* Call everybody back and let the want go. */
static void want_end(struct want *w, struct record *record)
{
    struct records *r = w->records;
    struct waiter *waiter;

    if (w->used)
        note_used(r, record);
    if (w->locked)
        store_unlock(r->redis, w->domain, w->token);
    cache_remove(r->wants, w->domain, w->len);
    want_count(w, false);
    while ((waiter = TAILQ_FIRST(&w->waiters)) != NULL) {
        TAILQ_REMOVE(&w->waiters, waiter, link);
        waiter->fn(waiter->ctx, record->dest);
        free(waiter);
    }
    want_free(w);
    start_next_turn(r);
}

/* A resolution's record, with the policy of what was known. */
static void want_conclude(struct want *w, struct dest *dest)
{
    struct need_end end;

    if (need_conclude(&end, &w->records->known, dest, w->need, now_seconds()) != 0)
        log_oom();
    tell_redis(w->records, &end);
    want_end(w, end.record);
}

static void on_late_record(void *ctx, struct dest *dest, bool answered)
{
    struct want *w = ctx;
    struct dest *fresh = w->fresh;

    (void)answered;
    w->fresh = NULL;
    if (dest != NULL)
        remember(w->records, dest);
    want_conclude(w, fresh);
}

/* How a resolution ended, for people. */
static const char *end_of(const struct dest *dest)
{
    if (dest->mx == DEST_MX_TEMP)
        return dest->mx_why[0] != '\0' ? dest->mx_why : "no MX records now";
    if (dest->sts.failure != DEST_STS_OK)
        return dest_sts_failure_name(dest->sts.failure);
    return dest_temporary(dest) ? "not all could be looked up" : "found";
}

static void on_resolved(void *ctx, struct dest *dest)
{
    struct want *w = ctx;

    w->resolution = NULL;
    count(COUNT_RESOLUTIONS + outcome_of(dest, now_seconds()));
    slowest_add(&w->records->slowest, w->domain, now_ms() - w->begun_ms, end_of(dest), now_seconds());
    log_info("resolved", "domain=%s mx=%s hosts=%zu sts=%s mode=%s why=%s seconds=%lld", w->domain,
             dest_mx_name(dest->mx), dest->host_count, dest_sts_record_name(dest->sts.record),
             dest->sts.has_policy ? sts_mode_name(dest->sts.policy.mode) : NULL,
             dest->mx_why[0] != '\0' ? dest->mx_why : dest->sts.why, (long long)(now_seconds() - w->started));
    w->fresh = dest;
    if (dest_io_get(w->records->redis, w->domain, on_late_record, w) == 0)
        return;
    w->fresh = NULL;
    want_conclude(w, dest);
}

/* --- the way --- */

static void on_waits(void *ctx)
{
    want_aside(ctx);
}

static void want_resolve(struct want *w)
{
    struct records *r = w->records;
    const struct record *known = known_get(&r->known, w->domain);

    want_count(w, true);
    w->resolution = resolution_start(r->env, w->domain, known == NULL ? NULL : known->dest, need_fetches(w->need),
                                     on_resolved, on_waits, w);
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
    if (held) {
        w->locked = true;
        want_resolve(w);
        return;
    }
    if (w->look_ms == LOCK_LOOK_MS)
        count(COUNT_OTHER_NODE);
    timer_start(w->look, w->look_ms);
    w->look_ms = w->look_ms * 2 < LOCK_LOOK_MAX ? w->look_ms * 2 : LOCK_LOOK_MAX;
    want_aside(w);
}

/* What is known now will do. lacking: Redis has no such record, or one that says less. */
static bool want_satisfied(struct want *w, bool lacking)
{
    struct need_end end;

    if (need_satisfied(&end, &w->records->known, w->domain, w->need, w->started, now_seconds()) == 0)
        return false;
    if (lacking)
        need_restore(&end, &w->records->known, now_seconds());
    tell_redis(w->records, &end);
    want_end(w, end.record);
    return true;
}

static void on_redis_record(void *ctx, struct dest *dest, bool answered)
{
    struct want *w = ctx;
    struct records *r = w->records;
    const struct record *known = known_get(&r->known, w->domain);
    bool lacking = answered && known != NULL && known_beyond(known, dest);
    char domain[DOMAIN_BUF];
    bool found = dest != NULL;
    bool ahead = w->need == RECORDS_USE;

    if (found)
        remember(r, dest);
    memcpy(domain, w->domain, sizeof(domain));
    if (want_satisfied(w, lacking)) { /* and gone */
        count(found ? COUNT_REDIS_HITS : COUNT_MEMORY_HITS);
        if (ahead)
            want_refresh(r, domain);
        return;
    }
    if (store_lock(r->redis, w->domain, w->token, r->env->timeout_ms + LOCK_SPARE_MS, on_locked, w) != 0)
        want_resolve(w);
}

static void want_look(struct want *w)
{
    if (dest_io_get(w->records->redis, w->domain, on_redis_record, w) != 0)
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
    want_count(w, true);
    want_look(w);
}

/* NULL: too many wait already, or this is no name. */
static struct want *want_new(struct records *r, const char *domain, enum records_need need)
{
    size_t len = strlen(domain);
    struct want *w;

    if (len > DOMAIN_MAX || cache_count(r->wants) >= r->active_max + r->waiting_max)
        return NULL;
    w = must_have(calloc(1, sizeof(*w)));
    w->records = r;
    w->need = need;
    w->look_ms = LOCK_LOOK_MS;
    w->begun_ms = now_ms();
    w->len = len;
    memcpy(w->domain, domain, len + 1);
    TAILQ_INIT(&w->waiters);
    random_hex(w->token, (STORE_TOKEN_BUF - 1) / 2);
    w->look = must_have(evtimer_new(r->env->base, on_look, w));
    if (cache_put(r->wants, domain, len, w) != 0)
        log_oom();
    TAILQ_INSERT_TAIL(&r->turns, w, turn);
    r->waiting++;
    return w;
}

/* Facts near their end are gathered anew while they still hold. Returns whether that was begun. */
static bool want_refresh(struct records *r, const char *domain)
{
    const struct record *known = known_get(&r->known, domain);

    if (known == NULL || now_seconds() < refresh_facts_at(known->dest) ||
        cache_peek(r->wants, domain, strlen(domain)) != NULL || want_new(r, domain, RECORDS_AHEAD) == NULL)
        return false;
    start_next_turn(r);
    return true;
}

/* Redis is away: what memory has will do while it holds. */
static bool from_memory(struct records *r, const char *domain, enum records_need need, records_fn *fn, void *ctx)
{
    struct record *known = known_get(&r->known, domain);
    int64_t now = now_seconds();

    if (redis_up(r->redis) || known == NULL || need == RECORDS_FRESH ||
        !need_met(need, known->dest, &r->known, now, now))
        return false;
    count(COUNT_MEMORY_HITS);
    if (need == RECORDS_USE) {
        record_use(known, now);
        want_refresh(r, domain);
    }
    /* That ends after a round trip at the earliest, so the record is still there. */
    if (fn != NULL)
        fn(ctx, known->dest);
    return true;
}

static void want_join(struct want *w, enum records_need need, records_fn *fn, void *ctx)
{
    struct waiter *waiter;

    w->used = w->used || need == RECORDS_USE;
    if (need > w->need && w->resolution == NULL && w->fresh == NULL)
        w->need = need;
    if (fn == NULL)
        return;
    waiter = must_have(calloc(1, sizeof(*waiter)));
    waiter->fn = fn;
    waiter->ctx = ctx;
    TAILQ_INSERT_TAIL(&w->waiters, waiter, link);
}

void records_get(struct records *r, const char *domain, enum records_need need, records_fn *fn, void *ctx)
{
    struct want *w = cache_peek(r->wants, domain, strlen(domain));

    if (from_memory(r, domain, need, fn, ctx))
        return;
    if (w == NULL)
        w = want_new(r, domain, need);
    if (w == NULL) {
        count(COUNT_REFUSED);
        if (fn != NULL)
            fn(ctx, NULL);
        return;
    }
    want_join(w, need, fn, ctx);
    start_next_turn(r);
}

/* --- the rest --- */

size_t records_due(struct records *r, int64_t now, int64_t used_within, char (*names)[DOMAIN_BUF], size_t limit)
{
    return known_due(&r->known, now, used_within, names, limit);
}

void records_configure(struct records *r, const struct conf_stsd *conf)
{
    size_t turns = r->waiting;

    r->active_max = (size_t)conf->lookup_concurrency;
    r->waiting_max = (size_t)conf->lookup_queue;
    r->known.refetch_after = conf->refetch_after;
    r->known.retry_after = conf->retry_after;
    while (turns-- > 0) /* more may be at work now than before */
        start_next_turn(r);
}

struct records *records_new(const struct resolution_env *env, struct redis *redis, const struct conf_stsd *conf)
{
    struct records *r = must_have(calloc(1, sizeof(*r)));
    uint8_t secret[16];

    random_octets(secret, sizeof(secret));
    r->env = env;
    r->redis = redis;
    TAILQ_INIT(&r->turns);
    r->wants = must_have(cache_new(0, NULL, secret));
    if (known_init(&r->known, (size_t)conf->memory_records, secret) != 0)
        log_oom();
    records_configure(r, conf);
    r->give_back = give_back_new(redis, &r->known);
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
    known_clear(&r->known);
    give_back_free(r->give_back);
    free(r);
}

void records_give_back(struct records *r)
{
    give_back_start(r->give_back);
}

static const char *waits_for(const struct want *w)
{
    if (w->resolution != NULL)
        return resolution_waits_for(w->resolution);
    if (w->started == 0)
        return "its turn";
    return evtimer_pending(w->look, NULL) ? "another node" : "Redis";
}

/* The table is walked from the newest to the oldest. */
size_t records_oldest(const struct records *r, struct records_waiting *out, size_t max)
{
    size_t skip = cache_count(r->wants) > max ? cache_count(r->wants) - max : 0;
    const void *cursor = NULL;
    const struct want *w;
    const char *domain;
    size_t count = 0;

    while ((w = cache_next(r->wants, &cursor, &domain)) != NULL) {
        if (skip > 0) {
            skip--;
            continue;
        }
        out[count++] = (struct records_waiting){w->domain, now_ms() - w->begun_ms, waits_for(w)};
    }
    return count;
}

const struct slowest *records_slowest(const struct records *r)
{
    return &r->slowest;
}

size_t records_wanted(const struct records *r)
{
    return cache_count(r->wants);
}

size_t records_waiting(const struct records *r)
{
    return r->waiting;
}

size_t records_busy(const struct records *r)
{
    return r->active + r->waiting;
}

struct known_policies records_policies(const struct records *r, int64_t now, int64_t used_within)
{
    return known_policies(&r->known, now, used_within);
}

size_t records_in_memory(const struct records *r)
{
    return cache_count(r->known.cache);
}
