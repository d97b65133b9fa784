/*
 * supervisor.h - several processes that do the same work. The process that was started forks them and is from then on
 * their supervisor: it replaces those that die, passes SIGHUP, SIGTERM and SIGINT on, and ends when all have ended. It
 * has no event loop and does no work, so each worker, also one that replaces another, begins from the same state. For
 * daemon.c, with what is opened before the fork shared by all of them.
 *
 * When the supervisor dies, its workers are killed: none is left behind.
 */
#ifndef POSTERN_SUPERVISOR_H
#define POSTERN_SUPERVISOR_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

struct supervisor;

/* All are called in the supervisor. */
struct supervisor_hooks {
    void (*ready)(void *ctx);               /* once, when all workers are */
    bool (*reload)(void *ctx);              /* SIGHUP: shall the workers be told? */
    void (*gone)(void *ctx, size_t worker); /* that one has ended, whatever the reason */
};

/* For so many processes, one or more; hooks are called with ctx, and outlive it. */
struct supervisor *supervisor_new(size_t workers, const struct supervisor_hooks *hooks, void *ctx);
void supervisor_free(struct supervisor *s);

/*
 * Start the workers and look after them. Returns once in each worker with its number from 0, and -1 in the supervisor
 * when all workers have ended; *code is then the exit code: 0, or 1 when one could not be started at the beginning, or
 * failed while it was to end. drain_seconds after SIGTERM or SIGINT, or at a second one, workers that are left are
 * killed.
 *
 * In a worker the signals that the supervisor waits for are blocked until supervisor_worker_ready: its handlers must be
 * in place by then. What systemd is told is the supervisor's business: for a worker notify.h is without effect.
 */
int supervisor_run(struct supervisor *s, unsigned drain_seconds, int *code);

/*
 * In the worker: it takes work from now on. When systemd watches over us, a worker whose event loop stands still for
 * WATCHDOG_USEC is aborted, and replaced.
 */
void supervisor_worker_ready(struct supervisor *s, struct event_base *base);

#endif
