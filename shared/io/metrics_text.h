/*
 * metrics_text.h - numbers as Prometheus reads them (text exposition format 0.0.4). Pure.
 *
 * The numbers of a daemon are one table. Metrics of one family stand together; the first of them has help and type. A
 * histogram takes METRIC_HISTOGRAM places of the table, of which the first alone is filled in. Processes that do the
 * same work count in a row each: tables one after the other, whose values are added up when they are given out.
 */
#ifndef POSTERN_METRICS_TEXT_H
#define POSTERN_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct metric {
    const char *name; /* "postern_policyd_requests_total"; with labels: "…_total{map=\"postfix\"}". NULL: a later place
                         of a histogram */
    const char *help; /* NULL for the second and later ones of one family */
    const char *type; /* "counter", "gauge" or "histogram"; NULL as help */
    uint64_t value;   /* the owner adds to it */
};

/* One of a table: #define COUNTER(name_, help_) METRIC("counter", "postern_policyd_" name_, help_) */
#define METRIC(type_, name_, help_)                       \
    {                                                     \
        .name = (name_), .help = (help_), .type = (type_) \
    }

/* A later one of its family. */
#define METRIC_MORE(name_) \
    {                      \
        .name = (name_)    \
    }

/*
 * How long something took: in the buckets of metric_bounds, then what took longer, then the sum in microseconds. A
 * histogram has no labels. In an enum of a table: HISTOGRAM_X, HISTOGRAM_X_LAST = HISTOGRAM_X + METRIC_HISTOGRAM - 1.
 */
#define METRIC_BUCKETS   15
#define METRIC_HISTOGRAM (METRIC_BUCKETS + 2)
extern const int64_t metric_bounds[METRIC_BUCKETS]; /* microseconds, from 500 to 30,000,000 */

/* histogram: its first place. A time below 0 counts as 0. No allocation, no clock. */
void metric_observe(struct metric *histogram, int64_t microseconds);

/* One number over all rows. */
uint64_t metrics_sum(const struct metric *m, size_t count, size_t rows, size_t which);

/* The process of this row has gone: its counters stay, its gauges are 0. */
void metrics_clear_gauges(struct metric *row, size_t count);

/* Append all of them as text. */
void metrics_render(struct buf *out, const struct metric *m, size_t count, size_t rows);

/* The same of every process: postern_build_info, process_start_time_seconds. */
void metrics_render_process(struct buf *out, const char *version, int64_t started);

/* Append the value of a label, escaped, without the quotes. */
void metrics_label(struct buf *out, const char *value);

/*
 * Call fn for each number, for people (posternctl status): the name without its first `skip` octets and without labels,
 * and the values of its labels with blanks between, "" without any. Of a histogram: labels "count" and "milliseconds".
 */
typedef void metrics_each_fn(void *ctx, const char *family, const char *labels, uint64_t value);
void metrics_each(const struct metric *m, size_t count, size_t rows, size_t skip, metrics_each_fn *fn, void *ctx);

#endif
