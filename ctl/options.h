/* options.h - the options that only some commands take: one table, from which reading, usage and errors go. */
#ifndef POSTERN_OPTIONS_H
#define POSTERN_OPTIONS_H

#include "ctl.h"

struct option_kind {
    const char *name; /* without the minus signs */
    uint64_t bit;     /* CTL_JSON and the others */
    bool many;        /* may be given more than once */
    const char *arg;  /* what its value is called; NULL: it has none */
    const char *help; /* one line, for the usage */
    size_t value;     /* where in struct ctl its value goes, a const char *; of `many` a struct ctl_values */
};

/* Ends with a NULL name. */
extern const struct option_kind option_kinds[];

#define OPTION_KINDS 57 /* without the end */

#endif
