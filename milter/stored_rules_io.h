/*
 * stored_rules_io.h - the rules in Redis as this process knows them: read when Redis comes up and whenever it tells of
 * a change, kept in a file for a start without it. What Redis has lost, or has gone back to, and what cannot be read,
 * does not replace what is known (lists_stamp.h).
 *
 * In Redis: the hash PREFIXrules: with the fields g and n, their stamp, and text, the rules as rule_set_read takes
 * them.
 */
#ifndef POSTERN_STORED_RULES_IO_H
#define POSTERN_STORED_RULES_IO_H

#include <event2/event.h>

#include "err.h"
#include "redis_io.h"

struct stored_rules;

/* Here are the rules: go by them from now on. Returns 0, or -1 with why not: those before go on. */
typedef int stored_rules_fn(void *ctx, const char *text, size_t len, struct err *e);

struct stored_rules_options {
    struct redis *redis;
    const char *file; /* "" for none */
    stored_rules_fn *fn;
    void *ctx;
};

/* Reads the file, and calls fn with what it has. redis outlives it. */
struct stored_rules *stored_rules_new(struct event_base *base, const struct stored_rules_options *options);
void stored_rules_free(struct stored_rules *s); /* NULL-safe; after redis_free */

/* Redis tells that the rules, or anything, may have changed. */
void stored_rules_told(struct stored_rules *s);

/* They were read, from Redis or from the file, and fn took them. */
bool stored_rules_known(const struct stored_rules *s);

/* Why they are not known, or why those in Redis are not the ones in force; "" for nothing. */
const char *stored_rules_problem(const struct stored_rules *s);

#endif
