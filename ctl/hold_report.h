/*
 * hold_report.h - what `posternctl setup SERVER --undo` says of flagged mail that it has put on hold, each server in
 * its own words. Pure.
 */
#ifndef POSTERN_HOLD_REPORT_H
#define POSTERN_HOLD_REPORT_H

#include "buf.h"

#include <stddef.h>

#define HOLD_REPORT_NAMED 50 /* messages that are named; of the rest the number is said */

struct hold_report {
    struct buf *said;
    const char *state; /* "on hold" */
    size_t count;      /* 0 at first */
};

/* One more message. id, first: its name in the queue and its first flagged recipient, foreign text. */
void hold_report_add(struct hold_report *r, const char *id, const char *first);

/*
 * At the end: the rest, and how they go on; nothing when there was none. server: "postfix". release: the command that
 * does it, "postsuper -H ID"; more: what else there is to know of it, with "; " or ". " before it, or "". loose: what
 * releasing them is called, "Released".
 */
void hold_report_end(const struct hold_report *r, const char *server, const char *release, const char *more,
                     const char *loose);

#endif
