/*
 * call_server.c - the server side of the call protocol. A connection lives until its socket is closed and its last call
 * is answered, in whichever order that happens. A client that shuts down its side still gets its answers, then the
 * close.
 */
#include "call_server.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "buf.h"
#include "listener.h"
#include "log.h"
#include "netstring.h"

#define OUTPUT_PAUSE   1048576 /* replies that a client leaves unread; then no more requests are taken */
#define OUTPUT_MAX     8388608 /* with those that were outstanding; then it is closed */
#define ANSWER_MAX     1024    /* of call_answerf */
#define REPLY_OVERHEAD 32

struct conn {
    TAILQ_ENTRY(conn) entry;
    struct call_server *server; /* NULL once closed */
    struct bufferevent *bev;    /* NULL once closed */
    size_t outstanding;
    bool busy;   /* the handler runs: the struct must stay */
    bool asked;  /* it has made a request */
    bool eof;    /* the client has shut down its side */
    bool paused; /* not read further, requests may wait in the buffer */
};

TAILQ_HEAD(conn_list, conn);

struct call_server {
    struct event_base *base;
    struct listener *listener; /* NULL once draining */
    struct conn_list conns;    /* by last request, longest idle first */
    size_t count;
    bool full; /* and all have something to wait for: the listener is paused */
    call_handler_fn *fn;
    void *ctx;
    struct buf out; /* one reply, its memory kept */
};

struct call {
    struct conn *conn;
    uint32_t id;
};

static size_t output_length(const struct conn *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->bev));
}

/* Nothing to wait for: no reply to come, none unread, no request in the buffer. */
static bool conn_idle(const struct conn *c)
{
    return c->outstanding == 0 && output_length(c) == 0 && !c->paused;
}

/* There is room, or a connection that may be closed for it. */
static void server_resume(struct call_server *s)
{
    if (s->full && s->listener != NULL)
        listener_resume(s->listener);
    s->full = false;
}

/* Close the socket; the struct stays. */
static void conn_close(struct conn *c)
{
    struct call_server *s = c->server;

    if (c->bev == NULL)
        return;
    bufferevent_free(c->bev);
    c->bev = NULL;
    c->server = NULL;
    TAILQ_REMOVE(&s->conns, c, entry);
    s->count--;
    server_resume(s);
}

/* Close what has nothing more to do, free what is closed. The last thing to do with a connection in any callback. */
static void conn_settle(struct conn *c)
{
    if (c->busy)
        return;
    if (c->bev != NULL && c->outstanding == 0 && output_length(c) == 0 &&
        (c->server->listener == NULL || (c->eof && !c->paused)))
        conn_close(c);
    else if (c->bev != NULL && c->asked && conn_idle(c))
        server_resume(c->server);
    if (c->bev == NULL && c->outstanding == 0)
        free(c);
}

static bool conn_may_read(const struct conn *c)
{
    return c->bev != NULL && c->server->listener != NULL && c->outstanding < CALL_OUTSTANDING_MAX &&
           output_length(c) <= OUTPUT_PAUSE;
}

static void conn_pause(struct conn *c)
{
    c->paused = true;
    bufferevent_disable(c->bev, EV_READ);
}

/* Go on reading when that was stopped and need not be. The callback takes what is in the buffer already; not from here.
 */
static void conn_resume(struct conn *c)
{
    if (!c->paused || !conn_may_read(c))
        return;
    c->paused = false;
    if (!c->eof)
        bufferevent_enable(c->bev, EV_READ);
    bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void conn_refuse(struct conn *c, const char *why)
{
    log_warning("call-refused", "address=%s reason=%s", listener_address(c->server->listener), why);
    conn_close(c);
}

static void hand_over(struct conn *c, const struct call_request *request)
{
    struct call *call = must_have(malloc(sizeof(*call)));

    call->conn = c;
    call->id = request->id;
    c->outstanding++;
    c->asked = true;
    TAILQ_REMOVE(&c->server->conns, c, entry);
    TAILQ_INSERT_TAIL(&c->server->conns, c, entry);
    c->server->fn(c->server->ctx, call, request->verb, request->arg, request->arg_len);
}

/* Take one request from the buffer. The handler gets a copy, as it may do what it likes with the connection. */
static bool take_request(struct conn *c)
{
    struct evbuffer *input = bufferevent_get_input(c->bev);
    size_t len = evbuffer_get_length(input);
    struct call_request request;
    struct netstring frame;
    struct err e = {"no netstring, or too long a one"};
    char copy[CALL_REQUEST_MAX];
    const char *data;
    int rc;

    len = len < CALL_REQUEST_MAX + NETSTRING_OVERHEAD ? len : CALL_REQUEST_MAX + NETSTRING_OVERHEAD;
    data = len > 0 ? (const char *)evbuffer_pullup(input, (ev_ssize_t)len) : NULL;
    if (data == NULL)
        return false;
    rc = netstring_parse(&frame, data, len, CALL_REQUEST_MAX);
    if (rc == 0)
        return false;
    if (rc > 0) {
        memcpy(copy, frame.data, frame.len);
        rc = call_request_parse(&request, copy, frame.len, &e);
    }
    if (rc < 0) {
        conn_refuse(c, e.text);
        return false;
    }
    evbuffer_drain(input, frame.total);
    hand_over(c, &request);
    return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct conn *c = arg;
    bool more = true;

    (void)bev;
    c->busy = true;
    while (more && conn_may_read(c))
        more = take_request(c);
    c->busy = false;
    if (more && c->bev != NULL)
        conn_pause(c);
    conn_settle(c);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    (void)bev;
    conn_resume(arg);
    conn_settle(arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct conn *c = arg;

    (void)bev;
    if ((what & BEV_EVENT_ERROR) != 0)
        conn_close(c);
    else if ((what & BEV_EVENT_EOF) != 0)
        c->eof = true;
    conn_settle(c);
}

/* Closes the connection that is idle longest (its client reconnects by itself, call_client.h); false: none is idle. */
static bool make_room(struct call_server *s)
{
    struct conn *c;

    for (c = TAILQ_FIRST(&s->conns); c != NULL; c = TAILQ_NEXT(c, entry)) {
        if (conn_idle(c)) {
            conn_close(c);
            conn_settle(c);
            return true;
        }
    }
    return false;
}

/* At the limit, and nobody idle: this one is let in, the next ones wait in the listen queue. One is closed at once only
 * when the idle one that the listener was resumed for has made a request meanwhile. */
static bool may_enter(struct call_server *s)
{
    if (s->count < CALL_CONNECTIONS_MAX || make_room(s))
        return true;
    s->full = true;
    listener_pause(s->listener);
    return s->count == CALL_CONNECTIONS_MAX;
}

static void on_accept(void *ctx, int fd)
{
    struct call_server *s = ctx;
    struct conn *c;

    if (!may_enter(s)) {
        close(fd);
        return;
    }
    c = must_have(calloc(1, sizeof(*c)));
    c->server = s;
    c->bev = must_have(bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE));
    TAILQ_INSERT_TAIL(&s->conns, c, entry);
    s->count++;
    bufferevent_setwatermark(c->bev, EV_WRITE, OUTPUT_PAUSE / 2, 0);
    bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

struct call_server *call_server_open(struct event_base *base, const char *address, unsigned mode, call_handler_fn *fn,
                                     void *ctx, struct err *e)
{
    struct call_server *s = must_have(calloc(1, sizeof(*s)));

    s->base = base;
    s->fn = fn;
    s->ctx = ctx;
    TAILQ_INIT(&s->conns);
    buf_init(&s->out, CALL_REPLY_MAX + REPLY_OVERHEAD);
    s->listener = listener_open(base, address, mode, on_accept, s, e);
    if (s->listener == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

static void conn_reply(struct conn *c, uint32_t id, enum call_status status, const char *text, size_t len)
{
    static const char too_long[] = "the answer is too long";
    struct buf *out = &c->server->out;

    buf_reset(out);
    call_reply_write(out, id, status, text, len);
    if (!buf_ok(out)) {
        buf_reset(out);
        call_reply_write(out, id, CALL_TEMP, too_long, sizeof(too_long) - 1);
    }
    if (!buf_ok(out) || bufferevent_write(c->bev, buf_text(out), out->len) != 0)
        log_oom();
    if (output_length(c) > OUTPUT_MAX) {
        log_warning("call-client-slow", "unread=%zu", output_length(c));
        conn_close(c);
    }
}

void call_answer(struct call *call, enum call_status status, const char *text, size_t len)
{
    struct conn *c = call->conn;

    c->outstanding--;
    if (c->bev != NULL)
        conn_reply(c, call->id, status, text, len);
    free(call);
    conn_resume(c);
    conn_settle(c);
}

void call_answerf(struct call *call, enum call_status status, const char *fmt, ...)
{
    char text[ANSWER_MAX];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    call_answer(call, status, text, n > 0 ? strlen(text) : 0);
}

void call_server_drain(struct call_server *s)
{
    struct conn *c = TAILQ_FIRST(&s->conns);

    listener_free(s->listener);
    s->listener = NULL;
    while (c != NULL) {
        struct conn *next = TAILQ_NEXT(c, entry);

        conn_pause(c);
        conn_settle(c);
        c = next;
    }
}

size_t call_server_outstanding(const struct call_server *s)
{
    const struct conn *c;
    size_t n = 0;

    for (c = TAILQ_FIRST(&s->conns); c != NULL; c = TAILQ_NEXT(c, entry))
        n += c->outstanding + (output_length(c) > 0);
    return n;
}

void call_server_free(struct call_server *s)
{
    struct conn *c;

    if (s == NULL)
        return;
    listener_free(s->listener);
    s->listener = NULL;
    c = TAILQ_FIRST(&s->conns);
    while (c != NULL) {
        struct conn *next = TAILQ_NEXT(c, entry);

        conn_close(c);
        conn_settle(c);
        c = next;
    }
    buf_clear(&s->out);
    free(s);
}
