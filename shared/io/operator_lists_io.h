/*
 * operator_lists_io.h - the operator's lists as this process knows them: read from Redis when it comes up and whenever
 * it tells of a change, kept in a file for a start without Redis. What Redis has lost, or has gone back to, does not
 * replace what is known (lists_stamp.h).
 */
#ifndef POSTERN_OPERATOR_LISTS_IO_H
#define POSTERN_OPERATOR_LISTS_IO_H

#include <event2/event.h>

#include "lists_match.h"
#include "lists_stamp.h"
#include "redis_io.h"

/* How long look-ups wait for the lists of a Redis that may be about to come up, in milliseconds after the start. */
#define OPERATOR_LISTS_PATIENCE_MS 1000

struct operator_lists;

/* The lists have changed, or nobody need wait for them any longer. Never called from within. */
typedef void operator_lists_fn(void *ctx);

struct operator_lists_options {
    struct redis *redis;
    bool no_redis;    /* none is configured: there are no lists, and that is known */
    const char *file; /* "" for none */
    bool keeper;      /* this process writes the file */
    operator_lists_fn *fn;
    void (*replacing)(void *ctx, bool begins); /* the lists are being replaced, or have been: for readers in other
                                                  threads, who must keep away meanwhile. NULL: there are none */
    void *ctx;
};

/* Reads the file. redis outlives it. */
struct operator_lists *operator_lists_new(struct event_base *base, const struct operator_lists_options *options);
void operator_lists_free(struct operator_lists *o); /* NULL-safe; after redis_free */

/* Redis tells that a list has changed: its name, "" for their stamp; NULL: anything may have. */
void operator_lists_told(struct operator_lists *o, const char *name, size_t len);

/* NULL: they are not known. Valid until the next turn of the loop. */
const struct lists *operator_lists_get(const struct operator_lists *o);

/* The lists may be there soon: wait for fn before you decide. */
bool operator_lists_awaited(const struct operator_lists *o);

enum operator_lists_source {
    OPERATOR_LISTS_UNKNOWN, /* Redis has not been reached yet, and there was no file */
    OPERATOR_LISTS_NONE,    /* no Redis is configured */
    OPERATOR_LISTS_FILE,    /* from the file: as they were when Redis was last reached */
    OPERATOR_LISTS_REDIS
};
const char *operator_lists_source_name(enum operator_lists_source source); /* "unknown", "none", "file", "redis" */

/* For people. */
struct operator_lists_state {
    enum operator_lists_source source;
    enum lists_stamp_verdict verdict; /* about what Redis has now; but for ADOPT it is not what is known here */
    int64_t since;                    /* when they were last read whole, seconds since the epoch; 0: never */
    struct {
        size_t entries;
        size_t bad;          /* entries that Redis has and that cannot be read */
        const char *problem; /* the first of them, or why the list cannot be read; "" for none */
    } list[LISTS];
    const char *read_problem; /* why they could not be read though Redis is there; "" for nothing */
    const char *file_problem; /* why the file could not be read or written; "" for nothing */
};
void operator_lists_state(struct operator_lists_state *out, const struct operator_lists *o);

#endif
