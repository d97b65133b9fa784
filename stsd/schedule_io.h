/* schedule_io.h - fetches the policies of domains in use again ahead of their end (RFC 8461 section 10.2; check A9), on
 * one node of those that share a Redis. */
#ifndef POSTERN_SCHEDULE_IO_H
#define POSTERN_SCHEDULE_IO_H

#include <event2/event.h>

#include "records_io.h"
#include "redis_io.h"

struct schedule;

struct schedule *schedule_new(struct event_base *base, struct records *records, struct redis *redis,
                              int64_t used_within);
void schedule_configure(struct schedule *s, int64_t used_within);
void schedule_stop(struct schedule *s); /* begin nothing new */
void schedule_free(struct schedule *s); /* Redis must have been closed before */

#endif
