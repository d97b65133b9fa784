/* metrics.h - numbers for Prometheus over HTTP, GET /metrics. Their text is metrics_text.h's. */
#ifndef POSTERN_METRICS_H
#define POSTERN_METRICS_H

#include <event2/event.h>

#include "err.h"
#include "metrics_text.h"

/*
 * `rows` copies of a table of `count` metrics, in memory that forked processes share for as long as they live; it is
 * never freed, and without memory the process ends. A row is written by one process; the others may read a value that
 * is a moment old.
 */
struct metric *metrics_share(const struct metric *m, size_t count, size_t rows);

/* When so many ask at a time, others wait. See http_server.h for its times. */
#define METRICS_CONNECTIONS_MAX 32

struct metrics_server;

/*
 * Serve the table at this address (address.h; a unix socket gets mode 0660) from the loop: GET and HEAD of /metrics,
 * each page of at most 1 MiB, over http_server.h. base and the table must outlive it; rows: how many copies
 * metrics_share made, or 1. update (may be NULL) is called with ctx before each page, to fill gauges. NULL with the
 * reason and the address in e: it cannot listen there.
 */
struct metrics_server *metrics_serve(struct event_base *base, const char *address, const struct metric *m, size_t count,
                                     size_t rows, void (*update)(void *ctx), void *ctx, struct err *e);

/*
 * fn adds families of its own to the end of each page, whole, with what names only the running daemon knows. Their text
 * and the table's together may not pass the limit of a page. s NULL: nothing.
 */
void metrics_server_more(struct metrics_server *s, void (*fn)(void *ctx, struct buf *page), void *ctx);
void metrics_server_free(struct metrics_server *s); /* NULL-safe */

#endif
