/* setup_command_io.h - the commands of a plan are run. */
#ifndef POSTERN_SETUP_COMMAND_IO_H
#define POSTERN_SETUP_COMMAND_IO_H

#include "setup_manifest.h"

#define SETUP_OUTPUT_MAX ((size_t)1 << 20) /* of one command, octets */

/* Run a command; "posternctl" is this program. What it prints is appended to out. Returns 0, or -1 with the reason. */
int setup_run_command(struct buf *out, char *const argv[], struct err *e);

/* Is what a step has made as it was made, as far as that is shown? */
bool setup_is_as_made(const struct setup_done *d);

#endif
