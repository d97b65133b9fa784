/* token_io.h - names that nobody else has made up. */
#ifndef POSTERN_TOKEN_IO_H
#define POSTERN_TOKEN_IO_H

#include "err.h"

#define TOKEN_BUF 17

/* 16 hex digits at random, as a generation has them (lists_stamp.h). Returns 0, or -1 with the reason in e. */
int token_make(char out[TOKEN_BUF], struct err *e);

#endif
