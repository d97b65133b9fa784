/* nexthop.c - reads the keys of policy look-ups: domains, [hosts], addresses and parents, with or without a port. */
#include "nexthop.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *nexthop_kind_name(enum nexthop_kind kind)
{
    switch (kind) {
    case NEXTHOP_DOMAIN:
        return "domain";
    case NEXTHOP_HOST:
        return "host";
    case NEXTHOP_ADDRESS:
        return "address";
    case NEXTHOP_PARENT:
        return "parent";
    }
    return "unknown";
}

/* No getservbyname: what a key means must not hang on a file of this machine. */
static uint16_t port_by_name(const char *text, size_t len)
{
    static const struct {
        const char *name;
        uint16_t port;
    } names[] = {{"smtp", 25}, {"submission", 587}, {"smtps", 465}, {"submissions", 465}};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i].name) == len && strncasecmp(names[i].name, text, len) == 0)
            return names[i].port;
    return 0;
}

static int parse_port(uint16_t *out, const char *text, size_t len, struct err *e)
{
    unsigned n = 0;
    size_t i;

    for (i = 0; i < len && i < 5 && text[i] >= '0' && text[i] <= '9'; i++)
        n = n * 10 + (unsigned)(text[i] - '0');
    if (i != len)
        n = port_by_name(text, len);
    if (n < 1 || n > UINT16_MAX)
        return err_set(e, "the port is not 1 to 65535, smtp, submission, smtps or submissions");
    *out = (uint16_t)n;
    return 0;
}

/* Fill kind and name from the text without brackets and port. */
static int parse_name(struct nexthop *out, enum nexthop_kind kind, const char *text, size_t len, struct err *e)
{
    if (address_normalise(out->name, text, len) == 1) {
        out->kind = NEXTHOP_ADDRESS;
        return 0;
    }
    out->kind = kind;
    return domain_normalise(out->name, text, len, e);
}

/* key[0] is '['. */
static int parse_bracketed(struct nexthop *out, const char *key, size_t len, struct err *e)
{
    const char *close = memchr(key, ']', len);
    const char *rest;
    size_t rest_len;

    if (close == NULL)
        return err_set(e, "a '[' without ']'");
    rest = close + 1;
    rest_len = len - (size_t)(rest - key);
    if (rest_len > 0) {
        if (rest[0] != ':')
            return err_set(e, "something other than a port after ']'");
        if (parse_port(&out->port, rest + 1, rest_len - 1, e) != 0)
            return -1;
    }
    return parse_name(out, NEXTHOP_HOST, key + 1, (size_t)(close - key) - 1, e);
}

static int parse_bare(struct nexthop *out, const char *key, size_t len, struct err *e)
{
    const char *colon = memrchr(key, ':', len);
    size_t name_len = len;

    /* An IPv6 address without brackets is all address: there is no telling its last part from a port. */
    if (colon != NULL && address_normalise(out->name, key, len) == 1) {
        out->kind = NEXTHOP_ADDRESS;
        return 0;
    }
    if (colon != NULL) {
        name_len = (size_t)(colon - key);
        if (memchr(key, ':', name_len) != NULL)
            return err_set(e, "more than one ':'");
        if (parse_port(&out->port, colon + 1, len - name_len - 1, e) != 0)
            return -1;
    }
    return parse_name(out, NEXTHOP_DOMAIN, key, name_len, e);
}

int nexthop_parse(struct nexthop *out, const char *key, size_t len, struct err *e)
{
    out->port = 0;
    if (len == 0)
        return err_set(e, "an empty key");
    if (key[0] == '[')
        return parse_bracketed(out, key, len, e);
    if (key[0] == '.') {
        out->kind = NEXTHOP_PARENT;
        return domain_normalise(out->name, key + 1, len - 1, e);
    }
    return parse_bare(out, key, len, e);
}

void nexthop_text(char out[NEXTHOP_BUF], const struct nexthop *hop)
{
    bool brackets = hop->kind == NEXTHOP_HOST || hop->kind == NEXTHOP_ADDRESS;

    snprintf(out, NEXTHOP_BUF, "%s%s%s", brackets ? "[" : (hop->kind == NEXTHOP_PARENT ? "." : ""), hop->name,
             brackets ? "]" : "");
}
