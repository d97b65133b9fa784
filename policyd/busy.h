/*
 * busy.h - which names are asked for most, now: the counts of the last 10 to 20 seconds, in bounded memory and at a
 * cost that does not grow. Pure.
 *
 * A window holds BUSY_NAMES names (Space-Saving: Metwally, Agrawal, El Abbadi, ICDT 2005): a new one takes the place of
 * the one with the smallest count, so that each that has more than 1/BUSY_NAMES of the requests is there. Beyond
 * BUSY_EXACT requests in a second only each BUSY_STEPth is looked at, and counts for so many.
 */
#ifndef POSTERN_BUSY_H
#define POSTERN_BUSY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUSY_NAMES  128
#define BUSY_NAME   320 /* octets of a name with its NUL; longer ones are not counted */
#define BUSY_WINDOW 10  /* seconds */
#define BUSY_EXACT  1000
#define BUSY_STEP   16

struct busy;

/* One name's numbers; never more than the truth, but for what each BUSY_STEPth stands for. */
struct busy_name {
    const char *name;
    uint64_t asked;
    uint64_t missed; /* of these, not answered from memory */
};

/* NULL without memory. */
struct busy *busy_new(void);
void busy_free(struct busy *b); /* NULL-safe */

/* A request for this name, at that second. Allocates nothing. */
void busy_add(struct busy *b, const char *name, size_t len, bool missed, int64_t now);

/*
 * The most asked names, most first (equal ones by name); the texts are valid until the next call on b. *seconds: how
 * long they were counted, at least 1. Returns how many, at most max.
 */
size_t busy_top(struct busy *b, struct busy_name *out, size_t max, int64_t now, int64_t *seconds);

#endif
