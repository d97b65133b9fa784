/*
 * https_lane_io.h - a lane: a thread with a multi handle of libcurl and an event loop of its own, on which transfers
 * run. A TLS handshake takes about a millisecond of processor time, and libcurl does those of many transfers in one go:
 * on the program's own loop nothing else would be heard meanwhile. Private to https_*.c.
 */
#ifndef POSTERN_HTTPS_LANE_IO_H
#define POSTERN_HTTPS_LANE_IO_H

#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>

struct https_lane;
struct https_transfer;

/* What the lane notes with a transfer; nobody else looks at it. */
struct https_place {
    struct https_lane *lane;
    TAILQ_ENTRY(https_transfer) post;    /* on its way to the thread, or back */
    TAILQ_ENTRY(https_transfer) running; /* libcurl has it */
    bool posted;                         /* on its way to the thread */
    bool stop;
    bool inside; /* on the running list */
    bool ended;
    CURLcode code;
};

/* A transfer is out of the lane: with libcurl's code, or CURLE_ABORTED_BY_CALLBACK where it was stopped. */
typedef void https_ended_fn(void *ctx, struct https_transfer *t, CURLcode code);

/* fn is called from base, and must not free the lane. Aborts when the system has no threads. */
struct https_lane *https_lane_new(struct event_base *base, https_ended_fn *fn, void *ctx);

/* Whatever is inside comes out, and nobody is told. */
void https_lane_free(struct https_lane *lane);

/* Begins soon. From now on nobody else may touch t, until it has ended or the lane is freed. */
void https_lane_add(struct https_lane *lane, struct https_transfer *t);

/* It shall end soon, if it has not ended yet; fn tells when it has. */
void https_lane_stop(struct https_transfer *t);

/* Transfers that were added and of which fn has not told. */
size_t https_lane_count(const struct https_lane *lane);

#endif
