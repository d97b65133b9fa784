/* lmtp_serve_io.c - see lmtp_serve_io.h. */
#include "lmtp_serve_io.h"

#include "listener.h"
#include "lmtp_session_io.h"
#include "log.h"
#include "smtp_client_io.h"

#include <stdlib.h>
#include <string.h>

struct lmtp_serve {
    struct listener **listener;
    size_t listener_count;
    size_t most;
    bool paused; /* the listeners */
    void (*drained)(void *ctx);
    void *drained_ctx;
    struct lmtp_sessions sessions;
};

static void set_paused(struct lmtp_serve *s, bool paused)
{
    for (size_t i = 0; i < s->listener_count && paused != s->paused; i++) {
        if (paused)
            listener_pause(s->listener[i]);
        else
            listener_resume(s->listener[i]);
    }
    s->paused = paused;
}

/* At the limit new connections wait in the listen queue: the MTA keeps none for long that it has no use for. */
static void on_change(void *ctx)
{
    struct lmtp_serve *s = ctx;
    void (*drained)(void *ctx) = s->drained;

    if (!s->sessions.draining) {
        set_paused(s, s->sessions.upstreams == NULL || s->sessions.count >= s->most);
    } else if (s->sessions.count == 0 && drained != NULL) {
        s->drained = NULL;
        drained(s->drained_ctx);
    }
}

static void on_accept(void *ctx, int fd)
{
    struct lmtp_serve *s = ctx;

    lmtp_session_open(&s->sessions, fd);
    on_change(s);
}

static int open_listeners(struct lmtp_serve *s, struct event_base *base, const struct conf_relayd *conf, struct err *e)
{
    size_t count = 0;

    while (conf->listen[count] != NULL)
        count++;
    s->listener = calloc(count + 1, sizeof(struct listener *));
    if (s->listener == NULL)
        log_oom();
    for (; s->listener_count < count; s->listener_count++) {
        struct listener *l =
            listener_open(base, conf->listen[s->listener_count], (unsigned)conf->socket_mode, on_accept, s, e);

        if (l == NULL)
            return -1;
        s->listener[s->listener_count] = l;
    }
    return 0;
}

struct lmtp_serve *lmtp_serve_new(struct event_base *base, const struct conf_relayd *conf, struct err *e)
{
    struct lmtp_serve *s = calloc(1, sizeof(*s));

    if (s == NULL)
        log_oom();
    lmtp_sessions_init(&s->sessions, base);
    s->sessions.changed = on_change;
    s->sessions.changed_ctx = s;
    if (open_listeners(s, base, conf, e) != 0) {
        lmtp_serve_free(s);
        return NULL;
    }
    lmtp_serve_configure(s, conf);
    return s;
}

void lmtp_serve_configure(struct lmtp_serve *s, const struct conf_relayd *conf)
{
    smtp_client_own_name(s->sessions.name, conf);
    if (strchr(s->sessions.name, '.') == NULL)
        log_warning(
            "short-name", "name=%s why=%s", s->sessions.name,
            "servers may refuse who greets them with it, and the mail comes back; set relayd's name in postern.conf");
    s->most = (size_t)conf->connections;
    s->sessions.size_max = (uint64_t)conf->size_max;
    s->sessions.patience_ms = conf->command_timeout_ms;
    on_change(s);
}

void lmtp_serve_run(struct lmtp_serve *s, struct upstreams *upstreams)
{
    s->sessions.upstreams = upstreams;
    on_change(s);
}

void lmtp_serve_drain(struct lmtp_serve *s, void (*done)(void *ctx), void *ctx)
{
    set_paused(s, true);
    s->drained = done;
    s->drained_ctx = ctx;
    lmtp_sessions_drain(&s->sessions);
    on_change(s);
}

void lmtp_serve_free(struct lmtp_serve *s)
{
    if (s == NULL)
        return;
    lmtp_sessions_clear(&s->sessions);
    for (size_t i = 0; i < s->listener_count; i++)
        listener_free(s->listener[i]);
    free(s->listener);
    free(s);
}

size_t lmtp_serve_connections(const struct lmtp_serve *s)
{
    return s->sessions.count;
}
