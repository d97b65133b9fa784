/* dns_wire.h - names between their one form (domain.h) and the uncompressed labels of a DNS message. For dns_msg.c and
 * dns_reply.c. */
#ifndef POSTERN_DNS_WIRE_H
#define POSTERN_DNS_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "domain.h"
#include "err.h"

#define DNS_WIRE_MAX 255 /* octets of a name, RFC 1035 2.3.4 */

/* Returns the octets written, or -1 when the text is no name: an empty or long label, too long in all. Case is kept. */
int dns_wire_from_name(uint8_t out[DNS_WIRE_MAX], const char *name, struct err *e);

/*
 * The reverse, for foreign labels: only octets that a name in its one form may come from. Non-ASCII octets are refused,
 * since a U-label in the wire is another name than its A-label, and so is a dot within a label. The root gives "".
 * Returns 0 or -1.
 */
int dns_wire_to_name(char out[DOMAIN_BUF], const uint8_t *wire, size_t len, struct err *e);

#endif
