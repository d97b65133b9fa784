/* listen_socket.h - a bound and listening stream socket, or a bound datagram socket, and, for a unix one, the file it
 * is. Under listener.h, metrics.h and tlsrptd's datagrams. */
#ifndef POSTERN_LISTEN_SOCKET_H
#define POSTERN_LISTEN_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "address.h"
#include "err.h"

struct listen_socket {
    struct address address;
    int fd;        /* non-blocking, close-on-exec; -1: closed */
    pid_t made_by; /* this process made the file and is the one to remove it; 0: nobody here did */
    dev_t dev;     /* which file that is */
    ino_t ino;
};

/*
 * Whom unix sockets opened from now on shall belong to: daemons open theirs as root, and their peers run as the same
 * user as they do later; in a folder with the set-group-ID bit the group is the folder's. -1: as they are made.
 */
void listen_socket_owner(uid_t uid, gid_t gid);

/* See listener_open. Returns 0, or -1 with the reason and the address in e. */
int listen_socket_open(struct listen_socket *out, const char *address, unsigned mode, struct err *e);

/* The same for datagrams. */
int listen_socket_open_datagrams(struct listen_socket *out, const char *address, unsigned mode, struct err *e);

/* Close the descriptor, unless the caller has set it to -1, and remove the file if it is still the one that was made,
 * by this process: not by the one that it was forked from. */
void listen_socket_close(struct listen_socket *s);

#endif
