/*
 * serve_io.c - connections. What arrives is read into one buffer shared by all; only an incomplete request is kept with
 * its connection. The replies of one read go out in one write. While a domain is being looked up, or the client does
 * not take its replies, its connection is not read.
 */
#include "serve_io.h"

#include "counters.h"
#include "listener.h"
#include "log.h"
#include "netstring.h"
#include "request.h"
#include "socketmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_MAX    65536 /* octets taken from a connection at a time */
#define REQUEST_MAX (SOCKETMAP_REQUEST_MAX + NETSTRING_OVERHEAD)
#define REPLIES_MAX 262144 /* octets of replies after which they are sent before more requests are worked on */
#define OUT_MAX     (REPLIES_MAX + SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD)
#define SWEEPS      4 /* idle connections are looked for so often in one idle time-out */

struct conn {
    TAILQ_ENTRY(conn) link; /* by last use, longest idle first */
    struct serve *serve;
    struct event *readable;
    struct event *writable;
    struct lookup_wait *wait; /* a domain is being looked up for it */
    char *in;                 /* octets not yet worked on; NULL: none */
    size_t in_len;
    struct buf out; /* octets that the socket did not take yet */
    int64_t used;
    int fd;
    enum answer_map map; /* of the request that waits */
};

struct serve {
    struct event_base *base;
    struct listener **listener;
    size_t listener_count;
    TAILQ_HEAD(conn_list, conn) conns;
    size_t conn_count;
    size_t conn_max;
    struct event *sweep;
    int64_t idle_seconds; /* 0: no limit */
    struct memory *memory;
    struct lookups *lookups;
    bool draining;
    void (*drained)(void *ctx);
    void *drained_ctx;
    struct buf out; /* the replies of the read that is being worked on */
    char in[READ_MAX + REQUEST_MAX];
};

static const char notfound[] = "9:NOTFOUND ,";

static int64_t now_of(const struct serve *s)
{
    struct timeval tv;

    event_base_gettimeofday_cached(s->base, &tv);
    return (int64_t)tv.tv_sec;
}

/* --- closing --- */

static void conn_close(struct conn *c)
{
    struct serve *s = c->serve;

    TAILQ_REMOVE(&s->conns, c, link);
    s->conn_count--;
    if (c->wait != NULL)
        lookup_cancel(c->wait);
    event_free(c->readable);
    event_free(c->writable);
    close(c->fd);
    free(c->in);
    buf_clear(&c->out);
    free(c);
    if (s->draining && s->conn_count == 0 && s->drained != NULL)
        s->drained(s->drained_ctx);
}

static bool conn_busy(const struct conn *c)
{
    return c->wait != NULL || c->out.len != 0;
}

/* --- writing --- */

/* Send what is in `from`; keep the rest with the connection. Returns false when the connection is closed. */
static bool conn_send(struct conn *c, const struct buf *from)
{
    ssize_t sent = send(c->fd, from->data, from->len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        conn_close(c);
        return false;
    }
    if (sent < 0)
        sent = 0;
    if ((size_t)sent == from->len)
        return true;
    buf_add(&c->out, from->data + sent, from->len - (size_t)sent);
    if (!buf_ok(&c->out))
        log_oom();
    event_del(c->readable);
    event_add(c->writable, NULL);
    return true;
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
    buf_clear(&c->out);
    event_del(c->writable);
    conn_resume(c);
}

/* --- answering --- */

static void reply_text(struct buf *out, enum socketmap_status status, const char *text)
{
    socketmap_reply(out, status, text, strlen(text));
}

static void on_looked_up(void *ctx, const struct lookup_result *result)
{
    struct conn *c = ctx;
    struct serve *s = c->serve;
    size_t len;
    const char *wire = answer_wire(result->answer, c->map, &len);

    c->wait = NULL;
    buf_reset(&s->out);
    buf_add(&s->out, wire, len);
    if (!buf_ok(&s->out))
        log_oom();
    if (conn_send(c, &s->out) && c->out.len == 0)
        conn_resume(c);
}

static void answer_from_memory(struct conn *c, const struct request *req, struct answer *a, int64_t now)
{
    struct serve *s = c->serve;
    size_t len;
    const char *wire = answer_wire(a, req->map, &len);

    count(COUNT_MEMORY_HITS);
    a->hits++;
    buf_add(&s->out, wire, len);
    if (now < a->refresh_at)
        return;
    a->refresh_at = now + 10;
    lookup_refresh(s->lookups, req->hop.name);
}

static void answer_domain(struct conn *c, const struct request *req)
{
    struct serve *s = c->serve;
    int64_t now = now_of(s);
    struct answer *a = NULL;

    if (req->hop.port == 0 || req->hop.port == 25)
        a = memory_get(s->memory, req->hop.name, strlen(req->hop.name), now);
    if (a != NULL) {
        answer_from_memory(c, req, a, now);
        return;
    }
    c->map = req->map;
    c->wait = lookup_start(s->lookups, req->hop.name, req->hop.port, on_looked_up, c);
    if (c->wait == NULL)
        reply_text(&s->out, SOCKETMAP_TEMP, "too many domains are being looked up, try again later");
}

static void answer_request(struct conn *c, const struct netstring *ns)
{
    struct serve *s = c->serve;
    struct request req;

    count(COUNT_REQUESTS);
    request_parse(&req, ns->data, ns->len);
    switch (req.kind) {
    case REQUEST_DOMAIN:
        answer_domain(c, &req);
        break;
    case REQUEST_NOTFOUND:
        buf_add(&s->out, notfound, sizeof(notfound) - 1);
        break;
    case REQUEST_BAD:
        count(COUNT_BAD_REQUESTS);
        log_warning("bad-request", "why=%s", req.why.text);
        reply_text(&s->out, SOCKETMAP_PERM, req.why.text);
        break;
    }
}

/*
 * Answer the requests in data until one must wait, there are many replies to be sent, or there is no whole one left.
 * Returns the octets used, or -1 when this is no netstring; what was answered before that is in s->out.
 */
static ssize_t conn_work(struct conn *c, const char *data, size_t len)
{
    size_t used = 0;
    struct netstring ns;
    int found = 0;

    buf_reset(&c->serve->out);
    while (c->wait == NULL && c->serve->out.len < REPLIES_MAX &&
           (found = netstring_parse(&ns, data + used, len - used, SOCKETMAP_REQUEST_MAX)) == 1) {
        answer_request(c, &ns);
        used += ns.total;
    }
    if (!buf_ok(&c->serve->out))
        log_oom();
    return found < 0 ? -1 : (ssize_t)used;
}

/* Keep the octets that could not be worked on yet. */
static void conn_keep(struct conn *c, const char *data, size_t len)
{
    char *kept = NULL;

    if (len != 0) {
        kept = malloc(len);
        if (kept == NULL)
            log_oom();
        memcpy(kept, data, len);
    }
    free(c->in);
    c->in = kept;
    c->in_len = len;
}

/*
 * Work on data, send the replies, keep the rest. Afterwards the connection waits for a look-up, or for the socket to
 * take replies, or has less than one whole request and is read, or is closed. data may be the connection's own.
 */
static void conn_process(struct conn *c, const char *data, size_t len)
{
    struct serve *s = c->serve;
    size_t done = 0;
    ssize_t used;

    do {
        used = conn_work(c, data + done, len - done);
        if (s->out.len != 0 && !conn_send(c, &s->out))
            return;
        if (used < 0) {
            count(COUNT_BAD_REQUESTS);
            log_warning("bad-request", "why=%s", "not a netstring of at most 10000 octets; connection closed");
            conn_close(c);
            return;
        }
        done += (size_t)used;
    } while (used != 0 && !conn_busy(c));
    if (data != c->in || done != 0)
        conn_keep(c, data + done, len - done);
    if (c->wait != NULL)
        event_del(c->readable);
    else if (s->draining && !conn_busy(c))
        conn_close(c);
}

/* The look-up is done or the socket has taken the replies: work on what came meanwhile, then read again. */
static void conn_resume(struct conn *c)
{
    event_add(c->readable, NULL);
    conn_process(c, c->in, c->in_len);
}

static void conn_touch(struct conn *c)
{
    struct serve *s = c->serve;

    c->used = now_of(s);
    TAILQ_REMOVE(&s->conns, c, link);
    TAILQ_INSERT_TAIL(&s->conns, c, link);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *c = ctx;
    struct serve *s = c->serve;
    size_t kept = c->in_len; /* less than one request: more is never read behind it */
    ssize_t got;

    (void)what;
    if (kept != 0)
        memcpy(s->in, c->in, kept);
    got = recv(fd, s->in + kept, READ_MAX, MSG_DONTWAIT);
    if (got < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            conn_close(c);
        return;
    }
    if (got == 0) { /* all answers have gone out: while one waits the connection is not read */
        conn_close(c);
        return;
    }
    conn_touch(c);
    conn_process(c, s->in, kept + (size_t)got);
}

/* --- connections come and go --- */

/* At the limit the connection that is idle longest makes room: the MTA reconnects by itself (socketmap clients do). */
static bool make_room(struct serve *s)
{
    struct conn *c;

    if (s->conn_count < s->conn_max)
        return true;
    for (c = TAILQ_FIRST(&s->conns); c != NULL; c = TAILQ_NEXT(c, link)) {
        if (!conn_busy(c)) {
            conn_close(c);
            return true;
        }
    }
    return false;
}

static void on_accept(void *ctx, int fd)
{
    struct serve *s = ctx;
    struct conn *c;

    if (s->memory == NULL || s->draining || !make_room(s)) {
        close(fd);
        return;
    }
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        log_oom();
    c->serve = s;
    c->fd = fd;
    c->used = now_of(s);
    buf_init(&c->out, OUT_MAX);
    c->readable = event_new(s->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(s->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    if (c->readable == NULL || c->writable == NULL)
        log_oom();
    TAILQ_INSERT_TAIL(&s->conns, c, link);
    s->conn_count++;
    count(COUNT_ACCEPTED);
    event_add(c->readable, NULL);
}

static void on_sweep(evutil_socket_t fd, short what, void *ctx)
{
    struct serve *s = ctx;
    struct conn *c, *next;
    int64_t before = now_of(s) - s->idle_seconds;

    (void)fd;
    (void)what;
    for (c = TAILQ_FIRST(&s->conns); c != NULL && c->used <= before; c = next) {
        next = TAILQ_NEXT(c, link);
        if (c->wait == NULL) /* a client that does not read its replies is idle too */
            conn_close(c);
    }
}

void serve_configure(struct serve *s, const struct conf_policyd *conf)
{
    struct timeval every = {0, 0};

    s->conn_max = (size_t)conf->connections;
    s->idle_seconds = conf->idle_timeout_ms / 1000;
    event_del(s->sweep);
    if (conf->idle_timeout_ms == 0)
        return;
    every.tv_sec = (time_t)(s->idle_seconds / SWEEPS + 1);
    event_add(s->sweep, &every);
}

static int open_listeners(struct serve *s, const struct conf_policyd *conf, struct err *e)
{
    size_t count = 0;

    while (conf->listen[count] != NULL)
        count++;
    s->listener = calloc(count + 1, sizeof(struct listener *));
    if (s->listener == NULL)
        log_oom();
    for (; s->listener_count < count; s->listener_count++) {
        struct listener *l =
            listener_open(s->base, conf->listen[s->listener_count], (unsigned)conf->socket_mode, on_accept, s, e);

        if (l == NULL)
            return -1;
        s->listener[s->listener_count] = l;
    }
    return 0;
}

struct serve *serve_new(struct event_base *base, const struct conf_policyd *conf, struct err *e)
{
    struct serve *s = calloc(1, sizeof(*s));

    if (s == NULL)
        log_oom();
    s->base = base;
    TAILQ_INIT(&s->conns);
    buf_init(&s->out, OUT_MAX);
    s->sweep = event_new(base, -1, EV_PERSIST, on_sweep, s);
    if (s->sweep == NULL)
        log_oom();
    serve_configure(s, conf);
    if (open_listeners(s, conf, e) != 0) {
        serve_free(s);
        return NULL;
    }
    return s;
}

void serve_run(struct serve *s, struct memory *memory, struct lookups *lookups)
{
    s->memory = memory;
    s->lookups = lookups;
}

void serve_drain(struct serve *s, void (*done)(void *ctx), void *ctx)
{
    struct conn *c, *next;

    s->draining = true;
    for (size_t i = 0; i < s->listener_count; i++)
        listener_pause(s->listener[i]);
    for (c = TAILQ_FIRST(&s->conns); c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        if (!conn_busy(c))
            conn_close(c);
    }
    s->drained = done;
    s->drained_ctx = ctx;
    if (s->conn_count == 0)
        done(ctx);
}

void serve_free(struct serve *s)
{
    if (s == NULL)
        return;
    s->drained = NULL;
    while (!TAILQ_EMPTY(&s->conns))
        conn_close(TAILQ_FIRST(&s->conns));
    for (size_t i = 0; i < s->listener_count; i++)
        listener_free(s->listener[i]);
    free(s->listener);
    event_free(s->sweep);
    buf_clear(&s->out);
    free(s);
}

size_t serve_connections(const struct serve *s)
{
    return s->conn_count;
}
