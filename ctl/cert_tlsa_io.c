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

static const struct cert_facts no_names = {.names = 0};

static bool is_for(const struct cert_facts *leaf, const char *name)
{
    for (size_t i = 0; i < leaf->names; i++)
        if (strcmp(leaf->name[i], name) == 0)
            return true;
    return false;
}

/* Of host and of the names of leaf but those of known. */
static enum cert_use_verdict ask_all(struct asked *a, const char *host, const struct cert_facts *leaf,
                                     const struct cert_facts *known)
{
    enum cert_use_verdict v = CERT_USE_GOOD, worst = CERT_USE_GOOD;

    a->host = host;
    if (*host != '\0' && !is_for(leaf, host) && !is_for(known, host))
        worst = v = ask(a);
    for (size_t i = 0; i < leaf->names && v != CERT_USE_LATER; i++) {
        a->host = leaf->name[i];
        v = a->host[0] == '*' || is_for(known, a->host) ? CERT_USE_GOOD : ask(a);
        worst = v > worst ? v : worst;
    }
    return worst;
}

enum cert_use_verdict cert_tlsa_look(struct buf *said, const struct conf *conf, const struct cert_chain *c,
                                     const struct cert_facts *leaf, const char *host, const struct cert_facts *known)
{
    struct asked a = {.said = said, .conf = conf, .fresh = c};

    return ask_all(&a, host, leaf, known != NULL ? known : &no_names);
}

enum cert_use_verdict cert_tlsa_replace(struct buf *said, const struct conf *conf, const struct cert_entry *before,
                                        const struct cert_chain *fresh, const char *host)
{
    struct asked a = {.said = said, .conf = conf, .now = &before->live, .fresh = fresh};

    return ask_all(&a, host, &before->leaf, &no_names);
}
