/* top.h - what the daemons do now, as a screen: two looks at them go in, lines come out. Pure. */
#ifndef POSTERN_TOP_H
#define POSTERN_TOP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define TOP_WHY_MAX 200

enum top_program { TOP_POLICYD, TOP_STSD, TOP_TLSRPTD, TOP_PROGRAMS };

/* What one of them said. */
struct top_said {
    bool unused;           /* the configuration has no use for it */
    json_t *status;        /* its answer to `status`; NULL: it is away */
    json_t *activity;      /* an array of answers to `activity`, of policyd one for each worker that gave one */
    char why[TOP_WHY_MAX]; /* why something is missing, or "" */
};

struct top_look {
    int64_t ms; /* of a clock that does not go back; 0: no look was taken */
    struct top_said said[TOP_PROGRAMS];
};

/* Let go of what it holds; all is NULL and 0 then. */
void top_look_clear(struct top_look *look);

struct top_screen {
    size_t width, height; /* 0: as many as it takes, and nothing is cut */
    bool colour;
    const char *title; /* the first line */
};

/*
 * Append lines, each with a line feed: at most height of them, none wider than width. Rates are of the time between the
 * two looks; without an earlier look, or where a daemon was started anew in between, there are none. Errors stick in
 * out.
 */
void top_print(struct buf *out, const struct top_look *before, const struct top_look *now,
               const struct top_screen *screen);

/* The same as an object (the caller's): each daemon with status, activity and why, null when it is not in use; seconds
 * between the looks; rates: each number of policyd's status that only grows, a second. */
json_t *top_json(const struct top_look *before, const struct top_look *now);

#endif
