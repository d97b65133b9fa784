/*
 * dns_reply.c - read a DNS reply. Header and question are compared here, octet by octet, before ldns sees the rest;
 * what ldns made of the records is believed only after its types and sizes were looked at. Names are followed as labels
 * and become text, in their one form, at the end.
 *
 * Limits: records stand where their owner says, so an answer section in any order is read alike; a name with two
 * different CNAMEs (which RFC 1034 3.6.2 forbids) goes by the first.
 */
#include "dns_msg.h"

#include "dns_rr.h"
#include "dns_sections.h"
#include "dns_wire.h"

#include <ldns/ldns.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE DNS_HEADER_SIZE
#define FLAG_TC     0x02U /* of the third octet */
#define FLAG_AA     0x04U
#define FLAG_RA     0x80U /* of the fourth */
#define FLAG_AD     0x20U

/* RFC 8914 5.2: why a resolver failed. */
static const char *const ede_names[] = {
    "",
    "unsupported DNSKEY algorithm",
    "unsupported DS digest type",
    "stale answer",
    "forged answer",
    "DNSSEC indeterminate",
    "DNSSEC bogus",
    "signature expired",
    "signature not yet valid",
    "DNSKEY missing",
    "RRSIGs missing",
    "no zone key bit set",
    "NSEC missing",
    "cached error",
    "not ready",
    "blocked",
    "censored",
    "filtered",
    "prohibited",
    "stale NXDOMAIN answer",
    "not authoritative",
    "not supported",
    "no reachable authority",
    "network error",
    "invalid data",
};

static const char *const rcode_names[] = {
    "NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
    "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static unsigned read_u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)read_u16(p) << 16 | read_u16(p + 2);
}

/* Labels without regard to case. Their lengths are under 64 and so no letters; NUL is an octet like any other. */
static bool octets_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = a[i] >= 'A' && a[i] <= 'Z' ? (uint8_t)(a[i] + ('a' - 'A')) : a[i];
        uint8_t d = b[i] >= 'A' && b[i] <= 'Z' ? (uint8_t)(b[i] + ('a' - 'A')) : b[i];

        if (c != d)
            return false;
    }
    return true;
}

/* A response to exactly our question, the name in any case, which ends at *end. */
static bool reply_ours(size_t *end, const uint8_t *pkt, size_t len, const char *name, enum dns_type type, uint16_t id)
{
    uint8_t wire[DNS_WIRE_MAX];
    int size = dns_wire_from_name(wire, name, NULL);
    const uint8_t *tail;

    if (size < 0 || len < HEADER_SIZE + (size_t)size + 4 || read_u16(pkt) != id)
        return false;
    if ((pkt[2] & 0xf8) != 0x80 || read_u16(pkt + 4) != 1) /* a response, opcode QUERY, one question */
        return false;
    if (!octets_equal(pkt + HEADER_SIZE, wire, (size_t)size))
        return false;
    tail = pkt + HEADER_SIZE + size;
    *end = HEADER_SIZE + (size_t)size + 4;
    return read_u16(tail) == (unsigned)type && read_u16(tail + 2) == LDNS_RR_CLASS_IN;
}

/* All codes but SERVFAIL say that the resolver does not want to, or cannot, answer us: nothing about the name. */
static void answer_set_rcode(struct dns_answer *out, unsigned rcode, unsigned ede)
{
    char name[24];

    if (rcode < COUNT(rcode_names))
        (void)snprintf(name, sizeof(name), "%s", rcode_names[rcode]);
    else
        (void)snprintf(name, sizeof(name), "rcode %u", rcode);
    dns_answer_fail(out, name);
    out->unheard = rcode != LDNS_RCODE_SERVFAIL;
    if (ede > 0 && ede < COUNT(ede_names))
        (void)snprintf(out->why, sizeof(out->why), "%s (%s)", name, ede_names[ede]);
}

/* A name in the wire, its final root included. */
struct labels {
    const uint8_t *at;
    size_t len;
};

static struct labels labels_of(const ldns_rdf *f)
{
    return (struct labels){ldns_rdf_data(f), ldns_rdf_size(f)};
}

/* name stands at or below zone: zone is its tail from some label on. */
static bool labels_within(struct labels name, struct labels zone)
{
    size_t pos = 0;

    while (pos < name.len && name.len - pos > zone.len)
        pos += 1 + (size_t)name.at[pos];
    return pos < name.len && name.len - pos == zone.len && octets_equal(name.at + pos, zone.at, zone.len);
}

static bool rr_is(const ldns_rr *rr, struct labels owner, enum dns_type type)
{
    struct labels own = labels_of(ldns_rr_owner(rr));

    return ldns_rr_get_type(rr) == (ldns_rr_type)type && ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
           own.len == owner.len && octets_equal(own.at, owner.at, own.len);
}

/* Let the answer live no longer than this. A TTL with its top bit set counts as 0 (RFC 2181 8). */
static void answer_cap_ttl(struct dns_answer *a, uint32_t ttl)
{
    if (ttl > INT32_MAX)
        ttl = 0;
    if (ttl < a->ttl)
        a->ttl = ttl;
}

/* Follow the aliases from *at to the name where the records stand. Returns 0, or -1 when the chain is too long. */
static int chain_follow(struct dns_answer *out, struct labels *at, const ldns_rr_list *answer)
{
    for (unsigned links = 0; links <= DNS_CNAMES_MAX; links++) {
        const ldns_rdf *target = NULL;

        for (size_t i = 0; i < ldns_rr_list_rr_count(answer) && target == NULL; i++) {
            const ldns_rr *rr = ldns_rr_list_rr(answer, i);

            if (rr_is(rr, *at, DNS_CNAME)) {
                target = dns_rr_field(rr, 0, LDNS_RDF_TYPE_DNAME);
                answer_cap_ttl(out, ldns_rr_ttl(rr));
            }
        }
        if (target == NULL)
            return 0;
        out->aliased = true;
        *at = labels_of(target);
    }
    return -1;
}

/* How many records of the type there are at this name. */
static size_t records_count(struct dns_answer *out, const ldns_rr_list *answer, struct labels at, enum dns_type type)
{
    size_t seen = 0;

    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(answer, i);

        if (rr_is(rr, at, type)) {
            answer_cap_ttl(out, ldns_rr_ttl(rr));
            seen++;
        }
    }
    return seen;
}

/* Take those that can be read, at most max. Returns 0, or -1 without memory. */
static int records_take(struct dns_answer *out, const ldns_rr_list *answer, struct labels at, enum dns_type type,
                        size_t max)
{
    out->rr = calloc(max, sizeof(*out->rr));
    if (out->rr == NULL)
        return -1;
    for (size_t i = 0; i < ldns_rr_list_rr_count(answer) && out->count < max; i++) {
        const ldns_rr *rr = ldns_rr_list_rr(answer, i);
        int taken = rr_is(rr, at, type) ? dns_rr_take(&out->rr[out->count], rr, type) : 0;

        if (taken < 0)
            return -1;
        if (taken > 0)
            out->count++;
        else
            memset(&out->rr[out->count], 0, sizeof(out->rr[0]));
    }
    return 0;
}

/* How long a negative answer lives: the SOA of a zone around the name says (RFC 2308 5; check B-6). Without one, not at
 * all. */
static void negative_ttl(struct dns_answer *out, const ldns_rr_list *authority, struct labels at)
{
    bool found = false;

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(authority, i);
        const ldns_rdf *minimum = ldns_rr_rd_count(rr) == 7 ? ldns_rr_rdf(rr, 6) : NULL;

        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN || minimum == NULL ||
            ldns_rdf_size(minimum) != 4 || !labels_within(at, labels_of(ldns_rr_owner(rr))))
            continue;
        answer_cap_ttl(out, ldns_rr_ttl(rr));
        answer_cap_ttl(out, read_u32(ldns_rdf_data(minimum)));
        found = true;
    }
    if (!found)
        out->ttl = 0;
}

/* An answer that says something we do not act upon: everything in it is dropped but the reason. */
static void answer_refuse(struct dns_answer *out, const char *why)
{
    dns_answer_clear(out);
    dns_answer_fail(out, why);
    out->unheard = false;
}

/* NOERROR or NXDOMAIN: what is there at the end of the chain? Returns 0, or -1 with the reason: no good message, no
 * memory. */
static int answer_fill(struct dns_answer *out, const struct dns_sections *s, struct labels at, enum dns_type type,
                       bool nxdomain, struct err *e)
{
    size_t seen;

    if (type != DNS_CNAME && chain_follow(out, &at, s->answer) != 0) {
        answer_refuse(out, "CNAME chain too long, or a loop");
        return 0;
    }
    if (dns_wire_to_name(out->name, at.at, at.len, NULL) != 0)
        out->name[0] = '\0'; /* an alias for what is no host name: matters only where the name is used */
    seen = records_count(out, s->answer, at, type);
    if (seen > 0 && nxdomain)
        return err_set(e, "NXDOMAIN, but with records of the name");
    if (seen > 0 && out->name[0] == '\0' && (type == DNS_A || type == DNS_AAAA)) {
        answer_refuse(out, "alias for something that is no host name");
        return 0;
    }
    if (seen > 0 &&
        records_take(out, s->answer, at, type, type == DNS_MX && seen > DNS_MX_MAX ? DNS_MX_MAX : seen) != 0)
        return err_set(e, "no memory");
    out->truncated = out->count < seen;
    if (seen > 0 && out->count == 0 && type != DNS_MX)
        return err_set(e, "none of the records can be read");
    out->status = nxdomain ? DNS_NXDOMAIN : seen > 0 ? DNS_FOUND : DNS_NODATA;
    if (seen == 0)
        negative_ttl(out, s->authority, at);
    return 0;
}

/* A server that neither resolves nor has the zone itself says nothing by saying nothing: a referral looks like that. */
static bool absence_known(const struct dns_answer *a, const uint8_t *pkt)
{
    return a->status == DNS_FOUND || a->status == DNS_FAILED || (pkt[2] & FLAG_AA) != 0 || (pkt[3] & FLAG_RA) != 0;
}

/* The question ends at pos; its name, uncompressed, begins the chain. */
static int answer_read(struct dns_answer *out, const uint8_t *pkt, size_t len, size_t pos, enum dns_type type,
                       bool trust_ad, struct err *e)
{
    struct labels question = {pkt + HEADER_SIZE, pos - 4 - HEADER_SIZE};
    struct dns_sections s;
    unsigned rcode;
    int rc = dns_sections_read(&s, pkt, len, pos, type, e);

    if (rc != 0)
        goto out;
    rcode = s.rcode_high << 4 | (pkt[3] & 0x0fU);
    if (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN) {
        answer_set_rcode(out, rcode, s.ede);
        goto out;
    }
    out->ttl = DNS_TTL_MAX;
    out->secure = trust_ad && (pkt[3] & FLAG_AD) != 0;
    rc = answer_fill(out, &s, question, type, rcode == LDNS_RCODE_NXDOMAIN, e);
    if (rc == 0 && !absence_known(out, pkt))
        rc = err_set(e, "no records, from a server that does not resolve names");
    if (rc != 0)
        dns_answer_clear(out);
out:
    dns_sections_clear(&s);
    return rc;
}

enum dns_verdict dns_reply_parse(struct dns_answer *out, const uint8_t *pkt, size_t len, const char *name,
                                 enum dns_type type, uint16_t id, bool trust_ad, struct err *e)
{
    size_t pos;

    memset(out, 0, sizeof(*out));
    if (len > DNS_REPLY_MAX || !reply_ours(&pos, pkt, len, name, type, id))
        return DNS_REPLY_NOT_OURS;
    if ((pkt[2] & FLAG_TC) != 0)
        return DNS_REPLY_TRUNCATED;
    return answer_read(out, pkt, len, pos, type, trust_ad, e) == 0 ? DNS_REPLY_TAKEN : DNS_REPLY_BROKEN;
}
