/* postfix_run_io.h - Postfix's own programs, for its usual configuration or another one. */
#ifndef POSTERN_POSTFIX_RUN_IO_H
#define POSTERN_POSTFIX_RUN_IO_H

#include "buf.h"
#include "err.h"

#define POSTFIX_WORDS_MAX 250

/*
 * Run PROGRAM [-c CONFIG_DIR] WORD..., of at most POSTFIX_WORDS_MAX words that end with NULL; config_dir NULL:
 * Postfix's own place. What it prints is appended to out. Returns 0, or -1 with the reason.
 */
int postfix_run(struct buf *out, const char *config_dir, const char *program, const char *const words[], struct err *e);

#endif
