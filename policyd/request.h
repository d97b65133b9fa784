/* request.h - from the octets of one socketmap request to the question it asks. Pure. */
#ifndef POSTERN_REQUEST_H
#define POSTERN_REQUEST_H

#include <stddef.h>

#include "answer.h"
#include "nexthop.h"

enum request_kind {
    REQUEST_POLICY,     /* the TLS policy for a next hop, in the form of map */
    REQUEST_TRANSPORT,  /* which transport a recipient's domain (hop.name) has */
    REQUEST_EHLO,       /* what a client is not to be offered: hop.name is its address or its name, as hop.kind says */
    REQUEST_REQUIRETLS, /* what becomes of REQUIRETLS mail to a next hop */
    REQUEST_NOTFOUND,   /* nothing can be said for this key: parents, paths */
    REQUEST_BAD         /* unknown map, broken key: a permanent error, see why */
};

struct request {
    enum request_kind kind;
    enum answer_map map;
    struct nexthop hop;
    struct err why;
};

/* Read the contents of a request netstring. */
void request_parse(struct request *out, const char *data, size_t len);

#endif
