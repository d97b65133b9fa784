/* probe.c - see probe.h: the verdicts. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 90 /* octets of a name in a sentence */

const char *probe_stage_name(enum probe_stage stage)
{
    static const char *const names[] = {"unreachable", "connected", "greeted", "starttls", "tls", "done"};

    return names[stage];
}

const char *probe_verdict_name(enum probe_verdict v)
{
    static const char *const names[] = {"good", "bad", "later"};

    return names[v];
}

static enum probe_verdict bad(struct err *e, const char *why)
{
    (void)err_set(e, "%s", why);
    return PROBE_BAD;
}

enum probe_verdict probe_any(const struct probe_address *at, struct err *e)
{
    if (at->stage == PROBE_DONE)
        return PROBE_GOOD;
    (void)err_set(e, "%s", at->why[0] != '\0' ? at->why : "it was not asked");
    return at->later || at->unrouted ? PROBE_LATER : PROBE_BAD;
}

/* --- the chain --- */

/* The first that is too old or too new; count: none. */
static size_t chain_dated(const struct probe_address *at)
{
    size_t i = 0;

    while (i < at->chain_count && at->looked >= at->chain[i].not_before && at->looked <= at->chain[i].not_after)
        i++;
    return i;
}

/* The one that was issued by the subject, other than itself; count: it was not sent. */
static size_t chain_find(const struct probe_address *at, const char *subject, size_t other)
{
    size_t i = 0;

    while (i < at->chain_count && (i == other || strcmp(at->chain[i].subject, subject) != 0))
        i++;
    return i;
}

/* Where the way from the leaf up through what was sent ends. *crooked: not in the order in which it was sent. */
static size_t chain_top(const struct probe_address *at, bool *crooked)
{
    size_t top = 0;

    *crooked = false;
    for (size_t steps = 0; steps < at->chain_count && !at->chain[top].self_issued; steps++) {
        size_t next = chain_find(at, at->chain[top].issuer, top);

        if (next == at->chain_count)
            break;
        *crooked = *crooked || next != top + 1;
        top = next;
    }
    return top;
}

bool probe_chain_same(const struct probe_address *a, const struct probe_address *b)
{
    if (a->chain_count != b->chain_count)
        return false;
    for (size_t i = 0; i < a->chain_count; i++)
        if (memcmp(a->chain[i].sha256, b->chain[i].sha256, CERT_DIGEST_LEN) != 0)
            return false;
    return true;
}

bool probe_chain_crooked(const struct probe_address *at)
{
    bool crooked;

    (void)chain_top(at, &crooked);
    return crooked;
}

static void say_untrusted(const struct probe_address *at, struct err *e)
{
    bool crooked;
    size_t top = chain_top(at, &crooked);
    const struct cert_facts *c = &at->chain[top];

    if (c->self_issued && top == 0)
        (void)err_set(e, "the certificate is self-signed, so nobody vouches for it");
    else if (c->self_issued)
        (void)err_set(e, "its authority is not one that senders trust: %.*s", SHOWN, c->subject);
    else if (crooked)
        (void)err_set(e, "the chain is out of order, and %.*s is not in it", SHOWN, c->issuer);
    else
        (void)err_set(e, "the chain ends before an authority that is trusted: the certificate of %.*s is missing",
                      SHOWN, c->issuer);
}

#define DAYS_BUF 40

/* "3 days" of so many seconds, which may be negative. */
static void days_text(char out[DAYS_BUF], int64_t seconds)
{
    long long days = (long long)(seconds < 0 ? -(seconds / 86400) : seconds / 86400);

    if (days == 0)
        (void)snprintf(out, DAYS_BUF, "less than a day");
    else
        (void)snprintf(out, DAYS_BUF, "%lld day%s", days, days == 1 ? "" : "s");
}

static void say_dates(const struct probe_address *at, size_t i, struct err *e)
{
    const struct cert_facts *c = &at->chain[i];
    int64_t now = at->looked;
    bool early = now < c->not_before;
    char days[DAYS_BUF];

    days_text(days, early ? c->not_before - now : now - c->not_after);
    if (i == 0 && early)
        (void)err_set(e, "the certificate is not good yet, but in %s", days);
    else if (i == 0)
        (void)err_set(e, "the certificate has expired %s ago", days);
    else
        (void)err_set(e, "certificate %zu of the chain, %.*s, %s", i + 1, SHOWN, c->subject,
                      early ? "is not good yet" : "has expired");
}

static void say_names(const struct cert_facts *leaf, const char *host, struct err *e)
{
    if (leaf->names == 0)
        (void)err_set(e, "the certificate has no host names%s, so it is not for %.*s",
                      leaf->odd_names > 0 ? " that can be used" : "", SHOWN, host);
    else
        (void)err_set(e, "the certificate is for %.*s%s, not for %.*s", SHOWN, leaf->name[0],
                      leaf->names > 1 ? " and others" : "", SHOWN, host);
}

/* OpenSSL's words: no issuer was found, or one that is not trusted. */
static bool is_about_issuers(const char *words)
{
    static const char *const known[] = {"issuer cert", "self-signed", "self signed", "verify the first"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strstr(words, known[i]) != NULL)
            return true;
    return false;
}

void probe_chain_why(const struct probe_address *at, const char *host, struct err *e)
{
    size_t dated = chain_dated(at);
    const char *words = at->pkix.words != NULL ? at->pkix.words : "";

    if (at->pkix.result == TLS_CLIENT_EXPIRED && dated < at->chain_count)
        say_dates(at, dated, e);
    else if (at->pkix.result == TLS_CLIENT_NAME && at->chain_count > 0)
        say_names(&at->chain[0], host, e);
    else if (at->pkix.result == TLS_CLIENT_UNTRUSTED && at->chain_count > 0 && is_about_issuers(words))
        say_untrusted(at, e);
    else
        (void)err_set(e, "%s", words[0] != '\0' ? words : tls_client_result_name(at->pkix.result));
}

/* --- MTA-STS, DANE --- */

static enum probe_verdict pkix(const struct probe_host *host, const struct probe_address *at, struct err *e)
{
    if (at->pkix.result == TLS_CLIENT_VERIFIED)
        return PROBE_GOOD;
    probe_chain_why(at, host->host->name, e);
    return at->pkix.result == TLS_CLIENT_LOCAL ? PROBE_LATER : PROBE_BAD;
}

enum probe_verdict probe_sts(const struct probe_host *host, const struct probe_address *at, struct err *e)
{
    enum probe_verdict any = probe_any(at, e);

    if (!host->in_policy)
        return bad(e, "the MTA-STS policy does not name this host");
    return any == PROBE_GOOD ? pkix(host, at, e) : any;
}

enum probe_verdict probe_dane(const struct probe_host *host, const struct probe_address *at, struct err *e)
{
    enum probe_verdict any = probe_any(at, e);

    if (host->host->dane == DEST_DANE_TEMP) {
        (void)err_set(e, "its TLSA records cannot be looked up now; senders wait");
        return any == PROBE_BAD ? any : PROBE_LATER;
    }
    if (any != PROBE_GOOD || host->host->dane != DEST_DANE_USABLE || at->dane.result == TLS_CLIENT_VERIFIED)
        return any;
    if (at->dane.result == TLS_CLIENT_LOCAL) {
        (void)err_set(e, "there was no memory to verify the certificate with");
        return PROBE_LATER;
    }
    if (at->dane.result == TLS_CLIENT_TLSA)
        return bad(e, "no TLSA record fits the certificate");
    (void)err_set(e, "a TLSA record of usage 2 fits, but: %s", at->dane.words);
    return PROBE_BAD;
}

/* --- all of it --- */

static enum probe_verdict worse(enum probe_verdict a, enum probe_verdict b)
{
    return a == PROBE_BAD || b == PROBE_BAD       ? PROBE_BAD
           : a == PROBE_LATER || b == PROBE_LATER ? PROBE_LATER
                                                  : PROBE_GOOD;
}

bool probe_has_policy(const struct probe *p)
{
    return dest_sts_live(&p->dest->sts, p->now) && p->dest->sts.policy.mode != STS_MODE_NONE;
}

enum probe_verdict probe_published(const struct probe *p, const struct probe_host *host, const struct probe_address *at,
                                   struct err *e)
{
    struct err sts_why = {""}, dane_why = {""};
    enum probe_verdict sts = probe_has_policy(p) ? probe_sts(host, at, &sts_why) : PROBE_GOOD;
    enum probe_verdict dane = probe_dane(host, at, &dane_why);

    if (dane == PROBE_GOOD && sts == PROBE_GOOD)
        return PROBE_GOOD;
    (void)err_set(e, "%s",
                  dane != PROBE_GOOD && (dane == PROBE_BAD || sts != PROBE_BAD) ? dane_why.text : sts_why.text);
    return worse(sts, dane);
}

/* Has the host an address that this machine can get to? */
static bool is_routed(const struct probe_host *host)
{
    for (size_t i = 0; i < host->count; i++)
        if (!host->at[i].unrouted)
            return true;
    return false;
}

/* Keep what is worst, and why; of equals the first. */
static void take(enum probe_verdict *all, enum probe_verdict v, struct err *e, const struct err *why)
{
    if (*all != PROBE_BAD && v != PROBE_GOOD && v != *all) {
        *e = *why;
        *all = v;
    }
}

static void judge_host(enum probe_verdict *all, const struct probe *p, const struct probe_host *host, struct err *e)
{
    struct err why = {""};

    if (host->count == 0) {
        (void)err_set(&why, "%s: its addresses cannot be looked up now", host->host->name);
        take(all, PROBE_LATER, e, &why);
    } else if (!is_routed(host)) {
        (void)err_set(&why, "%s: this machine has no way to any of its addresses", host->host->name);
        take(all, PROBE_LATER, e, &why);
    }
    for (size_t i = 0; i < host->count; i++) {
        enum probe_verdict v = probe_published(p, host, &host->at[i], &why);

        (void)err_prefix(&why, "%s [%s]", host->host->name, host->at[i].address);
        if (!host->at[i].unrouted)
            take(all, v, e, &why);
    }
}

enum probe_verdict probe_no_host(const struct dest *d, struct err *e)
{
    switch (d->mx) {
    case DEST_MX_TEMP:
        (void)err_set(e, "its MX records cannot be looked up now");
        return PROBE_LATER;
    case DEST_MX_NODOMAIN:
        (void)err_set(e, "there is no such domain in DNS");
        return PROBE_BAD;
    case DEST_MX_NULL:
        (void)err_set(e, "it takes no mail, as its null MX record says (RFC 7505)");
        return PROBE_BAD;
    case DEST_MX_IMPLICIT:
    case DEST_MX_LIST:
        break;
    }
    (void)err_set(e, "it has no mail host with an address");
    return PROBE_BAD;
}

enum probe_verdict probe_all(const struct probe *p, struct err *e)
{
    enum probe_verdict all = PROBE_GOOD;
    struct err why = {""};

    if (p->hosts == 0) {
        all = probe_no_host(p->dest, e);
        (void)err_prefix(e, "%s", p->dest->domain);
        return all;
    }
    if (p->dest->sts.record == DEST_STS_TEMP) {
        (void)err_set(&why, "the MTA-STS record cannot be looked up now");
        take(&all, PROBE_LATER, e, &why);
    }
    if (p->dest->sts.record == DEST_STS_INVALID || p->dest->sts.failure != DEST_STS_OK) {
        (void)err_set(&why, "MTA-STS: %s", p->dest->sts.why);
        take(&all, PROBE_BAD, e, &why);
    }
    for (size_t i = 0; i < p->hosts; i++)
        judge_host(&all, p, &p->host[i], e);
    return all;
}

bool probe_ending(const struct probe *p, struct err *e)
{
    const struct probe_address *first = NULL;
    const struct probe_host *of = NULL;
    char days[DAYS_BUF];
    int64_t left;

    for (size_t i = 0; i < p->hosts; i++)
        for (size_t a = 0; a < p->host[i].count; a++) {
            const struct probe_address *at = &p->host[i].at[a];

            if (at->chain_count > 0 && (first == NULL || at->chain[0].not_after < first->chain[0].not_after)) {
                first = at;
                of = &p->host[i];
            }
        }
    if (first == NULL || p->warn_before == 0 || first->chain[0].not_after - p->now >= p->warn_before)
        return false;
    left = first->chain[0].not_after - p->now;
    days_text(days, left);
    (void)err_set(e, "%s [%s]: the certificate %s %s%s", of->host->name, first->address,
                  left < 0 ? "has ended" : "ends in", days, left < 0 ? " ago" : "");
    return true;
}

void probe_free(struct probe *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->hosts; i++)
        for (size_t a = 0; a < p->host[i].count; a++)
            for (size_t c = 0; c < p->host[i].at[a].chain_count; c++)
                cert_facts_clear(&p->host[i].at[a].chain[c]);
    dest_free(p->dest);
    free(p);
}
