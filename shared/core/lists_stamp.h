/*
 * lists_stamp.h - which state of the lists a data set of Redis has: every edit adds one to the count, and the first
 * edit of a data set makes up a generation. So policyd sees that Redis has lost the lists, or has come back with older
 * ones, and keeps those that it knows. Pure.
 */
#ifndef POSTERN_LISTS_STAMP_H
#define POSTERN_LISTS_STAMP_H

#include "err.h"

#include <stddef.h>
#include <stdint.h>

#define LISTS_GENERATION_LEN 16

/* All zero: no stamp. */
struct lists_stamp {
    char generation[LISTS_GENERATION_LEN + 1]; /* hex digits in lower case */
    int64_t count;                             /* edits in this generation, at least 1 */
};

/* Read the two as Redis has them. Returns 0, or -1 with what is wrong in e and no stamp in *out. */
int lists_stamp_parse(struct lists_stamp *out, const char *generation, size_t generation_len, const char *count,
                      size_t count_len, struct err *e);

enum lists_stamp_verdict {
    LISTS_STAMP_ADOPT,     /* take what Redis has */
    LISTS_STAMP_KEEP_LOST, /* Redis has lost the lists */
    LISTS_STAMP_KEEP_OLDER /* Redis has an older state of them */
};

/* "adopt", "lost", "older" */
const char *lists_stamp_verdict_name(enum lists_stamp_verdict verdict);

/*
 * What to do with what Redis has now. known, known_entries: the stamp of the lists that are known and how many entries
 * they have in all; without a stamp, or without entries, there is nothing to keep. seen: the stamp that Redis has.
 * Another generation is the operator's new beginning and goes, whatever its count.
 */
enum lists_stamp_verdict lists_stamp_judge(const struct lists_stamp *known, size_t known_entries,
                                           const struct lists_stamp *seen);

#endif
