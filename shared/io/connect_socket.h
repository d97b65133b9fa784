/* connect_socket.h - the client's side of a stream socket. */
#ifndef POSTERN_CONNECT_SOCKET_H
#define POSTERN_CONNECT_SOCKET_H

#include "address.h"

/* Returns a descriptor, non-blocking and close-on-exec, connected or about to be; or -1 with errno. */
int connect_socket(const struct address *a);

#endif
