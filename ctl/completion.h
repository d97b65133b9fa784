/* completion.h - what a shell offers behind posternctl and the key TAB, made of the tables of commands and options.
 * Pure. */
#ifndef POSTERN_COMPLETION_H
#define POSTERN_COMPLETION_H

#include "buf.h"
#include "ctl.h"

enum completion_shell { COMPLETION_BASH, COMPLETION_ZSH };

/* Returns 0, or -1: there is none of that name. */
int completion_shell_by_name(enum completion_shell *out, const char *name);

/* Append the shell's code. The table ends with a NULL name. Errors stick in out. */
void completion_write(struct buf *out, const struct command *table, enum completion_shell shell);

#endif
