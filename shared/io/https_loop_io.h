/* https_loop_io.h - libcurl's multi handle on the event loop (after curl's docs/examples/hiperfifo.c). Private to
 * https_*.c. */
#ifndef POSTERN_HTTPS_LOOP_IO_H
#define POSTERN_HTTPS_LOOP_IO_H

#include <curl/curl.h>
#include <event2/event.h>

struct https_loop;

/* A transfer has ended by itself and is out of the loop. */
typedef void https_ended_fn(void *ctx, CURL *easy, CURLcode code);

/* fn must not free the loop. */
struct https_loop *https_loop_new(struct event_base *base, https_ended_fn *fn, void *ctx);

/* All transfers must have been removed. NULL-safe. */
void https_loop_free(struct https_loop *l);

/* Begins at the next turn of the event loop. */
void https_loop_add(struct https_loop *l, CURL *easy);

/* Stop a transfer; its connection is closed. */
void https_loop_remove(struct https_loop *l, CURL *easy);

#endif
