/* request.c - see request.h. */
#include "request.h"

#include "socketmap.h"

#include <string.h>

static int map_of(enum answer_map *out, const struct socketmap_request *req)
{
    if (socketmap_is_map(req, "postfix") || socketmap_is_map(req, "QUERY"))
        *out = ANSWER_POSTFIX;
    else if (socketmap_is_map(req, "QUERYwithTLSRPT"))
        *out = ANSWER_TLSRPT;
    else
        return 0;
    return 1;
}

static void bad(struct request *out, const char *why)
{
    out->kind = REQUEST_BAD;
    err_set(&out->why, "%s", why);
}

void request_parse(struct request *out, const char *data, size_t len)
{
    struct socketmap_request req;

    out->why.text[0] = '\0';
    if (socketmap_request_parse(&req, data, len) != 0) {
        bad(out, "a request is a map name, a blank and a key");
        return;
    }
    if (map_of(&out->map, &req) == 0) {
        bad(out, "no such map; there are postfix, QUERY and QUERYwithTLSRPT");
        return;
    }
    /* Answering a parent would cover all its subdomains; a path is the next hop of LMTP over a unix socket. */
    if (req.key[0] == '.' || memchr(req.key, '/', req.key_len) != NULL) {
        out->kind = REQUEST_NOTFOUND;
        return;
    }
    if (nexthop_parse(&out->hop, req.key, req.key_len, &out->why) != 0) {
        out->kind = REQUEST_BAD;
        return;
    }
    out->kind = out->hop.kind == NEXTHOP_DOMAIN ? REQUEST_DOMAIN : REQUEST_NOTFOUND;
}
