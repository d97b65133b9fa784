/*
 * link_line_io.h - places, so many and no more, and those who stand in line for one. Who finds none waits, in order,
 * but nobody longer than the wait of the line: by then places come free too slowly, the line is stuck, and it ends for
 * all who stand in it. From then on nobody waits, though a place that is free is given, until half of the places are
 * free.
 */
#ifndef POSTERN_LINK_LINE_IO_H
#define POSTERN_LINK_LINE_IO_H

#include <event2/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct link_line {
    size_t limit, taken; /* of the places; those taken may be more after a reload */
    int64_t wait_ms;     /* 0: nobody waits */
    bool stuck;
    TAILQ_HEAD(link_line_waiting, link_waiter) waiting;
};

/* One who wants a place. Memory is the caller's. */
struct link_waiter {
    struct event *turn;
    void (*tell)(void *ctx, bool place); /* from the loop: it has a place now, or there is none to be had */
    void *ctx;
    struct link_line *line; /* in which it waits */
    bool given;             /* a place, of which it has not been told yet */
    TAILQ_ENTRY(link_waiter) next;
};

void link_waiter_init(struct link_waiter *w, struct event_base *base, void (*tell)(void *ctx, bool place), void *ctx);
void link_waiter_clear(struct link_waiter *w); /* it waits no more: before anything it waits for is freed */

void link_line_init(struct link_line *line, size_t limit, int64_t wait_ms);
void link_line_set(struct link_line *line, size_t limit, int64_t wait_ms);

/* PASSED: it has a place. WAITS: it will be told. FULL: neither. */
enum link_line_result { LINK_LINE_PASSED, LINK_LINE_WAITS, LINK_LINE_FULL };
enum link_line_result link_line_enter(struct link_line *line, struct link_waiter *w);

/* Stand in line no more, or give the place back of which it has not been told. */
void link_line_quit(struct link_waiter *w);

/* A place is given back. */
void link_line_leave(struct link_line *line);

/* How many wait. */
size_t link_line_waiting(const struct link_line *line);

/* Nobody has a place, and nobody waits. */
bool link_line_empty(const struct link_line *line);

#endif
