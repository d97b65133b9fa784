/*
 * log_file_io.h - follows a log file: what is appended to it, and, when it was rotated, cut short or replaced, what
 * the old one has left and then the new one from its beginning. Also when that happened while nobody followed.
 *
 * A renamed file is left when its successor has lines, and it itself has not grown for LOG_GRACE_MS: writers take a
 * moment to change over. A file that was copied and cut short is finished in its copy. Files in between are read, too;
 * where one is compressed or gone its lines are lost, which is logged and counted.
 */
#ifndef POSTERN_LOG_FILE_IO_H
#define POSTERN_LOG_FILE_IO_H

#include "log_taker.h"

#define LOG_GRACE_MS   1000
#define LOG_WARM_UP    ((int64_t)1024 * 1024) /* octets before the position that are given again, as seen */
#define LOG_TURN_READS 4                      /* of LOG_LINES_READ, at a stretch */

struct log_file;

/* taker: the caller's, kept. See log_source_open; NULL with the reason in e: there is something else than a file. */
struct log_file *log_file_new(struct event_base *base, const char *path, const struct log_position *position,
                              struct log_taker *taker, struct err *e);
void log_file_resume(struct log_file *f);
void log_file_free(struct log_file *f);

/* Behind the last line that was read; valid until the next call. */
const char *log_file_position(struct log_file *f);

#endif
