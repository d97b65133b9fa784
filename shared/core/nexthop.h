/*
 * nexthop.h - what an MTA calls the place where mail goes next, as it arrives in a policy look-up (Postfix
 * TLS_README, smtp_tls_policy_maps; the forms that really arrive stand in doc/architecture.md).
 */
#ifndef POSTERN_NEXTHOP_H
#define POSTERN_NEXTHOP_H

#include <stdint.h>

#include "domain.h"

enum nexthop_kind {
    NEXTHOP_DOMAIN,  /* example.com, example.com:587: MX look-up, the policy domain of RFC 8461 */
    NEXTHOP_HOST,    /* [mx.example.com], [mx.example.com]:25: no MX look-up, so no MTA-STS (check A10) */
    NEXTHOP_ADDRESS, /* [192.0.2.1], [IPv6:2001:db8::1]:25, 127.0.0.1:2424 */
    NEXTHOP_PARENT   /* .example.com: Postfix asks for parents too; never ours to answer */
};

const char *nexthop_kind_name(enum nexthop_kind kind); /* "domain", "host", "address", "parent" */

struct nexthop {
    enum nexthop_kind kind;
    char name[DOMAIN_BUF]; /* the domain, host or address in its one form; for a parent without its dot */
    uint16_t port;         /* 0: none was given */
};

/*
 * Read a key. Any case, final dot, brackets, port as digits 1..65535 or the service names smtp, submission(587),
 * smtps and submissions(465). Returns 0, or -1 with the broken rule in e (the key itself is not in the text).
 */
int nexthop_parse(struct nexthop *out, const char *key, size_t len, struct err *e);

#define NEXTHOP_BUF (DOMAIN_BUF + 2)

/* The next hop in its one form without the port: "example.com", "[mx.example.com]", "[192.0.2.1]", ".example.com". */
void nexthop_text(char out[NEXTHOP_BUF], const struct nexthop *hop);

#endif
