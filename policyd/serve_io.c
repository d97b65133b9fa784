/* serve_io.c - the listeners, and how many connections there may be for how long. */
#include "serve_io.h"

#include "conn_io.h"
#include "listener.h"
#include "log.h"
#include "millis.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <unistd.h>

#define SPARE_DESCRIPTORS 64   /* for all that is no connection of a client */
#define SNI_MODE          0660 /* of sockets whose answers hold private keys: for owner and group alone */
#define TAG_BUF           72   /* conf_table.c has the limit */
#define UNASKED_MS        2000 /* at the end: for a question of who came to ask but one (conn_protocol.once) */
#define SWEEPS            4    /* idle connections are looked for so often in one idle time-out */

struct serve {
    struct event_base *base;
    struct listener **listener;
    size_t listener_count;
    size_t sni_first; /* from there on they are those for certificates, */
    bool sni_held;    /* which wait until these have been read */
    size_t conn_max;
    struct event *sweep;
    int64_t idle_seconds;      /* 0: no limit */
    bool paused;               /* the listeners, at the limit */
    struct event *unasked_end; /* who has not asked by then is not waited for */
    void (*drained)(void *ctx);
    void *drained_ctx;
    char tag[TAG_BUF];
    char optional_tag[TAG_BUF];
    struct conns conns;
};

static void pause_listeners(struct serve *s)
{
    for (size_t i = 0; i < s->listener_count; i++)
        listener_pause(s->listener[i]);
    s->paused = true;
}

static void resume_listeners(struct serve *s)
{
    for (size_t i = 0; i < (s->sni_held ? s->sni_first : s->listener_count); i++)
        listener_resume(s->listener[i]);
    s->paused = false;
}

/* The connection that is given up for a new one, NULL: there is none. */
static struct conn *spare(const struct serve *s)
{
    struct conn *c = TAILQ_FIRST(&s->conns.list[CONN_FREE]);

    return c != NULL ? c : TAILQ_FIRST(&s->conns.list[CONN_HALF]);
}

/* Give up connections until there are no more than that, or none can be given up. */
static void make_room(struct serve *s, size_t most)
{
    while (s->conns.count > most && spare(s) != NULL)
        conn_close(spare(s));
}

/*
 * At the limit the connection that is idle longest makes room: the MTA reconnects by itself (socketmap clients do).
 * When all have something to wait for, new ones wait in the listen queue.
 */
static void on_change(void *ctx)
{
    struct serve *s = ctx;
    bool full = s->conns.count >= s->conn_max && spare(s) == NULL;

    if (s->conns.draining) {
        if (s->conns.count == 0 && s->drained != NULL)
            s->drained(s->drained_ctx);
    } else if (full && !s->paused) {
        pause_listeners(s);
    } else if (!full && s->paused) {
        resume_listeners(s);
    }
}

static void take_client(struct serve *s, int fd, const struct conn_protocol *protocol)
{
    if (s->conns.memory == NULL || s->conns.draining) {
        close(fd);
        return;
    }
    make_room(s, s->conn_max - 1);
    conn_open(&s->conns, fd, protocol);
}

static void on_socketmap(void *ctx, int fd)
{
    take_client(ctx, fd, &conn_socketmap);
}

static void on_policy(void *ctx, int fd)
{
    take_client(ctx, fd, &conn_policy);
}

static void on_exim(void *ctx, int fd)
{
    take_client(ctx, fd, &conn_exim);
}

static void on_sni(void *ctx, int fd)
{
    take_client(ctx, fd, &conn_sni);
}

static void on_sweep(evutil_socket_t fd, short what, void *ctx)
{
    struct serve *s = ctx;
    struct conn *c;
    int64_t before = conns_now(&s->conns) - s->idle_seconds;

    (void)fd;
    (void)what;
    /* A client that does not take its replies is idle too. */
    while ((c = TAILQ_FIRST(&s->conns.list[CONN_FREE])) != NULL && c->used <= before)
        conn_close(c);
}

static void close_idle(struct serve *s, bool unasked_too)
{
    struct conn *c, *next;

    for (c = TAILQ_FIRST(&s->conns.list[CONN_FREE]); c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        if (!conn_busy(c) && (unasked_too || !conn_unasked(c)))
            conn_close(c);
    }
}

static void on_unasked_end(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    close_idle(ctx, true);
}

/* No more than there are descriptors for. */
static size_t connections_allowed(size_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= wanted + SPARE_DESCRIPTORS)
        return wanted;
    wanted = limit.rlim_cur > (rlim_t)SPARE_DESCRIPTORS * 2 ? (size_t)limit.rlim_cur - SPARE_DESCRIPTORS
                                                            : limit.rlim_cur / 2;
    log_warning("fewer-connections", "limit=%zu why=%s", wanted, "the limit of open files (ulimit -n) allows no more");
    return wanted;
}

static void configure_tags(struct serve *s, const struct conf_milter *conf)
{
    (void)snprintf(s->tag, sizeof(s->tag), "%s", conf->tag);
    s->conns.tag = (struct address_tag){.delimiter = conf->delimiter[0], .word = s->tag};
    (void)snprintf(s->optional_tag, sizeof(s->optional_tag), "%s", conf->optional_tag);
    s->conns.optional_tag = (struct address_tag){.delimiter = conf->delimiter[0], .word = s->optional_tag};
    s->conns.misplaced = false;
}

void serve_configure(struct serve *s, const struct conf *conf)
{
    const struct conf_policyd *own = &conf->policyd;
    struct timeval every = {0, 0};

    configure_tags(s, &conf->milter);
    s->conn_max = connections_allowed((size_t)own->connections);
    s->idle_seconds = (own->idle_timeout_ms + 999) / 1000;
    make_room(s, s->conn_max);
    on_change(s);
    event_del(s->sweep);
    if (own->idle_timeout_ms == 0)
        return;
    every.tv_sec = (time_t)(s->idle_seconds / SWEEPS + 1);
    event_add(s->sweep, &every);
}

static int open_listeners(struct serve *s, char *const *address, int64_t mode, listener_accept_fn *fn, struct err *e)
{
    for (; *address != NULL; address++) {
        struct listener **grown = realloc(s->listener, (s->listener_count + 1) * sizeof(struct listener *));

        if (grown == NULL)
            log_oom();
        s->listener = grown;
        s->listener[s->listener_count] = listener_open(s->base, *address, (unsigned)mode, fn, s, e);
        if (s->listener[s->listener_count] == NULL)
            return -1;
        s->listener_count++;
    }
    return 0;
}

struct serve *serve_new(struct event_base *base, const struct conf *conf, struct err *e)
{
    struct serve *s = must_have(calloc(1, sizeof(*s)));

    s->base = base;
    conns_init(&s->conns, base);
    s->conns.changed = on_change;
    s->conns.changed_ctx = s;
    s->sweep = must_have(event_new(base, -1, EV_PERSIST, on_sweep, s));
    s->unasked_end = must_have(evtimer_new(base, on_unasked_end, s));
    serve_configure(s, conf);
    if (open_listeners(s, conf->policyd.listen, conf->policyd.socket_mode, on_socketmap, e) != 0 ||
        open_listeners(s, conf->policyd.policy_listen, conf->policyd.socket_mode, on_policy, e) != 0 ||
        open_listeners(s, conf->policyd.exim_listen, conf->policyd.socket_mode, on_exim, e) != 0) {
        serve_free(s);
        return NULL;
    }
    s->sni_first = s->listener_count;
    if (open_listeners(s, conf->policyd.sni_listen, SNI_MODE, on_sni, e) != 0) {
        serve_free(s);
        return NULL;
    }
    return s;
}

/* Who asked before has waited: the wrong certificate would be worse than a late one. */
static void on_certificates(void *ctx)
{
    struct serve *s = ctx;

    s->sni_held = false;
    for (size_t i = s->sni_first; !s->paused && !s->conns.draining && i < s->listener_count; i++)
        listener_resume(s->listener[i]);
}

void serve_run(struct serve *s, struct memory *memory, struct lookups *lookups, const struct operator_lists *lists,
               struct sni_store *sni)
{
    s->conns.sni = sni;
    if (sni != NULL) {
        s->sni_held = true;
        for (size_t i = s->sni_first; i < s->listener_count; i++)
            listener_pause(s->listener[i]);
        sni_store_when_read(sni, on_certificates, s);
    }
    s->conns.lists = lists;
    s->conns.memory = memory;
    s->conns.lookups = lookups;
}

void serve_drain(struct serve *s, void (*done)(void *ctx), void *ctx)
{
    s->conns.draining = true;
    pause_listeners(s);
    close_idle(s, false);
    timer_start(s->unasked_end, UNASKED_MS);
    s->drained = done;
    s->drained_ctx = ctx;
    if (s->conns.count == 0)
        done(ctx);
}

void serve_free(struct serve *s)
{
    if (s == NULL)
        return;
    conns_clear(&s->conns);
    for (size_t i = 0; i < s->listener_count; i++)
        listener_free(s->listener[i]);
    free(s->listener);
    event_free(s->sweep);
    event_free(s->unasked_end);
    free(s);
}

size_t serve_connections(const struct serve *s)
{
    return s->conns.count;
}
