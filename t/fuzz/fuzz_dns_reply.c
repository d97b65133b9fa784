/*
 * fuzz_dns_reply.c - any octets as a reply to our query for d.example: what is taken must be in its one form and within
 * the limits. The first octet chooses the type (bits 0 to 2), whether AD is believed (bit 3), and whether the rest is a
 * whole message or (bit 4) flags, three counts of one octet each, and records, to which header and question are added.
 */
#include "dns_demand.h"

#define NAME        "d.example"
#define QUERY_ID    0x1234
#define HEADER_SIZE 12
#define OPT_SIZE    11

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const uint8_t *pkt, size_t len, enum dns_type type, bool trust)
{
    struct dns_answer a;

    (void)demand_reply(&a, pkt, len, NAME, type, QUERY_ID, trust);
    dns_answer_clear(&a);
}

/* flags, flags, three counts, records: put our question before them. */
static void parse_records(const uint8_t *data, size_t size, enum dns_type type, bool trust)
{
    uint8_t head[DNS_QUERY_MAX];
    uint8_t *pkt;
    size_t begin;
    int query = dns_query_build(head, sizeof(head), NAME, type, QUERY_ID, NULL);

    demand(query > HEADER_SIZE + OPT_SIZE);
    if (size < 5)
        return;
    begin = (size_t)query - OPT_SIZE;
    pkt = malloc(begin + size - 5); /* no octet more, so that reading past the end is seen */
    demand(pkt != NULL);
    memcpy(pkt, head, begin);
    memcpy(pkt + begin, data + 5, size - 5);
    pkt[2] = data[0] | 0x80;
    pkt[3] = data[1];
    pkt[7] = data[2];
    pkt[9] = data[3];
    pkt[11] = data[4];
    parse(pkt, begin + size - 5, type, trust);
    free(pkt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[8] = {DNS_A, DNS_CNAME, DNS_MX, DNS_TXT, DNS_AAAA, DNS_TLSA, DNS_MX, DNS_TLSA};

    if (size == 0)
        return 0;
    if ((data[0] & 16) != 0)
        parse_records(data + 1, size - 1, types[data[0] & 7], (data[0] & 8) != 0);
    else
        parse(data + 1, size - 1, types[data[0] & 7], (data[0] & 8) != 0);
    return 0;
}
