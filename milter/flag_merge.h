/* flag_merge.h - recipients that become the same by what is changed of them. Pure. */
#ifndef POSTERN_FLAG_MERGE_H
#define POSTERN_FLAG_MERGE_H

#include "flag.h"

/* One recipient as it will be. */
struct flag_place {
    struct flag_edit *edit; /* NULL: it stays as it is */
    const char *address;
    size_t recipient;
    unsigned demands; /* flag_parameters.h */
    size_t len;       /* set by flag_merge */
};

/*
 * Of those that have the same address, but for <>, one is left: address of the other edits becomes NULL, and its own
 * demands those of all of them (in the array, which is put into another order). One that stays as it is cannot be given
 * demands: the first edit that has more than it is left beside it. Takes n log n comparisons.
 */
void flag_merge(struct flag_place place[], size_t count);

#endif
