/*
 * collector_io.h - where events are counted. They are added up in memory (tally.h); every commit_ms, or commit_events,
 * what came together becomes a batch with a number, which is written to the spool and synced (spool_io.h), and then
 * goes to Redis, where one script adds it to the day's counts and notes the number (counts_apply_io.h). After a
 * restart, an outage or a Redis that lost its last second, the batches behind the number that Redis knows go again:
 * each is counted once. Lost with the process is what came in since the last batch, and nothing that was said to be
 * safe.
 */
#ifndef POSTERN_COLLECTOR_IO_H
#define POSTERN_COLLECTOR_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "failing.h"
#include "redis_io.h"
#include "tlsrpt_event.h"

struct collector_options {
    const char *spool;       /* folder */
    int64_t spool_max;       /* octets there */
    int64_t commit_ms;       /* longest time that an event is in memory only */
    int64_t commit_events;   /* and most events */
    int64_t keep;            /* seconds that counts of a day stay in Redis after it */
    struct failing *failing; /* is told of each event; NULL: nobody is */
};

struct collector;

/* NULL with the reason in e: the spool cannot be made, read or written, or another process has it. */
struct collector *collector_new(struct event_base *base, struct redis *redis, const struct collector_options *options,
                                struct err *e);
/* Without collector_drain what is in memory only is lost. Who waits in collector_when_safe is told that it is not safe.
 */
void collector_free(struct collector *c);

/* Count an event on a day (utc_day.h). Copied. Returns 0, or -1 when neither spool nor Redis takes batches and memory
 * is full: it is lost, unless the caller keeps it. */
int collector_count(struct collector *c, int32_t day, const struct tlsrpt_event *event);

/* It would take no event now. */
bool collector_full(const struct collector *c);

/* What was counted up to now of a source ("log") ends there. It is saved with the counts. At most 511 octets. */
void collector_position(struct collector *c, const char *source, const char *position);

/* The position that was last saved, "" when none was; valid until the next call. */
const char *collector_saved(const struct collector *c, const char *source);

/* fn is called once, later, when all that was counted up to now is on disk or in Redis (safe), or cannot be (not safe).
 */
typedef void collector_safe_fn(void *ctx, bool safe);
void collector_when_safe(struct collector *c, collector_safe_fn *fn, void *ctx);

/* Make a batch of what there is, and call fn when it is on disk or cannot be; Redis is not waited for longer than ms.
 */
void collector_drain(struct collector *c, int64_t ms, void (*fn)(void *ctx), void *ctx);

struct collector_stats {
    uint64_t events;         /* counted */
    uint64_t lost;           /* events that found neither spool nor Redis nor memory */
    uint64_t batches;        /* that Redis has taken */
    uint64_t spooled;        /* batches that wait for Redis now */
    uint64_t spooled_octets; /* of all that is in the spool */
    uint64_t spool_failures; /* writes or syncs that failed */
    uint64_t unreadable;     /* batches in the spool that were cut or broken */
};
struct collector_stats collector_stats(const struct collector *c);

#endif
