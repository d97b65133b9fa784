/* cert_tlsa_io.c - see cert_tlsa_io.h. */
#include "cert_tlsa_io.h"

#include "dns_lookup_io.h"

#include <stdio.h>
#include <string.h>

#define SAID_MAX 65536

struct asked {
    struct buf *said;
    const struct conf *conf;
    const struct cert_chain *now, *fresh; /* now NULL: whether what is live fits does not matter */
    const char *host;
    enum cert_use_verdict verdict;
};

static bool fits_now(const struct asked *a, const struct dns_answer *answer)
{
    enum cert_use_verdict v;
    struct buf said;

    if (a->now == NULL)
        return true;
    buf_init(&said, SAID_MAX);
    v = cert_use_judge_tlsa(&said, a->now, a->host, answer, a->conf->certs.tlsa_ttl);
    buf_clear(&said);
    return v != CERT_USE_REFUSED;
}

static void on_answer(void *ctx, const struct dns_answer *answer)
{
    struct asked *a = ctx;

    a->verdict = fits_now(a, answer) ? cert_use_judge_tlsa(a->said, a->fresh, a->host, answer, a->conf->certs.tlsa_ttl)
                                     : CERT_USE_GOOD;
}

static enum cert_use_verdict ask(struct asked *a)
{
    char name[DOMAIN_BUF + 16];
    struct err e = {""};

    a->verdict = CERT_USE_LATER;
    (void)snprintf(name, sizeof(name), "_25._tcp.%s", a->host);
    if (dns_lookup(&a->conf->stsd, name, DNS_TLSA, on_answer, a, &e) != 0)
        buf_printf(a->said, "TLSA records of %s cannot be looked up now: %s\n", a->host, e.text);
    return a->verdict;
}

enum cert_use_verdict cert_tlsa_look(struct buf *said, const struct conf *conf, const struct cert_chain *c,
                                     const char *host)
{
    struct asked a = {.said = said, .conf = conf, .fresh = c, .host = host};

    return ask(&a);
}

enum cert_use_verdict cert_tlsa_replace(struct buf *said, const struct conf *conf, const struct cert_entry *before,
                                        const struct cert_chain *fresh)
{
    struct asked a = {.said = said, .conf = conf, .now = &before->live, .fresh = fresh};
    enum cert_use_verdict worst = CERT_USE_GOOD;

    for (size_t i = 0; i < before->leaf.names; i++) {
        a.host = before->leaf.name[i];
        if (a.host[0] != '*' && ask(&a) > worst)
            worst = a.verdict;
    }
    return worst;
}
