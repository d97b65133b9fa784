/*
 * dns_rr.c - one record of a reply into our own form. ldns splits the rdata into fields by its own table of types;
 * their kinds and sizes are looked at again before an octet is read.
 */
#include "dns_rr.h"

#include "dns_wire.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

const ldns_rdf *dns_rr_field(const ldns_rr *rr, size_t i, ldns_rdf_type kind)
{
    const ldns_rdf *f = i < ldns_rr_rd_count(rr) ? ldns_rr_rdf(rr, i) : NULL;

    return f != NULL && ldns_rdf_get_type(f) == kind ? f : NULL;
}

static unsigned read_u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static int take_name(struct dns_rr *out, const ldns_rdf *f)
{
    return f == NULL ? 0 : dns_wire_to_name(out->name, ldns_rdf_data(f), ldns_rdf_size(f), NULL) == 0;
}

static int take_mx(struct dns_rr *out, const ldns_rr *rr)
{
    const ldns_rdf *f = dns_rr_field(rr, 0, LDNS_RDF_TYPE_INT16);

    if (f == NULL || ldns_rdf_size(f) != 2)
        return 0;
    out->preference = (uint16_t)read_u16(ldns_rdf_data(f));
    return take_name(out, dns_rr_field(rr, 1, LDNS_RDF_TYPE_DNAME));
}

static int take_cname(struct dns_rr *out, const ldns_rr *rr)
{
    return take_name(out, dns_rr_field(rr, 0, LDNS_RDF_TYPE_DNAME)) && out->name[0] != '\0';
}

static int take_address(struct dns_rr *out, const ldns_rr *rr, enum dns_type type)
{
    const ldns_rdf *f = dns_rr_field(rr, 0, type == DNS_A ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA);
    char text[INET6_ADDRSTRLEN];

    if (f == NULL || ldns_rdf_size(f) != (type == DNS_A ? 4U : 16U))
        return 0;
    if (inet_ntop(type == DNS_A ? AF_INET : AF_INET6, ldns_rdf_data(f), text, sizeof(text)) == NULL)
        return 0;
    return address_normalise(out->address, text, strlen(text));
}

/* The character-strings one after the other (RFC 8461 3.1, RFC 7208 3.3). */
static int take_txt(struct dns_rr *out, const ldns_rr *rr)
{
    size_t total = 0;

    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *f = dns_rr_field(rr, i, LDNS_RDF_TYPE_STR);

        if (f == NULL || ldns_rdf_size(f) < 1 || ldns_rdf_size(f) - 1 < ldns_rdf_data(f)[0])
            return 0;
        total += ldns_rdf_data(f)[0];
    }
    out->text = malloc(total + 1);
    if (out->text == NULL)
        return -1;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const uint8_t *s = ldns_rdf_data(ldns_rr_rdf(rr, i));

        memcpy(out->text + out->text_len, s + 1, s[0]);
        out->text_len += s[0];
    }
    out->text[total] = '\0';
    return 1;
}

static int take_tlsa(struct dns_rr *out, const ldns_rr *rr)
{
    const ldns_rdf *data = dns_rr_field(rr, 3, LDNS_RDF_TYPE_HEX);
    uint8_t head[3];
    size_t len = data == NULL ? 0 : ldns_rdf_size(data);

    for (size_t i = 0; i < sizeof(head); i++) {
        const ldns_rdf *f = i < ldns_rr_rd_count(rr) ? ldns_rr_rdf(rr, i) : NULL;

        if (f == NULL || ldns_rdf_size(f) != 1) /* ldns has a kind for each of the three octets */
            return 0;
        head[i] = ldns_rdf_data(f)[0];
    }
    if (len > TLSA_DATA_MAX)
        return 0;
    out->tlsa.data = malloc(len + 1);
    if (out->tlsa.data == NULL)
        return -1;
    if (len > 0)
        memcpy(out->tlsa.data, ldns_rdf_data(data), len);
    out->tlsa.len = (uint16_t)len;
    out->tlsa.usage = head[0];
    out->tlsa.selector = head[1];
    out->tlsa.matching_type = head[2];
    return 1;
}

int dns_rr_take(struct dns_rr *out, const ldns_rr *rr, enum dns_type type)
{
    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        return take_address(out, rr, type);
    case DNS_CNAME:
        return take_cname(out, rr);
    case DNS_MX:
        return take_mx(out, rr);
    case DNS_TXT:
        return take_txt(out, rr);
    case DNS_TLSA:
        return take_tlsa(out, rr);
    }
    return 0;
}
