/* http_server.c - see http_server.h: one request a connection. */
#include "http_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "listener.h"
#include "log.h"
#include "millis.h"

#define SOCKET_MODE   0660  /* of a unix socket */
#define DISCARDED_MAX 65536 /* octets behind the request */

struct http_call {
    TAILQ_ENTRY(http_call) link;
    struct http_server *server;
    int fd; /* -1: it has gone, and the answer is still to come */
    struct event *readable, *writable, *late;
    bool asked;   /* and no answer yet */
    bool no_body; /* HEAD */
    size_t len, sent, discarded;
    struct buf reply;
    char request[HTTP_REQUEST_MAX];
};

struct http_server {
    struct event_base *base;
    struct http_server_options options;
    struct listener *listener;
    size_t open;
    bool full;                          /* the listener waits */
    TAILQ_HEAD(calls, http_call) calls; /* the oldest first */
};

/* The oldest connection from which no request has come, or that has its answer; NULL: none. */
static struct http_call *spare(const struct http_server *s)
{
    struct http_call *c;

    TAILQ_FOREACH(c, &s->calls, link)
    if (c->fd >= 0 && !c->asked && c->sent == c->reply.len)
        return c;
    return NULL;
}

/* Others wait only when none can be given up for them. */
static void admit(struct http_server *s)
{
    bool full = s->open >= s->options.connections_max && spare(s) == NULL;

    if (full == s->full)
        return;
    s->full = full;
    if (full)
        listener_pause(s->listener);
    else
        listener_resume(s->listener);
}

/* The connection goes; the call stays for as long as somebody has it in hand. */
static void call_close(struct http_call *c)
{
    struct http_server *s = c->server;

    if (c->fd >= 0) {
        event_free(c->readable);
        event_free(c->writable);
        event_free(c->late);
        close(c->fd);
        c->fd = -1;
        s->open--;
    }
    if (!c->asked) {
        TAILQ_REMOVE(&s->calls, c, link);
        buf_clear(&c->reply);
        free(c);
    }
    admit(s);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct http_call *c = ctx;
    ssize_t n = send(fd, c->reply.data + c->sent, c->reply.len - c->sent, MSG_NOSIGNAL);

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        call_close(c);
        return;
    }
    c->sent += (size_t)n;
    if (c->sent < c->reply.len)
        return;
    (void)shutdown(fd, SHUT_WR);
    event_del(c->writable);
    event_add(c->readable, NULL);
    admit(c->server);
}

void http_answer(struct http_call *call, const struct http_answer *answer)
{
    call->asked = false;
    if (call->fd < 0) {
        call_close(call);
        return;
    }
    http_answer_head(&call->reply, answer, now_seconds());
    if (!call->no_body)
        buf_add(&call->reply, answer->body.at, answer->body.len);
    if (!buf_ok(&call->reply))
        log_oom();
    event_add(call->writable, NULL);
}

void http_answer_text(struct http_call *call, int status, const char *text)
{
    const struct http_answer answer = {.status = status, .type = "text/plain; charset=utf-8", .body = span_of(text)};

    http_answer(call, &answer);
}

static void take_request(struct http_call *c, enum http_read read, const struct http_request *request)
{
    struct http_server *s = c->server;

    event_del(c->readable);
    c->asked = true;
    admit(s);
    c->no_body = request->method == HTTP_HEAD;
    if (read == HTTP_BAD)
        http_answer_text(c, 400, "This is no request of HTTP/1.1.\n");
    else if (request->method == HTTP_OTHER)
        http_answer_text(c, 405, "Only GET and HEAD are answered here.\n");
    else
        s->options.fn(s->options.ctx, c, request);
}

/* The answer has been sent: what still comes must be read, or the other end may never see the answer. */
static void discard(struct http_call *c, size_t octets)
{
    c->discarded += octets;
    if (octets == 0 || c->discarded > DISCARDED_MAX)
        call_close(c);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct http_call *c = ctx;
    struct http_request request;
    char waste[4096];
    bool answered = c->sent > 0;
    ssize_t n =
        answered ? recv(fd, waste, sizeof(waste), 0) : recv(fd, c->request + c->len, sizeof(c->request) - c->len, 0);
    enum http_read read;

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (answered || n <= 0) {
        discard(c, n > 0 ? (size_t)n : 0);
        return;
    }
    c->len += (size_t)n;
    read = http_request_read(&request, c->request, c->len);
    if (read != HTTP_MORE)
        take_request(c, read, &request);
}

static void on_late(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    call_close(ctx);
}

static void on_connection(void *ctx, int fd)
{
    struct http_server *s = ctx;
    struct http_call *c = must_have(calloc(1, sizeof(*c))), *old = spare(s);

    if (s->open >= s->options.connections_max && old != NULL)
        call_close(old);
    c->server = s;
    c->fd = fd;
    buf_init(&c->reply, HTTP_ANSWER_MAX);
    c->readable = must_have(event_new(s->base, fd, EV_READ | EV_PERSIST, on_readable, c));
    c->writable = must_have(event_new(s->base, fd, EV_WRITE | EV_PERSIST, on_writable, c));
    c->late = must_have(evtimer_new(s->base, on_late, c));
    timer_start(c->late, HTTP_CONNECTION_MS);
    if (event_add(c->readable, NULL) != 0)
        log_oom();
    TAILQ_INSERT_TAIL(&s->calls, c, link);
    s->open++;
    admit(s);
}

struct http_server *http_server_new(struct event_base *base, const struct http_server_options *options, struct err *e)
{
    struct http_server *s = must_have(calloc(1, sizeof(*s)));

    s->base = base;
    s->options = *options;
    TAILQ_INIT(&s->calls);
    s->listener = listener_open(base, options->address, SOCKET_MODE, on_connection, s, e);
    s->options.address = NULL;
    if (s->listener != NULL)
        return s;
    free(s);
    return NULL;
}

void http_server_free(struct http_server *s)
{
    struct http_call *c, *next;

    if (s == NULL)
        return;
    for (c = TAILQ_FIRST(&s->calls); c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        c->asked = false;
        call_close(c);
    }
    listener_free(s->listener);
    free(s);
}
