/*
 * choice.h - what a look-up ends with: an answer made of the facts that came, or the one that memory holds. Pure:
 * lookup_end_io.c does what stands here.
 */
#ifndef POSTERN_CHOICE_H
#define POSTERN_CHOICE_H

#include "memory.h"
#include "verdict.h"

enum choice {
    CHOICE_FACTS,   /* an answer is to be made of the facts */
    CHOICE_BESIDE,  /* the same, with decide_options.sts_elsewhere and answer_keep_policy: the facts say nothing of the
                       enforced policy that the answer in memory knows, and that answer cannot go on (DANE has come) */
    CHOICE_MEMORY,  /* the answer in memory is as good */
    CHOICE_GOES_ON, /* the answer in memory goes on for a while: nothing newer can be had, or the facts are older, or
                       say nothing of the policy that it rests on */
    CHOICE_NOTHING  /* nothing is known: a temporary error */
};

/* Where the answers are, and how decisions are made. */
struct choice_in {
    struct memory *memory;
    const char *domain; /* the key in memory, */
    size_t len;         /* and its length */
    const struct decide_options *options;
    struct verdict_lists lists; /* as they are now */
};

/*
 * Facts have come. Those of another node, or of a Redis with an old data set, may be older than what the answer in
 * memory was made of (CHOICE_MEMORY, or if that is out of date and demands no less than they do CHOICE_GOES_ON); or
 * stsd has lost a policy that is known here (CHOICE_GOES_ON, with DANE CHOICE_BESIDE); else CHOICE_FACTS. *a: the
 * answer in memory that is meant, else NULL. An answer that is out of date and less than what is required does not go
 * on; nor does one for a policy that is ignored (CHOICE_BESIDE).
 */
enum choice choice_new(struct answer **a, const struct choice_in *in, const struct dest *dest, int64_t now);

/*
 * Nothing newer can be had. The later of the old facts (NULL: none) and the old answer goes on, but one that demands
 * more before one that demands less. CHOICE_MEMORY: the answer holds still. changed: Redis has told that there are
 * newer facts; then old ones go on only if they bind, as the new ones may demand more.
 */
enum choice choice_old(struct answer **a, const struct choice_in *in, const struct dest *old, bool changed,
                       int64_t now);

#endif
