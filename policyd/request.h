/* request.h - from the octets of one socketmap request to the question it asks. Pure. */
#ifndef POSTERN_REQUEST_H
#define POSTERN_REQUEST_H

#include <stddef.h>

#include "answer.h"
#include "nexthop.h"

enum request_kind {
    REQUEST_DOMAIN,   /* look hop.name up for map */
    REQUEST_NOTFOUND, /* no policy can exist for this key: parents, [hosts], addresses */
    REQUEST_BAD       /* unknown map, broken key: a permanent error, see why */
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
