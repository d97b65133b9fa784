/*
 * fuzz_dns_reply.c - any octets as a reply to our query for d.example: what is taken must be in its one form and within
 * the limits. The first octet chooses the type (bits 0 to 2), whether AD is believed (bit 3), and whether the rest is a
 * whole message or (bit 4) flags, three counts of one octet each, and records, to which header and question are added.
 */
#include "dns_msg.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAME        "d.example"
#define QUERY_ID    0x1234
#define HEADER_SIZE 12
#define OPT_SIZE    11

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_name(const char *name)
{
    char same[DOMAIN_BUF];

    check(domain_normalise(same, name, strlen(name), NULL) == 0 && strcmp(same, name) == 0);
}

static void check_rr(const struct dns_rr *rr, enum dns_type type)
{
    char same[ADDRESS_BUF];

    check((rr->text != NULL) == (type == DNS_TXT) && (rr->tlsa.data != NULL) == (type == DNS_TLSA));
    if (type == DNS_A || type == DNS_AAAA) {
        check(address_normalise(same, rr->address, strlen(rr->address)) == 1 && strcmp(same, rr->address) == 0);
        check((strchr(same, ':') != NULL) == (type == DNS_AAAA));
    } else if (type == DNS_CNAME || (type == DNS_MX && rr->name[0] != '\0')) {
        check_name(rr->name);
    } else if (type == DNS_TXT) {
        check(rr->text != NULL && rr->text[rr->text_len] == '\0');
    } else if (type == DNS_TLSA) {
        check(rr->tlsa.len <= TLSA_DATA_MAX);
    }
}

static void check_answer(const struct dns_answer *a, const uint8_t *pkt, enum dns_type type, bool trust)
{
    check(!a->secure || (trust && (pkt[3] & 0x20) != 0));
    check(a->ttl <= DNS_TTL_MAX && (type != DNS_MX || a->count <= DNS_MX_MAX));
    check(a->count == 0 || a->status == DNS_FOUND);
    check(a->count > 0 || a->status != DNS_FOUND || (type == DNS_MX && a->truncated));
    check((a->status == DNS_FAILED) == (a->why[0] != '\0'));
    check(a->status == DNS_FAILED || !a->unheard);
    if (a->status == DNS_FAILED) {
        check(!a->secure && a->rr == NULL && a->name[0] == '\0');
        return;
    }
    if (a->name[0] == '\0')
        check(a->aliased && (a->count == 0 || (type != DNS_A && type != DNS_AAAA)));
    else
        check_name(a->name);
    check(a->aliased || strcmp(a->name, NAME) == 0);
    for (size_t i = 0; i < a->count; i++)
        check_rr(&a->rr[i], type);
}

static void parse(const uint8_t *pkt, size_t len, enum dns_type type, bool trust)
{
    struct dns_answer a;
    struct err e = {""};
    enum dns_verdict v = dns_reply_parse(&a, pkt, len, NAME, type, QUERY_ID, trust, &e);

    check((v == DNS_REPLY_BROKEN) == (e.text[0] != '\0'));
    if (v == DNS_REPLY_TAKEN)
        check_answer(&a, pkt, type, trust);
    else
        check(a.rr == NULL && a.count == 0 && !a.secure);
    dns_answer_clear(&a);
}

/* flags, flags, three counts, records: put our question before them. */
static void parse_records(const uint8_t *data, size_t size, enum dns_type type, bool trust)
{
    uint8_t head[DNS_QUERY_MAX];
    uint8_t *pkt;
    size_t begin;
    int query = dns_query_build(head, sizeof(head), NAME, type, QUERY_ID, NULL);

    check(query > HEADER_SIZE + OPT_SIZE);
    if (size < 5)
        return;
    begin = (size_t)query - OPT_SIZE;
    pkt = malloc(begin + size - 5); /* no octet more, so that reading past the end is seen */
    check(pkt != NULL);
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
