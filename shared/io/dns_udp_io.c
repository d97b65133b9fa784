/*
 * dns_udp_io.c - see dns_udp_io.h. A socket that is disconnected loses its port, and the next connect gives it another
 * one, random as the first (Linux, net/ipv4/udp.c, where the bind was the kernel's own). That and its place in the
 * event loop make it half as dear as a new one.
 */
#include "dns_udp_io.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX     65535
#define DATAGRAMS_A_TURN 16 /* so that a flood cannot hold the loop */
#define IDLE_MAX         64

struct dns_udp {
    SLIST_ENTRY(dns_udp) link; /* while it is idle */
    struct dns_udp_pool *pool;
    int family;
    int fd;
    struct event *readable;
    dns_udp_fn *fn; /* NULL: idle */
    void *ctx;
};

struct dns_udp_pool {
    struct event_base *base;
    SLIST_HEAD(udp_list, dns_udp) idle;
    size_t count;
};

/* False when there is nothing more to read now, or u is gone or has become another query's. */
static bool datagram_read(struct dns_udp *u)
{
    uint8_t packet[DATAGRAM_MAX];
    ssize_t n = recv(u->fd, packet, sizeof(packet), 0);

    if (u->fn == NULL)
        return false;
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

static void discard(struct dns_udp *u)
{
    event_free(u->readable);
    close(u->fd);
    free(u);
}

/* A new socket. NULL with errno when there is none to be had. */
static struct dns_udp *udp_new(struct dns_udp_pool *pool, int family)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct dns_udp *u;

    if (fd < 0)
        return NULL;
    u = must_have(calloc(1, sizeof(*u)));
    u->pool = pool;
    u->family = family;
    u->fd = fd;
    u->readable = must_have(event_new(pool->base, fd, EV_READ | EV_PERSIST, on_readable, u));
    if (event_add(u->readable, NULL) != 0)
        log_oom();
    return u;
}

static struct dns_udp *udp_take(struct dns_udp_pool *pool, int family)
{
    struct dns_udp *u = SLIST_FIRST(&pool->idle);

    if (u == NULL || u->family != family)
        return udp_new(pool, family);
    SLIST_REMOVE_HEAD(&pool->idle, link);
    pool->count--;
    return u;
}

struct dns_udp *dns_udp_start(struct dns_udp_pool *pool, const struct address *server, const uint8_t *query, size_t len,
                              dns_udp_fn *fn, void *ctx)
{
    struct dns_udp *u = udp_take(pool, server->sa.ss_family);

    if (u == NULL)
        return NULL;
    /* A connected socket hears only the server it is for. The kernel picks a random port. */
    if (connect(u->fd, (const struct sockaddr *)&server->sa, server->len) != 0 ||
        send(u->fd, query, len, 0) != (ssize_t)len) {
        int saved = errno;

        discard(u);
        errno = saved;
        return NULL;
    }
    u->fn = fn;
    u->ctx = ctx;
    return u;
}

/* Without its port nothing more can come; what had come before, or an error, must not be the next query's. */
static bool disconnect(int fd)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    char octet;

    return connect(fd, &nobody, sizeof(nobody)) == 0 && recv(fd, &octet, 1, 0) < 0 && errno == EAGAIN;
}

void dns_udp_free(struct dns_udp *u)
{
    if (u == NULL)
        return;
    u->fn = NULL;
    if (u->pool->count >= IDLE_MAX || !disconnect(u->fd)) {
        discard(u);
        return;
    }
    SLIST_INSERT_HEAD(&u->pool->idle, u, link);
    u->pool->count++;
}

struct dns_udp_pool *dns_udp_pool_new(struct event_base *base)
{
    struct dns_udp_pool *pool = must_have(calloc(1, sizeof(*pool)));

    pool->base = base;
    SLIST_INIT(&pool->idle);
    return pool;
}

void dns_udp_pool_free(struct dns_udp_pool *pool)
{
    struct dns_udp *u;

    if (pool == NULL)
        return;
    while ((u = SLIST_FIRST(&pool->idle)) != NULL) {
        SLIST_REMOVE_HEAD(&pool->idle, link);
        discard(u);
    }
    free(pool);
}
