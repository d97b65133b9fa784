/*
 * exim_request.h - what Exim asks by ${readsocket}: one line, its words separated by single blanks. Pure; nothing is
 * allocated.
 *
 *   policy DOMAIN              mx DOMAIN HOST
 *   list LIST KEY              route LOCAL_PART@DOMAIN
 */
#ifndef POSTERN_EXIM_REQUEST_H
#define POSTERN_EXIM_REQUEST_H

#include <sys/types.h>

#include "address_tag.h"
#include "list.h"
#include "nexthop.h"

#define EXIM_REQUEST_MAX 1024 /* octets of a line without its LF */

enum exim_verb { EXIM_POLICY, EXIM_MX, EXIM_LIST, EXIM_ROUTE };

struct exim_request {
    enum exim_verb verb;
    struct nexthop hop;    /* policy, mx: the domain, without port */
    char host[DOMAIN_BUF]; /* mx, in its one form */
    enum list_id list;     /* list */
    const char *key;       /* list: what is asked for; route: the address. In the caller's octets, not terminated */
    size_t key_len;
    const char *domain; /* route: what stands behind the last @ of it */
    size_t domain_len;
};

/* The octets of the line that data begins with, its LF included. 0: more are needed; -1 with the reason in e: too long.
 */
ssize_t exim_request_line(const char *data, size_t len, struct err *e);

/*
 * Read a line without its LF. Returns 0, or -1 with what is wrong in e: another verb, words missing, empty or too many,
 * a control octet; DOMAIN or HOST is no domain name (nor is an address literal, a host in brackets, or a domain with a
 * port); there is no such list; an address without local part or domain. KEY and addresses may have blanks in them.
 */
int exim_request_parse(struct exim_request *out, const char *line, size_t len, struct err *e);

enum exim_route { EXIM_ROUTE_NONE, EXIM_ROUTE_RELAXED, EXIM_ROUTE_REQUIRETLS };

/*
 * Which tag the local part ends in. Exim gives local parts without their quotes; an address that is written as RFC 5321
 * has it is understood as well. Of several tags behind one another requiretls counts. For addresses of the second kind
 * memory is taken and freed; without memory requiretls is returned.
 */
enum exim_route exim_request_route(const struct exim_request *req, const struct address_tag *requiretls,
                                   const struct address_tag *optional);

#endif
