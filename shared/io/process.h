/* process.h - what makes a process a daemon: detaching, pid file, privileges, limits. For daemon.c. */
#ifndef POSTERN_PROCESS_H
#define POSTERN_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/*
 * Go to the background. The process that was started waits until process_ready (then it exits 0) or until this one ends
 * (then 1). Returns the descriptor for process_ready in the new process, or -1 with the reason in e.
 */
int process_detach(struct err *e);

/* Up and running: let go of the terminal, and let the waiting process go. */
void process_leave_terminal(void);
void process_ready(int fd);

/*
 * Who that user is, so that what is made before process_become can be made theirs. Both are -1 when not started as
 * root. Returns 0, or -1 with what to write in e.
 */
int process_owner(const char *user, uid_t *uid, gid_t *gid, struct err *e);

/*
 * The user's uid, gid and groups. Of no effect when not started as root. for_good: programs that are run do not get
 * other ones either, by a set-user-ID or set-group-ID bit. Returns 0, or -1 with what to write in e.
 */
int process_become(const char *user, bool for_good, struct err *e);

/* Write the process id; the file is there as a whole or not at all. */
int process_pid_write(const char *path, struct err *e);

/* As many descriptors as are allowed, no broken pipes, files that others cannot read. */
void process_prepare(void);

#endif
