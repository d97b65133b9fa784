/* status.h - what the daemons say of themselves, for people. Pure. */
#ifndef POSTERN_STATUS_H
#define POSTERN_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/* Append one daemon's answer to "status" as an aligned block; status NULL: it is down. now: seconds since the epoch.
 * Errors stick in out. */
void status_print(struct buf *out, const char *program, const char *address, const json_t *status, int64_t now,
                  bool colour);

#endif
