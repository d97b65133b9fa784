/* conf_text.h - what is done with a configuration file before libconfuse sees it. Pure. */
#ifndef POSTERN_CONF_TEXT_H
#define POSTERN_CONF_TEXT_H

#include <stddef.h>

#include "err.h"

/*
 * Blank the comments (# and //, to the end of the line, and slash-star) in place and check what libconfuse would pass
 * over in silence: quotes, comments and braces that are not closed, octets without meaning, environment variables.
 * text[len] is NUL. Returns 0, or -1 with the reason in e and its line in *line.
 */
int conf_text_clean(char *text, size_t len, unsigned *line, struct err *e);

#endif
