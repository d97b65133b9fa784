/*
 * domain.h - domain names in their one form: lower case, A-labels (IDNA 2008 by libidn2, UTS 46 mapping,
 * non-transitional), no final dot, labels of 1 to 63 octets, at most 253 in all (RFC 1035 2.3.4, RFC 5890).
 */
#ifndef POSTERN_DOMAIN_H
#define POSTERN_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define DOMAIN_MAX  253
#define DOMAIN_BUF  (DOMAIN_MAX + 1)
#define LABEL_MAX   63
#define ADDRESS_BUF 46 /* INET6_ADDRSTRLEN: text of an address, RFC 5952 form */

/*
 * Bring a name into the one form. Letters, digits, '-' and '_' (which DNS allows and some MX hosts have) are taken;
 * non-ASCII must be valid UTF-8 and pass IDNA. One final dot is dropped. Refused: empty names and labels, "..", blanks,
 * control octets, anything else; labels that begin or end with '-' (as Postfix does); names that are all-numeric in
 * their last label (RFC 3696 2: no TLD is). Allocates nothing for ASCII names. Returns 0, or -1 with the broken rule in
 * e.
 */
int domain_normalise(char out[DOMAIN_BUF], const char *name, size_t len, struct err *e);

/* True when both, already in the one form, are the same name. */
bool domain_equal(const char *a, const char *b);

/*
 * Read an IPv4 or IPv6 address in text into its shortest form (RFC 5952). The prefix "IPv6:" of RFC 5321 4.1.3 is
 * allowed. Returns 1 for an address, 0 when it is none.
 */
int address_normalise(char out[ADDRESS_BUF], const char *text, size_t len);

/* The network that one host can have to itself: an IPv4 address, the first 64 bits of an IPv6 address. The address is
 * in its shortest form. */
void address_network(char out[ADDRESS_BUF], const char *address);

#endif
