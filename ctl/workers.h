/* workers.h - what several workers of policyd answered, as one object. Pure. */
#ifndef POSTERN_WORKERS_H
#define POSTERN_WORKERS_H

#include <jansson.h>
#include <stddef.h>

/*
 * Add one worker's answer to all: numbers are added up, "more" is true when it is for one of them, and each of
 * "domains" is appended with the member "worker", from 1. An object that is about one domain becomes the one of
 * "domains". one stays the caller's.
 */
void workers_add(json_t *all, const json_t *one, size_t worker);

#endif
