/* requiretls_probe_io.c - see requiretls_probe_io.h. relayd's own smtp_client does the talking. */
#include "requiretls_probe_io.h"

#include "millis.h"
#include "relay_walk.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

struct probe;

/* One host, one address after the other. */
struct asked {
    struct probe *probe;
    struct requiretls_host *host;
    size_t candidate;
    struct relay_walk walk;
    struct smtp_client_settings settings;
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

static void address_ask(struct asked *a);

static void address_look(struct requiretls_host *out, const struct asked *a, enum relay_failed what,
                         const char *enhanced, const char *detail)
{
    *out = (struct requiretls_host){.asked = true, .progress = smtp_client_progress(a->client)};
    (void)snprintf(out->address, sizeof(out->address), "%s", smtp_client_address(a->client));
    smtp_client_peer(&out->tls, a->client);
    relay_failure_set(&out->why, what, smtp_client_host(a->client), enhanced, detail);
    if (what == RELAY_FAILED_NOTHING)
        out->offer = (struct relay_offer){smtp_client_offered_bare(a->client), smtp_client_ehlo(a->client)->requiretls};
}

/* Why a message with a sender would go on to the next address. */
static struct relay_failure why_not(const struct requiretls_host *h)
{
    struct relay_failure f = h->why;
    bool say = false;

    if (f.what == RELAY_FAILED_NOTHING)
        f.what = relay_path_offer(&say, &h->offer, false);
    return f;
}

/* The address that takes it is shown, else the one that counts most. */
static void address_show(struct requiretls_host *shown, const struct requiretls_host *h)
{
    const struct relay_failure now = why_not(h), before = why_not(shown);
    bool hurried = shown->hurried;

    if (!shown->asked || now.what == RELAY_FAILED_NOTHING || relay_failure_outweighs(&now, &before))
        *shown = *h;
    shown->hurried = hurried || h->hurried;
}

/* last: no other address is to be asked. */
static void note(struct asked *a, enum relay_failed what, const char *enhanced, const char *detail, bool last)
{
    const struct relay_path *path = &a->probe->all->path;
    struct requiretls_host h;

    address_look(&h, a, what, enhanced, detail);
    h.hurried = last || (what == RELAY_FAILED_CONNECT_TIMEOUT && a->capped);
    address_show(a->host, &h);
    smtp_client_free(a->client);
    a->client = NULL;
    what = why_not(&h).what;
    if (!last && what != RELAY_FAILED_NOTHING && relay_failed_next(what) && relay_walk_on(&a->walk, path, what) &&
        a->walk.host == a->candidate)
        address_ask(a);
    else if (--a->probe->open == 0)
        event_base_loopbreak(a->probe->base);
}

static void on_ready(void *ctx)
{
    note(ctx, RELAY_FAILED_NOTHING, NULL, NULL, false);
}

static void on_failed(void *ctx, enum relay_failed what, const char *enhanced, const char *detail)
{
    note(ctx, what, enhanced, detail, false);
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
        note(a,
             !at.connected                  ? RELAY_FAILED_CONNECT_TIMEOUT
             : at.handshake && !at.verified ? RELAY_FAILED_HANDSHAKE
                                            : RELAY_FAILED_TIMEOUT,
             NULL, at.handshake && !at.verified ? "it took too long" : NULL, true);
    }
}

/* --- all of them --- */

static void address_ask(struct asked *a)
{
    const struct relay_path *path = &a->probe->all->path;

    a->client = smtp_client_new(&a->settings, path, &path->candidate[a->candidate], relay_walk_address(&a->walk, path),
                                &events, a);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void begin(struct probe *p, size_t candidate, int64_t ms)
{
    const struct relay_candidate *c = &p->all->path.candidate[candidate];
    struct asked *a = &p->asked[candidate];

    a->settings = p->settings;
    a->settings.connect_timeout_ms = least(p->settings.connect_timeout_ms, ms / (int64_t)(c->host->address_count + 1));
    a->settings.command_timeout_ms = least(p->settings.command_timeout_ms, 2 * ms); /* ours ends before it does */
    a->probe = p;
    a->host = &p->all->host[candidate];
    a->candidate = candidate;
    relay_walk_begin(&a->walk, candidate);
    a->capped = a->settings.connect_timeout_ms < p->settings.connect_timeout_ms;
    p->open++;
    address_ask(a);
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
