/* input_io.h - files that a person names. */
#ifndef POSTERN_INPUT_IO_H
#define POSTERN_INPUT_IO_H

#include "buf.h"
#include "err.h"

/*
 * Append a whole file, or standard input for "-", to out. Returns 1; 0 when it is longer than out may be; -1 with the
 * reason when it cannot be read.
 */
int input_read(struct buf *out, const char *path, struct err *e);

/* Can this be read as a file? Returns 0, or -1 with the reason. */
int input_readable(const char *path, struct err *e);

#endif
