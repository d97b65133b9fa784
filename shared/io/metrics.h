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

/* Append all of them as text. Pure. */
void metrics_render(struct buf *out, const struct metric *m, size_t count);

struct metrics_server;

/* One in a process. update (may be NULL) is called before each answer, to fill gauges. NULL with the reason in e. */
struct metrics_server *metrics_serve(struct event_base *base, const char *address, struct metric *m, size_t count,
                                     void (*update)(void *ctx), void *ctx, struct err *e);
void metrics_server_free(struct metrics_server *s);

#endif
