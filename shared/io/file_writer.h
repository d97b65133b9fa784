/* file_writer.h - a file that a daemon keeps, written by a child process, so that answers do not wait. */
#ifndef POSTERN_FILE_WRITER_H
#define POSTERN_FILE_WRITER_H

#include <event2/event.h>

#include "buf.h"

struct file_writer;

/* Of each attempt: NULL, or why the file could not be written; of one that cannot begin from within file_writer_write.
 */
typedef void file_written_fn(void *ctx, const char *why);

/* Append the contents; in the child, which sees everything as it was when the writing began. */
typedef void file_fill_fn(struct buf *out, const void *what);

/* path is copied; max: octets of the file. */
struct file_writer *file_writer_new(struct event_base *base, const char *path, size_t max, file_written_fn *fn,
                                    void *ctx);
void file_writer_free(struct file_writer *w); /* NULL-safe; what is being written is waited for, but not for long */

/*
 * Write a new file that then takes the place of the old one: a whole file or none, also when the power fails. While one
 * is being written the next attempt comes later (returns -1: call again when fn has been called).
 */
int file_writer_write(struct file_writer *w, file_fill_fn *fill, const void *what);

#endif
