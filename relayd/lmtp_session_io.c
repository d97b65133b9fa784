/*
 * lmtp_session_io.c - the connection: octets in and out, who is waited for, and the end. An MTA that has closed its
 * side has gone: it would not see the replies, and asks again.
 */
#include "lmtp_session_io.h"

#include "counters.h"
#include "lmtp_internal.h"
#include "lmtp_reply.h"
#include "log.h"
#include "millis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void session_close(struct lmtp_session *s)
{
    struct lmtp_sessions *all = s->all;

    if (s->t != NULL && s->t->count > 0)
        count(COUNT_ABANDONED);
    lmtp_drop(s);
    TAILQ_REMOVE(&all->list, s, link);
    all->count--;
    event_free(s->readable);
    event_free(s->writable);
    event_free(s->turn);
    event_free(s->patience);
    event_free(s->held_up);
    close(s->fd);
    free(s->in);
    buf_clear(&s->out);
    free(s);
    if (all->changed != NULL)
        all->changed(all->changed_ctx);
}

/* Send what there is. Returns false when the connection is gone. */
static bool session_send(struct lmtp_session *s)
{
    ssize_t sent;

    if (!buf_ok(&s->out))
        log_oom();
    if (s->out.len == 0)
        return true;
    sent = send(s->fd, s->out.data, s->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    s->out.len -= (size_t)sent;
    memmove(s->out.data, s->out.data + sent, s->out.len);
    return true;
}

/* Nothing can go on before it says something, or takes something. */
static bool mta_has_turn(const struct lmtp_session *s)
{
    if (s->out.len > 0 || s->t == NULL)
        return true;
    if (s->t->state == TRANSACTION_RCPT)
        return transaction_waiting(s->t) == 0;
    return s->t->state == TRANSACTION_FEED && !lmtp_full(s);
}

static void event_want(struct event *ev, bool wanted)
{
    if (wanted)
        event_add(ev, NULL);
    else
        event_del(ev);
}

/* A next server that has answered waits no longer than we would: half of that is for the others. */
static void held_up_watch(const struct lmtp_session *s)
{
    if (!lmtp_held_up(s, false))
        event_del(s->held_up);
    else if (!event_pending(s->held_up, EV_TIMEOUT, NULL))
        timer_start(s->held_up, s->all->patience_ms / 2);
}

static void on_held_up(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)lmtp_held_up(ctx, true);
}

static void session_wait(struct lmtp_session *s)
{
    const struct timeval patience = millis(s->all->patience_ms);

    event_want(s->readable, !s->ending && s->in_len < LMTP_IN_MAX && s->out.len < LMTP_OUT_HIGH);
    event_want(s->writable, s->out.len > 0);
    if (mta_has_turn(s))
        event_add(s->patience, &patience);
    else
        event_del(s->patience);
    held_up_watch(s);
    if (s->in_len == 0) {
        free(s->in);
        s->in = NULL;
        s->in_at = 0;
    }
}

static void session_turn(struct lmtp_session *s)
{
    bool stopped;

    lmtp_work(s);
    stopped = s->out.len >= LMTP_OUT_HIGH;
    if (!session_send(s) || (s->ending && s->out.len == 0)) {
        session_close(s);
        return;
    }
    session_wait(s);
    if (stopped && s->out.len < LMTP_OUT_HIGH)
        event_active(s->turn, EV_TIMEOUT, 1);
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    session_turn(ctx);
}

static void on_patience(evutil_socket_t fd, short what, void *ctx)
{
    struct lmtp_session *s = ctx;

    (void)fd;
    (void)what;
    lmtp_reply_write(&s->out, 421, "4.4.2", "waited too long for the next command, or for replies to be taken");
    (void)session_send(s);
    session_close(s);
}

/* Room for octets behind those that are there. */
static size_t make_room(struct lmtp_session *s)
{
    if (s->in == NULL)
        s->in = malloc(LMTP_IN_MAX);
    if (s->in == NULL)
        log_oom();
    if (s->in_at > 0)
        memmove(s->in, s->in + s->in_at, s->in_len);
    s->in_at = 0;
    return LMTP_IN_MAX - s->in_len;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct lmtp_session *s = ctx;
    size_t room = make_room(s);
    ssize_t got = recv(fd, s->in + s->in_len, room, 0);

    (void)what;
    if (got > 0) {
        s->in_len += (size_t)got;
        session_turn(s);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        session_close(s);
    }
}

void lmtp_session_open(struct lmtp_sessions *all, int fd)
{
    struct lmtp_session *s = calloc(1, sizeof(*s));
    char greeting[LMTP_NAME_MAX + sizeof(" LMTP postern-relayd")];

    if (s == NULL)
        log_oom();
    s->all = all;
    s->fd = fd;
    s->readable = event_new(all->base, fd, EV_READ | EV_PERSIST, on_readable, s);
    s->writable = event_new(all->base, fd, EV_WRITE, on_turn, s);
    s->turn = event_new(all->base, -1, 0, on_turn, s);
    s->patience = evtimer_new(all->base, on_patience, s);
    s->held_up = evtimer_new(all->base, on_held_up, s);
    if (s->readable == NULL || s->writable == NULL || s->turn == NULL || s->patience == NULL || s->held_up == NULL)
        log_oom();
    (void)event_priority_set(s->turn, 0);
    buf_init(&s->out, LMTP_OUT_MAX);
    TAILQ_INSERT_TAIL(&all->list, s, link);
    all->count++;
    count(COUNT_CONNECTIONS);
    (void)snprintf(greeting, sizeof(greeting), "%s LMTP postern-relayd", all->name);
    lmtp_reply_write(&s->out, 220, "", greeting);
    session_turn(s);
}

void lmtp_sessions_init(struct lmtp_sessions *all, struct event_base *base)
{
    *all = (struct lmtp_sessions){.base = base};
    TAILQ_INIT(&all->list);
}

void lmtp_sessions_clear(struct lmtp_sessions *all)
{
    struct lmtp_session *s;
    struct lmtp_session *next;

    all->changed = NULL;
    for (s = TAILQ_FIRST(&all->list); s != NULL; s = next) {
        next = TAILQ_NEXT(s, link);
        session_close(s);
    }
}

void lmtp_sessions_drain(struct lmtp_sessions *all)
{
    all->draining = true;
    for (const struct lmtp_session *s = TAILQ_FIRST(&all->list); s != NULL; s = TAILQ_NEXT(s, link))
        event_active(s->turn, EV_TIMEOUT, 1);
}
