/*
 * conn_io.c - what arrives is read into one buffer shared by all connections; only an incomplete request is kept with
 * its own. The replies of one read go out in one write. While a domain is being looked up, or the client does not take
 * its replies, its connection is not read.
 *
 * A client that hangs up during a look-up is noticed where the kernel tells: when a unix socket is closed, when a TCP
 * connection is reset. One that has only shut down its side (Exim's readsocket) still gets its answers; over TCP a
 * close looks the same.
 */
#include "conn_internal.h"

#include "counters.h"
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define REPLIES_MAX 16384 /* octets of replies after which they are sent before more requests are worked on */
#define DROPPED_MAX 65536 /* octets that are taken from a client behind the refusal */
#define OUT_MAX     (REPLIES_MAX + SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD)

int64_t conns_now(const struct conns *s)
{
    struct timeval tv;

    event_base_gettimeofday_cached(s->base, &tv);
    return (int64_t)tv.tv_sec;
}

/* --- where it stands among the others --- */

static void tell_change(const struct conns *s)
{
    if (s->changed != NULL)
        s->changed(s->changed_ctx);
}

/* To the end of a list. */
static void conn_move(struct conn *c, enum conn_place place)
{
    struct conns *s = c->conns;
    bool other = c->place != place;

    TAILQ_REMOVE(&s->list[c->place], c, link);
    TAILQ_INSERT_TAIL(&s->list[place], c, link);
    c->place = place;
    if (other)
        tell_change(s);
}

static void conn_touch(struct conn *c)
{
    c->used = conns_now(c->conns);
    conn_move(c, CONN_FREE);
}

/* Overwrite octets that are not needed any more, if they are a reply with a key. */
static void forget(const struct conn *c, char *data, size_t len)
{
    if (c->protocol->secret && len != 0)
        OPENSSL_cleanse(data, len);
}

/* --- closing --- */

void conn_close(struct conn *c)
{
    struct conns *s = c->conns;

    TAILQ_REMOVE(&s->list[c->place], c, link);
    s->count--;
    if (c->wait != NULL)
        lookup_cancel(c->wait);
    event_free(c->readable);
    event_free(c->writable);
    event_free(c->hangup);
    close(c->fd);
    free(c->in);
    free(c->exim);
    forget(c, c->out.data, c->out.cap);
    buf_clear(&c->out);
    free(c);
    tell_change(s);
}

bool conn_busy(const struct conn *c)
{
    return c->wait != NULL || c->out.len != 0;
}

bool conn_unasked(const struct conn *c)
{
    return c->protocol->once && !c->last && !c->ended;
}

/* --- writing --- */

/* Send what is in `from`; keep the rest with the connection. Returns false when the connection is closed. */
static bool conn_send_some(struct conn *c, const struct buf *from)
{
    ssize_t sent = 0;

    if (c->out.len == 0) /* else it goes behind what waits already */
        sent = send(c->fd, from->data, from->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        conn_close(c);
        return false;
    }
    if (sent < 0)
        sent = 0;
    if ((size_t)sent == from->len)
        return true;
    if (c->protocol->secret) /* it does not move any more, so that there is one copy */
        (void)buf_reserve(&c->out, OUT_MAX - c->out.len);
    buf_add(&c->out, from->data + sent, from->len - (size_t)sent);
    if (!buf_ok(&c->out))
        log_oom();
    event_del(c->readable);
    event_add(c->writable, NULL);
    return true;
}

static bool conn_send(struct conn *c, struct buf *from)
{
    bool secret = c->protocol->secret; /* c may be gone then */
    bool open = conn_send_some(c, from);

    if (secret)
        OPENSSL_cleanse(from->data, from->len);
    return open;
}

static void conn_resume(struct conn *c);

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *c = ctx;
    ssize_t sent = send(fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

    (void)what;
    if (sent < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            conn_close(c);
        return;
    }
    memmove(c->out.data, c->out.data + sent, c->out.len - (size_t)sent);
    c->out.len -= (size_t)sent;
    if (c->out.len != 0)
        return;
    forget(c, c->out.data, c->out.cap);
    buf_clear(&c->out);
    event_del(c->writable);
    conn_resume(c);
}

/* --- answering --- */

/* A reply that has come later than its request. */
void conn_reply_late(struct conn *c)
{
    struct conns *s = c->conns;

    c->wait = NULL;
    event_del(c->hangup);
    conn_touch(c);
    if (!buf_ok(&s->out))
        log_oom();
    if (conn_send(c, &s->out) && c->out.len == 0)
        conn_resume(c);
}

/*
 * Answer the requests in data until one must wait, there are many replies to be sent, or there is no whole one left, or
 * no other is answered.
 * Returns the octets used, or -1 when data begins with what is no request: replies that come before that have been sent
 * then, and the refusal is the only one.
 */
static ssize_t conn_work(struct conn *c, const char *data, size_t len)
{
    size_t used = 0;
    ssize_t found = 0;
    struct err why;

    buf_reset(&c->conns->out);
    if (c->protocol->secret)
        (void)buf_reserve(&c->conns->out, OUT_MAX);
    while (c->wait == NULL && !c->last && c->conns->out.len < REPLIES_MAX &&
           (found = c->protocol->answer(c, data + used, len - used, &why)) > 0) {
        used += (size_t)found;
        c->last = c->protocol->once;
    }
    found = found < 0 && used == 0 ? -1 : (ssize_t)used;
    if (found < 0) {
        (void)err_set(&why, "%s; connection closed", why.text);
        conns_bad_request(c->conns, why.text);
        buf_str(&c->conns->out, c->protocol->refusal);
    }
    if (!buf_ok(&c->conns->out))
        log_oom();
    return found;
}

/* Keep the octets that could not be worked on yet. */
static void conn_keep(struct conn *c, const char *data, size_t len)
{
    char *kept = NULL;

    if (len != 0) {
        kept = must_have(malloc(len));
        memcpy(kept, data, len);
    }
    free(c->in);
    c->in = kept;
    c->in_len = len;
}

/* A look-up is under way: do not read meanwhile. Replies that wait to be taken show a hang-up by themselves. */
static void conn_wait(struct conn *c)
{
    event_del(c->readable);
    if (c->place == CONN_FREE)
        conn_move(c, CONN_WAITED);
    if (c->out.len == 0)
        event_add(c->hangup, NULL);
}

/*
 * The last has been said, be it that what came is no request, where the protocol has words for it. Who has more to
 * write must be able to, or would not read what was said: it is taken and dropped, until the client sees our end.
 */
static void conn_end(struct conn *c)
{
    if (c->protocol->refusal[0] == '\0' || c->out.len != 0 || c->conns->draining || shutdown(c->fd, SHUT_WR) != 0) {
        conn_close(c);
        return;
    }
    c->ended = true;
    conn_keep(c, NULL, 0);
}

static void conn_drop(struct conn *c, size_t len)
{
    c->dropped += len;
    if (c->dropped > DROPPED_MAX)
        conn_close(c);
}

/*
 * Work on data, send the replies, keep the rest. Afterwards the connection waits for a look-up, or for the socket to
 * take replies, or has less than one whole request and is read, or is closed. data may be the connection's own.
 */
static void conn_process(struct conn *c, const char *data, size_t len)
{
    struct conns *s = c->conns;
    size_t done = 0;
    ssize_t used;

    do {
        used = conn_work(c, data + done, len - done);
        if (s->out.len != 0 && !conn_send(c, &s->out))
            return;
        if (used < 0) {
            conn_end(c);
            return;
        }
        done += (size_t)used;
    } while (used != 0 && !conn_busy(c));
    if (done != 0)
        conn_touch(c);
    if (data != c->in || done != 0)
        conn_keep(c, data + done, c->last ? 0 : len - done);
    if (c->wait != NULL)
        conn_wait(c);
    else if (c->last && !conn_busy(c))
        conn_end(c);
    else if (s->draining && !conn_busy(c) && !conn_unasked(c))
        conn_close(c);
}

/* The look-up is done or the socket has taken the replies: work on what came meanwhile, then read again. */
static void conn_resume(struct conn *c)
{
    event_add(c->readable, NULL);
    conn_process(c, c->in != NULL ? c->in : "", c->in_len);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *c = ctx;
    struct conns *s = c->conns;
    size_t kept = c->in_len; /* less than one request: more is never read behind it */
    ssize_t got;

    (void)what;
    if (kept != 0)
        memcpy(s->in, c->in, kept);
    got = recv(fd, s->in + kept, CONN_READ_MAX, MSG_DONTWAIT);
    if (got < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            conn_close(c);
        return;
    }
    if (got == 0 && (kept == 0 || !c->protocol->once)) { /* all has gone out: while a reply waits it is not read */
        conn_close(c);
        return;
    }
    if (got == 0)
        s->in[kept + (size_t)got++] = '\n';
    if (c->ended)
        conn_drop(c, (size_t)got);
    else
        conn_process(c, s->in, kept + (size_t)got);
}

/*
 * Something came, or the client has shut down its side, or is gone. Edge-triggered: what came stays unread. Who asks
 * only once does so by habit, and waits all the same.
 */
static void on_hangup(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *c = ctx;
    struct pollfd now = {.fd = fd, .events = POLLRDHUP};

    (void)what;
    if (poll(&now, 1, 0) <= 0)
        return;
    if ((now.revents & (POLLHUP | POLLERR)) != 0)
        conn_close(c);
    else if (!c->protocol->once)
        conn_move(c, CONN_HALF);
}

/* --- opening --- */

void conn_open(struct conns *s, int fd, const struct conn_protocol *protocol)
{
    struct conn *c = must_have(calloc(1, sizeof(*c)));

    c->conns = s;
    c->protocol = protocol;
    c->fd = fd;
    c->used = conns_now(s);
    buf_init(&c->out, OUT_MAX);
    c->readable = must_have(event_new(s->base, fd, EV_READ | EV_PERSIST, on_readable, c));
    c->writable = must_have(event_new(s->base, fd, EV_WRITE | EV_PERSIST, on_writable, c));
    c->hangup = must_have(event_new(s->base, fd, EV_READ | EV_ET | EV_PERSIST, on_hangup, c));
    TAILQ_INSERT_TAIL(&s->list[CONN_FREE], c, link);
    s->count++;
    count(COUNT_ACCEPTED);
    event_add(c->readable, NULL);
    on_readable(fd, EV_READ, c); /* it may have asked already, and then is not idle */
}

void conns_init(struct conns *s, struct event_base *base)
{
    s->base = base;
    for (size_t i = 0; i < CONN_PLACES; i++)
        TAILQ_INIT(&s->list[i]);
    buf_init(&s->out, OUT_MAX);
}

void conns_clear(struct conns *s)
{
    struct conn *c, *next;

    s->changed = NULL;
    for (size_t i = 0; i < CONN_PLACES; i++) {
        for (c = TAILQ_FIRST(&s->list[i]); c != NULL; c = next) {
            next = TAILQ_NEXT(c, link);
            conn_close(c);
        }
    }
    buf_clear(&s->out);
}
