/*
 * lists_kept_io.h - the file in which policyd keeps the operator's lists for a start without Redis
 * (core/lists_kept.h).
 */
#ifndef POSTERN_LISTS_KEPT_IO_H
#define POSTERN_LISTS_KEPT_IO_H

#include <event2/event.h>

#include "lists_kept.h"

/*
 * Read the file. Returns 1, 0 when there is none, or -1 with the reason in e. *out and *stamp are set for 1 alone.
 */
int lists_kept_load(struct lists *out, struct lists_stamp *stamp, const char *path, const uint8_t secret[16],
                    struct err *e);

struct lists_writer;

/* path is copied. fn is told of each attempt: NULL, or why the file could not be written; of one
 * that cannot begin from within lists_writer_write. */
struct lists_writer *lists_writer_new(struct event_base *base, const char *path, void (*fn)(void *ctx, const char *why),
                                      void *ctx);
void lists_writer_free(struct lists_writer *w); /* NULL-safe; what is being written is waited for, but not for long */

/*
 * Write the lists, as they are now, to a new file that then takes the place of the old one: a whole file or none, also
 * when the power fails. A child process does it, so that answers do not wait. While one is at work the next attempt
 * comes later (returns -1: call again when fn has been called).
 */
int lists_writer_write(struct lists_writer *w, const struct lists *lists, const struct lists_stamp *stamp);

#endif
