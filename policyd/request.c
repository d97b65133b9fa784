/* request.c - see request.h. */
#include "request.h"

#include "socketmap.h"

#include <string.h>

static const struct map {
    const char *name;
    enum request_kind kind;
    enum answer_map map;
} maps[] = {
    {"postfix", REQUEST_POLICY, ANSWER_POSTFIX},
    {"QUERY", REQUEST_POLICY, ANSWER_POSTFIX},
    {"QUERYwithTLSRPT", REQUEST_POLICY, ANSWER_TLSRPT},
    {"transport", REQUEST_TRANSPORT, ANSWER_POSTFIX},
    {"ehlo", REQUEST_EHLO, ANSWER_POSTFIX},
    {"requiretls", REQUEST_REQUIRETLS, ANSWER_POSTFIX},
};

static const struct map *map_of(const struct socketmap_request *req)
{
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
        if (socketmap_is_map(req, maps[i].name))
            return &maps[i];
    return NULL;
}

static void bad(struct request *out, const char *why)
{
    out->kind = REQUEST_BAD;
    err_set(&out->why, "%s", why);
}

/* An address, or the name that the MTA found for it; "unknown" is such a name, which fits nothing. */
static void parse_client(struct request *out, const char *key, size_t len)
{
    out->hop.port = 0;
    out->hop.kind = address_normalise(out->hop.name, key, len) == 1 ? NEXTHOP_ADDRESS : NEXTHOP_DOMAIN;
    if (out->hop.kind == NEXTHOP_DOMAIN && domain_normalise(out->hop.name, key, len, NULL) != 0)
        out->kind = REQUEST_NOTFOUND;
}

/* Answering a parent would cover all its subdomains; a path is the next hop of LMTP over a unix socket. */
static void parse_policy(struct request *out, const char *key, size_t len)
{
    if (key[0] == '.' || memchr(key, '/', len) != NULL)
        out->kind = REQUEST_NOTFOUND;
    else if (nexthop_parse(&out->hop, key, len, &out->why) != 0)
        out->kind = REQUEST_BAD;
}

/* Postfix asks without brackets and port, so an address may stand there bare. */
static void parse_requiretls(struct request *out, const char *key, size_t len)
{
    out->hop.port = 0;
    out->hop.kind = NEXTHOP_ADDRESS;
    if (address_normalise(out->hop.name, key, len) != 1)
        parse_policy(out, key, len);
}

/* Postfix asks a socketmap for whole mail addresses and for "*"; other tables, and people, for domains, too. */
static void parse_transport(struct request *out, const char *key, size_t len)
{
    const char *at = memrchr(key, '@', len);

    if (at != NULL) {
        len -= (size_t)(at + 1 - key);
        key = at + 1;
    }
    if (len == 0 || key[0] == '.' || nexthop_parse(&out->hop, key, len, NULL) != 0 || out->hop.kind != NEXTHOP_DOMAIN)
        out->kind = REQUEST_NOTFOUND;
}

void request_parse(struct request *out, const char *data, size_t len)
{
    struct socketmap_request req;
    const struct map *map;

    out->why.text[0] = '\0';
    if (socketmap_request_parse(&req, data, len) != 0) {
        bad(out, "a request is a map name, a blank and a key");
        return;
    }
    map = map_of(&req);
    if (map == NULL) {
        bad(out, "no such map; there are postfix, QUERY, QUERYwithTLSRPT, transport, ehlo and requiretls");
        return;
    }
    out->kind = map->kind;
    out->map = map->map;
    if (map->kind == REQUEST_POLICY)
        parse_policy(out, req.key, req.key_len);
    else if (map->kind == REQUEST_TRANSPORT)
        parse_transport(out, req.key, req.key_len);
    else if (map->kind == REQUEST_REQUIRETLS)
        parse_requiretls(out, req.key, req.key_len);
    else
        parse_client(out, req.key, req.key_len);
}
