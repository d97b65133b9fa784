/*
 * listener.h - listening stream sockets: made by us, or handed over by systemd (LISTEN_FDS, sd_listen_fds(3)) when one
 * there is bound to the same address.
 */
#ifndef POSTERN_LISTENER_H
#define POSTERN_LISTENER_H

#include <event2/event.h>

#include "address.h"
#include "err.h"

struct listener;

/* A new connection, non-blocking and close-on-exec; the callee's own from now on. */
typedef void listener_accept_fn(void *ctx, int fd);

/*
 * Bind and listen; a left-over unix socket that nobody listens on is replaced, any other file at the path is an error
 * and stays. mode: permissions of a unix socket. The unix socket is removed by listener_free if it was made here. NULL
 * with the reason and address in e.
 */
struct listener *listener_open(struct event_base *base, const char *address, unsigned mode, listener_accept_fn *fn,
                               void *ctx, struct err *e);

/* Stop and go on accepting (bound reached; out of descriptors: the listener pauses itself for 100 ms then). */
void listener_pause(struct listener *l);
void listener_resume(struct listener *l);

/* As it was given to listener_open; valid until listener_free. */
const char *listener_address(const struct listener *l);

void listener_free(struct listener *l);

#endif
