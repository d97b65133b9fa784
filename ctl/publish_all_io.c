/* publish_all_io.c - posternctl publish all: everything of a domain as a fragment of its zone file, or against live DNS
 * and the live servers. */
#include "ctl.h"
#include "dkim_text.h"
#include "dns_lookup_io.h"
#include "output_io.h"
#include "publish_hosts_io.h"
#include "publish_io.h"
#include "publish_sts.h"
#include "publish_sts_check_io.h"
#include "published_store_io.h"
#include "redis_ask_io.h"
#include "zone_text.h"

#include "conf.h"
#include "dkim.h"
#include "dkim_key_io.h"
#include "sts_http.h"

#include <stdio.h>
#include <string.h>

#define STS_TTL    3600 /* seconds */
#define DKIM_TTL   3600
#define RECORD_MAX 4096
#define NAME_BUF   (64 + sizeof("._domainkey.") + DOMAIN_BUF)

/* --- MTA-STS --- */

static void policy_host(struct buf *zone, const struct conf *conf, const char *domain)
{
    struct sts_policy_host h = {.count = 0};
    char name[DOMAIN_BUF];

    if (sts_policy_host(name, domain) != 0)
        return;
    sts_policy_host_find(&h, conf, name);
    if (h.count > 0) {
        zone_comment(zone, "%s has an address already: it must be that of the web server before stsd.publish_listen",
                     name);
        return;
    }
    zone_comment(zone, "%s%s: give it the address of the web server before stsd.publish_listen:", name,
                 h.why[0] == '\0' ? " has no address yet" : "");
    zone_comment(zone, "%s. %d IN CNAME WEB-SERVER.", name, STS_TTL);
}

static int sts_zone(struct buf *zone, const struct ctl *ctl, const struct conf *conf, const char *domain)
{
    struct redis_ask *redis = open_redis(ctl, conf);
    char name[sizeof("_mta-sts.") + DOMAIN_BUF], text[STS_TXT_BUF];
    struct published_stored stored;
    struct err e = {""};
    int rc = -1;

    if (redis == NULL || published_store_read(redis, domain, &stored, &e) != 0) {
        if (redis != NULL)
            report_error("%s", e.text);
        zone_comment(zone, "unknown: Redis, where the policy is, cannot be read now");
    } else {
        rc = 0;
        (void)snprintf(name, sizeof(name), "_mta-sts.%s", domain);
        if (!stored.there)
            zone_comment(zone, "nothing is published: posternctl publish sts %s --mode testing", domain);
        else if (stored.why.text[0] != '\0')
            zone_comment(zone, "bad: what Redis has cannot be read: %s; posternctl publish sts %s writes it anew",
                         stored.why.text, domain);
        if (stored.there && stored.why.text[0] == '\0') {
            policy_host(zone, conf, domain);
            sts_txt(text, stored.policy.id);
            zone_txt(zone, name, STS_TTL, text, strlen(text));
        }
        published_stored_clear(&stored);
    }
    redis_ask_close(redis);
    return rc;
}

/* Without Redis there is nothing to compare with, but what is published can be looked at all the same. */
static void policy_check(struct verdicts *v, const struct ctl *ctl, const struct conf *conf, const char *domain)
{
    struct redis_ask *redis = open_redis(ctl, conf);
    struct published_stored stored = {.there = false};
    struct err e = {""};
    bool read = redis != NULL && published_store_read(redis, domain, &stored, &e) == 0;

    if (!read)
        verdicts_add(v, VERDICT_UNKNOWN, "policy in Redis", "it cannot be read now%s%s", e.text[0] != '\0' ? ": " : "",
                     e.text);
    else if (!stored.there)
        verdicts_add(v, VERDICT_WARN, "policy in Redis", "there is none; posternctl publish sts %s", domain);
    else if (stored.why.text[0] != '\0')
        verdicts_add(v, VERDICT_UNKNOWN, "policy in Redis",
                     "it cannot be read: %s; posternctl publish sts %s --force "
                     "writes it anew",
                     stored.why.text, domain);
    sts_check(v, conf, domain, read && stored.there && stored.why.text[0] == '\0' ? &stored.policy : NULL, false);
    if (read)
        published_stored_clear(&stored);
    redis_ask_close(redis);
}

/* --- keys of reports --- */

struct key {
    const char *kind, *path, *selector;
};

static int key_zone(struct buf *zone, const struct key *key, const char *domain)
{
    struct err e = {""}, warning = {""};
    char name[NAME_BUF];
    struct buf record;
    EVP_PKEY *pkey = NULL;
    int rc = dkim_key_read(&pkey, key->path, &warning, &e);

    (void)snprintf(name, sizeof(name), "%s._domainkey.%s", key->selector, domain);
    buf_init(&record, RECORD_MAX);
    if (rc == 0)
        rc = dkim_record(&record, pkey, &e);
    if (rc == 0) {
        zone_txt(zone, name, DKIM_TTL, buf_text(&record), record.len);
    } else {
        zone_comment(zone, "bad: the %s key cannot be read: %s", key->kind, e.text);
        report_error("%s", e.text);
    }
    buf_clear(&record);
    EVP_PKEY_free(pkey);
    return rc;
}

/* The keys are those of the domain that reports come from. Returns how many. */
static size_t keys_of(struct key out[2], const struct conf *conf, const char *domain)
{
    const struct conf_tlsrptd *t = &conf->tlsrptd;
    char submitter[DOMAIN_BUF];
    size_t n = 0;

    report_submitter(submitter, conf);
    if (strcmp(submitter, domain) != 0)
        return 0;
    if (t->rsa_key[0] != '\0')
        out[n++] = (struct key){"rsa", t->rsa_key, t->rsa_selector};
    if (t->ed25519_key[0] != '\0')
        out[n++] = (struct key){"ed25519", t->ed25519_key, t->ed25519_selector};
    return n;
}

static int dkim_zone(struct buf *zone, const struct conf *conf, const char *domain)
{
    struct key keys[2];
    size_t n = keys_of(keys, conf, domain);
    int rc = 0;

    if (n == 0)
        zone_comment(zone, "none: this node sends no signed reports from %s", domain);
    for (size_t i = 0; i < n; i++)
        rc = key_zone(zone, &keys[i], domain) != 0 ? -1 : rc;
    return rc;
}

struct checking {
    struct verdicts *v;
    const char *name;
    EVP_PKEY *key;
};

static void on_key(void *ctx, const struct dns_answer *a)
{
    struct checking *c = ctx;
    struct err e = {""};
    int rc;

    if (a->status == DNS_FAILED) {
        verdicts_add(c->v, VERDICT_UNKNOWN, "DKIM record", "%s cannot be looked up now: %s", c->name, a->why);
    } else if (a->status != DNS_FOUND || a->count != 1) {
        verdicts_add(c->v, VERDICT_BAD, "DKIM record", "%s has %zu TXT records, not one", c->name,
                     a->status == DNS_FOUND ? a->count : 0);
    } else {
        rc = dkim_record_check(a->rr[0].text, a->rr[0].text_len, c->key, &e);
        verdicts_add(c->v,
                     rc == 0   ? VERDICT_OK
                     : rc == 1 ? VERDICT_WARN
                               : VERDICT_BAD,
                     "DKIM record", "%s: %s (%s)", c->name, rc == 0 ? "fits the key" : e.text,
                     verdict_dnssec(a->secure));
    }
}

static void dkim_check(struct verdicts *v, const struct conf *conf, const char *domain)
{
    struct key keys[2];
    size_t n = keys_of(keys, conf, domain);

    for (size_t i = 0; i < n; i++) {
        struct err e = {""}, warning = {""};
        char name[NAME_BUF];
        struct checking c = {.v = v, .name = name};

        (void)snprintf(name, sizeof(name), "%s._domainkey.%s", keys[i].selector, domain);
        if (dkim_key_read(&c.key, keys[i].path, &warning, &e) != 0)
            verdicts_add(v, VERDICT_BAD, "DKIM record", "%s", e.text);
        else if (dns_lookup(&conf->stsd, name, DNS_TXT, on_key, &c, &e) != 0)
            verdicts_add(v, VERDICT_UNKNOWN, "DKIM record", "%s: %s", name, e.text);
        EVP_PKEY_free(c.key);
    }
}

/* --- the command --- */

static void part(struct buf *zone, const char *title)
{
    buf_char(zone, '\n');
    zone_comment(zone, "--- %s", title);
}

/* A part that cannot be made is told of, and the others are printed. */
static int all_parts(struct buf *zone, const struct ctl *ctl, const struct conf *conf, const char *domain)
{
    struct err e = {""};
    int rc = 0;

    zone_comment(zone,
                 "What %s publishes about TLS: lines for its zone file. posternctl publish all %s --check compares "
                 "them with what is in DNS.",
                 domain, domain);
    part(zone, "MTA-STS (RFC 8461)");
    rc |= sts_zone(zone, ctl, conf, domain);
    part(zone, "TLS reports (RFC 8460)");
    if (publish_tlsrpt_zone(zone, ctl, conf, domain, &e) != 0) {
        report_error("%s", e.text);
        rc = -1;
    }
    part(zone, "DKIM keys that sign reports (RFC 8460 3)");
    rc |= dkim_zone(zone, conf, domain);
    part(zone, "DANE (RFC 7672): TLSA records of the MX hosts");
    e.text[0] = '\0';
    if (publish_hosts_zone(zone, conf, domain, &e) != 0) {
        zone_comment(zone, "unknown: %s", e.text);
        report_error("%s", e.text);
        rc = -1;
    }
    return rc;
}

static int print_all(const struct ctl *ctl, const struct conf *conf, const char *domain)
{
    struct buf zone;
    int rc, printed;

    buf_init(&zone, PUBLISH_ZONE_MAX);
    rc = all_parts(&zone, ctl, conf, domain);
    if (ctl->options & CTL_JSON) {
        printed = output_json(
            buf_ok(&zone) ? json_pack("{s:s, s:b, s:s}", "domain", domain, "complete", rc == 0, "zone", buf_text(&zone))
                          : NULL);
        buf_clear(&zone);
    } else {
        printed = output_and_clear(&zone);
    }
    return printed == CTL_YES && rc != 0 ? CTL_NO : printed;
}

static int check_all(const struct ctl *ctl, const struct conf *conf, const char *domain)
{
    struct verdicts v = {0};
    int rc;

    policy_check(&v, ctl, conf, domain);
    publish_tlsrpt_check(&v, ctl, conf, domain);
    dkim_check(&v, conf, domain);
    publish_hosts_check(&v, conf, domain);
    rc = publish_verdicts(ctl, &v, json_pack("{s:s}", "domain", domain));
    verdicts_clear(&v);
    return rc;
}

int run_publish_all(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    char domain[DOMAIN_BUF];
    int rc = CTL_USAGE;

    if (conf != NULL && publish_domain(domain, ctl) == 0)
        rc = ctl->options & CTL_CHECK ? check_all(ctl, conf, domain) : print_all(ctl, conf, domain);
    conf_free(conf);
    return rc;
}
