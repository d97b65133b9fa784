/* dns_udp_io.c - one DNS query over UDP. */
#include "dns_udp_io.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX     65535
#define DATAGRAMS_A_TURN 16 /* so that a flood cannot hold the loop */

struct dns_udp {
    int fd;
    struct event *readable;
    dns_udp_fn *fn;
    void *ctx;
};

/* False when there is nothing more to read now, or u is gone. */
static bool datagram_read(struct dns_udp *u)
{
    uint8_t packet[DATAGRAM_MAX];
    ssize_t n = recv(u->fd, packet, sizeof(packet), 0);

    if (n >= 0)
        return u->fn(u->ctx, packet, (size_t)n, 0);
    return errno != EAGAIN && errno != EINTR && u->fn(u->ctx, NULL, 0, errno);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct dns_udp *u = ctx;
    int n = 0;

    (void)fd;
    (void)what;
    while (n < DATAGRAMS_A_TURN && datagram_read(u))
        n++;
}

/* A connected socket hears only the server it is for. The kernel picks a random port. */
static int udp_open(const struct address *server, const uint8_t *query, size_t len)
{
    int fd = socket(server->sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && (connect(fd, (const struct sockaddr *)&server->sa, server->len) != 0 ||
                    send(fd, query, len, 0) != (ssize_t)len)) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

struct dns_udp *dns_udp_start(struct event_base *base, const struct address *server, const uint8_t *query, size_t len,
                              dns_udp_fn *fn, void *ctx)
{
    struct dns_udp *u;
    int fd = udp_open(server, query, len);

    if (fd < 0)
        return NULL;
    u = calloc(1, sizeof(*u));
    if (u == NULL)
        log_oom();
    u->fd = fd;
    u->fn = fn;
    u->ctx = ctx;
    u->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, u);
    if (u->readable == NULL || event_add(u->readable, NULL) != 0)
        log_oom();
    return u;
}

void dns_udp_free(struct dns_udp *u)
{
    if (u != NULL) {
        event_free(u->readable);
        close(u->fd);
        free(u);
    }
}
