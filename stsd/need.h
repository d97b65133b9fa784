/*
 * need.h - what is wanted of a domain's record, whether the one that is known will do, and what becomes of a new one.
 * Pure: records_io.c does what stands here.
 */
#ifndef POSTERN_NEED_H
#define POSTERN_NEED_H

#include <stdbool.h>
#include <stdint.h>

#include "known.h"

enum records_need {
    RECORDS_USE,    /* facts that hold now: mail waits for them */
    RECORDS_AHEAD,  /* facts that are not near their end */
    RECORDS_POLICY, /* a policy that is not due */
    RECORDS_FRESH   /* facts gathered from now on, the policy fetched again */
};

/* What Redis is to be told when a need has been met. */
enum need_tell { TELL_NOTHING, TELL_NEXT_FETCH, TELL_RECORD };

struct need_end {
    struct record *record; /* the answer, in k until the next known_put */
    enum need_tell tell;
    int64_t next_fetch; /* 0: there is no policy to keep fresh */
};

/* The record is what was asked for. started: when the work on it began. */
bool need_met(enum records_need need, const struct dest *d, const struct known *k, int64_t started, int64_t now);

/* A resolution for this need fetches the policy again though nothing else asks for it. */
bool need_fetches(enum records_need need);

/* What is known meets the need: the end of it. Returns 1, or 0: it does not. */
int need_satisfied(struct need_end *out, struct known *k, const char *domain, enum records_need need, int64_t started,
                   int64_t now);

/* Redis has lost the record, or has one that says less: this end tells it the whole. */
void need_restore(struct need_end *end, struct known *k, int64_t now);

/*
 * The end with the record of a resolution, owned from now on. When a part of it could not be looked up and the facts
 * known still hold, these stay; a later policy that it brings goes with them. Returns 0, or -1 without memory: fresh is
 * still the caller's.
 */
int need_conclude(struct need_end *out, struct known *k, struct dest *fresh, enum records_need need, int64_t now);

#endif
