/* whole_file.h - files that are read, and replaced, as a whole. */
#ifndef POSTERN_WHOLE_FILE_H
#define POSTERN_WHOLE_FILE_H

#include "buf.h"
#include "err.h"

/* Append all of a file to out, whose limit is the file's. Returns 1, 0 when there is none, or -1 with "PATH: reason".
 */
int whole_file_read(struct buf *out, const char *path, struct err *e);

/*
 * Write a new file and put it in the old one's place when it is safe on disk: a whole file or the old one, also when
 * the power fails. Mode 0640. Waits for the disk. Returns 0, or -1 with errno.
 */
int whole_file_replace(const char *path, const char *data, size_t len);

/* For those who replace a file in their own way. Write all of it. Returns 0, or -1 with errno. */
int whole_file_write(int fd, const char *data, size_t len);

/* Wait until a file's name is safe on disk, which it is when its folder is. Returns 0, or -1 with errno. */
int whole_file_sync_name(const char *path);

#endif
