/*
 * call_client.c - the client side of the call protocol. Requests that cannot be sent, or whose connection is lost, fail
 * by way of their timers, so that no callback comes from within another call of this file.
 */
#include "call_client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "address.h"
#include "buf.h"
#include "clock.h"
#include "connect_socket.h"
#include "log.h"
#include "netstring.h"

#define BUCKETS          1024 /* of requests by id; ids count up, so they spread evenly */
#define ATTEMPT_MS       200  /* between two attempts to connect */
#define OUTPUT_MAX       8388608
#define REQUEST_OVERHEAD 32
#define WHY_MAX          160

LIST_HEAD(bucket, call_sent);

struct call_sent {
    LIST_ENTRY(call_sent) entry;
    struct call_client *client;
    uint32_t id;
    struct event *timer;
    int timeout_ms;
    char why[WHY_MAX]; /* it has failed already, "": not */
    call_reply_fn *fn;
    void *ctx;
};

struct call_client {
    struct event_base *base;
    struct address address;
    struct bufferevent *bev; /* NULL: not connected */
    int64_t attempted;       /* when, in ms */
    char why[WHY_MAX];       /* the last connection failed */
    uint32_t next_id;
    struct bucket sent[BUCKETS];
    struct buf out; /* one request, its memory kept */
    bool reading;   /* a callback runs: the struct must stay */
    bool gone;      /* freed by a callback */
};

static void sent_free(struct call_sent *s)
{
    LIST_REMOVE(s, entry);
    event_free(s->timer);
    free(s);
}

/* The request is over: tell the one who waits. */
static void sent_finish(struct call_sent *s, enum call_status status, const char *text, size_t len, int reached)
{
    call_reply_fn *fn = s->fn;
    void *ctx = s->ctx;

    sent_free(s);
    fn(ctx, status, text, len, reached);
}

static void on_timer(evutil_socket_t sock, short what, void *arg)
{
    struct call_sent *s = arg;
    char why[WHY_MAX];

    (void)sock;
    (void)what;
    if (s->why[0] != '\0')
        memcpy(why, s->why, sizeof(why));
    else
        snprintf(why, sizeof(why), "%s: no answer within %d ms", s->client->address.text, s->timeout_ms);
    sent_finish(s, CALL_TEMP, why, strlen(why), 0);
}

static void sent_fail_soon(struct call_sent *s, const char *why)
{
    if (s->why[0] == '\0') {
        snprintf(s->why, sizeof(s->why), "%s", why);
        event_active(s->timer, EV_TIMEOUT, 0);
    }
}

/* Close the connection; all that wait fail soon. */
static void client_drop(struct call_client *c, const char *why)
{
    size_t i;
    struct call_sent *s;

    snprintf(c->why, sizeof(c->why), "%s: %s", c->address.text, why);
    if (c->bev != NULL) {
        bufferevent_free(c->bev);
        c->bev = NULL;
    }
    for (i = 0; i < BUCKETS; i++)
        for (s = LIST_FIRST(&c->sent[i]); s != NULL; s = LIST_NEXT(s, entry))
            sent_fail_soon(s, c->why);
}

static struct call_sent *sent_find(struct call_client *c, uint32_t id)
{
    struct call_sent *s;

    for (s = LIST_FIRST(&c->sent[id % BUCKETS]); s != NULL; s = LIST_NEXT(s, entry))
        if (s->id == id)
            return s;
    return NULL;
}

/* The text ends before the frame's ',', whose place takes the NUL. A reply to a request that is over already is passed
 * over. */
static void give_reply(struct call_client *c, const struct call_reply *reply, char *end)
{
    struct call_sent *s = sent_find(c, reply->id);

    if (s != NULL && s->why[0] == '\0') {
        *end = '\0';
        sent_finish(s, reply->status, reply->text, reply->text_len, 1);
    }
}

/* Take one reply from the buffer. */
static bool take_reply(struct call_client *c)
{
    struct evbuffer *input = bufferevent_get_input(c->bev);
    size_t len = evbuffer_get_length(input);
    char *data = len > 0 ? (char *)evbuffer_pullup(input, -1) : NULL;
    struct netstring frame;
    struct call_reply reply;
    int rc;

    if (data == NULL)
        return false;
    rc = netstring_parse(&frame, data, len, CALL_REPLY_MAX);
    if (rc == 0)
        return false;
    if (rc < 0 || call_reply_parse(&reply, frame.data, frame.len, NULL) != 0) {
        client_drop(c, "the server does not speak the call protocol");
        return false;
    }
    give_reply(c, &reply, data + frame.total - 1);
    evbuffer_drain(input, frame.total);
    return true;
}

static void client_release(struct call_client *c)
{
    if (c->bev != NULL)
        bufferevent_free(c->bev);
    buf_clear(&c->out);
    free(c);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct call_client *c = arg;
    bool more = true;

    (void)bev;
    c->reading = true;
    while (more && !c->gone)
        more = take_reply(c);
    c->reading = false;
    if (c->gone)
        client_release(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    int why = EVUTIL_SOCKET_ERROR();

    (void)bev;
    client_drop(arg, (what & BEV_EVENT_ERROR) != 0 ? strerror(why) : "the server closed the connection");
}

/* Returns 0 when there is a connection, or one under way; -1 with the reason in c->why. */
static int client_connect(struct call_client *c)
{
    int64_t now = now_ms();
    int fd;

    if (c->bev != NULL)
        return 0;
    if (now - c->attempted < ATTEMPT_MS && c->why[0] != '\0')
        return -1;
    c->attempted = now;
    fd = connect_socket(&c->address);
    if (fd < 0) {
        snprintf(c->why, sizeof(c->why), "%s: %s", c->address.text, strerror(errno));
        return -1;
    }
    c->bev = must_have(bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE));
    bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    return 0;
}

/* Hand the request in c->out to the connection. Returns NULL, or why that cannot be. */
static const char *client_write(struct call_client *c)
{
    if (client_connect(c) != 0)
        return c->why;
    if (evbuffer_get_length(bufferevent_get_output(c->bev)) > OUTPUT_MAX)
        return "the server does not read its requests";
    if (bufferevent_write(c->bev, buf_text(&c->out), c->out.len) != 0)
        return "out of memory";
    return NULL;
}

struct call_client *call_client_new(struct event_base *base, const char *address, struct err *e)
{
    struct call_client *c = must_have(calloc(1, sizeof(*c)));

    if (address_parse(&c->address, address, e) != 0) {
        free(c);
        return NULL;
    }
    c->base = base;
    buf_init(&c->out, CALL_REQUEST_MAX + REQUEST_OVERHEAD);
    return c;
}

/* A request on the list, with its timer running. */
static struct call_sent *sent_new(struct call_client *c, uint32_t id, int timeout_ms)
{
    struct timeval timeout = {timeout_ms / 1000, (suseconds_t)(timeout_ms % 1000) * 1000};
    struct call_sent *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->timer = evtimer_new(c->base, on_timer, s);
    if (s->timer == NULL || evtimer_add(s->timer, &timeout) != 0) {
        if (s->timer != NULL)
            event_free(s->timer);
        free(s);
        return NULL;
    }
    s->client = c;
    s->id = id;
    s->timeout_ms = timeout_ms;
    LIST_INSERT_HEAD(&c->sent[id % BUCKETS], s, entry);
    return s;
}

struct call_sent *call_send(struct call_client *c, const char *verb, const char *arg, size_t arg_len, int timeout_ms,
                            call_reply_fn *fn, void *ctx)
{
    uint32_t id = c->next_id;
    struct call_sent *s;
    const char *why;

    buf_reset(&c->out);
    call_request_write(&c->out, id, verb, arg, arg_len);
    if (!buf_ok(&c->out))
        return NULL;
    s = sent_new(c, id, timeout_ms);
    if (s == NULL)
        return NULL;
    c->next_id++;
    s->fn = fn;
    s->ctx = ctx;
    why = client_write(c);
    if (why != NULL)
        sent_fail_soon(s, why);
    return s;
}

void call_cancel(struct call_sent *s)
{
    sent_free(s);
}

void call_client_free(struct call_client *c)
{
    size_t i;

    if (c == NULL)
        return;
    for (i = 0; i < BUCKETS; i++) {
        struct call_sent *s = LIST_FIRST(&c->sent[i]);

        while (s != NULL) {
            struct call_sent *next = LIST_NEXT(s, entry);

            sent_free(s);
            s = next;
        }
    }
    c->gone = true;
    if (!c->reading)
        client_release(c);
}
