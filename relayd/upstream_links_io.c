/* upstream_links_io.c - see upstream_links_io.h. */
#include "upstream_links_io.h"

#include "cache.h"
#include "log.h"
#include "millis.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* --- domains --- */

static struct link_domain *domain_of(struct upstreams *all, const char *name)
{
    struct link_domain *d = cache_peek(all->domains, name, strlen(name));

    if (d != NULL)
        return d;
    d = calloc(1, sizeof(*d));
    if (d == NULL || cache_put(all->domains, name, strlen(name), d) != 0)
        log_oom();
    (void)snprintf(d->name, sizeof(d->name), "%s", name);
    link_line_init(&d->line, all->per_domain, all->busy_wait_ms);
    TAILQ_INIT(&d->idle);
    return d;
}

static void domain_settle(struct upstreams *all, const struct link_domain *d)
{
    if (d->open == 0 && link_line_empty(&d->line))
        cache_remove(all->domains, d->name, strlen(d->name));
}

void links_limit(struct upstreams *all, size_t most, size_t per_domain, int64_t busy_wait_ms)
{
    const void *cursor = NULL;
    const char *name;
    struct link_domain *d;

    all->per_domain = per_domain;
    all->busy_wait_ms = busy_wait_ms;
    link_line_set(&all->line, most, busy_wait_ms);
    while ((d = cache_next(all->domains, &cursor, &name)) != NULL)
        link_line_set(&d->line, per_domain, busy_wait_ms);
}

/* --- places --- */

static void place_refused(struct link_place *p)
{
    p->full_in_all = p->lines > 0;
    link_place_leave(p);
}

static enum link_line_result place_go_on(struct link_place *p)
{
    struct link_line *const line[] = {&p->domain->line, &p->all->line};

    while (p->lines < sizeof(line) / sizeof(line[0])) {
        enum link_line_result result = link_line_enter(line[p->lines], &p->waiter);

        if (result == LINK_LINE_FULL)
            place_refused(p);
        if (result != LINK_LINE_PASSED)
            return result;
        p->lines++;
    }
    return LINK_LINE_PASSED;
}

static void on_told(void *ctx, bool place)
{
    struct link_place *p = ctx;
    enum link_line_result result = LINK_LINE_FULL;

    p->lines += place;
    if (place)
        result = place_go_on(p);
    else
        place_refused(p);
    if (result != LINK_LINE_WAITS)
        p->tell(p->ctx, result == LINK_LINE_PASSED);
}

void link_place_init(struct link_place *p, struct upstreams *all, void (*tell)(void *ctx, bool place), void *ctx)
{
    *p = (struct link_place){.all = all, .tell = tell, .ctx = ctx};
    link_waiter_init(&p->waiter, all->settings.base, on_told, p);
}

enum link_line_result link_place_take(struct link_place *p, const char *domain)
{
    if (p->domain == NULL)
        p->domain = domain_of(p->all, domain);
    return place_go_on(p);
}

static void places_leave(struct upstreams *all, struct link_domain *d, unsigned lines)
{
    if (lines > 1)
        link_line_leave(&all->line);
    if (lines > 0)
        link_line_leave(&d->line);
    domain_settle(all, d);
}

void link_place_leave(struct link_place *p)
{
    struct link_domain *d = p->domain;

    if (d == NULL)
        return;
    link_line_quit(&p->waiter);
    p->domain = NULL;
    places_leave(p->all, d, p->lines);
    p->lines = 0;
}

void link_place_clear(struct link_place *p)
{
    link_place_leave(p);
    link_waiter_clear(&p->waiter);
}

/* --- the end of a connection --- */

/* It is USED then, and whoever uses it has the place. */
static void kept_leave(struct link *l)
{
    struct upstreams *all = l->all;

    if (l->state == LINK_IDLE) {
        TAILQ_REMOVE(&all->idle, l, next);
        TAILQ_REMOVE(&l->domain->idle, l, of_domain);
    } else if (l->state == LINK_RESETTING) {
        TAILQ_REMOVE(&all->resetting, l, next);
        places_leave(all, l->domain, 2);
    }
    l->state = LINK_USED;
    event_del(l->idle_over);
}

static void link_forget(struct link *l)
{
    kept_leave(l);
    l->all->open--;
    l->domain->open--;
    domain_settle(l->all, l->domain);
    event_free(l->idle_over);
    free(l);
}

void link_close(struct link *l)
{
    if (l == NULL)
        return;
    smtp_client_free(l->client);
    link_forget(l);
}

void link_cut(struct link *l)
{
    if (l == NULL)
        return;
    smtp_client_cut(l->client);
    link_forget(l);
}

static void all_close(const struct links *list)
{
    struct link *after;

    for (struct link *l = TAILQ_FIRST(list); l != NULL; l = after) {
        after = TAILQ_NEXT(l, next);
        link_close(l);
    }
}

void links_kept_close(struct upstreams *all)
{
    all_close(&all->idle);
    all_close(&all->resetting);
}

/* --- the kept ones --- */

static void idle_begin(struct link *l)
{
    l->state = LINK_IDLE;
    TAILQ_INSERT_TAIL(&l->all->idle, l, next);
    TAILQ_INSERT_TAIL(&l->domain->idle, l, of_domain);
}

/* The reply to RSET; anything else is no reason to trust it any further. */
static void kept_reply(void *ctx, const struct smtp_reply *reply)
{
    struct link *l = ctx;

    if (l->state != LINK_RESETTING || reply->code / 100 != 2 || smtp_client_queued(l->client) > 0) {
        link_cut(l);
        return;
    }
    TAILQ_REMOVE(&l->all->resetting, l, next);
    idle_begin(l);
    places_leave(l->all, l->domain, 2);
}

static void kept_failed(void *ctx, enum relay_failed what, const char *enhanced, const char *detail)
{
    (void)what;
    (void)enhanced;
    (void)detail;
    link_cut(ctx);
}

static void kept_nothing(void *ctx)
{
    (void)ctx;
}

static const struct smtp_client_events kept_events = {kept_nothing, kept_reply, kept_nothing, kept_failed};

static void on_idle_over(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    link_close(ctx);
}

/* The place goes to the connection: its owner has none any more. */
static void resetting_begin(struct link *l, struct link_place *p)
{
    p->domain = NULL;
    p->lines = 0;
    l->state = LINK_RESETTING;
    TAILQ_INSERT_TAIL(&l->all->resetting, l, next);
    smtp_client_say(l->client, "RSET\r\n", 6);
}

void link_keep(struct link *l, bool in_transaction, struct link_place *p)
{
    struct timeval tv = millis(l->all->idle_timeout_ms);

    if (l->all->idle_timeout_ms <= 0 || l->configured != l->all->configured || l->uses >= LINK_USES_MAX ||
        seconds() - l->opened >= LINK_LIFE) {
        link_close(l);
        return;
    }
    if (in_transaction)
        resetting_begin(l, p);
    else
        idle_begin(l);
    smtp_client_own(l->client, &kept_events, l);
    smtp_client_wait(l->client, 0);
    event_add(l->idle_over, &tv);
}

static struct link *kept_find(const struct link *like)
{
    struct link *l;

    TAILQ_FOREACH(l, &like->domain->idle, of_domain)
    if (strcmp(l->host, like->host) == 0 && memcmp(l->demand, like->demand, LINK_DEMAND) == 0)
        return l;
    return NULL;
}

/* --- opening --- */

/* What the host has to show, all of it; the same digest is the same demand. */
static void demand_digest(unsigned char out[LINK_DEMAND], const struct relay_path *path,
                          const struct relay_candidate *candidate)
{
    const struct dest_host *host = candidate->host;
    const char *name[RELAY_NAMES_MAX];
    size_t names = relay_candidate_names(name, path, candidate);
    const unsigned char how[2] = {candidate->dane, candidate->pkix};
    const char *sni = relay_candidate_sni(candidate);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned len = LINK_DEMAND;
    int ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) && EVP_DigestUpdate(md, how, sizeof(how)) &&
             EVP_DigestUpdate(md, sni, strlen(sni) + 1);

    for (size_t i = 0; i < names && ok; i++)
        ok = EVP_DigestUpdate(md, name[i], strlen(name[i]) + 1);
    for (size_t i = 0; i < host->tlsa_count && ok && candidate->dane; i++) {
        const struct tlsa *rr = &host->tlsa[i];
        const unsigned char head[5] = {rr->usage, rr->selector, rr->matching_type, (unsigned char)(rr->len >> 8),
                                       (unsigned char)rr->len};

        ok = EVP_DigestUpdate(md, head, sizeof(head)) && EVP_DigestUpdate(md, rr->data, rr->len);
    }
    if (!ok || !EVP_DigestFinal_ex(md, out, &len))
        log_oom();
    EVP_MD_CTX_free(md);
}

/* An idle one goes for it; there is one, when there are so many and yet a place. */
static void room_make(const struct upstreams *all, const struct link_domain *d)
{
    if (d->open >= d->line.limit)
        link_close(TAILQ_FIRST(&d->idle));
    else if (all->open >= all->line.limit)
        link_close(TAILQ_FIRST(&all->idle));
}

static struct link *kept_take(struct link *l, const struct smtp_client_events *events, void *ctx)
{
    kept_leave(l);
    l->uses++;
    smtp_client_own(l->client, events, ctx);
    return l;
}

struct link *link_open(const struct link_place *p, const struct relay_path *path, const struct relay_walk *walk,
                       bool may_be_kept, bool *kept, const struct smtp_client_events *events, void *ctx)
{
    const struct relay_candidate *candidate = &path->candidate[walk->host];
    struct upstreams *all = p->all;
    struct link like = {.all = all, .domain = p->domain, .uses = 1, .configured = all->configured, .opened = seconds()};
    struct link *l;

    memcpy(like.host, candidate->host->name, sizeof(like.host));
    demand_digest(like.demand, path, candidate);
    l = may_be_kept ? kept_find(&like) : NULL;
    *kept = l != NULL;
    if (l != NULL)
        return kept_take(l, events, ctx);
    room_make(all, p->domain);
    l = malloc(sizeof(*l));
    if (l == NULL)
        log_oom();
    *l = like;
    all->open++;
    l->domain->open++;
    l->idle_over = evtimer_new(all->settings.base, on_idle_over, l);
    if (l->idle_over == NULL)
        log_oom();
    l->client = smtp_client_new(&all->settings, path, candidate, relay_walk_address(walk, path), events, ctx);
    return l;
}
