/*
 * log_files_io.h - a log file and what it was before it was rotated. Rotated files stand in the same folder, with
 * the file's name and '.' or '-' and a number or date behind it (logrotate's "mail.log.1", "mail.log-20261122").
 * Compressed ones ("mail.log.2.gz") cannot be read, but tell that something is missing.
 */
#ifndef POSTERN_LOG_FILES_IO_H
#define POSTERN_LOG_FILES_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "err.h"
#include "log_position.h"

struct log_file_entry {
    char *path;
    struct stat st;
    bool packed; /* compressed */
    bool current;
};

/* Sorted, the oldest first; the one that has no number or date, where it is there, is the last. */
struct log_files {
    struct log_file_entry *entry;
    size_t count;
};

/* What there is now. It can be another moment later. */
void log_files_list(struct log_files *out, const char *path);
void log_files_clear(struct log_files *files);

#define LOG_FILES_NONE ((size_t)-1)

/* The file that the position is in: with its inode or, as files are copied and restored, with another, but always with
 * what stood before the place. LOG_FILES_NONE when it is gone. */
size_t log_files_find(const struct log_files *files, const struct log_position *p);

/* The one with this inode, or LOG_FILES_NONE. */
size_t log_files_inode(const struct log_files *files, uint64_t device, uint64_t inode);

/*
 * The first that can be read and was begun after the one at index i, or, when i is LOG_FILES_NONE, that was changed
 * after `changed`; empty ones that are not the current are left out. *missing: compressed ones that are between, NULL
 * or the path of one. LOG_FILES_NONE: there is none yet.
 */
size_t log_files_next(const struct log_files *files, size_t i, int64_t changed, const char **missing);

/* Open a file for reading. Returns its descriptor, or -1 with errno and "PATH: reason, what to do" in e. */
int log_file_open(const char *path, struct stat *st, struct err *e);

/* The up to LOG_FINGERPRINT_LEN octets before the offset. Returns how many, or -1 when they cannot be read. */
ssize_t log_file_before(int fd, int64_t offset, char out[LOG_FINGERPRINT_LEN]);

int64_t log_file_changed(const struct stat *st); /* nanoseconds since the epoch */

#endif
