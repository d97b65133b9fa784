/* output_io.h - standard output and standard error. */
#ifndef POSTERN_OUTPUT_IO_H
#define POSTERN_OUTPUT_IO_H

#include <jansson.h>

#include "buf.h"

/* Print "posternctl: ..." and a line feed on standard error; foreign text is escaped (print.h). */
void report_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Have all of standard output written. Returns CTL_YES, or CTL_NO with the reason reported. */
int output_flush(void);

/* Print a finished text. Returns CTL_YES, or CTL_NO when it is incomplete or cannot be written. */
int output_text(const struct buf *text);

/* The same, and free the text. */
int output_and_clear(struct buf *text);

/* Print a text that a program may read: as it is, but on a terminal, which must be safe from it. Returns as above. */
int output_verbatim(const struct buf *text);

/* Write it to a file. Returns CTL_YES, or CTL_NO with the reason reported. */
int output_file(const char *path, const struct buf *text);

/* Print one JSON value on a line of its own. Takes the value; NULL is "out of memory". */
int output_json(json_t *value);

#endif
