/*
 * list_pattern.h - what the entries of the operator's lists stand for: destinations, MX hosts, clients. Pure.
 *
 *   example.com           that name
 *   .example.com          the names below it, at any depth, not itself
 *   [host.example.com]    exactly that next hop, as main.cf or a transport map writes it; so also [192.0.2.1]
 *   192.0.2.0/24          the addresses of that network; an address alone is a network of one
 */
#ifndef POSTERN_LIST_PATTERN_H
#define POSTERN_LIST_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "domain.h"

enum list_form { LIST_NAME, LIST_BELOW, LIST_NEXTHOP, LIST_NETWORK };

#define LIST_PATTERN_BUF (DOMAIN_BUF + 2) /* the longest name in brackets */

/* The 4 or 16 octets of an address. */
struct list_address {
    uint8_t octet[16];
    unsigned bits; /* 32 or 128: how many of them count */
};

struct list_pattern {
    enum list_form form;
    char text[LIST_PATTERN_BUF]; /* in its one form: names as domain.h has it, addresses as RFC 5952, no /32 or /128 */
    struct list_address network; /* LIST_NETWORK: octets past the prefix are 0 */
    unsigned prefix;             /* LIST_NETWORK: bits of the prefix */
};

/*
 * Read a pattern in any case, with or without a final dot, international names in UTF-8. Returns 0, or -1 with what is
 * wrong, and where it can be told what to write instead, in e.
 */
int list_pattern_parse(struct list_pattern *out, const char *text, size_t len, struct err *e);

/* Read an address as domain.h has it. Returns 1, or 0 when it is none. */
int list_address_parse(struct list_address *out, const char *text);

/* Set the octets past the first `prefix` bits to 0. Returns whether any was set. */
int list_address_mask(struct list_address *a, unsigned prefix);

#endif
