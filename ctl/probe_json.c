/* probe_json.c - see probe.h: all of it as one object. */
#include "probe.h"

#include "hex.h"
#include "member.h"
#include "probe_findings.h"

#include <string.h>

/* --- certificates --- */

static json_t *json_names(const struct cert_facts *c)
{
    json_t *all = json_array();

    for (size_t i = 0; i < c->names; i++)
        (void)json_array_append_new(all, json_string(c->name[i]));
    return all;
}

static json_t *json_certificate(const struct cert_facts *c)
{
    char sha256[2 * CERT_DIGEST_LEN + 1], spki[2 * CERT_DIGEST_LEN + 1];

    hex_write(sha256, c->sha256, CERT_DIGEST_LEN);
    hex_write(spki, c->spki_sha256, CERT_DIGEST_LEN);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:o, s:I, s:s, s:s}", "subject", c->subject, "issuer",
                     c->issuer, "serial", c->serial, "key", c->key, "not_before", (json_int_t)c->not_before,
                     "not_after", (json_int_t)c->not_after, "ca", c->ca, "self_signed", c->self_issued, "names",
                     json_names(c), "odd_names", (json_int_t)c->odd_names, "sha256", sha256, "spki_sha256", spki);
}

static json_t *json_chain(const struct probe_address *at)
{
    json_t *all = json_array();

    for (size_t i = 0; i < at->chain_count; i++)
        (void)json_array_append_new(all, json_certificate(&at->chain[i]));
    return all;
}

/* --- addresses and hosts --- */

static json_t *json_verdict(enum probe_verdict v, const struct err *why)
{
    return json_pack("{s:s, s:o}", "verdict", probe_verdict_name(v), "why",
                     string_or_null(v == PROBE_GOOD ? "" : why->text));
}

static json_t *json_judgement(const struct tls_client_judgement *j)
{
    return json_pack("{s:s, s:o}", "result", tls_client_result_name(j->result), "why", string_or_null(j->words));
}

static json_t *json_verdicts(const struct probe *p, const struct probe_host *host, const struct probe_address *at)
{
    struct err why[4] = {{""}, {""}, {""}, {""}};
    enum probe_verdict any = probe_any(at, &why[0]), sts = probe_sts(host, at, &why[1]);
    enum probe_verdict dane = probe_dane(host, at, &why[2]), all = probe_published(p, host, at, &why[3]);

    return json_pack("{s:o, s:o, s:o, s:o}", "tls", json_verdict(any, &why[0]), "mta_sts", json_verdict(sts, &why[1]),
                     "dane", json_verdict(dane, &why[2]), "published", json_verdict(all, &why[3]));
}

static json_t *json_address(const struct probe *p, const struct probe_host *host, const struct probe_address *at)
{
    json_t *ends = at->chain_count > 0 ? json_integer((at->chain[0].not_after - at->looked) / 86400) : json_null();

    return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "address",
                     at->address, "stage", probe_stage_name(at->stage), "later", at->later, "unrouted", at->unrouted,
                     "why", string_or_null(at->why), "greeting", string_or_null(at->greeting), "starttls",
                     at->offers_starttls, "requiretls", at->offers_requiretls, "protocol", string_or_null(at->version),
                     "cipher", string_or_null(at->cipher), "group", string_or_null(at->group), "chain", json_chain(at),
                     "chain_trouble", string_or_null(at->chain_trouble), "days_left", ends, "pkix",
                     json_judgement(&at->pkix), "tlsa", json_judgement(&at->dane), "verdicts",
                     json_verdicts(p, host, at));
}

static json_t *json_tlsa(const struct dest_host *host)
{
    json_t *all = json_array();

    for (size_t i = 0; i < host->tlsa_count; i++) {
        const struct tlsa *rr = &host->tlsa[i];
        struct buf hex;

        buf_init(&hex, TLSA_TEXT_BUF(TLSA_DATA_MAX));
        if (buf_reserve(&hex, TLSA_TEXT_BUF(rr->len))) {
            tlsa_format(hex.data, rr);
            (void)json_array_append_new(all,
                                        json_pack("{s:s, s:b}", "record", hex.data, "usable", tlsa_usable(rr, NULL)));
        }
        buf_clear(&hex);
    }
    return all;
}

static json_t *json_host(const struct probe *p, const struct probe_host *host)
{
    json_t *all = json_array();

    for (size_t i = 0; i < host->count; i++)
        (void)json_array_append_new(all, json_address(p, host, &host->at[i]));
    return json_pack("{s:s, s:i, s:b, s:b, s:s, s:o, s:o, s:o}", "host", host->host->name, "preference",
                     (int)host->host->preference, "address_secure", host->host->address_secure, "in_policy",
                     host->in_policy, "dane", dest_dane_name(host->host->dane), "tlsa_base",
                     string_or_null(host->host->tlsa_base), "tlsa", json_tlsa(host->host), "addresses", all);
}

static json_t *json_hosts(const struct probe *p)
{
    json_t *all = json_array();

    for (size_t i = 0; i < p->hosts; i++)
        (void)json_array_append_new(all, json_host(p, &p->host[i]));
    return all;
}

/* --- what is published --- */

static json_t *json_sts(const struct probe *p)
{
    const struct dest_sts *sts = &p->dest->sts;
    bool live = dest_sts_live(sts, p->now);
    json_t *mx = string_array(sts->policy.mx, live ? sts->policy.mx_count : 0);

    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "record", dest_sts_record_name(sts->record), "id",
                     string_or_null(sts->id), "mode", string_or_null(live ? sts_mode_name(sts->policy.mode) : ""),
                     "max_age", live ? json_integer(sts->policy.max_age) : json_null(), "mx", mx, "failure",
                     string_or_null(dest_sts_failure_name(sts->failure)), "why", string_or_null(sts->why));
}

static void add_finding(void *ctx, const struct probe_finding *f)
{
    (void)json_array_append_new(ctx,
                                json_pack("{s:s, s:s, s:s, s:o}", "verdict", probe_verdict_name(f->verdict), "about",
                                          f->subject, "why", f->why.text, "to_do", string_or_null(f->to_do.text)));
}

json_t *probe_json(const struct probe *p)
{
    const struct dest *d = p->dest;
    struct err why = {""}, ending = {""};
    enum probe_verdict all = probe_all(p, &why);
    bool ends = probe_ending(p, &ending);
    json_t *findings = json_array();

    probe_findings(p, add_finding, findings);
    return json_pack("{s:s, s:b, s:I, s:i, s:s, s:o, s:b, s:o, s:s, s:b, s:b, s:o, s:o, s:o, s:o}", "domain", d->domain,
                     "alone", p->alone, "time", (json_int_t)p->now, "port", (int)p->port, "verdict",
                     probe_verdict_name(all), "why", string_or_null(all == PROBE_GOOD ? "" : why.text), "ending_soon",
                     ends, "ending", string_or_null(ending.text), "mx", dest_mx_name(d->mx), "mx_secure", d->mx_secure,
                     "mx_truncated", d->mx_truncated, "mta_sts", json_sts(p), "tlsrpt", string_or_null(d->tlsrpt),
                     "hosts", json_hosts(p), "findings", findings);
}
