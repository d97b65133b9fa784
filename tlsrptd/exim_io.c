/* exim_io.c - see exim_io.h. */
#include "exim_io.h"

#include "cache.h"
#include "clock.h"
#include "exim_line.h"
#include "listener.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"
#include "siphash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define SESSIONS_MAX 20000

/* One connection of Exim. */
struct caller {
    LIST_ENTRY(caller) next;
    struct exim_door *door;
    int fd;
    struct event *event; /* with the time-out */
    int64_t until;       /* of now_ms: however slowly octets drip */
    size_t len;
    char line[EXIM_LINE_MAX + 2]; /* one octet more shows that it is too long */
};

struct exim_door {
    struct event_base *base;
    struct listener *listener;
    bool draining;
    struct attempts *attempts; /* NULL: it does not run yet */
    int64_t clock_offset;
    struct cache *sessions; /* until when, by message, host and address */
    LIST_HEAD(callers, caller) callers;
    size_t count;
    struct log_limit log;
    struct exim_door_stats stats;
};

struct exim_door_stats exim_door_stats(const struct exim_door *d)
{
    return d->stats;
}

/* --- sessions --- */

/* Notes it, and says whether one of this message and host was told not long ago. */
static bool session_seen(struct exim_door *d, const char *id, const struct tls_attempt *a)
{
    char key[CACHE_KEY_MAX + 1];
    int len = snprintf(key, sizeof(key), "%s %s %s", id, a->host, a->address);
    int64_t *until = cache_get(d->sessions, key, (size_t)len);
    bool seen = until != NULL && now_ms() < *until;

    if (until == NULL) {
        until = must_have(malloc(sizeof(*until)));
        if (cache_put(d->sessions, key, (size_t)len, until) != 0)
            log_oom();
    }
    *until = now_ms() + (int64_t)EXIM_SESSION_SECONDS * 1000;
    return seen;
}

static void attempt_take(struct exim_door *d, const struct tls_attempt *a, const char *id)
{
    bool seen = id[0] != '\0' && session_seen(d, id, a);

    if (!seen || a->tls != ATTEMPT_NO_TLS)
        attempts_add(d->attempts, a);
}

/* --- one line --- */

static void caller_free(struct caller *c)
{
    struct exim_door *d = c->door;

    LIST_REMOVE(c, next);
    if (d->count-- == EXIM_CONNECTIONS_MAX && !d->draining)
        listener_resume(d->listener);
    event_free(c->event);
    close(c->fd);
    free(c);
}

static void unreadable(struct exim_door *d, const char *why)
{
    unsigned left_out;

    d->stats.unreadable++;
    if (log_allowed(&d->log, now_seconds(), &left_out))
        log_warning("exim-line-unreadable", "why=%s left_out=%u", why, left_out);
}

static void line_take(struct exim_door *d, const char *line, size_t len, struct err *e)
{
    char id[EXIM_ID_BUF] = "";
    struct tls_attempt a;
    int rc;

    d->stats.lines++;
    if (d->attempts == NULL || attempts_full(d->attempts)) {
        d->stats.refused++;
        (void)err_set(e, "%s", "no more can wait now");
        return;
    }
    rc = exim_line_read(&a, id, line, len, now_seconds() + d->clock_offset, e);
    a.by_exim = true;
    if (rc < 0)
        unreadable(d, e->text);
    else if (rc > 0)
        attempt_take(d, &a, id);
}

/* The answer is short, and fits into the socket; if it does not, Exim has gone. */
static void answer(struct caller *c, size_t len)
{
    struct err e = {""};
    char text[ERR_MAX + 10] = "ok\n";

    if (len > 0 && c->line[len - 1] == '\r')
        len--;
    line_take(c->door, c->line, len, &e);
    if (e.text[0] != '\0')
        (void)snprintf(text, sizeof(text), "error: %s\n", e.text);
    (void)!send(c->fd, text, strlen(text), MSG_NOSIGNAL);
    caller_free(c);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct caller *c = ctx;
    const char *end;
    ssize_t n;

    if ((what & EV_TIMEOUT) || now_ms() >= c->until) {
        unreadable(c->door, "no line in time");
        caller_free(c);
        return;
    }
    n = recv(fd, c->line + c->len, sizeof(c->line) - c->len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0 || (n == 0 && c->len == 0)) {
        caller_free(c);
        return;
    }
    c->len += (size_t)n;
    end = memchr(c->line, '\n', c->len);
    if (end != NULL)
        answer(c, (size_t)(end - c->line));
    else if (n == 0 || c->len == sizeof(c->line))
        answer(c, c->len);
}

static void on_caller(void *ctx, int fd)
{
    struct exim_door *d = ctx;
    struct caller *c = must_have(calloc(1, sizeof(*c)));
    const struct timeval tv = millis(EXIM_LINE_MS);

    c->door = d;
    c->fd = fd;
    c->until = now_ms() + EXIM_LINE_MS;
    c->event = must_have(event_new(d->base, fd, EV_READ | EV_PERSIST, on_readable, c));
    if (event_add(c->event, &tv) != 0)
        log_oom();
    LIST_INSERT_HEAD(&d->callers, c, next);
    if (++d->count == EXIM_CONNECTIONS_MAX)
        listener_pause(d->listener);
}

/* --- beginning and end --- */

struct exim_door *exim_door_open(struct event_base *base, const char *address, unsigned mode, struct err *e)
{
    struct exim_door *d = must_have(calloc(1, sizeof(*d)));
    uint8_t secret[SIPHASH_KEY];

    d->base = base;
    LIST_INIT(&d->callers);
    d->listener = listener_open(base, address, mode, on_caller, d, e);
    if (d->listener == NULL) {
        free(d);
        return NULL;
    }
    random_octets(secret, sizeof(secret));
    d->sessions = must_have(cache_new(SESSIONS_MAX, free, secret));
    return d;
}

void exim_door_run(struct exim_door *d, struct attempts *attempts, int64_t clock_offset)
{
    d->attempts = attempts;
    d->clock_offset = clock_offset;
}

void exim_door_drain(struct exim_door *d)
{
    d->draining = true;
    listener_pause(d->listener);
}

size_t exim_door_callers(const struct exim_door *d)
{
    return d->count;
}

void exim_door_close(struct exim_door *d)
{
    if (d == NULL)
        return;
    for (struct caller *c = LIST_FIRST(&d->callers), *next; c != NULL; c = next) {
        next = LIST_NEXT(c, next);
        caller_free(c);
    }
    listener_free(d->listener);
    cache_free(d->sessions);
    free(d);
}
