/* list_pattern.c - reads the patterns of the operator's lists. */
#include "list_pattern.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int list_address_parse(struct list_address *out, const char *text)
{
    memset(out, 0, sizeof(*out));
    out->bits = strchr(text, ':') == NULL ? 32 : 128;
    return inet_pton(out->bits == 32 ? AF_INET : AF_INET6, text, out->octet) == 1;
}

int list_address_mask(struct list_address *a, unsigned prefix)
{
    bool changed = false;

    for (unsigned i = 0; i < a->bits / 8; i++) {
        unsigned kept = prefix >= (i + 1) * 8 ? 8 : prefix > i * 8 ? prefix - i * 8 : 0;
        uint8_t octet = (uint8_t)(a->octet[i] & (0xff00U >> kept));

        changed = changed || octet != a->octet[i];
        a->octet[i] = octet;
    }
    return changed;
}

static void network_text(char out[LIST_PATTERN_BUF], const struct list_address *a, unsigned prefix)
{
    char text[ADDRESS_BUF] = "";

    inet_ntop(a->bits == 32 ? AF_INET : AF_INET6, a->octet, text, sizeof(text));
    if (prefix == a->bits)
        snprintf(out, LIST_PATTERN_BUF, "%s", text);
    else
        snprintf(out, LIST_PATTERN_BUF, "%s/%u", text, prefix);
}

/* One to three digits. Returns -1 for anything else. */
static int prefix_parse(const char *text, size_t len)
{
    int n = 0;

    if (len == 0 || len > 3)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        n = n * 10 + (text[i] - '0');
    }
    return n;
}

/* slash: where the prefix begins in text, or text + len. */
static int parse_network(struct list_pattern *out, const char *address, const char *slash, size_t prefix_len,
                         struct err *e)
{
    int prefix;

    if (list_address_parse(&out->network, address) != 1)
        return err_set(e, "\"%s\" is no address", address);
    prefix = prefix_len == 0 ? (int)out->network.bits : prefix_parse(slash + 1, prefix_len - 1);
    if (prefix < 0 || (unsigned)prefix > out->network.bits)
        return err_set(e, "the number behind \"/\" must be 0 to %u", out->network.bits);
    out->form = LIST_NETWORK;
    out->prefix = (unsigned)prefix;
    if (list_address_mask(&out->network, out->prefix)) {
        network_text(out->text, &out->network, out->prefix);
        return err_set(e, "the address has bits behind its prefix: write %s, or %s for that address alone", out->text,
                       address);
    }
    network_text(out->text, &out->network, out->prefix);
    return 0;
}

static int parse_name(struct list_pattern *out, enum list_form form, const char *name, size_t len, struct err *e)
{
    char normal[DOMAIN_BUF];

    if (domain_normalise(normal, name, len, e) != 0)
        return -1;
    out->form = form;
    snprintf(out->text, sizeof(out->text), "%s%s", form == LIST_BELOW ? "." : "", normal);
    return 0;
}

/* text[0] is '['. */
static int parse_nexthop(struct list_pattern *out, const char *text, size_t len, struct err *e)
{
    char name[DOMAIN_BUF];

    if (text[len - 1] != ']')
        return err_set(e, "a next hop stands in brackets, without a port, such as [host.example.com]");
    if (address_normalise(name, text + 1, len - 2) != 1 && domain_normalise(name, text + 1, len - 2, e) != 0)
        return -1;
    out->form = LIST_NEXTHOP;
    snprintf(out->text, sizeof(out->text), "[%s]", name);
    return 0;
}

/* A name and a port. */
static int port_mistake(const char *text, size_t len, struct err *e)
{
    const char *colon = memchr(text, ':', len);
    size_t name_len = colon == NULL ? 0 : (size_t)(colon - text);

    if (name_len == 0 || text[0] == '[' || name_len + 1 == len)
        return 0;
    for (size_t i = name_len + 1; i < len; i++)
        if (text[i] < '0' || text[i] > '9')
            return 0;
    if (memchr(text, '.', name_len) == NULL) /* 2001:1 is more likely an address that was meant */
        return 0;
    return err_set(e, "an entry goes for all ports: write %.*s", (int)name_len, text);
}

/* Mistakes that are often made, with what was meant. Returns -1, or 0 when it is none of them. */
static int common_mistake(const char *text, size_t len, struct err *e)
{
    const char *at = memrchr(text, '@', len);

    if (at != NULL)
        return err_set(e, "patterns are destinations, not mail addresses: write %.*s",
                       (int)(len - (size_t)(at - text) - 1), at + 1);
    if (len > 2 && text[0] == '*' && text[1] == '.')
        return err_set(e, "no \"*\": write %.*s for the names below it", (int)(len - 1), text + 1);
    if (memchr(text, '*', len) != NULL)
        return err_set(e, "\"*\" is no part of a pattern; write .example.com for all names below example.com");
    return port_mistake(text, len, e);
}

int list_pattern_parse(struct list_pattern *out, const char *text, size_t len, struct err *e)
{
    const char *slash = len == 0 ? NULL : memchr(text, '/', len);
    size_t address_len = slash == NULL ? len : (size_t)(slash - text);
    char address[ADDRESS_BUF];

    memset(out, 0, sizeof(*out));
    if (len == 0)
        return err_set(e, "an empty pattern");
    if (common_mistake(text, len, e) != 0)
        return -1;
    if (text[0] == '[')
        return parse_nexthop(out, text, len, e);
    if (address_normalise(address, text, address_len) == 1)
        return parse_network(out, address, slash, len - address_len, e);
    if (slash != NULL)
        return err_set(e, "what stands before \"/\" is no address; a network is written 192.0.2.0/24 or 2001:db8::/32");
    if (text[0] == '.')
        return parse_name(out, LIST_BELOW, text + 1, len - 1, e);
    return parse_name(out, LIST_NAME, text, len, e);
}
