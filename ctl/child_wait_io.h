/* child_wait_io.h - the end of a program that was started, and what it writes until then. */
#ifndef POSTERN_CHILD_WAIT_IO_H
#define POSTERN_CHILD_WAIT_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"

#define CHILD_PIPES_MAX 2

struct child_pipe {
    int fd; /* where it is read; -1: at its end */
    struct buf *to;
    bool whole; /* what `to` cannot hold is an error; else it is dropped */
};

enum child_end {
    CHILD_ENDED,   /* with *status, as waitpid gives it */
    CHILD_LATE,    /* took longer than `seconds`, and was killed */
    CHILD_FULL,    /* wrote more than was to be, and was killed if it had not ended */
    CHILD_UNKNOWN, /* ended, and nobody knows how; errno says why */
};

/*
 * Wait for the end of a child that leads a process group of its own, and take meanwhile what it writes. A child that is
 * killed is killed with its group. One that ends by itself may leave others behind, who may hold the pipes open: they
 * are not waited for. Closes nothing.
 */
enum child_end child_wait(int *status, pid_t pid, struct child_pipe *pipe, size_t pipes, int seconds);

#endif
