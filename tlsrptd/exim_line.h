/*
 * exim_line.h - what Exim tells of an attempt, by ${readsocket} in an event_action: one line of words,
 *
 *   attempt NAME=VALUE …
 *
 * whose names are those of the members below. Values come from Exim's variables and are foreign. Pure.
 */
#ifndef POSTERN_EXIM_LINE_H
#define POSTERN_EXIM_LINE_H

#include <stddef.h>

#include "err.h"
#include "tls_attempt.h"

#define EXIM_LINE_MAX 4096

/* Returns 1: an attempt; 0: a line that says of no session (an event that does not matter); -1 with what is wrong. */
int exim_line_read(struct tls_attempt *out, const char *line, size_t len, int64_t now, struct err *e);

#endif
