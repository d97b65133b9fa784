/* requiretls_probe_io.c - see requiretls_probe_io.h. relayd's own smtp_client does the talking. */
#include "requiretls_probe_io.h"

#include "millis.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

struct probe;

/* One connection. */
struct asked {
    struct probe *probe;
    struct requiretls_host *host;
    struct smtp_client *client; /* NULL: it is over */
    bool capped;                /* addresses get less time than relayd gives them */
};

struct probe {
    struct requiretls *all;
    struct event_base *base;
    struct smtp_client_settings settings;
    size_t open;
    struct asked asked[DEST_HOSTS_MAX];
};

/* --- what comes of a connection --- */

static void note(struct asked *a, enum relay_failed what, const char *enhanced, const char *detail)
{
    struct requiretls_host *h = a->host;

    h->asked = true;
    h->progress = smtp_client_progress(a->client);
    h->hurried = h->hurried || (what == RELAY_FAILED_CONNECT_TIMEOUT && a->capped);
    (void)snprintf(h->address, sizeof(h->address), "%s", smtp_client_address(a->client));
    smtp_client_peer(&h->tls, a->client);
    relay_failure_set(&h->why, what, smtp_client_host(a->client), enhanced, detail);
    if (what == RELAY_FAILED_NOTHING)
        h->offer = (struct relay_offer){smtp_client_offered_bare(a->client), smtp_client_ehlo(a->client)->requiretls};
    smtp_client_free(a->client);
    a->client = NULL;
    if (--a->probe->open == 0)
        event_base_loopbreak(a->probe->base);
}

static void on_ready(void *ctx)
{
    note(ctx, RELAY_FAILED_NOTHING, NULL, NULL);
}

static void on_failed(void *ctx, enum relay_failed what, const char *enhanced, const char *detail)
{
    note(ctx, what, enhanced, detail);
}

/* Neither comes: the connection ends when it is ready. */
static void on_reply(void *ctx, const struct smtp_reply *reply)
{
    (void)ctx;
    (void)reply;
}

static void on_room(void *ctx)
{
    (void)ctx;
}

static const struct smtp_client_events events = {on_ready, on_reply, on_room, on_failed};

/* The time is over for all: each counts as relayd would have it at the end of its own time. */
static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct probe *p = ctx;

    (void)fd;
    (void)what;
    for (size_t i = 0; i < p->all->path.usable; i++) {
        struct asked *a = &p->asked[i];
        struct smtp_client_progress at;

        if (a->client == NULL)
            continue;
        at = smtp_client_progress(a->client);
        a->host->hurried = true;
        note(a,
             !at.connected                  ? RELAY_FAILED_CONNECT_TIMEOUT
             : at.handshake && !at.verified ? RELAY_FAILED_HANDSHAKE
                                            : RELAY_FAILED_TIMEOUT,
             NULL, at.handshake && !at.verified ? "it took too long" : NULL);
    }
}

/* --- all of them --- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void begin(struct probe *p, size_t candidate, int64_t ms)
{
    const struct relay_candidate *c = &p->all->path.candidate[candidate];
    struct asked *a = &p->asked[candidate];
    struct smtp_client_settings settings = p->settings;

    settings.connect_timeout_ms = least(settings.connect_timeout_ms, ms / (int64_t)(c->host->address_count + 1));
    settings.command_timeout_ms = least(settings.command_timeout_ms, 2 * ms); /* ours ends before it does */
    a->probe = p;
    a->host = &p->all->host[candidate];
    a->capped = settings.connect_timeout_ms < p->settings.connect_timeout_ms;
    a->client = smtp_client_new(&settings, &p->all->path, c, &events, a);
    p->open++;
}

static int probe_run(struct probe *p, int64_t ms, struct err *e)
{
    struct timeval tv = millis(ms);
    struct event *deadline = evtimer_new(p->base, on_deadline, p);

    if (deadline == NULL)
        return err_set(e, "no memory for a timer");
    event_add(deadline, &tv);
    for (size_t i = 0; i < p->all->path.usable; i++)
        begin(p, i, ms);
    while (p->open > 0 && event_base_loop(p->base, EVLOOP_ONCE) == 0) {
    }
    event_free(deadline);
    return p->open == 0 ? 0 : err_set(e, "the event loop failed");
}

static void probe_free(struct probe *p)
{
    for (size_t i = 0; i < DEST_HOSTS_MAX; i++)
        smtp_client_cut(p->asked[i].client);
    SSL_CTX_free(p->settings.tls);
    if (p->base != NULL)
        event_base_free(p->base);
    free(p);
}

int requiretls_probe(struct requiretls *r, const struct conf_relayd *conf, int64_t ms, struct err *e)
{
    struct probe *p = calloc(1, sizeof(*p));
    int rc = -1;

    if (p == NULL)
        return err_set(e, "no memory");
    p->all = r;
    p->base = event_base_new();
    p->settings.base = p->base;
    smtp_client_settings_take(&p->settings, conf);
    p->settings.tls = tls_client_context(conf->ca_file, e);
    if (p->base == NULL)
        (void)err_set(e, "no event loop to wait with");
    else if (p->settings.tls != NULL)
        rc = probe_run(p, ms, e);
    probe_free(p);
    return rc;
}
