/* dns_tcp_io.c - one DNS query over TCP. Known limit: a connection serves one query; truncation is too rare to keep it
 * open. */
#include "dns_tcp_io.h"
#include "log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX_LEN 2 /* the length before each message, RFC 1035 4.2.2 */

struct dns_tcp {
    struct bufferevent *bev;
    dns_tcp_fn *fn;
    void *ctx;
};

static void on_read(struct bufferevent *bev, void *ctx)
{
    struct dns_tcp *t = ctx;
    struct evbuffer *in = bufferevent_get_input(bev);
    uint8_t prefix[PREFIX_LEN];
    const uint8_t *all;
    size_t want;

    if (evbuffer_copyout(in, prefix, PREFIX_LEN) < PREFIX_LEN)
        return;
    want = (size_t)prefix[0] << 8 | prefix[1];
    if (evbuffer_get_length(in) < PREFIX_LEN + want)
        return;
    all = must_have(evbuffer_pullup(in, (ev_ssize_t)(PREFIX_LEN + want)));
    /* What follows the reply is not looked at; the callee closes. */
    t->fn(t->ctx, all + PREFIX_LEN, want, NULL);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
    struct dns_tcp *t = ctx;

    (void)bev;
    if (what & BEV_EVENT_ERROR)
        t->fn(t->ctx, NULL, 0, evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    else if (what & BEV_EVENT_EOF)
        t->fn(t->ctx, NULL, 0, "connection closed without a reply");
}

static int socket_open(const struct address *server)
{
    return socket(server->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static void query_write(struct bufferevent *bev, const uint8_t *query, size_t len)
{
    const uint8_t prefix[PREFIX_LEN] = {(uint8_t)(len >> 8), (uint8_t)(len & 0xff)};

    if (bufferevent_write(bev, prefix, sizeof(prefix)) != 0 || bufferevent_write(bev, query, len) != 0)
        log_oom();
}

struct dns_tcp *dns_tcp_start(struct event_base *base, const struct address *server, const uint8_t *query, size_t len,
                              dns_tcp_fn *fn, void *ctx)
{
    struct dns_tcp *t;
    int fd = socket_open(server);

    if (fd < 0)
        return NULL;
    t = must_have(calloc(1, sizeof(*t)));
    t->fn = fn;
    t->ctx = ctx;
    /* Deferred, so that a connect that fails at once is told later too. */
    t->bev = must_have(bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS));
    bufferevent_setcb(t->bev, on_read, NULL, on_event, t);
    bufferevent_setwatermark(t->bev, EV_READ, 0, PREFIX_LEN + UINT16_MAX);
    query_write(t->bev, query, len);
    if (bufferevent_enable(t->bev, EV_READ | EV_WRITE) != 0 ||
        bufferevent_socket_connect(t->bev, (const struct sockaddr *)&server->sa, (int)server->len) != 0) {
        int saved = errno;

        dns_tcp_free(t);
        errno = saved;
        return NULL;
    }
    return t;
}

void dns_tcp_free(struct dns_tcp *t)
{
    if (t != NULL) {
        bufferevent_free(t->bev);
        free(t);
    }
}
