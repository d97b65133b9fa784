/* screen_io.h - a whole terminal for a screen that changes: entered, drawn on, and given back as it was, however the
 * process ends (but for SIGKILL). There is one terminal, so there is one screen. */
#ifndef POSTERN_SCREEN_IO_H
#define POSTERN_SCREEN_IO_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* Standard output is a terminal that can move its cursor. */
bool screen_possible(void);

/* Another screen than the shell's, no cursor, keys come at once and unseen. screen_leave puts all back; it may be
 * called at any time, also twice. */
void screen_enter(void);
void screen_leave(void);

/* Columns and lines of the terminal now; 80 and 24 when it does not say. */
void screen_size(size_t *width, size_t *height);

/* Show these lines, which fit, in place of what was there. Returns 0, or -1: the terminal has gone. */
int screen_draw(const struct buf *lines);

#endif
