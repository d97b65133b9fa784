/* report_file_io.h - a TLS report of anybody's in a file that a person names (report_commands_io.c). */
#ifndef POSTERN_REPORT_FILE_IO_H
#define POSTERN_REPORT_FILE_IO_H

#include "report_read.h"

/* Read it; "-" is standard input. Returns CTL_YES, *out to be given to report_found_clear, or the exit code with the
 * reason reported. */
int report_file_read(struct report_found *out, const char *path);

#endif
