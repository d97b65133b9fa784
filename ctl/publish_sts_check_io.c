/* publish_sts_check_io.c - see publish_sts_check_io.h. */
#include "publish_sts_check_io.h"

#include "dns_lookup_io.h"
#include "probe_io.h"
#include "publish_sts.h"
#include "sts_http.h"

#include <event2/event.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

struct checking {
    struct verdicts *v;
    const struct conf *conf;
    const char *domain;
    const struct published *ours;
    char host[DOMAIN_BUF]; /* mta-sts.DOMAIN */
    struct sts_policy policy;
    bool has_policy, fetched, reports_too;
};

/* --- the record --- */

static void on_record(void *ctx, const struct dns_answer *answer)
{
    const struct checking *c = ctx;

    sts_check_record(c->v, c->domain, answer, c->ours);
}

static void check_record(struct checking *c)
{
    char name[DOMAIN_BUF];
    struct err e = {""};

    if (sts_record_name(name, c->domain) != 0)
        verdicts_add(c->v, VERDICT_BAD, "TXT record", "the name of the domain is too long for MTA-STS");
    else if (dns_lookup(&c->conf->stsd, name, DNS_TXT, on_record, c, &e) != 0)
        verdicts_add(c->v, VERDICT_UNKNOWN, "TXT record", "%s cannot be looked up: %s", name, e.text);
}

/* --- the policy --- */

static void on_address(void *ctx, const struct dns_answer *answer)
{
    sts_policy_host_add(ctx, answer);
}

void sts_policy_host_find(struct sts_policy_host *out, const struct conf *conf, const char *host)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    struct err e = {""};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (dns_lookup(&conf->stsd, host, types[i], on_address, out, &e) != 0)
            (void)snprintf(out->why, sizeof(out->why), "%.120s", e.text);
}

static void on_fetched(void *ctx, const struct https_result *result)
{
    struct checking *c = ctx;

    c->has_policy = sts_check_fetched(c->v, &c->policy, c->host, result, c->ours);
    c->fetched = true;
}

static int fetch(struct checking *c, struct event_base *base, const struct sts_policy_host *h, struct err *e)
{
    const struct conf_stsd *conf = &c->conf->stsd;
    const struct https_options options = {.ca_file = conf->ca_file,
                                          .user_agent = "postern/" PACKAGE_VERSION,
                                          .port = (int)conf->https_port,
                                          .timeout_ms = (int)conf->https_timeout_ms,
                                          .max_octets = STS_BODY_MAX,
                                          .concurrency = 1};
    struct https *https = https_new(base, &options, e);
    const char *address[STS_ADDRESSES_MAX];

    if (https == NULL)
        return -1;
    for (size_t i = 0; i < h->count; i++)
        address[i] = h->address[i];
    (void)https_start(https, c->host, STS_HTTP_PATH, address, h->count, on_fetched, c);
    while (!c->fetched && event_base_loop(base, EVLOOP_ONCE) == 0) {
    }
    https_free(https);
    return c->fetched ? 0 : err_set(e, "the event loop failed");
}

static void check_policy(struct checking *c)
{
    struct event_base *base = event_base_new();
    struct sts_policy_host h = {.count = 0};
    struct err e = {"no event loop to wait with"};

    if (sts_policy_host(c->host, c->domain) == 0) {
        sts_policy_host_find(&h, c->conf, c->host);
        sts_check_policy_host(c->v, c->host, &h);
    }
    if (h.count > 0 && (base == NULL || fetch(c, base, &h, &e) != 0))
        verdicts_add(c->v, VERDICT_UNKNOWN, "HTTPS", "the policy cannot be fetched: %s", e.text);
    if (base != NULL)
        event_base_free(base);
}

/* --- the MX hosts --- */

static void check_reports(struct verdicts *v, const struct dest *facts, const char *domain)
{
    if (facts->tlsrpt[0] != '\0')
        verdicts_add(v, VERDICT_OK, "TLSRPT record", "there is one, so senders report what fails");
    else
        verdicts_add(v, VERDICT_WARN, "TLSRPT record",
                     "none, so nobody tells you of failures; see posternctl publish tlsrpt %s", domain);
}

static void check_hosts(const struct checking *c, const struct sts_policy *policy)
{
    struct err e = {""};
    struct probe *p = probe_run(c->conf, c->domain, PROBE_PORT, STS_PROBE_MS, &e);

    sts_judge_hosts(c->v, policy, p != NULL ? p->dest : NULL, e.text);
    sts_judge_probe(c->v, p, e.text);
    if (p != NULL && c->reports_too)
        check_reports(c->v, p->dest, c->domain);
    probe_free(p);
}

void sts_check(struct verdicts *v, const struct conf *conf, const char *domain, const struct published *ours,
               bool reports_too)
{
    struct checking c = {.v = v, .conf = conf, .domain = domain, .ours = ours, .reports_too = reports_too};
    const struct sts_policy *policy;

    check_record(&c);
    check_policy(&c);
    policy = c.has_policy ? &c.policy : ours != NULL ? &ours->policy : NULL;
    if (c.has_policy)
        sts_judge_age(v, policy);
    if (policy != NULL && policy->mode != STS_MODE_NONE)
        check_hosts(&c, policy);
    sts_policy_clear(&c.policy);
}
