/*
 * give_back_io.h - a Redis that comes up, or is emptied, may have lost what it had, or have an older state of it: give
 * it the records of this node that it has not, and those that say more than its own. A few at a time, so that other
 * commands are not held up.
 */
#ifndef POSTERN_GIVE_BACK_IO_H
#define POSTERN_GIVE_BACK_IO_H

#include "known.h"
#include "redis_io.h"

struct give_back;

/* redis and known stay the caller's. Never NULL. */
struct give_back *give_back_new(struct redis *redis, struct known *known);

/* Begin, or begin anew. */
void give_back_start(struct give_back *g);

void give_back_free(struct give_back *g); /* Redis must have been closed before */

#endif
