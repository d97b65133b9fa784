/* metrics.h - numbers for Prometheus (text exposition format 0.0.4) over HTTP, GET /metrics, by evhttp. */
#ifndef POSTERN_METRICS_H
#define POSTERN_METRICS_H

#include <event2/event.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct metric {
    const char *name; /* "postern_policyd_requests_total"; with labels: "…_total{map=\"postfix\"}"; metrics of one
                         family stand together */
    const char *help; /* NULL for the second and later ones of one family */
    const char *type; /* "counter" or "gauge"; NULL as help */
    uint64_t value;   /* the owner adds to it */
};

/* One of a table: #define COUNTER(name_, help_) METRIC("counter", "postern_policyd_" name_, help_) */
#define METRIC(type_, name_, help_)                       \
    {                                                     \
        .name = (name_), .help = (help_), .type = (type_) \
    }

/*
 * Processes that do the same work count in a row each: tables of `count` metrics one after the other, whose values are
 * added up when they are given out.
 *
 * metrics_share makes so many copies of a table in memory that forked processes share, for as long as they live. A row
 * is written by one process; the others may read a value that is a moment old.
 */
struct metric *metrics_share(const struct metric *m, size_t count, size_t rows);
uint64_t metrics_sum(const struct metric *m, size_t count, size_t rows, size_t which);

/* The process of this row has gone: its counters stay, its gauges are 0. */
void metrics_clear_gauges(struct metric *row, size_t count);

/* Append all of them as text. Pure. */
void metrics_render(struct buf *out, const struct metric *m, size_t count, size_t rows);

struct metrics_server;

/* One in a process. update (may be NULL) is called before each answer, to fill gauges. NULL with the reason in e. */
struct metrics_server *metrics_serve(struct event_base *base, const char *address, const struct metric *m, size_t count,
                                     size_t rows, void (*update)(void *ctx), void *ctx, struct err *e);
void metrics_server_free(struct metrics_server *s);

#endif
