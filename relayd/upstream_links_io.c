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

/* --- how many there are --- */

static size_t domain_count(const struct upstreams *all, const char *domain)
{
    const size_t *n = cache_peek(all->domains, domain, strlen(domain));

    return n != NULL ? *n : 0;
}

static void domain_add(struct upstreams *all, const char *domain)
{
    size_t *n = cache_peek(all->domains, domain, strlen(domain));

    if (n == NULL) {
        n = calloc(1, sizeof(*n));
        if (n == NULL || cache_put(all->domains, domain, strlen(domain), n) != 0)
            log_oom();
    }
    ++*n;
    all->open++;
}

static void domain_drop(struct upstreams *all, const char *domain)
{
    size_t *n = cache_peek(all->domains, domain, strlen(domain));

    if (--*n == 0)
        cache_remove(all->domains, domain, strlen(domain));
    all->open--;
}

/* --- the end of one --- */

static void idle_leave(struct link *l)
{
    TAILQ_REMOVE(&l->all->idle, l, next);
    l->idle = false;
}

static void link_forget(struct link *l)
{
    if (l->idle)
        idle_leave(l);
    domain_drop(l->all, l->domain);
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

static void idle_close(struct link *l)
{
    idle_leave(l);
    link_close(l);
}

void links_idle_close(struct upstreams *all)
{
    struct link *l = TAILQ_FIRST(&all->idle), *after;

    TAILQ_INIT(&all->idle);
    for (; l != NULL; l = after) {
        after = TAILQ_NEXT(l, next);
        l->idle = false;
        link_close(l);
    }
}

/* --- the kept ones --- */

/* The reply to RSET; anything else is no reason to trust it any further. */
static void kept_reply(void *ctx, const struct smtp_reply *reply)
{
    struct link *l = ctx;

    if (!l->resetting || reply->code / 100 != 2 || smtp_client_queued(l->client) > 0)
        link_cut(l);
    else
        l->resetting = false;
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

void link_keep(struct link *l, bool in_transaction)
{
    struct timeval tv = millis(l->all->idle_timeout_ms);

    if (l->all->idle_timeout_ms <= 0 || l->configured != l->all->configured || l->uses >= LINK_USES_MAX ||
        seconds() - l->opened >= LINK_LIFE) {
        link_close(l);
        return;
    }
    if (in_transaction)
        smtp_client_say(l->client, "RSET\r\n", 6);
    l->resetting = in_transaction;
    l->idle = true;
    TAILQ_INSERT_TAIL(&l->all->idle, l, next);
    smtp_client_own(l->client, &kept_events, l);
    smtp_client_wait(l->client, 0);
    event_add(l->idle_over, &tv);
}

static struct link *kept_find(struct upstreams *all, const struct link *like)
{
    struct link *l;

    TAILQ_FOREACH(l, &all->idle, next)
    if (!l->resetting && strcmp(l->domain, like->domain) == 0 && strcmp(l->host, like->host) == 0 &&
        memcmp(l->demand, like->demand, LINK_DEMAND) == 0)
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

static struct link *idle_of(const struct upstreams *all, const char *domain)
{
    struct link *l;

    TAILQ_FOREACH(l, &all->idle, next)
    if (strcmp(l->domain, domain) == 0)
        return l;
    return NULL;
}

/* Room for one more; an idle one goes for it. */
static bool room_make(struct upstreams *all, const char *domain)
{
    struct link *l = NULL;

    if (domain_count(all, domain) >= all->per_domain) {
        l = idle_of(all, domain);
        if (l == NULL)
            return false;
    } else if (all->open >= all->most) {
        l = TAILQ_FIRST(&all->idle);
    }
    if (l != NULL)
        idle_close(l);
    return all->open < all->most;
}

static struct link *kept_take(struct link *l, const struct smtp_client_events *events, void *ctx)
{
    idle_leave(l);
    l->uses++;
    event_del(l->idle_over);
    smtp_client_own(l->client, events, ctx);
    return l;
}

struct link *link_open(struct upstreams *all, const struct relay_path *path, const struct relay_candidate *candidate,
                       bool may_be_kept, bool *kept, const struct smtp_client_events *events, void *ctx)
{
    struct link like = {.all = all, .uses = 1, .configured = all->configured, .opened = seconds()}, *l;

    memcpy(like.domain, path->dest->domain, sizeof(like.domain));
    memcpy(like.host, candidate->host->name, sizeof(like.host));
    demand_digest(like.demand, path, candidate);
    l = may_be_kept ? kept_find(all, &like) : NULL;
    *kept = l != NULL;
    if (l != NULL)
        return kept_take(l, events, ctx);
    if (!room_make(all, like.domain))
        return NULL;
    l = malloc(sizeof(*l));
    if (l == NULL)
        log_oom();
    *l = like;
    domain_add(all, l->domain);
    l->idle_over = evtimer_new(all->settings.base, on_idle_over, l);
    if (l->idle_over == NULL)
        log_oom();
    l->client = smtp_client_new(&all->settings, path, candidate, events, ctx);
    return l;
}
