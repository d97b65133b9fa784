/* tlsa_match.h - TLSA records and certificates: which fit, and the record of a key. Pure but for OpenSSL. */
#ifndef POSTERN_TLSA_MATCH_H
#define POSTERN_TLSA_MATCH_H

#include "certificate.h"
#include "dns_msg.h"
#include "tlsa.h"

/*
 * Does a usable record fit the chain as a server sends it: usage 3 the leaf, usage 2 any certificate after it (RFC 7671
 * 5.1, 5.2)? A leaf that is alone fits no record of usage 2, as OpenSSL, which senders verify with, takes it for no
 * authority. Names, dates and signatures are not looked at. One that cannot be used fits nothing.
 */
bool tlsa_fits(const struct tlsa *rr, X509 *const *chain, size_t count);

/* One of the records of an RRset does. */
bool tlsa_set_fits(const struct dns_rr *rr, size_t count, const struct cert_chain *chain);

/* The record 3 1 1 of a key's digest; data is key_digest itself: do not clear it. */
struct tlsa tlsa_of_digest(const uint8_t key_digest[CERT_DIGEST_LEN]);

#endif
