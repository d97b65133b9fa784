/* dns_msg.c - DNS queries, and the values that answers are kept in. Replies are read in dns_reply.c. */
#include "dns_msg.h"

#include "dns_wire.h"

#include <ldns/ldns.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *dns_type_name(enum dns_type type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_CNAME:
        return "CNAME";
    case DNS_MX:
        return "MX";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    case DNS_TLSA:
        return "TLSA";
    }
    return "?";
}

const char *dns_status_name(enum dns_status status)
{
    switch (status) {
    case DNS_FOUND:
        return "found";
    case DNS_NODATA:
        return "nodata";
    case DNS_NXDOMAIN:
        return "nxdomain";
    case DNS_FAILED:
        return "failed";
    }
    return "?";
}

/* The query as ldns holds it, or NULL without memory. */
static ldns_pkt *query_new(const uint8_t *wire, size_t len, enum dns_type type, uint16_t id)
{
    ldns_rdf *owner = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, len, wire);
    ldns_pkt *pkt;

    if (owner == NULL)
        return NULL;
    pkt = ldns_pkt_query_new(owner, (ldns_rr_type)type, LDNS_RR_CLASS_IN, LDNS_RD | LDNS_AD);
    if (pkt == NULL) {
        ldns_rdf_deep_free(owner);
        return NULL;
    }
    ldns_pkt_set_id(pkt, id);
    ldns_pkt_set_edns_udp_size(pkt, DNS_UDP_SIZE);
    ldns_pkt_set_edns_do(pkt, true);
    return pkt;
}

int dns_query_build(uint8_t *out, size_t cap, const char *name, enum dns_type type, uint16_t id, struct err *e)
{
    uint8_t wire[DNS_WIRE_MAX];
    int len = dns_wire_from_name(wire, name, e);
    uint8_t *octets = NULL;
    size_t size = 0;
    ldns_status status;
    ldns_pkt *pkt;

    if (len < 0)
        return -1;
    pkt = query_new(wire, (size_t)len, type, id);
    if (pkt == NULL)
        return err_set(e, "no memory");
    status = ldns_pkt2wire(&octets, pkt, &size);
    ldns_pkt_free(pkt);
    if (status != LDNS_STATUS_OK || size > cap || size > DNS_QUERY_MAX) {
        free(octets);
        return err_set(e, "%s", status != LDNS_STATUS_OK ? ldns_get_errorstr_by_id(status) : "no room for the query");
    }
    memcpy(out, octets, size);
    free(octets);
    return (int)size;
}

void dns_answer_fail(struct dns_answer *out, const char *why)
{
    memset(out, 0, sizeof(*out));
    out->status = DNS_FAILED;
    out->unheard = true;
    (void)snprintf(out->why, sizeof(out->why), "%s", why);
}

void dns_answer_clear(struct dns_answer *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->count; i++) {
        free(a->rr[i].text);
        tlsa_clear(&a->rr[i].tlsa);
    }
    free(a->rr);
    memset(a, 0, sizeof(*a));
}
