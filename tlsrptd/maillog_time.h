/* maillog_time.h - the time at the front of a line of a log file. Pure, but for the local time zone of the process. */
#ifndef POSTERN_MAILLOG_TIME_H
#define POSTERN_MAILLOG_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

/*
 * Take the time off the front of the line: RFC 3339 ("2026-11-22T15:04:05.123456+01:00"), fractions of a second
 * dropped, or the traditional one ("Nov  2 15:04:05"), which is local and has no year: it is the one that brings it
 * nearest to now. Of an hour that the clocks repeat either may be meant; one that they leave out is moved as mktime
 * does. Seconds since the epoch go into *out. Returns false for anything else.
 */
bool maillog_time_take(int64_t *out, struct span *line, int64_t now);

/* Take the same off without reading it, cheaply: false when it cannot be a time. */
bool maillog_time_skip(struct span *line);

#endif
