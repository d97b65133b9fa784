/*
 * fuzz_dns_packet.c - replies built by the recipe of dns_recipe.h. Beside what must hold of any answer: a message that
 * is true about its counts and lengths, and that ldns reads as a whole, is read alike: the same records at the end of
 * the same CNAME chain, the same life. The first octet chooses the name (bits 0 and 1), the type (4 to 6), and whether
 * AD is believed.
 */
#include "dns_demand.h"
#include "dns_recipe.h"

#include <ldns/ldns.h>

#include <arpa/inet.h>
#include <strings.h>

#define LONGEST                                                        \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa." \
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb." \
    "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc." \
    "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.xx"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is it an RR of the class IN, this type and this owner? */
static bool stands_at(const ldns_rr *rr, ldns_rr_type type, const ldns_rdf *owner)
{
    return ldns_rr_get_type(rr) == type && ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
           ldns_dname_compare(ldns_rr_owner(rr), owner) == 0;
}

static void shorten(uint32_t *ttl, uint32_t by)
{
    if (by > INT32_MAX)
        by = 0;
    if (by < *ttl)
        *ttl = by;
}

/* The end of the chain, by ldns. NULL when it has too many links. */
static const ldns_rdf *chain_end(const ldns_rr_list *answer, const ldns_rdf *at, enum dns_type type, uint32_t *ttl,
                                 unsigned *links)
{
    for (size_t i = 0; type != DNS_CNAME && i < ldns_rr_list_rr_count(answer); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(answer, i);

        if (!stands_at(rr, LDNS_RR_TYPE_CNAME, at))
            continue;
        if (++*links > DNS_CNAMES_MAX)
            return NULL;
        shorten(ttl, ldns_rr_ttl(rr));
        at = ldns_rr_rdf(rr, 0);
        i = (size_t)-1; /* from the beginning again */
    }
    return at;
}

/* Is this text of ours the name? "" stands for those that are no host names, and for the root. */
static bool same_name(const char *name, const ldns_rdf *f)
{
    char *text = ldns_rdf2str(f);
    char normal[DOMAIN_BUF];
    bool same;

    demand(text != NULL);
    if (strchr(text, '\\') != NULL || strcmp(text, ".") == 0 || domain_normalise(normal, text, strlen(text), NULL) != 0)
        same = name[0] == '\0';
    else
        same = strcmp(name, normal) == 0;
    free(text);
    return same;
}

static bool is_root(const ldns_rdf *f)
{
    return ldns_rdf_size(f) == 1;
}

static void demand_same_text(const struct dns_rr *ours, const ldns_rr *rr)
{
    size_t at = 0;

    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *f = ldns_rr_rdf(rr, i);
        size_t len = ldns_rdf_data(f)[0];

        demand(len + 1 == ldns_rdf_size(f) && at + len <= ours->text_len);
        demand(memcmp(ours->text + at, ldns_rdf_data(f) + 1, len) == 0);
        at += len;
    }
    demand(at == ours->text_len);
}

static void demand_same_tlsa(const struct tlsa *ours, const ldns_rr *rr)
{
    const ldns_rdf *data = ldns_rr_rd_count(rr) > 3 ? ldns_rr_rdf(rr, 3) : NULL;

    demand((data == NULL ? 0 : ldns_rdf_size(data)) == ours->len);
    demand(ours->usage == ldns_rdf2native_int8(ldns_rr_rdf(rr, 0)));
    demand(ours->selector == ldns_rdf2native_int8(ldns_rr_rdf(rr, 1)));
    demand(ours->matching_type == ldns_rdf2native_int8(ldns_rr_rdf(rr, 2)));
    demand(ours->len == 0 || memcmp(ours->data, ldns_rdf_data(data), ours->len) == 0);
}

/* Was this record taken, as the next one of ours? Returns whether it was; what is left out must be no good. */
static bool demand_same_rr(const struct dns_rr *ours, const ldns_rr *rr, enum dns_type type)
{
    uint8_t octets[16];

    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        demand(inet_pton(type == DNS_A ? AF_INET : AF_INET6, ours->address, octets) == 1);
        demand(memcmp(octets, ldns_rdf_data(ldns_rr_rdf(rr, 0)), type == DNS_A ? 4 : 16) == 0);
        return true;
    case DNS_CNAME:
        if (same_name("", ldns_rr_rdf(rr, 0)))
            return false;
        demand(same_name(ours->name, ldns_rr_rdf(rr, 0)));
        return true;
    case DNS_MX:
        if (same_name("", ldns_rr_rdf(rr, 1)) && !is_root(ldns_rr_rdf(rr, 1)))
            return false;
        demand(same_name(ours->name, ldns_rr_rdf(rr, 1)));
        demand(ours->preference == ldns_rdf2native_int16(ldns_rr_rdf(rr, 0)));
        return true;
    case DNS_TXT:
        demand_same_text(ours, rr);
        return true;
    case DNS_TLSA:
        if (ldns_rr_rd_count(rr) > 3 && ldns_rdf_size(ldns_rr_rdf(rr, 3)) > TLSA_DATA_MAX)
            return false;
        demand_same_tlsa(&ours->tlsa, rr);
        return true;
    }
    return false;
}

static uint32_t negative_ttl(const ldns_rr_list *authority, const ldns_rdf *at, uint32_t ttl)
{
    bool found = false;

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(authority, i);

        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN ||
            (ldns_dname_compare(at, ldns_rr_owner(rr)) != 0 && !ldns_dname_is_subdomain(at, ldns_rr_owner(rr))))
            continue;
        shorten(&ttl, ldns_rr_ttl(rr));
        shorten(&ttl, ldns_rdf2native_int32(ldns_rr_rdf(rr, 6)));
        found = true;
    }
    return found ? ttl : 0;
}

/* Returns how many records of the answer stand at the end of the chain. */
static size_t demand_same_records(const struct dns_answer *a, const ldns_rr_list *answer, const ldns_rdf *at,
                                  enum dns_type type, uint32_t *ttl)
{
    static const struct dns_rr none;
    size_t seen = 0, taken = 0;

    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(answer, i);

        if (!stands_at(rr, (ldns_rr_type)type, at))
            continue;
        seen++;
        shorten(ttl, ldns_rr_ttl(rr));
        if (a->status == DNS_FOUND && (type != DNS_MX || taken < DNS_MX_MAX))
            taken += demand_same_rr(taken < a->count ? &a->rr[taken] : &none, rr, type) ? 1 : 0;
    }
    demand(a->status != DNS_FOUND || taken == a->count);
    return seen;
}

/* ldns has read the whole of it, and so have we. */
static void demand_same_answer(const struct dns_answer *a, ldns_pkt *p, enum dns_type type)
{
    const ldns_rr_list *answer = ldns_pkt_answer(p);
    uint32_t ttl = DNS_TTL_MAX;
    unsigned links = 0;
    const ldns_rdf *at = chain_end(answer, ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(p), 0)), type, &ttl, &links);
    size_t seen;

    if (at == NULL) {
        demand(a->status == DNS_FAILED);
        return;
    }
    seen = demand_same_records(a, answer, at, type, &ttl);
    if (a->status == DNS_FAILED) { /* an alias for what is no host name */
        demand(seen > 0 && (type == DNS_A || type == DNS_AAAA) && same_name("", at));
        return;
    }
    demand(same_name(a->name, at) && a->aliased == (links > 0));
    demand((a->status == DNS_NXDOMAIN) == (ldns_pkt_get_rcode(p) == LDNS_RCODE_NXDOMAIN));
    demand((a->status == DNS_FOUND) == (seen > 0));
    demand(a->truncated == (seen > a->count) || a->status != DNS_FOUND);
    demand(a->ttl == (seen > 0 ? ttl : negative_ttl(ldns_pkt_authority(p), at, ttl)));
}

/* The upper octet of the response code; ldns keeps the last OPT record apart. */
static bool plain_rcode(const ldns_pkt *p)
{
    ldns_pkt_rcode rcode = ldns_pkt_get_rcode(p);

    return ldns_pkt_edns_extended_rcode(p) == 0 && (rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN);
}

/* What ldns takes for good we may refuse only where dns_reply.c says so. */
static bool may_be_broken(const char *why)
{
    return strstr(why, "name without end, or too long") != NULL || strstr(why, "NXDOMAIN, but") != NULL ||
           strstr(why, "none of the records") != NULL || strstr(why, "does not resolve") != NULL;
}

static void compare(const struct dns_answer *a, enum dns_verdict v, const uint8_t *pkt, const struct dns_made *m,
                    const char *name)
{
    struct dns_answer again;
    struct err e = {""};
    ldns_pkt *p = NULL;

    if (ldns_wire2pkt(&p, pkt, m->len) != LDNS_STATUS_OK)
        return;
    if (v == DNS_REPLY_BROKEN) {
        demand(dns_reply_parse(&again, pkt, m->len, name, m->type, RECIPE_ID, true, &e) == v);
        demand(may_be_broken(e.text));
        demand(strstr(e.text, "does not resolve") == NULL || (pkt[2] & 0x04) + (pkt[3] & 0x80) == 0);
    } else if (plain_rcode(p)) {
        demand_same_answer(a, p, m->type);
    } else {
        demand(a->status == DNS_FAILED);
    }
    ldns_pkt_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"d.example", "mx", "_25._tcp.mail.d.example", LONGEST};
    static const enum dns_type types[8] = {DNS_MX, DNS_A, DNS_AAAA, DNS_TXT, DNS_TLSA, DNS_CNAME, DNS_MX, DNS_TLSA};
    static struct dns_made m;
    struct recipe r = {data, size};
    unsigned n = take(&r);
    const char *name = names[n % 4];
    struct dns_answer a;
    enum dns_verdict v;
    uint8_t *pkt;

    dns_make(&m, &r, name, types[n >> 4 & 7]);
    pkt = malloc(m.len == 0 ? 1 : m.len); /* no octet more, so that reading past the end is seen */
    demand(pkt != NULL);
    memcpy(pkt, m.octets, m.len);
    v = demand_reply(&a, pkt, m.len, name, m.type, RECIPE_ID, (n & 128) == 0);
    demand((v == DNS_REPLY_NOT_OURS) == !m.ours);
    demand(!m.ours || (v == DNS_REPLY_TRUNCATED) == ((pkt[2] & 0x02) != 0));
    demand(!m.misfit || v != DNS_REPLY_TAKEN);
    if (m.honest && (v == DNS_REPLY_TAKEN || v == DNS_REPLY_BROKEN))
        compare(&a, v, pkt, &m, name);
    dns_answer_clear(&a);
    free(pkt);
    return 0;
}
