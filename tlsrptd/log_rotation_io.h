/*
 * log_rotation_io.h - which file of a log is read, and from where: at the beginning, at the end of a file, and when one
 * was cut short (log_file_io.h). Private to log_file_io.c, which reads, and log_rotation_io.c.
 */
#ifndef POSTERN_LOG_ROTATION_IO_H
#define POSTERN_LOG_ROTATION_IO_H

#include "log_file_io.h"
#include "log_lines.h"
#include "log_part_io.h"
#include "log_watch_io.h"

struct log_file {
    char *path;
    struct log_taker *taker;
    struct log_watch *watch;
    struct event *work; /* the next turn */
    struct log_lines *lines;
    struct log_part now, then; /* then: the one to come, where that is known already */
    struct log_position opened;
    uint64_t next_inode; /* of the file that comes next, and is waited for until no more comes here */
    int64_t quiet_since; /* on the monotonic clock */
    bool at_end;         /* of the file, when it was read last */
    bool awaited;        /* there was none at first */
    bool paused;
    struct err said; /* what was logged last, and is so still */
    char text[LOG_POSITION_MAX + 1];
};

/* Once, until something else is to be said. */
void log_file_say(struct log_file *f, const struct err *e);

/* Behind the line given last; as long as lines are given that were seen before, the position that was opened. */
struct log_position log_file_position_now(const struct log_file *f);
bool log_file_warming_up(const struct log_file *f);

/* Find the place to begin. False: not yet, the reason is logged. */
bool log_file_begin(struct log_file *f);

/* All of this file was read. True: there is another one now. */
bool log_file_ended(struct log_file *f);

/* If the file is shorter than what was read, or has something else there: go on in its copy, or begin it again. */
void log_file_look_cut(struct log_file *f);

#endif
