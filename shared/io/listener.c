/* listener.c - accepting connections on the event loop. */
#include "listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "listen_socket.h"
#include "log.h"

#define ACCEPTS_MAX 64 /* in one go, so that a flood of connections leaves time for those that are there */

static const struct timeval short_of_descriptors = {0, 100000};

struct listener {
    struct listen_socket socket;
    struct event *readable;
    struct event *again; /* the end of a pause of its own */
    listener_accept_fn *fn;
    void *ctx;
    bool paused;    /* by the owner */
    bool accepting; /* fn runs, perhaps */
    bool gone;      /* freed by fn; the struct goes when that has returned */
};

static void set_options(const struct listener *l, int fd)
{
    const int on = 1;

    if (l->socket.address.sa.ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Without descriptors or memory the connection stays in the queue; the event would come again at once. */
static void handle_accept_error(struct listener *l, int why)
{
    if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
        log_warning("accept-failed", "address=%s reason=%s", l->socket.address.text, strerror(why));
        event_del(l->readable);
        event_add(l->again, &short_of_descriptors);
    }
}

static void on_readable(evutil_socket_t sock, short what, void *arg)
{
    struct listener *l = arg;
    int i;

    (void)what;
    l->accepting = true;
    for (i = 0; i < ACCEPTS_MAX && !l->gone && !l->paused; i++) {
        int fd = accept4((int)sock, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            handle_accept_error(l, errno);
            break;
        }
        set_options(l, fd);
        l->fn(l->ctx, fd);
    }
    l->accepting = false;
    if (l->gone)
        free(l);
}

static void on_again(evutil_socket_t sock, short what, void *arg)
{
    struct listener *l = arg;

    (void)sock;
    (void)what;
    if (!l->paused)
        event_add(l->readable, NULL);
}

struct listener *listener_open(struct event_base *base, const char *address, unsigned mode, listener_accept_fn *fn,
                               void *ctx, struct err *e)
{
    struct listener *l = must_have(calloc(1, sizeof(*l)));

    l->fn = fn;
    l->ctx = ctx;
    if (listen_socket_open(&l->socket, address, mode, e) != 0) {
        free(l);
        return NULL;
    }
    l->readable = must_have(event_new(base, l->socket.fd, EV_READ | EV_PERSIST, on_readable, l));
    l->again = must_have(evtimer_new(base, on_again, l));
    if (event_add(l->readable, NULL) != 0)
        log_oom();
    return l;
}

void listener_pause(struct listener *l)
{
    l->paused = true;
    event_del(l->readable);
}

void listener_resume(struct listener *l)
{
    l->paused = false;
    if (!evtimer_pending(l->again, NULL))
        event_add(l->readable, NULL);
}

const char *listener_address(const struct listener *l)
{
    return l->socket.address.text;
}

void listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    event_free(l->readable);
    event_free(l->again);
    listen_socket_close(&l->socket);
    l->gone = true;
    if (!l->accepting)
        free(l);
}
