/*
 * exim_io.h - the door for Exim: a line in (exim_line.h), "ok" or "error: …" out, and the connection is closed. Exim
 * waits for that, so it is never put off: when there is no room the line is refused. A line that ends with the sender's
 * side (half-closed) is whole, too.
 *
 * Exim tells of a session in clear once for each recipient, and also after TLS has failed with the same host; it counts
 * only where nothing was told of that message and host within EXIM_SESSION_SECONDS.
 */
#ifndef POSTERN_EXIM_IO_H
#define POSTERN_EXIM_IO_H

#include <event2/event.h>
#include <stdint.h>

#include "attempts_io.h"
#include "err.h"

#define EXIM_CONNECTIONS_MAX 500  /* at one time; then no more are accepted until one ends */
#define EXIM_LINE_MS         5000 /* longest time of a connection */
#define EXIM_SESSION_SECONDS 300

struct exim_door;

/* NULL with the reason in e. run: from then on lines are taken; before, they are answered with an error. */
struct exim_door *exim_door_open(struct event_base *base, const char *address, unsigned mode, struct err *e);
void exim_door_run(struct exim_door *d, struct attempts *attempts, int64_t clock_offset);

/* No more are accepted; those that were are answered, in EXIM_LINE_MS at most. exim_door_callers: how many are left. */
void exim_door_drain(struct exim_door *d);
size_t exim_door_callers(const struct exim_door *d);
void exim_door_close(struct exim_door *d); /* NULL-safe */

struct exim_door_stats {
    uint64_t lines, refused, unreadable; /* refused: there was no room */
};
struct exim_door_stats exim_door_stats(const struct exim_door *d);

#endif
