/*
 * collector_io.c - see collector_io.h. The tally takes events; a commit makes batches of it, which the spool takes, or,
 * when that fails, the queue keeps in memory. When neither takes any more, the tally goes on adding up.
 */
#include "collector_io.h"
#include "batch_queue_io.h"
#include "clock.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"
#include "spool_io.h"
#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define TALLY_MEMORY  268435456 /* octets */
#define MEMORY_MAX    33554432  /* octets of batches that the spool could not take */
#define COMMIT_OCTETS 4194304   /* written to the spool at a time */
#define POSITION_MS   5000      /* a position alone is not worth a batch more often */
#define COMPLAIN_MS   60000
#define LANE_OCTETS   ((BATCH_LANE_BUF - 1) / 2)

struct safe_wait {
    STAILQ_ENTRY(safe_wait) link;
    uint64_t number; /* 0: of the next commit */
    collector_safe_fn *fn;
    void *ctx;
};

STAILQ_HEAD(safe_list, safe_wait);

struct collector {
    struct event_base *base;
    struct redis *redis;
    struct collector_options options;
    char *folder;
    char lane[BATCH_LANE_BUF];
    struct spool *spool;
    struct batch_queue *queue;
    struct tally *tally;
    struct batch_position position[BATCH_SOURCES_MAX];
    size_t positions;
    bool moved; /* a position, since the last commit */
    int64_t moved_ms;
    uint64_t number; /* of the last batch */
    bool spool_fails;
    int64_t complain_ms; /* not before */
    struct safe_list safe;
    struct event *tick, *tell;
    void (*drained)(void *ctx);
    void *drain_ctx;
    int64_t drain_ms;
    struct collector_stats stats;
};

/* --- making batches --- */

/* What is written at a time, and where each batch of it is. */
struct making {
    struct collector *c;
    struct batch_writer writer;
    struct buf octets;
    uint64_t first; /* number of the first in octets */
};

static bool spool_takes(struct collector *c, struct making *m, struct spool_place *place,
                        const struct batch_position *position, size_t positions)
{
    struct err e = {""};

    if (batch_queue_save(c->queue, &e) == 0 &&
        spool_write(c->spool, place, m->octets.data, m->octets.len, (size_t)(c->number + 1 - m->first), position,
                    positions, &e) == 0) {
        if (c->spool_fails)
            log_info("spool-works", "folder=%s", c->folder);
        c->spool_fails = false;
        return true;
    }
    c->spool_fails = true;
    c->stats.spool_failures++;
    if (now_ms() >= c->complain_ms) {
        log_error("spool-fails", "error=%s failures=%llu action=%s", e.text,
                  (unsigned long long)c->stats.spool_failures, redis_up(c->redis) ? "straight to Redis" : "memory");
        c->complain_ms = now_ms() + COMPLAIN_MS;
    }
    return false;
}

/* The batches in octets go to the spool, and into the queue. */
static void making_write(struct making *m, const struct batch_position *position, size_t positions)
{
    struct collector *c = m->c;
    struct spool_place place = {.file = NULL};
    bool spooled;
    size_t at = 0;

    if (m->octets.len == 0)
        return;
    if (!buf_ok(&m->octets))
        log_oom();
    spooled = spool_takes(c, m, &place, position, positions);
    for (uint64_t number = m->first; at < m->octets.len; number++) {
        size_t len = batch_length(m->octets.data + at, m->octets.len - at);
        const struct spool_place one = {place.file, place.offset + (int64_t)at, len};

        batch_queue_add(c->queue, c->lane, number, spooled ? &one : NULL, m->octets.data + at, len);
        at += len;
    }
    buf_reset(&m->octets);
    m->first = c->number + 1;
}

static void making_next(struct making *m, const struct batch_position *position, size_t positions)
{
    batch_end(&m->octets, &m->writer, m->c->lane, ++m->c->number, position, positions);
    if (position == NULL && m->octets.len >= COMMIT_OCTETS)
        making_write(m, NULL, 0);
}

static void on_entry(void *ctx, const struct batch_entry *entry)
{
    struct making *m = ctx;

    if (!batch_add(&m->writer, entry)) {
        making_next(m, NULL, 0);
        (void)batch_add(&m->writer, entry);
    }
}

static void batches_make(struct collector *c)
{
    struct making m = {.c = c, .first = c->number + 1};

    batch_begin(&m.writer);
    buf_init(&m.octets, COMMIT_OCTETS + 2 * (BATCH_READ_MAX + BATCH_HEAD));
    tally_take(c->tally, on_entry, &m);
    making_next(&m, c->position, c->positions);
    making_write(&m, c->position, c->positions);
    buf_clear(&m.octets);
    batch_writer_clear(&m.writer);
    c->moved = false;
    c->moved_ms = now_ms();
}

static bool memory_full(const struct collector *c)
{
    return batch_queue_in_memory(c->queue) >= MEMORY_MAX;
}

static void tell_wake(struct collector *c)
{
    event_active(c->tell, EV_TIMEOUT, 0);
}

static void commit(struct collector *c)
{
    struct safe_wait *w;
    struct err e = {""};

    if (batch_queue_in_memory(c->queue) > 0 && batch_queue_save(c->queue, &e) != 0 && memory_full(c)) {
        batch_queue_work(c->queue);
        tell_wake(c);
        return;
    }
    if (tally_events(c->tally) > 0 || c->moved)
        batches_make(c);
    for (w = STAILQ_FIRST(&c->safe); w != NULL; w = STAILQ_NEXT(w, link))
        if (w->number == 0)
            w->number = c->number > 0 ? c->number : 1;
    batch_queue_work(c->queue);
    if (!STAILQ_EMPTY(&c->safe))
        tell_wake(c);
}

/* --- telling --- */

static void safe_tell(struct collector *c)
{
    uint64_t safe = batch_queue_safe(c->queue, UINT64_MAX);
    bool hopeless = c->spool_fails && !redis_up(c->redis);
    struct safe_wait *w;

    while ((w = STAILQ_FIRST(&c->safe)) != NULL) {
        bool is = w->number > 0 && w->number <= safe;

        if (!is && !(hopeless && (w->number > 0 || memory_full(c))))
            return;
        STAILQ_REMOVE_HEAD(&c->safe, link);
        w->fn(w->ctx, is);
        free(w);
    }
}

/* All is on disk and in Redis; or on disk, and Redis is away or slow; or can be nowhere. */
static bool drain_over(const struct collector *c)
{
    if (batch_queue_waiting(c->queue) == 0 || now_ms() >= c->drain_ms)
        return true;
    return !redis_up(c->redis) && (batch_queue_in_memory(c->queue) == 0 || c->spool_fails);
}

static void on_tell(evutil_socket_t fd, short what, void *ctx)
{
    struct collector *c = ctx;

    (void)fd;
    (void)what;
    safe_tell(c);
    if (c->drained != NULL) {
        void (*fn)(void *) = c->drained;

        if (drain_over(c)) {
            c->drained = NULL;
            fn(c->drain_ctx);
            return;
        }
        timer_start(c->tell, 20);
    }
}

static void on_taken(void *ctx)
{
    struct collector *c = ctx;

    if (!STAILQ_EMPTY(&c->safe) || c->drained != NULL)
        tell_wake(c);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct collector *c = ctx;
    bool only_position = tally_events(c->tally) == 0 && STAILQ_EMPTY(&c->safe) && batch_queue_in_memory(c->queue) == 0;

    (void)fd;
    (void)what;
    if (only_position && (!c->moved || now_ms() - c->moved_ms < POSITION_MS))
        batch_queue_work(c->queue);
    else
        commit(c);
}

/* --- what others call --- */

int collector_count(struct collector *c, int32_t day, const struct tlsrpt_event *event)
{
    int rc = tally_add(c->tally, day, event);

    if (rc > 0) {
        commit(c);
        rc = tally_add(c->tally, day, event);
    }
    if (rc < 0)
        log_oom();
    if (rc > 0) {
        c->stats.lost++;
        return -1;
    }
    c->stats.events++;
    if (c->options.failing != NULL)
        failing_event(c->options.failing, event, now_seconds());
    /* Not now: whoever counts may have a position to note behind the event. */
    if (tally_events(c->tally) >= (uint64_t)c->options.commit_events && !memory_full(c))
        event_active(c->tick, EV_TIMEOUT, 0);
    return 0;
}

bool collector_full(const struct collector *c)
{
    return tally_full(c->tally) && memory_full(c);
}

void collector_position(struct collector *c, const char *source, const char *position)
{
    size_t at = 0;

    while (at < c->positions && strcmp(c->position[at].source, source) != 0)
        at++;
    if (at == BATCH_SOURCES_MAX)
        return;
    if (at == c->positions)
        c->positions++;
    (void)snprintf(c->position[at].source, sizeof(c->position[at].source), "%s", source);
    (void)snprintf(c->position[at].position, sizeof(c->position[at].position), "%s", position);
    c->moved = true;
}

const char *collector_saved(const struct collector *c, const char *source)
{
    const char *position = spool_position(c->spool, source);

    return position != NULL ? position : "";
}

void collector_when_safe(struct collector *c, collector_safe_fn *fn, void *ctx)
{
    struct safe_wait *w = must_have(calloc(1, sizeof(*w)));

    w->fn = fn;
    w->ctx = ctx;
    STAILQ_INSERT_TAIL(&c->safe, w, link);
}

void collector_drain(struct collector *c, int64_t ms, void (*fn)(void *ctx), void *ctx)
{
    c->drained = fn;
    c->drain_ctx = ctx;
    c->drain_ms = now_ms() + ms;
    commit(c);
    tell_wake(c);
}

struct collector_stats collector_stats(const struct collector *c)
{
    struct collector_stats stats = c->stats;

    stats.batches = batch_queue_taken(c->queue);
    stats.spooled = batch_queue_waiting(c->queue);
    stats.spooled_octets = (uint64_t)spool_octets(c->spool);
    stats.unreadable = spool_broken(c->spool);
    return stats;
}

/* --- begin and end --- */

static void on_found(void *ctx, const struct batch *batch, const struct spool_place *place)
{
    struct collector *c = ctx;

    batch_queue_add(c->queue, batch->lane, batch->number, place, NULL, place->len);
}

struct collector *collector_new(struct event_base *base, struct redis *redis, const struct collector_options *options,
                                struct err *e)
{
    struct collector *c = must_have(calloc(1, sizeof(*c)));
    uint8_t key[SIPHASH_KEY];

    c->base = base;
    c->redis = redis;
    c->options = *options;
    c->folder = must_have(strdup(options->spool));
    c->options.spool = c->folder;
    STAILQ_INIT(&c->safe);
    random_hex(c->lane, LANE_OCTETS);
    random_octets(key, sizeof(key));
    c->tally = must_have(tally_new(key, TALLY_MEMORY));
    c->queue = batch_queue_new(redis, options->keep, on_taken, c);
    c->spool = spool_open(options->spool, c->lane, options->spool_max, on_found, c, e);
    if (c->spool == NULL) {
        collector_free(c);
        return NULL;
    }
    batch_queue_spool(c->queue, c->spool);
    c->tick = must_have(event_new(base, -1, EV_PERSIST, on_tick, c));
    c->tell = must_have(event_new(base, -1, 0, on_tell, c));
    c->moved_ms = now_ms();
    timer_start(c->tick, options->commit_ms);
    return c;
}

void collector_free(struct collector *c)
{
    struct safe_wait *w;

    if (c == NULL)
        return;
    if (c->tick != NULL)
        event_free(c->tick);
    if (c->tell != NULL)
        event_free(c->tell);
    while ((w = STAILQ_FIRST(&c->safe)) != NULL) {
        STAILQ_REMOVE_HEAD(&c->safe, link);
        w->fn(w->ctx, false);
        free(w);
    }
    batch_queue_free(c->queue);
    spool_close(c->spool);
    tally_free(c->tally);
    free(c->folder);
    free(c);
}
