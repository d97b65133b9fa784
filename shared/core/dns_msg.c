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

static uint8_t *put(uint8_t *at, const void *data, size_t len)
{
    memcpy(at, data, len);
    return at + len;
}

static uint8_t *put_u16(uint8_t *at, unsigned n)
{
    return put(at, (uint8_t[]){(uint8_t)(n >> 8), (uint8_t)n}, 2);
}

/* Written here and not by ldns, which took more time over it than over reading the reply. */
int dns_query_build(uint8_t *out, size_t cap, const char *name, enum dns_type type, uint16_t id, struct err *e)
{
    static const uint8_t flags[] = {1 /* RD */, 0x20 /* AD */, 0, 1, 0, 0, 0, 0, 0, 1}; /* and the four counts */
    static const uint8_t opt[] = {
        0, 0, LDNS_RR_TYPE_OPT, DNS_UDP_SIZE >> 8, DNS_UDP_SIZE & 0xff, 0, 0, 0x80 /* DO */, 0, 0, 0};
    uint8_t wire[DNS_WIRE_MAX];
    int len = dns_wire_from_name(wire, name, e);
    uint8_t *at = out;

    if (len < 0)
        return -1;
    if (2 + sizeof(flags) + (size_t)len + 4 + sizeof(opt) > cap)
        return err_set(e, "no room for the query");
    at = put_u16(at, id);
    at = put(at, flags, sizeof(flags));
    at = put(at, wire, (size_t)len);
    at = put_u16(at, type);
    at = put_u16(at, LDNS_RR_CLASS_IN);
    at = put(at, opt, sizeof(opt));
    return (int)(at - out);
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
