/* upstreams_io.c - what all upstreams share: see upstream_io.h. */
#include "cache.h"
#include "log.h"
#include "tls_client.h"
#include "upstream_links_io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void upstreams_tag(struct upstreams *all, const struct address_tag *tag)
{
    (void)snprintf(all->tag_word, sizeof(all->tag_word), "%s", tag->word);
    all->tag = (struct address_tag){tag->delimiter, all->tag_word};
}

void upstreams_collector(struct upstreams *all, struct tlsrpt_tell *tell)
{
    all->settings.tell = tell;
}

/* The certificates are read anew, as the file may have changed; when they cannot be, the old ones stay. */
static void certificates_read(struct upstreams *all, const char *ca_file, struct err *e)
{
    SSL_CTX *tls = tls_client_context(ca_file, e);

    if (tls == NULL)
        return;
    SSL_CTX_free(all->settings.tls);
    all->settings.tls = tls;
    all->configured++;
    links_kept_close(all);
}

static void settings_take(struct upstreams *all, const struct conf_relayd *conf)
{
    smtp_client_settings_take(&all->settings, conf);
    all->data_timeout_ms = conf->data_timeout_ms;
    all->transaction_timeout_ms = conf->transaction_timeout_ms;
    all->idle_timeout_ms = conf->idle_timeout_ms;
    all->sts_unknown_hold = conf->sts_unknown_hold;
    links_limit(all, (size_t)conf->upstreams, (size_t)conf->per_domain, conf->busy_wait_ms);
}

void upstreams_configure(struct upstreams *all, const struct conf_relayd *conf)
{
    struct err e = {""};

    settings_take(all, conf);
    certificates_read(all, conf->ca_file, &e);
    if (e.text[0] == '\0')
        return;
    err_prefix(&e, "those read before stay in use");
    log_error("certificates", "why=%s", e.text);
}

struct upstreams *upstreams_new(struct event_base *base, const struct conf_relayd *conf, const char *stsd,
                                struct err *e)
{
    struct upstreams *all = calloc(1, sizeof(*all));
    uint8_t secret[16];

    if (all == NULL || getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
        log_oom();
    TAILQ_INIT(&all->idle);
    TAILQ_INIT(&all->resetting);
    link_line_init(&all->line, 0, 0);
    all->domains = cache_new(0, free, secret);
    if (all->domains == NULL)
        log_oom();
    all->settings.base = base;
    upstreams_tag(all, &(struct address_tag){'+', "requiretls"});
    settings_take(all, conf);
    certificates_read(all, conf->ca_file, e);
    all->stsd = call_client_new(base, stsd, e);
    if (all->settings.tls != NULL && all->stsd != NULL)
        return all;
    upstreams_free(all);
    return NULL;
}

void upstreams_free(struct upstreams *all)
{
    if (all == NULL)
        return;
    links_kept_close(all);
    if (all->stsd != NULL)
        call_client_free(all->stsd);
    SSL_CTX_free(all->settings.tls);
    cache_free(all->domains);
    free(all);
}

size_t upstreams_waiting(const struct upstreams *all)
{
    size_t waiting = link_line_waiting(&all->line);
    const void *cursor = NULL;
    const char *name;
    const struct link_domain *d;

    while ((d = cache_next(all->domains, &cursor, &name)) != NULL)
        waiting += link_line_waiting(&d->line);
    return waiting;
}

size_t upstreams_open(const struct upstreams *all)
{
    return all->open;
}
