/*
 * activity.h - what a worker of policyd does now, as JSON for `posternctl top`. Pure.
 *
 *   - asked: [{domain, asked, missed, answer}], the most asked names of the last `seconds`, ACTIVITY_ASKED at most;
 *     answer: the level of the answer in memory, "" when there is none
 *   - looking_up: [{domain, ms, waits}], the look-ups that have been under way longest, the oldest first
 */
#ifndef POSTERN_ACTIVITY_H
#define POSTERN_ACTIVITY_H

#include <jansson.h>

#include "lookup_io.h"
#include "memory.h"

#define ACTIVITY_ASKED   40
#define ACTIVITY_WAITING 20

/* A new object, the caller's; NULL without memory. waiting: the oldest last. */
json_t *activity_json(struct memory *m, const struct lookup_waiting *waiting, size_t count, int64_t now);

#endif
