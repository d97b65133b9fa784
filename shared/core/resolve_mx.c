/*
 * resolve_mx.c - MX hosts and how DANE stands for each (RFC 7672 2.2; checks B-1 to B-6).
 *
 * A host begins as DEST_DANE_TEMP when DANE may count for it, which is what it stays if an answer fails or never comes;
 * when the MX look-up was not authenticated, or DANE is off, it is DEST_DANE_NONE and nobody asks for TLSA records.
 */
#include "resolve_internal.h"

#include <stdlib.h>
#include <string.h>

/* TLSA data kept of all hosts together: as hex it must leave room for the rest of a record in DEST_JSON_MAX. */
#define TLSA_OCTETS_MAX ((size_t)320 * 1024)

/* DANE can only count where the way to the host is authenticated from its first step. */
static bool dane_counts(const struct resolve *r)
{
    return r->options.dane && r->d->mx_secure;
}

static void want_host(struct resolve *r, size_t i, enum resolve_host_step step)
{
    resolve_want(r, (unsigned)(SLOT_HOSTS + i * HOST_STEPS + step));
}

struct mx_ref {
    const struct dns_rr *rr;
};

static int compare_mx(const void *a, const void *b)
{
    const struct dns_rr *x = ((const struct mx_ref *)a)->rr;
    const struct dns_rr *y = ((const struct mx_ref *)b)->rr;

    if (x->preference != y->preference)
        return x->preference < y->preference ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool host_known(const struct dest *d, const char *name)
{
    for (size_t i = 0; i < d->host_count; i++)
        if (domain_equal(d->host[i].name, name))
            return true;
    return false;
}

static void add_host(struct resolve *r, const char *name, uint16_t preference)
{
    struct dest *d = r->d;
    struct dest_host *host;

    if (host_known(d, name))
        return;
    host = dest_add_host(d, name, preference);
    if (host != NULL)
        host->dane = dane_counts(r) ? DEST_DANE_TEMP : DEST_DANE_NONE;
    else if (!d->mx_truncated)
        r->failed = true;
}

/* The root as exchange is no host: alone it is the null MX (RFC 7505), beside others it says nothing. */
static void add_mx_hosts(struct resolve *r, const struct dns_answer *answer)
{
    struct mx_ref *sorted = calloc(answer->count + 1, sizeof(*sorted));
    size_t count = 0;

    if (sorted == NULL) {
        r->failed = true;
        return;
    }
    for (size_t i = 0; i < answer->count; i++)
        if (answer->rr[i].name[0] != '\0')
            sorted[count++].rr = &answer->rr[i];
    qsort(sorted, count, sizeof(*sorted), compare_mx);
    r->d->mx = count == 0 && answer->count > 0 ? DEST_MX_NULL : DEST_MX_LIST;
    for (size_t i = 0; i < count; i++)
        add_host(r, sorted[i].rr->name, sorted[i].rr->preference);
    free(sorted);
    r->d->mx_truncated = r->d->mx_truncated || answer->truncated;
}

static void want_hosts(struct resolve *r)
{
    size_t count = r->d->host_count;

    if (r->failed || count == 0)
        return;
    r->host = calloc(count, sizeof(*r->host));
    if (r->host == NULL) {
        r->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        want_host(r, i, HOST_AAAA);
        want_host(r, i, HOST_A);
    }
}

void resolve_mx(struct resolve *r, const struct dns_answer *answer)
{
    struct dest *d = r->d;

    if (answer->status == DNS_FAILED) {
        resolve_say(d->mx_why, "%s", answer->why);
        return;
    }
    d->mx_why[0] = '\0';
    d->mx_secure = answer->secure;
    resolve_rest_on(r, answer);
    if (answer->status == DNS_NXDOMAIN) {
        d->mx = DEST_MX_NODOMAIN;
    } else if (answer->status == DNS_NODATA) {
        d->mx = DEST_MX_IMPLICIT;
        add_host(r, d->domain, 0);
    } else {
        add_mx_hosts(r, answer);
    }
    want_hosts(r);
}

static void want_tlsa_at_name(struct resolve *r, size_t i)
{
    char name[DOMAIN_BUF];

    if (resolve_tlsa_name(name, r->d->host[i].name) == 0)
        want_host(r, i, HOST_TLSA_NAME);
    else
        r->d->host[i].dane = DEST_DANE_NONE; /* no room for the name, so no records */
}

static void want_tlsa_at_end(struct resolve *r, size_t i)
{
    char name[DOMAIN_BUF];

    if (resolve_tlsa_name(name, r->host[i].end) == 0)
        want_host(r, i, HOST_TLSA_END);
    else
        want_tlsa_at_name(r, i);
}

/* Note an address answer's alias and whether it spoils the authentication of the others. */
static void weigh_family(struct resolve_host *h, bool *secure, const struct resolve_family *f)
{
    if (f->status != DNS_FOUND)
        return;
    if (!f->secure)
        *secure = false;
    if (f->aliased && h->end[0] == '\0')
        memcpy(h->end, f->end, sizeof(h->end));
}

/* Both families are there (RFC 7672 2.2.2 and 2.2.3). */
static void host_addressed(struct resolve *r, size_t i)
{
    struct dest_host *host = &r->d->host[i];
    struct resolve_host *h = &r->host[i];
    const struct resolve_family *v6 = &h->found.v6, *v4 = &h->found.v4;
    bool failed = v6->status == DNS_FAILED || v4->status == DNS_FAILED;
    bool found = v6->status == DNS_FOUND || v4->status == DNS_FOUND;
    bool secure = found;

    weigh_family(h, &secure, v6);
    weigh_family(h, &secure, v4);
    host->address_secure = secure;
    h->gone = !found && !failed;
    if (!found || !dane_counts(r)) /* one family is enough, as it is for the MTA; none and a failure: not known now */
        return;
    if (secure && h->end[0] != '\0')
        want_tlsa_at_end(r, i);
    else if (secure)
        want_tlsa_at_name(r, i);
    else if (h->end[0] != '\0')
        want_host(r, i, HOST_CNAME); /* perhaps only a later part of the chain is insecure */
    else
        host->dane = DEST_DANE_NONE;
}

/* The chain as a whole is insecure: an authenticated first link still makes the original name a TLSA base (RFC
 * 7672 2.2.2). */
static void host_cname(struct resolve *r, size_t i, const struct dns_answer *answer)
{
    if (answer->status == DNS_FAILED)
        return;
    if (answer->status == DNS_FOUND && answer->secure)
        want_tlsa_at_name(r, i);
    else
        r->d->host[i].dane = DEST_DANE_NONE;
}

/* Append a copy, or pass the record over when the limits say so. */
static void keep_tlsa(struct resolve *r, struct dest_host *host, const struct tlsa *rr)
{
    struct tlsa copy = *rr;

    if (host->tlsa_count == DEST_TLSA_MAX || r->tlsa_octets + rr->len > TLSA_OCTETS_MAX)
        return;
    copy.data = malloc((size_t)rr->len + 1);
    if (copy.data == NULL) {
        r->failed = true;
        return;
    }
    if (rr->len > 0)
        memcpy(copy.data, rr->data, rr->len);
    if (dest_add_tlsa(host, &copy) != 0) {
        tlsa_clear(&copy);
        r->failed = true;
        return;
    }
    r->tlsa_octets += rr->len;
}

/* Keep the records that are usable, or those that are not. Returns how many there are. */
static size_t keep_tlsa_if(struct resolve *r, struct dest_host *host, const struct dns_answer *answer, bool usable)
{
    size_t seen = 0;

    for (size_t i = 0; i < answer->count; i++) {
        if (tlsa_usable(&answer->rr[i].tlsa, NULL) == usable) {
            keep_tlsa(r, host, &answer->rr[i].tlsa);
            seen++;
        }
    }
    return seen;
}

/*
 * The usable records first, so that the limits cost the others. A host whose usable records do not fit stays TEMP, and
 * so does one that may have some among those that cannot be read.
 */
static void host_take_tlsa(struct resolve *r, struct dest_host *host, const struct dns_answer *answer)
{
    bool usable = keep_tlsa_if(r, host, answer, true) > 0;

    if (usable ? host->tlsa_count == 0 : answer->truncated)
        return;
    (void)keep_tlsa_if(r, host, answer, false);
    host->dane = usable ? DEST_DANE_USABLE : DEST_DANE_UNUSABLE;
}

static void host_tlsa(struct resolve *r, size_t i, enum resolve_host_step step, const struct dns_answer *answer)
{
    struct dest_host *host = &r->d->host[i];
    const char *base = step == HOST_TLSA_END ? r->host[i].end : host->name;
    bool there = answer->status == DNS_FOUND && answer->secure;

    if (answer->status == DNS_FAILED || there)
        memcpy(host->tlsa_base, base, sizeof(host->tlsa_base));
    if (there)
        host_take_tlsa(r, host, answer);
    else if (answer->status == DNS_FAILED)
        host->dane = DEST_DANE_TEMP;
    else if (step == HOST_TLSA_END)
        want_tlsa_at_name(r, i);
    else
        host->dane = DEST_DANE_NONE;
}

static bool host_step_done(const struct resolve *r, size_t i, enum resolve_host_step step)
{
    return r->step[SLOT_HOSTS + i * HOST_STEPS + step] == STEP_DONE;
}

void resolve_host_answer(struct resolve *r, size_t i, enum resolve_host_step step, const struct dns_answer *answer)
{
    struct resolve_host *h = &r->host[i];
    struct dest_host *host = &r->d->host[i];

    if (dane_counts(r))
        resolve_rest_on(r, answer);
    switch (step) {
    case HOST_AAAA:
    case HOST_A:
        resolve_family_set(step == HOST_A ? &h->found.v4 : &h->found.v6, answer);
        host->address_count = resolve_addresses_merge(host->address, &h->found);
        if (host_step_done(r, i, HOST_A) && host_step_done(r, i, HOST_AAAA))
            host_addressed(r, i);
        return;
    case HOST_CNAME:
        host_cname(r, i, answer);
        return;
    case HOST_TLSA_END:
    case HOST_TLSA_NAME:
        host_tlsa(r, i, step, answer);
        return;
    case HOST_STEPS:
        return;
    }
}

void resolve_hosts_drop_gone(struct resolve *r)
{
    struct dest *d = r->d;
    size_t kept = 0;

    for (size_t i = 0; r->host != NULL && i < d->host_count; i++) {
        if (r->host[i].gone)
            continue; /* holds no TLSA records: they are not asked for without addresses */
        if (kept != i)
            d->host[kept] = d->host[i];
        kept++;
    }
    d->host_count = kept;
}
