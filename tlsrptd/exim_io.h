/* exim_io.h - the door for Exim: a line in (exim_line.h), "ok" or "error: …" out, and the connection is closed. */
#ifndef POSTERN_EXIM_IO_H
#define POSTERN_EXIM_IO_H

#include <event2/event.h>
#include <stdint.h>

#include "attempts_io.h"
#include "err.h"

struct exim_door;

/* NULL with the reason in e. run: from then on lines are taken. */
struct exim_door *exim_door_open(struct event_base *base, const char *address, unsigned mode, struct err *e);
void exim_door_run(struct exim_door *d, struct attempts *attempts, int64_t clock_offset);
void exim_door_close(struct exim_door *d);

#endif
