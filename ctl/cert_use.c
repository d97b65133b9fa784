/* cert_use.c - may a certificate of the store go into a mail server? See cert_use.h. */
#include "cert_use.h"
#include "tlsa_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum cert_use_verdict worse(enum cert_use_verdict a, enum cert_use_verdict b)
{
    return a > b ? a : b;
}

static void say(struct buf *said, const char *prefix, const struct err *e)
{
    buf_printf(said, "%s%s\n", prefix, e->text);
}

/* --- the chain --- */

/* A leaf alone, of an authority that is not known here: what stands between them is missing. */
static bool is_alone(const struct cert_entry *entry)
{
    return entry->live.count == 1 && !entry->leaf.self_issued;
}

static enum cert_use_verdict judge_trust(struct buf *said, const struct cert_entry *entry, X509_STORE *trust,
                                         int64_t now)
{
    struct err e = {""};

    if (trust == NULL || cert_chain_judge(&entry->live, NULL, trust, now, &e) != CERT_UNTRUSTED)
        return CERT_USE_GOOD;
    if (is_alone(entry)) {
        buf_printf(said,
                   "the chain is not complete: there is the certificate of the server alone, and its issuer (%s) is no "
                   "authority that this system knows; import it again with the certificates between them\n",
                   entry->leaf.issuer);
        return CERT_USE_REFUSED;
    }
    buf_printf(said,
               "warning: senders that go by MTA-STS refuse it (%s); with DANE-EE (TLSA 3 1 1) that does not matter\n",
               e.text);
    return CERT_USE_GOOD;
}

static enum cert_use_verdict judge_dates(struct buf *said, const struct cert_entry *entry, int64_t now)
{
    struct err e = {""};

    if (cert_chain_judge(&entry->live, NULL, NULL, now, &e) != CERT_GOOD) {
        say(said, "", &e);
        return CERT_USE_REFUSED;
    }
    if (cert_chain_judge(&entry->live, NULL, NULL, now + CERT_USE_SPARE, &e) != CERT_EXPIRED)
        return CERT_USE_GOOD;
    buf_printf(said, "it ends within a day (%s); renew it before it is used\n", e.text);
    return CERT_USE_REFUSED;
}

enum cert_use_verdict cert_use_judge(struct buf *said, const struct cert_entry *entry, const char *host,
                                     X509_STORE *trust, int64_t now)
{
    enum cert_use_verdict all = CERT_USE_GOOD, dates;

    if (entry->trouble[0] != '\0' || entry->live.count == 0) {
        buf_printf(said, "%s\n",
                   entry->trouble[0] != '\0' ? entry->trouble : "there is no certificate yet; import it when it comes");
        return CERT_USE_NEVER;
    }
    if (entry->live.key == NULL || !cert_key_fits(entry->live.cert[0], entry->live.key)) {
        buf_str(said, "live.pem has no private key that belongs to its certificate; import both again\n");
        return CERT_USE_NEVER;
    }
    if (entry->live.mended) {
        buf_str(said, "the certificates in live.pem are not in order, and servers send them as they stand there; "
                      "import them again\n");
        all = CERT_USE_REFUSED;
    }
    dates = judge_dates(said, entry, now);
    all = worse(all, dates);
    if (*host != '\0' && !cert_facts_name(&entry->leaf, host)) {
        buf_printf(said, "it is not for %s, which is the name of this mail server\n", host);
        all = worse(all, CERT_USE_REFUSED);
    }
    return dates == CERT_USE_GOOD ? worse(all, judge_trust(said, entry, trust, now)) : all;
}

/* --- DANE --- */

static void say_record(struct buf *said, const struct cert_chain *c, const char *host, int64_t ttl)
{
    uint8_t digest[CERT_DIGEST_LEN];
    char text[TLSA_TEXT_BUF(CERT_DIGEST_LEN)] = "";

    if (cert_key_digest(digest, c->key) == 0) {
        const struct tlsa rr = tlsa_of_digest(digest);
        tlsa_format(text, &rr);
    }
    buf_printf(said,
               "_25._tcp.%s has TLSA records, and none of them fits this certificate: senders that go by DANE would "
               "keep their mail back. Publish this one beside those that are there: _25._tcp.%s. IN TLSA %s ; then "
               "wait %lld seconds, which is twice the time that they are kept elsewhere, and use it then\n",
               host, host, text, 2 * (long long)ttl);
}

enum cert_use_verdict cert_use_judge_tlsa(struct buf *said, const struct cert_chain *c, const char *host,
                                          const struct dns_answer *tlsa, int64_t least_ttl)
{
    bool usable = false;

    if (tlsa->status == DNS_FAILED) {
        buf_printf(said,
                   "whether _25._tcp.%s has TLSA records that this certificate must fit cannot be known now: %s; try "
                   "it again later\n",
                   host, tlsa->why);
        return CERT_USE_LATER;
    }
    if (tlsa->status != DNS_FOUND)
        return CERT_USE_GOOD;
    for (size_t i = 0; i < tlsa->count; i++) {
        if (!tlsa_usable(&tlsa->rr[i].tlsa, NULL))
            continue;
        usable = true;
        if (tlsa_fits(&tlsa->rr[i].tlsa, c->cert, c->count))
            return CERT_USE_GOOD;
    }
    if (!usable)
        return CERT_USE_GOOD;
    say_record(said, c, host, tlsa->ttl > least_ttl ? tlsa->ttl : least_ttl);
    return CERT_USE_REFUSED;
}

/* --- about.use --- */

bool cert_use_text(char *out, size_t size, const char *server, const char *dir)
{
    int len = snprintf(out, size, "%s:%s", server, dir);

    return len > 0 && (size_t)len < size;
}

bool cert_use_has(const struct cert_about *about, const char *text)
{
    for (size_t i = 0; i < about->uses; i++)
        if (strcmp(about->use[i], text) == 0)
            return true;
    return false;
}

int cert_use_add(struct cert_about *about, const char *text)
{
    if (cert_use_has(about, text))
        return 0;
    if (about->uses >= CERT_USES_MAX || (about->use[about->uses] = strdup(text)) == NULL)
        return -1;
    about->uses++;
    return 0;
}

bool cert_use_drop(struct cert_about *about, const char *text)
{
    for (size_t i = 0; i < about->uses; i++) {
        if (strcmp(about->use[i], text) != 0)
            continue;
        free(about->use[i]);
        about->uses--;
        memmove(&about->use[i], &about->use[i + 1], (about->uses - i) * sizeof(about->use[0]));
        about->use[about->uses] = NULL;
        return true;
    }
    return false;
}
