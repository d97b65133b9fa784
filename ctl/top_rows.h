/* top_rows.h - the tables of the screen (top.h), a line each row. Pure. */
#ifndef POSTERN_TOP_ROWS_H
#define POSTERN_TOP_ROWS_H

#include "top.h"

/* One table. */
struct top_rows {
    struct buf line; /* rows, each with a line feed; the first is the head */
    size_t count;    /* rows, without the head */
};

/* Each sets *out (top_rows_clear): the most asked names, the slowest resolutions, where TLS fails. width as in
 * top_screen. */
void top_rows_asked(struct top_rows *out, const struct top_look *now, size_t width);
void top_rows_slow(struct top_rows *out, const struct top_look *now, size_t width);
void top_rows_failing(struct top_rows *out, const struct top_look *now, size_t width);

void top_rows_clear(struct top_rows *rows);

#endif
