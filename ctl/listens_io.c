/* listens_io.c - does anybody listen there? */
#include "listens_io.h"

#include "connect_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

bool listens(const char *address)
{
    struct address a;
    struct pollfd ready = {.events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;
    bool yes;

    if (address_parse(&a, address, NULL) != 0 || (ready.fd = connect_socket(&a)) < 0)
        return false;
    yes =
        poll(&ready, 1, LISTENS_MS) == 1 && getsockopt(ready.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
    close(ready.fd);
    return yes;
}
