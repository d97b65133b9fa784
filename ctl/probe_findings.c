/* probe_findings.c - see probe_findings.h. */
#include "probe_findings.h"

#include "hex.h"

#include <stdio.h>
#include <string.h>

struct telling {
    const struct probe *p;
    probe_finding_fn *fn;
    void *ctx;
};

static void tell(const struct telling *t, enum probe_verdict v, const char *subject, const char *why, const char *to_do)
{
    struct probe_finding f = {.verdict = v};

    (void)snprintf(f.subject, sizeof(f.subject), "%s", subject);
    (void)err_set(&f.why, "%s", why);
    (void)err_set(&f.to_do, "%s", to_do);
    t->fn(t->ctx, &f);
}

/* --- the domain --- */

static void tell_sts(const struct telling *t)
{
    const struct dest *d = t->p->dest;
    struct err why = {""};

    if (d->sts.record == DEST_STS_TEMP)
        tell(t, PROBE_LATER, d->domain, "its MTA-STS record cannot be looked up now", "");
    if (d->sts.record == DEST_STS_INVALID) {
        (void)err_set(&why, "its MTA-STS record is wrong: %s", d->sts.why);
        tell(t, PROBE_BAD, d->domain, why.text,
             "publish one right record at _mta-sts: posternctl publish sts prints it");
    } else if (d->sts.failure != DEST_STS_OK) {
        (void)err_set(&why, "its MTA-STS policy cannot be had: %s", d->sts.why);
        tell(t, PROBE_BAD, d->domain, why.text, "posternctl publish sts --check shows each step");
    }
    if (probe_has_policy(t->p) && d->sts.policy.mode == STS_MODE_TESTING)
        tell(t, PROBE_GOOD, d->domain, "its MTA-STS policy is in mode testing: senders report failures, but deliver",
             "posternctl publish sts --promote when nothing is wrong");
}

static bool any_dane(const struct probe *p)
{
    for (size_t i = 0; i < p->hosts; i++)
        if (p->host[i].host->dane != DEST_DANE_NONE)
            return true;
    return false;
}

static void tell_domain(const struct telling *t)
{
    const struct dest *d = t->p->dest;
    struct err why = {""};

    if (t->p->hosts == 0) {
        enum probe_verdict v = probe_no_host(d, &why);

        tell(t, v, d->domain, why.text,
             v == PROBE_LATER ? "try again"
             : t->p->alone    ? "is that its name? a domain is given without brackets"
                              : "is that its name? one host is given in brackets: [mx.example.com]");
    }
    if (d->mx_truncated)
        tell(t, PROBE_GOOD, d->domain, "it has more MX hosts than senders try; the others were not looked at", "");
    tell_sts(t);
    if (d->mx == DEST_MX_IMPLICIT && t->p->hosts > 0 && !t->p->alone)
        tell(t, PROBE_GOOD, d->domain, "it has no MX records, so that it is its own mail host",
             "if it is the name of a mail server, give the domain that it takes mail for, or the host in brackets");
    if (t->p->hosts > 0 && !any_dane(t->p) && !probe_has_policy(t->p) && d->sts.record == DEST_STS_NONE && !t->p->alone)
        tell(t, PROBE_GOOD, d->domain, "it publishes neither MTA-STS nor TLSA records: no sender verifies its servers",
             "posternctl publish sts, posternctl publish tlsa");
}

/* --- an address --- */

static void advise_untrusted(const struct probe_address *at, struct err *e)
{
    if (at->chain_count > 0 && !at->chain[0].self_issued)
        (void)err_set(e, "have it send the whole chain, leaf first, of an authority that senders trust; "
                         "posternctl cert show tells what is in a file");
    else
        (void)err_set(e, "get a certificate of an authority that senders trust: posternctl cert acme");
}

static void advise_pkix(const struct probe_address *at, const char *host, struct err *e)
{
    if (at->pkix.result == TLS_CLIENT_EXPIRED)
        (void)err_set(e, "renew the certificate, and have the server read it anew");
    else if (at->pkix.result == TLS_CLIENT_NAME)
        (void)err_set(e, "get a certificate that has %.150s among its names", host);
    else
        advise_untrusted(at, e);
}

static void advise_dane(const struct probe_address *at, const struct dest_host *host, struct err *e)
{
    char hex[2 * CERT_DIGEST_LEN + 1];

    if (at->chain_count == 0)
        return;
    hex_write(hex, at->chain[0].spki_sha256, CERT_DIGEST_LEN);
    (void)err_set(e, "serve the certificate that the records name, or publish _25._tcp.%.100s. IN TLSA 3 1 1 %s",
                  host->tlsa_base, hex);
}

static void advise_connection(const struct probe_address *at, struct err *e)
{
    if (at->unrouted)
        (void)err_set(e, "look from a machine that has a way there");
    else if (at->stage == PROBE_GREETED && !at->offers_starttls && !at->later)
        (void)err_set(e, "turn STARTTLS on; posternctl cert use gives Postfix or Exim a certificate");
    else if (at->stage == PROBE_UNREACHABLE)
        (void)err_set(e, "is the server up, and no filter in between?");
    else if (at->stage == PROBE_STARTTLS)
        (void)err_set(e, "posternctl tls ciphers shows what senders like this one offer");
}

static void advise(const struct probe *p, const struct probe_host *host, const struct probe_address *at, struct err *e)
{
    struct err none;

    if (probe_has_policy(p) && !host->in_policy)
        (void)err_set(e, "add it to the policy, with a new id in the record: posternctl publish sts");
    else if (at->stage != PROBE_DONE)
        advise_connection(at, e);
    else if (probe_dane(host, at, &none) == PROBE_BAD)
        advise_dane(at, host->host, e);
    else if (probe_has_policy(p) && probe_sts(host, at, &none) == PROBE_BAD)
        advise_pkix(at, host->host->name, e);
}

static void tell_ending(const struct telling *t, const struct probe_address *at, const char *subject)
{
    int64_t left;
    struct err why = {""};

    if (at->chain_count == 0)
        return;
    left = at->chain[0].not_after - t->p->now;
    if (left < 0 || left >= t->p->warn_before)
        return;
    (void)err_set(&why, "the certificate ends in %lld days", (long long)(left / 86400));
    tell(t, PROBE_GOOD, subject, why.text, "renew it; posternctl cert acme does so by itself");
}

/* All that is to be said of both addresses is the same. */
static bool is_alike(const struct probe *p, const struct probe_host *host, size_t a, size_t b)
{
    const struct probe_address *one = &host->at[a], *other = &host->at[b];
    struct err why = {""}, other_why = {""};
    enum probe_verdict v = probe_published(p, host, one, &why);

    return probe_published(p, host, other, &other_why) == v && strcmp(why.text, other_why.text) == 0 &&
           one->unrouted == other->unrouted && strcmp(one->chain_trouble, other->chain_trouble) == 0 &&
           probe_chain_same(one, other);
}

/* "mx.example.com [192.0.2.1]", with how many more are alike. Returns false when it was told with an earlier one. */
static bool name_subject(char *out, size_t size, const struct probe *p, const struct probe_host *host, size_t n)
{
    size_t more = 0;

    for (size_t i = 0; i < n; i++)
        if (is_alike(p, host, i, n))
            return false;
    for (size_t i = n + 1; i < host->count; i++)
        more += is_alike(p, host, n, i) ? 1 : 0;
    if (more == 0)
        (void)snprintf(out, size, "%s [%s]", host->host->name, host->at[n].address);
    else
        (void)snprintf(out, size, "%s [%s] and %zu more", host->host->name, host->at[n].address, more);
    return true;
}

static void tell_address(const struct telling *t, const struct probe_host *host, size_t n)
{
    const struct probe_address *at = &host->at[n];
    char subject[PROBE_SUBJECT_BUF];
    struct err why = {""}, to_do = {""};
    enum probe_verdict v = probe_published(t->p, host, at, &why);

    if (!name_subject(subject, sizeof(subject), t->p, host, n))
        return;
    if (at->unrouted)
        v = PROBE_GOOD;
    if (v != PROBE_GOOD || at->unrouted) {
        advise(t->p, host, at, &to_do);
        tell(t, v, subject, why.text, to_do.text);
    }
    if (at->chain_trouble[0] != '\0')
        tell(t, PROBE_GOOD, subject, at->chain_trouble, "");
    if (probe_chain_crooked(at))
        tell(t, PROBE_GOOD, subject, "its chain is out of order; some senders may not take it",
             "put each certificate before that of its issuer, leaf first; posternctl cert import does so");
    tell_ending(t, at, subject);
}

static void tell_host(const struct telling *t, const struct probe_host *host)
{
    if (host->count == 0)
        tell(t, PROBE_LATER, host->host->name, "its addresses cannot be looked up now", "");
    if (host->host->dane == DEST_DANE_UNUSABLE)
        tell(t, PROBE_GOOD, host->host->name,
             "none of its TLSA records can be used: senders demand TLS, but verify nothing",
             "publish one of the form 3 1 1: posternctl publish tlsa");
    for (size_t i = 0; i < host->count; i++)
        tell_address(t, host, i);
}

void probe_findings(const struct probe *p, probe_finding_fn *fn, void *ctx)
{
    const struct telling t = {p, fn, ctx};

    tell_domain(&t);
    for (size_t i = 0; i < p->hosts; i++)
        tell_host(&t, &p->host[i]);
}
