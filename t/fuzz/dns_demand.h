/* dns_demand.h - what must hold of any answer that dns_reply_parse has taken, whatever the message. */
#ifndef POSTERN_T_DNS_DEMAND_H
#define POSTERN_T_DNS_DEMAND_H

#include "dns_msg.h"
#include "recipe.h"

static inline void demand_name(const char *name)
{
    char same[DOMAIN_BUF];

    demand(domain_normalise(same, name, strlen(name), NULL) == 0 && strcmp(same, name) == 0);
}

static inline void demand_rr(const struct dns_rr *rr, enum dns_type type)
{
    char same[ADDRESS_BUF];

    demand((rr->text != NULL) == (type == DNS_TXT) && (rr->tlsa.data != NULL) == (type == DNS_TLSA));
    if (type == DNS_A || type == DNS_AAAA) {
        demand(address_normalise(same, rr->address, strlen(rr->address)) == 1 && strcmp(same, rr->address) == 0);
        demand((strchr(same, ':') != NULL) == (type == DNS_AAAA));
    } else if (type == DNS_CNAME || (type == DNS_MX && rr->name[0] != '\0')) {
        demand_name(rr->name);
    } else if (type == DNS_TXT) {
        demand(rr->text != NULL && rr->text[rr->text_len] == '\0');
    } else if (type == DNS_TLSA) {
        demand(rr->tlsa.len <= TLSA_DATA_MAX);
    }
}

/* name is what was asked for. */
static inline void demand_answer(const struct dns_answer *a, const uint8_t *pkt, const char *name, enum dns_type type,
                                 bool trust)
{
    demand(!a->secure || (trust && (pkt[3] & 0x20) != 0));
    demand(a->ttl <= DNS_TTL_MAX && (type != DNS_MX || a->count <= DNS_MX_MAX));
    demand(a->count == 0 || a->status == DNS_FOUND);
    demand(a->count > 0 || a->status != DNS_FOUND || (type == DNS_MX && a->truncated));
    demand((a->status == DNS_FAILED) == (a->why[0] != '\0'));
    demand(a->status == DNS_FOUND || a->status == DNS_FAILED || (pkt[2] & 0x04) != 0 ||
           (pkt[3] & 0x80) != 0); /* no referral */
    demand(a->status == DNS_FAILED || !a->unheard);
    if (a->status == DNS_FAILED) {
        demand(!a->secure && a->rr == NULL && a->name[0] == '\0');
        return;
    }
    if (a->name[0] == '\0')
        demand(a->aliased && (a->count == 0 || (type != DNS_A && type != DNS_AAAA)));
    else
        demand_name(a->name);
    demand(a->aliased || strcmp(a->name, name) == 0);
    for (size_t i = 0; i < a->count; i++)
        demand_rr(&a->rr[i], type);
}

/* Read a message that lies in memory of just its length. *out is the caller's to clear. */
static inline enum dns_verdict demand_reply(struct dns_answer *out, const uint8_t *pkt, size_t len, const char *name,
                                            enum dns_type type, uint16_t id, bool trust)
{
    struct err e = {""};
    enum dns_verdict v = dns_reply_parse(out, pkt, len, name, type, id, trust, &e);

    demand((v == DNS_REPLY_BROKEN) == (e.text[0] != '\0'));
    if (v == DNS_REPLY_TAKEN)
        demand_answer(out, pkt, name, type, trust);
    else
        demand(out->rr == NULL && out->count == 0 && !out->secure);
    return v;
}

#endif
