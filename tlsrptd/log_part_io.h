/* log_part_io.h - an open file of a log, and which part of it is to be read. Private to log_rotation_io.c. */
#ifndef POSTERN_LOG_PART_IO_H
#define POSTERN_LOG_PART_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "err.h"
#include "log_files_io.h"

struct log_part {
    int fd; /* -1: none */
    uint64_t device, inode;
    int64_t changed;    /* as in a position */
    int64_t start;      /* where reading begins */
    int64_t seen_until; /* lines that end there, or before, were given before */
    bool inside;        /* the start may be in the middle of a line */
};

extern const struct log_part log_no_part;

/* listed: what was there when the folder was looked at, or NULL. Returns 0, or -1 with the reason and errno. */
int log_part_open(struct log_part *out, const char *path, const struct stat *listed, int64_t start, struct err *e);
void log_part_close(struct log_part *part);

/* The last octets of a file, all of them seen. False when there are none to be had. */
bool log_part_open_last(struct log_part *out, const struct log_file_entry *file, int64_t octets);

/* Begin at the line that the file ends in, or at its end when the beginning of that is far. */
void log_part_to_end(struct log_part *part);

#endif
