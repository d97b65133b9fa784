/* dns_rr.h - one record of a reply, from ldns to our own form. For dns_reply.c. */
#ifndef POSTERN_DNS_RR_H
#define POSTERN_DNS_RR_H

#include <ldns/ldns.h>

#include "dns_msg.h"

/* Field i of the record when it has this kind, else NULL. */
const ldns_rdf *dns_rr_field(const ldns_rr *rr, size_t i, ldns_rdf_type kind);

/*
 * Read a record of the type into *out, which is empty before. Returns 1: taken; 0: a record that cannot be used (a name
 * that is none, fields of the wrong size, TLSA data over TLSA_DATA_MAX); -1: no memory.
 */
int dns_rr_take(struct dns_rr *out, const ldns_rr *rr, enum dns_type type);

#endif
