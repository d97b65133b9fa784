/*
 * libmilter_io.h - libmilter as a part of a daemon: its socket is opened early, its loop runs in a thread, and it can
 * be ended. There is one in a process.
 */
#ifndef POSTERN_LIBMILTER_IO_H
#define POSTERN_LIBMILTER_IO_H

#include <libmilter/mfapi.h>
#include <sys/types.h>

#include "err.h"

/*
 * Register, and open the socket at an address ("unix:/path", "inet:127.0.0.1:8463"; core/address.h). A unix socket gets
 * the mode, and the owner unless that is -1. Returns 0, or -1 with the reason: such as that somebody listens there.
 */
int libmilter_open(const struct smfiDesc *milter, const char *address, unsigned mode, uid_t uid, gid_t gid,
                   struct err *e);

/*
 * Serve sessions, in a thread that no signal of the process reaches; from when on the process takes SIGHUP, SIGINT and
 * SIGTERM itself: libmilter waits for them too, and would end at once. When its loop ends unasked the process gets
 * SIGTERM. Returns 0, or -1 with the reason.
 */
int libmilter_run(struct err *e);

/* End the loop, and wait for that. Only when no session is open: libmilter would cut them off, and not say so. */
void libmilter_stop(void);

/*
 * Remove the file of a unix socket, if it is still the one that was made. At the end, and whether its loop was ended or
 * not: libmilter does it then, but not if two of its threads close the socket at one moment.
 */
void libmilter_remove_socket(void);

#endif
