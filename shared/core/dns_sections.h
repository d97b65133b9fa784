/* dns_sections.h - cut a DNS message into its records. For dns_reply.c. */
#ifndef POSTERN_DNS_SECTIONS_H
#define POSTERN_DNS_SECTIONS_H

#include <ldns/ldns.h>

#include "dns_msg.h"

#define DNS_HEADER_SIZE 12

struct dns_sections {
    ldns_rr_list *answer;    /* records of the wanted type, and CNAMEs */
    ldns_rr_list *authority; /* SOA records */
    unsigned rcode_high;     /* upper octet of the response code, from OPT */
    unsigned ede;            /* the first Extended DNS Error (RFC 8914); 0: none, or "other" */
};

/*
 * Read the records that follow the question, which ends at pos. Records of no use are skipped unread. Returns 0, or -1
 * with the reason; then and when done, empty with dns_sections_clear.
 */
int dns_sections_read(struct dns_sections *out, const uint8_t *pkt, size_t len, size_t pos, enum dns_type type,
                      struct err *e);
void dns_sections_clear(struct dns_sections *s);

#endif
