/* program_output_io.h - another program's output. */
#ifndef POSTERN_PROGRAM_OUTPUT_IO_H
#define POSTERN_PROGRAM_OUTPUT_IO_H

#include "buf.h"
#include "err.h"

#define PROGRAM_SECONDS 60 /* it may take so long, then it is killed with all that it has started */

/*
 * Run a program, without a shell and with nothing on its standard input, and append what it writes to standard output.
 * It has SIGPIPE as it is by default, and a process group of its own: Ctrl-C at a terminal ends this process alone.
 * argv ends with NULL; argv[0] is looked for in PATH, then in /usr/sbin. Returns 0, or -1 with the reason: it is not
 * there, it ended with another status than 0 (with the last line of its standard error) or nobody knows how, it took
 * too long, it wrote more than out may hold.
 */
int program_output(struct buf *out, char *const argv[], struct err *e);

#endif
