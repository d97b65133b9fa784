/* plain_wanted.h - what policyd's `explain` (control_io.h) says of plain text. Pure. */
#ifndef POSTERN_PLAIN_WANTED_H
#define POSTERN_PLAIN_WANTED_H

#include <stddef.h>

enum plain_wanted {
    PLAIN_UNKNOWN, /* policyd does not know now, or what came is not its answer */
    PLAIN_NOT_WANTED,
    PLAIN_WANTED /* its answer to the MTA is "none" */
};

enum plain_wanted plain_wanted_read(const char *json, size_t len);

#endif
