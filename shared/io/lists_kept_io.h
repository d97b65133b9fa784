/*
 * lists_kept_io.h - the file in which policyd keeps the operator's lists for a start without Redis
 * (core/lists_kept.h).
 */
#ifndef POSTERN_LISTS_KEPT_IO_H
#define POSTERN_LISTS_KEPT_IO_H

#include "lists_kept.h"

/*
 * Read the file. Returns 1, 0 when there is none, or -1 with the reason in e. *out and *stamp are set for 1 alone.
 */
int lists_kept_load(struct lists *out, struct lists_stamp *stamp, const char *path, const uint8_t secret[16],
                    struct err *e);

#endif
