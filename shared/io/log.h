/*
 * log.h - the logger: one line an event, `EVENT key=value key=value`, to syslog (LOG_MAIL) or, with -f, to standard
 * error. Foreign text is escaped and cut, so that a line is always one line.
 */
#ifndef POSTERN_LOG_H
#define POSTERN_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX  1000
#define LOG_VALUE_MAX 300

enum log_level { LOGLEVEL_ERROR, LOGLEVEL_WARNING, LOGLEVEL_INFO, LOGLEVEL_DEBUG };

/* Where lines go from now on; name is the program's, kept by reference. */
void log_open(const char *name, bool to_stderr, enum log_level least);

/*
 * fmt is "key=%s key=%d ...": conversions %s %d %u %ld %lu %lld %llu %zu %x %.3f and no others, each after "key=". A %s
 * value is quoted when it is empty or holds a blank, quote or '='; control octets and octets above 0x7e appear as \xNN;
 * it is cut at LOG_VALUE_MAX. NULL prints as "-". Never fails.
 */
void log_error(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Lines that anybody can cause: no more than LOG_LIMIT a second of one kind. Returns whether this one may be written;
 * *left_out is how many before it were not.
 */
#define LOG_LIMIT 10
struct log_limit {
    int64_t second;
    unsigned count;
    unsigned left_out;
};
bool log_allowed(struct log_limit *limit, int64_t now, unsigned *left_out);

/* "out of memory", then abort: the answer of a shell to an allocation that failed (the supervisor restarts us). */
void log_oom(void) __attribute__((noreturn));

/* What calloc, strdup, event_new and the like returned, when it is not NULL; log_oom when it is. */
static inline void *must_have(void *p)
{
    if (p == NULL)
        log_oom();
    return p;
}

#endif
