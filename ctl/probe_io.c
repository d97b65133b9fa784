/* probe_io.c - see probe_io.h. */
#include "probe_io.h"

#include "ask_io.h"
#include "clock.h"
#include "mx_match.h"
#include "nexthop.h"
#include "probe_host_io.h"
#include "probe_session_io.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 64 /* connections */

struct run;

/* One address. */
struct work {
    struct run *run;
    const struct dest_host *host;
    struct probe_address *at;
    struct probe_session *session;
};

struct run {
    struct probe *p;
    struct probe_session_settings settings;
    struct work work[DEST_HOSTS_MAX * DEST_ADDRESSES_MAX];
    size_t count, begun, open;
};

/* --- facts --- */

static struct dest *facts_read(const struct answer *a, const char *domain, struct err *e)
{
    struct dest *d = NULL;

    if (!a->reached)
        (void)err_set(e, "%.200s; %s", a->text.len > 0 ? buf_text(&a->text) : "no answer",
                      strstr(buf_text(&a->text), "Permission denied") != NULL
                          ? "ask as root, or as a member of its group"
                          : "is it running?");
    else if (a->status != CALL_OK)
        (void)err_set(e, "%s", a->text.len > 0 ? buf_text(&a->text) : "no reason given");
    else
        d = dest_from_json(buf_text(&a->text), a->text.len, e);
    if (d != NULL && !domain_equal(d->domain, domain)) {
        (void)err_set(e, "asked about %.100s, it told of %.100s", domain, d->domain);
        dest_free(d);
        d = NULL;
    }
    return d;
}

static struct dest *facts_of_domain(const struct conf *conf, const char *domain, int64_t ms, struct err *e)
{
    struct answer a = {.status = CALL_TEMP};
    struct dest *d = NULL;

    if (conf->stsd.listen[0] == '\0')
        (void)err_set(e, "the configuration gives it no socket to be asked on");
    else if (ask_daemon(&a, conf->stsd.listen, "refresh", domain, (int)ms, e) == 0)
        d = facts_read(&a, domain, e);
    answer_clear(&a);
    if (d == NULL)
        (void)err_prefix(e, "postern-stsd");
    return d;
}

static struct dest *facts_get(const struct conf *conf, const struct nexthop *hop, int64_t ms, struct err *e)
{
    struct dest *d = hop->kind == NEXTHOP_HOST ? probe_host_facts(&conf->stsd, hop->name, ms, e)
                                               : facts_of_domain(conf, hop->name, ms, e);

    if (d != NULL && d->mx == DEST_MX_TEMP) {
        (void)err_set(e, "the MX records of %s cannot be looked up now%s%s", hop->name,
                      d->mx_why[0] != '\0' ? ": " : "", d->mx_why);
        dest_free(d);
        d = NULL;
    }
    return d;
}

/* --- connections --- */

static void next_begin(struct run *r);

static void on_done(void *ctx)
{
    struct work *w = ctx;

    probe_session_free(w->session);
    w->session = NULL;
    w->run->open--;
    next_begin(w->run);
    if (w->run->open == 0)
        event_base_loopbreak(w->run->settings.base);
}

static void next_begin(struct run *r)
{
    while (r->begun < r->count && r->open < AT_ONCE) {
        struct work *w = &r->work[r->begun++];

        w->session = probe_session_new(&r->settings, r->p->dest, w->host, w->at, on_done, w);
        r->open++;
    }
}

static void hosts_fill(struct run *r)
{
    struct probe *p = r->p;
    const struct dest *d = p->dest;
    bool policy = dest_sts_live(&d->sts, p->now) && d->sts.policy.mode != STS_MODE_NONE;

    for (size_t i = 0; i < d->host_count; i++) {
        struct probe_host *host = &p->host[p->hosts++];

        host->host = &d->host[i];
        host->in_policy = !policy || mx_match_any(d->sts.policy.mx, d->sts.policy.mx_count, d->host[i].name);
        host->count = d->host[i].address_count;
        for (size_t a = 0; a < host->count; a++) {
            host->at[a].looked = p->now;
            memcpy(host->at[a].address, d->host[i].address[a], ADDRESS_BUF);
            r->work[r->count++] = (struct work){.run = r, .host = host->host, .at = &host->at[a]};
        }
    }
}

/* Each connection has the same time; where not all are made at once, they share it. */
static int connect_all(struct run *r, const struct conf_relayd *conf, int64_t ms, struct err *e)
{
    size_t turns;

    hosts_fill(r);
    turns = (r->count + AT_ONCE - 1) / AT_ONCE;
    if (turns == 0)
        return 0;
    r->settings.base = event_base_new();
    r->settings.ms = ms / (int64_t)turns;
    r->settings.port = r->p->port;
    smtp_client_own_name(r->settings.name, conf);
    r->settings.tls = tls_client_context(conf->ca_file, e);
    if (r->settings.base == NULL)
        (void)err_set(e, "no event loop to wait with");
    if (r->settings.base == NULL || r->settings.tls == NULL)
        return -1;
    next_begin(r);
    while (r->open > 0 && event_base_loop(r->settings.base, EVLOOP_ONCE) == 0) {
    }
    return r->open == 0 ? 0 : err_set(e, "the event loop failed");
}

static int run_all(struct probe *p, const struct conf_relayd *conf, int64_t ms, struct err *e)
{
    struct run *r = calloc(1, sizeof(*r));
    int rc;

    if (r == NULL)
        return err_set(e, "no memory");
    r->p = p;
    rc = connect_all(r, conf, ms, e);
    for (size_t i = 0; i < r->count; i++)
        probe_session_free(r->work[i].session);
    SSL_CTX_free(r->settings.tls);
    if (r->settings.base != NULL)
        event_base_free(r->settings.base);
    free(r);
    return rc;
}

static int read_name(struct nexthop *hop, const char *name, struct err *e)
{
    struct err why = {""};

    if (nexthop_parse(hop, name, strlen(name), &why) != 0)
        return err_set(e, "\"%.100s\" is no domain: %.100s", name, why.text);
    if (hop->port != 0 || (hop->kind != NEXTHOP_DOMAIN && hop->kind != NEXTHOP_HOST))
        return err_set(e, "\"%.100s\" is neither a domain nor a host's name in brackets", name);
    return 0;
}

struct probe *probe_run(const struct conf *conf, const char *name, uint16_t port, int64_t ms, struct err *e)
{
    int64_t until = now_ms() + ms, left;
    struct nexthop hop;
    struct probe *p;

    if (read_name(&hop, name, e) != 0)
        return NULL;
    p = calloc(1, sizeof(*p));
    if (p == NULL) {
        (void)err_set(e, "no memory");
        return NULL;
    }
    p->dest = facts_get(conf, &hop, ms, e);
    p->now = now_seconds();
    p->alone = hop.kind == NEXTHOP_HOST;
    p->port = port;
    p->warn_before = conf->certs.warn_before;
    left = until - now_ms();
    if (p->dest != NULL && left > 0 && run_all(p, &conf->relayd, left, e) == 0)
        return p;
    if (p->dest != NULL && left <= 0)
        (void)err_set(e, "no time was left for connections when the facts of %s were known", hop.name);
    probe_free(p);
    return NULL;
}
