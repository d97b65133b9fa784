/* publish_tlsa.c - see publish_tlsa.h. */
#include "publish_tlsa.h"

#include "tlsa_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHAT_MAX (sizeof("record 64"))

void tlsa_key_clear(struct tlsa_key *key)
{
    if (key != NULL) {
        cert_chain_clear(&key->chain);
        memset(key, 0, sizeof(*key));
    }
}

int tlsa_live_copy(struct tlsa_live *out, const struct dns_answer *answer)
{
    memset(out, 0, sizeof(*out));
    out->status = answer->status;
    out->secure = answer->secure;
    out->unheard = answer->unheard;
    out->ttl = answer->ttl;
    (void)snprintf(out->why, sizeof(out->why), "%s", answer->why);
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count && i < TLSA_LIVE_MAX; i++) {
        struct tlsa *to = &out->rr[i].tlsa;

        *to = answer->rr[i].tlsa;
        to->data = malloc(to->len > 0 ? to->len : 1U);
        if (to->data == NULL)
            return -1;
        if (to->len > 0)
            memcpy(to->data, answer->rr[i].tlsa.data, to->len);
        out->count++;
    }
    return 0;
}

void tlsa_live_clear(struct tlsa_live *live)
{
    for (size_t i = 0; i < live->count; i++)
        tlsa_clear(&live->rr[i].tlsa);
    memset(live, 0, sizeof(*live));
}

/* --- what the server shows --- */

static bool shows(const struct probe_address *at, const struct tlsa_key *key)
{
    return key->there && at->chain_count > 0 && memcmp(at->chain[0].spki_sha256, key->digest, CERT_DIGEST_LEN) == 0;
}

enum tlsa_served tlsa_served(const struct tlsa_view *view)
{
    size_t live = 0, next = 0, other = 0;

    for (size_t h = 0; view->probe != NULL && h < view->probe->hosts; h++)
        for (size_t i = 0; i < view->probe->host[h].count; i++) {
            const struct probe_address *at = &view->probe->host[h].at[i];
            bool is_live = shows(at, view->live), is_next = shows(at, view->next);

            live += is_live;
            next += is_next;
            other += at->chain_count > 0 && !is_live && !is_next;
        }
    return other > 0              ? TLSA_SERVED_OTHER
           : live > 0 && next > 0 ? TLSA_SERVED_BOTH
           : next > 0             ? TLSA_SERVED_NEXT
           : live > 0             ? TLSA_SERVED_LIVE
                                  : TLSA_SERVED_UNKNOWN;
}

static void judge_address(struct verdicts *v, const struct tlsa_view *view, const struct probe_address *at)
{
    char what[ADDRESS_BUF + 16];

    (void)snprintf(what, sizeof(what), "server at %s", at->address);
    if (at->chain_count == 0)
        verdicts_add(v, VERDICT_UNKNOWN, what, "what it shows cannot be seen now: %s",
                     at->why[0] != '\0' ? at->why : "no TLS");
    else if (shows(at, view->live))
        verdicts_add(v, VERDICT_OK, what, "shows the key of %s", view->live->label);
    else if (shows(at, view->next))
        verdicts_add(v, VERDICT_OK, what, "shows the key of %s, the next one", view->next->label);
    else
        verdicts_add(v, VERDICT_BAD, what,
                     "shows another certificate (%s, issued by %s): with these records alone, senders under DANE would "
                     "refuse it. Give the one in use with --cert, and this one with --next",
                     at->chain[0].subject, at->chain[0].issuer);
}

static void judge_addresses(struct verdicts *v, const struct tlsa_view *view)
{
    size_t seen = 0;

    for (size_t h = 0; view->probe != NULL && h < view->probe->hosts; h++)
        for (size_t i = 0; i < view->probe->host[h].count; i++, seen++)
            judge_address(v, view, &view->probe->host[h].at[i]);
    if (seen == 0)
        verdicts_add(v, VERDICT_UNKNOWN, "server", "what it shows cannot be seen now: %s",
                     view->probe != NULL ? "it has no address" : view->probe_why);
}

/* --- the zone --- */

static void judge_zone(struct verdicts *v, const struct tlsa_view *view)
{
    const struct tlsa_live *dns = view->dns;

    if (dns->status == DNS_FAILED)
        verdicts_add(v, dns->unheard ? VERDICT_UNKNOWN : VERDICT_BAD, "DNSSEC", "_%u._tcp.%s cannot be looked up: %s%s",
                     view->port, view->host, dns->why,
                     dns->unheard ? "" : "; senders that validate do not deliver as long as that is so");
    else if (!dns->secure)
        verdicts_add(
            v, VERDICT_BAD, "DNSSEC",
            "the answer for _%u._tcp.%s is not validated: the zone is not signed, or the resolver of stsd does "
            "not validate. Without DNSSEC, TLSA records do nothing: sign the zone first",
            view->port, view->host);
    else if (!dns->address_secure)
        verdicts_add(v, VERDICT_BAD, "DNSSEC",
                     "the addresses of %s are not validated, so senders do not look for TLSA records (RFC 7672 2.2.2)",
                     view->host);
    else if (dns->address_why[0] != '\0')
        verdicts_add(v, VERDICT_UNKNOWN, "DNSSEC", "the addresses of %s cannot be looked up now: %s", view->host,
                     dns->address_why);
    else
        verdicts_add(v, VERDICT_OK, "DNSSEC", "%s is signed, and validates", view->host);
}

/* --- records --- */

static bool fits_key(const struct tlsa *rr, const struct tlsa_key *key)
{
    return key->there && (tlsa_is_of_key(rr, key->digest) || tlsa_fits(rr, key->chain.cert, key->chain.count));
}

static bool digest_fits(const struct tlsa *rr, const struct cert_facts *f)
{
    return rr->matching_type == 1 && rr->len == CERT_DIGEST_LEN &&
           memcmp(rr->data, rr->selector == 1 ? f->spki_sha256 : f->sha256, CERT_DIGEST_LEN) == 0;
}

/* Of a probe only digests are left: true is certain, false is not where the record is no SHA-256. */
static bool fits_served(const struct tlsa *rr, const struct tlsa_view *view)
{
    for (size_t h = 0; view->probe != NULL && h < view->probe->hosts; h++)
        for (size_t i = 0; i < view->probe->host[h].count; i++) {
            const struct probe_address *at = &view->probe->host[h].at[i];

            for (size_t c = 0; c < at->chain_count; c++)
                if ((rr->usage == 3) == (c == 0) && digest_fits(rr, &at->chain[c]))
                    return true;
        }
    return false;
}

static const char *advice(const struct tlsa *rr)
{
    if (rr->usage == 2)
        return "; usage 2 works only while the server sends the certificate of this authority in its chain, and "
               "every change of the authority's breaks it: 3 1 1 is safer";
    if (rr->selector == 0)
        return "; selector 0 is of the whole certificate, and no longer fits when that is renewed with the same key: "
               "3 1 1 is safer";
    if (rr->matching_type == 0)
        return "; matching type 0 makes answers long: 3 1 1 says the same";
    if (rr->matching_type == 2)
        return "; not every sender reads SHA-512: 3 1 1 is for all";
    return "";
}

static void judge_record(struct verdicts *v, const struct tlsa_view *view, const struct tlsa *rr)
{
    bool live = fits_key(rr, view->live), next = fits_key(rr, view->next), served = fits_served(rr, view);
    char what[40], *text = malloc(TLSA_TEXT_BUF(rr->len));
    struct err e = {""};

    if (text == NULL) {
        v->failed = true;
        return;
    }
    tlsa_format(text, rr);
    (void)snprintf(what, sizeof(what), "record %.24s", text);
    if (!tlsa_usable(rr, &e))
        verdicts_add(v, VERDICT_WARN, what, "cannot be used, senders pass it over: %s", e.text);
    else if (live || next || served)
        verdicts_add(v, advice(rr)[0] != '\0' ? VERDICT_WARN : VERDICT_OK, what, "fits %s%s",
                     live   ? view->live->label
                     : next ? "the next key"
                            : "what the server shows",
                     advice(rr));
    else
        verdicts_add(v, VERDICT_WARN, what,
                     "fits neither a certificate that was given nor what the server shows: when it is of a key that is "
                     "no longer used anywhere, take it away%s",
                     advice(rr));
    free(text);
}

static bool any_usable(const struct tlsa_live *dns)
{
    for (size_t i = 0; i < dns->count; i++)
        if (tlsa_usable(&dns->rr[i].tlsa, NULL))
            return true;
    return false;
}

static void judge_key(struct verdicts *v, const struct tlsa_view *view, const struct tlsa_key *key, bool in_use)
{
    bool fits = false;

    for (size_t i = 0; i < view->dns->count; i++)
        fits = fits || fits_key(&view->dns->rr[i].tlsa, key);
    if (!key->there || view->dns->status == DNS_FAILED || view->dns->count == 0)
        return;
    if (fits)
        verdicts_add(v, VERDICT_OK, in_use ? "certificate" : "next key", "%s: a record fits", key->label);
    else if (in_use)
        verdicts_add(
            v, VERDICT_BAD, "certificate",
            "%s: no record fits: do not use it, or publish its record (without --check this command prints it)",
            key->label);
    else
        verdicts_add(v, VERDICT_WARN, "next key", "%s: no record fits yet: it may not be used before it has one",
                     key->label);
}

/* --- the server under the live records --- */

static void check_address(struct verdicts *v, const struct probe_host *host, const struct probe_address *at)
{
    char what[ADDRESS_BUF + 16];
    struct err e = {""};
    enum probe_verdict dane;

    (void)snprintf(what, sizeof(what), "server at %s", at->address);
    dane = at->unrouted ? PROBE_LATER : probe_dane(host, at, &e);
    if (at->unrouted)
        verdicts_add(v, VERDICT_WARN, what, "this machine has no way there: %s", at->why);
    else if (dane == PROBE_GOOD && host->host->dane == DEST_DANE_USABLE)
        verdicts_add(v, VERDICT_OK, what, "its certificate fits the records: senders under DANE deliver");
    else if (dane == PROBE_GOOD)
        verdicts_add(v, VERDICT_WARN, what, "has TLS, but no DANE binds it");
    else
        verdicts_add(v, dane == PROBE_BAD ? VERDICT_BAD : VERDICT_UNKNOWN, what, "%s", e.text);
}

static void check_addresses(struct verdicts *v, const struct tlsa_view *view)
{
    size_t seen = 0;

    for (size_t h = 0; view->probe != NULL && h < view->probe->hosts; h++)
        for (size_t i = 0; i < view->probe->host[h].count; i++, seen++)
            check_address(v, &view->probe->host[h], &view->probe->host[h].at[i]);
    if (seen == 0)
        verdicts_add(v, VERDICT_UNKNOWN, "server", "it cannot be asked now: %s",
                     view->probe != NULL ? "it has no address" : view->probe_why);
}

void tlsa_check(struct verdicts *v, const struct tlsa_view *view, bool wanted)
{
    const struct tlsa_live *dns = view->dns;
    bool none = dns->status != DNS_FAILED && dns->count == 0;

    if (!none || wanted)
        judge_zone(v, view);
    if (none)
        verdicts_add(
            v, wanted ? VERDICT_BAD : VERDICT_WARN, "TLSA records",
            "there are none at _%u._tcp.%s%s: no sender goes by DANE%s", view->port, view->host,
            wanted || dns->secure ? "" : ", and its zone is not signed",
            wanted ? "; posternctl publish tlsa HOST makes them, for the name of each MX host, not that of the domain"
                   : "");
    else if (dns->count > 0 && !any_usable(dns))
        verdicts_add(v, VERDICT_BAD, "TLSA records", "none of the %zu can be used: senders want TLS, of anybody",
                     dns->count);
    for (size_t i = 0; i < dns->count; i++)
        judge_record(v, view, &dns->rr[i].tlsa);
    judge_key(v, view, view->live, true);
    judge_key(v, view, view->next, false);
    if (!none)
        check_addresses(v, view);
}

/* A record that fits nothing is told of, as it may be forgotten; it does no harm beside one that fits. */
void tlsa_before(struct verdicts *v, const struct tlsa_view *view)
{
    judge_zone(v, view);
    judge_addresses(v, view);
    for (size_t i = 0; i < view->dns->count; i++) {
        const struct tlsa *rr = &view->dns->rr[i].tlsa;

        if (!fits_key(rr, view->live) && !fits_key(rr, view->next))
            judge_record(v, view, rr);
    }
}
