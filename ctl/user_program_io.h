/* user_program_io.h - another program, run as a user without privileges. */
#ifndef POSTERN_USER_PROGRAM_IO_H
#define POSTERN_USER_PROGRAM_IO_H

#include "buf.h"
#include "err.h"

struct user_program {
    const char *user;   /* whom to become; of no effect when not started as root */
    const char *folder; /* where it runs; NULL: "/" */
    char *const *argv;  /* argv[0]: its path */
    int seconds;        /* it may take so long, then it is killed with all that it has started */

    /* A file in folder that is written first, as that user; NULL: none. */
    const char *file, *octets;
    size_t len;
};

/*
 * Run it without a shell, with nothing on its standard input, PATH alone in its environment, no descriptor of ours, and
 * no way to more privileges. It ends when this process does. What it writes to standard output and standard error is
 * appended to said; what is beyond said's limit is dropped. Returns its exit status, or -1 with the reason: it cannot
 * be run, took too long, was killed, cannot be waited for.
 */
int user_program_run(struct buf *said, const struct user_program *p, struct err *e);

#endif
