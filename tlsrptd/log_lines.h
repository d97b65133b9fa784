/*
 * log_lines.h - the octets of a log file, cut into lines. Most lines are not copied. A line is given when its end has
 * come; of one longer than MAILLOG_LINE_MAX only the beginning. NUL octets at the beginning of a line are left out:
 * a file that was cut short while its writer went on at its old place has a hole full of them. Pure.
 *
 *     log_lines_begin(l, offset, inside, before, len)
 *     as long as there is more: read into log_lines_room, log_lines_added, and log_lines_next until it is false
 */
#ifndef POSTERN_LOG_LINES_H
#define POSTERN_LOG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log_position.h"

#define LOG_LINES_READ ((size_t)256 * 1024) /* octets that there is always room for */

struct log_lines;

struct log_lines *log_lines_new(void); /* NULL without memory */
void log_lines_free(struct log_lines *l);

/*
 * Forget all; what comes stands at this offset in its file. inside: that may be in the middle of a line, whose rest is
 * passed over. before: the min(LOG_FINGERPRINT_LEN, offset) octets before it.
 */
void log_lines_begin(struct log_lines *l, int64_t offset, bool inside, const char *before, size_t len);

/* Where the next octets go, LOG_LINES_READ of them; then how many came. */
char *log_lines_room(struct log_lines *l);
void log_lines_added(struct log_lines *l, size_t len);

/* The next whole line, without its end (LF or CR LF); valid until the next call. False: there is none yet. */
bool log_lines_next(struct log_lines *l, const char **line, size_t *len);

/* Behind the line given last; and behind all that was added. */
int64_t log_lines_offset(const struct log_lines *l);
int64_t log_lines_end(const struct log_lines *l);

/* What stands before these two places, up to LOG_FINGERPRINT_LEN octets; valid until the next call. */
uint64_t log_lines_fingerprint(const struct log_lines *l);
const char *log_lines_last(const struct log_lines *l, size_t *len);

#endif
