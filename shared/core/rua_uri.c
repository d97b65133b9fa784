/*
 * rua_uri.c - the URIs that a stranger asks us to send reports to. Whatever could leave its place (a header field, an
 * option, a line end) is refused here, once, so that the senders deal with plain addresses and host names.
 */
#include "rua_uri.h"

#include "ascii.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define PORT_MAX 65535

static const char mailto[] = "mailto:";
static const char https[] = "https://";

static bool begins_with(const char *uri, size_t len, const char *prefix)
{
    return len >= strlen(prefix) && strncasecmp(uri, prefix, strlen(prefix)) == 0;
}

static bool is_among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_escape(const char *s, size_t len)
{
    return len >= 3 && s[0] == '%' && ascii_hex_value(s[1]) >= 0 && ascii_hex_value(s[2]) >= 0;
}

/* RFC 3986, less the three that RFC 8460 wants encoded. */
static int check_octets(const char *uri, size_t len, struct err *e)
{
    bool has_fragment = false;

    for (size_t i = 0; i < len; i++) {
        char c = uri[i];
        if (is_among(c, ",!;"))
            return err_set(e, "'%c' must be written as %%%02X in the URI", c, (unsigned)c);
        if (c == '%' && !is_escape(uri + i, len - i))
            return err_set(e, "'%%' without two hex digits in the URI");
        if (c == '#' && has_fragment)
            return err_set(e, "a second '#' in the URI");
        has_fragment = has_fragment || c == '#';
        if (!ascii_is_alnum(c) && !is_among(c, "-._~:/?#[]@$&'()*+=%"))
            return err_set(e, "octet 0x%02x is not allowed in a URI", (unsigned)(unsigned char)c);
    }
    return 0;
}

static int check_scheme(const char *uri, size_t len, struct err *e)
{
    size_t n = 0;

    while (n < len && (ascii_is_alnum(uri[n]) || is_among(uri[n], "+-.")))
        n++;
    if (n == 0 || n == len || uri[n] != ':' || !ascii_is_alpha(uri[0]))
        return err_set(e, "a URI begins with a scheme, such as mailto:");
    return 0;
}

/* Returns the octets written; out has room for len. The escapes have been checked. */
static size_t decode_escapes(char *out, const char *s, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%') {
            out[n++] = (char)(ascii_hex_value(s[i + 1]) * 16 + ascii_hex_value(s[i + 2]));
            i += 2;
        } else {
            out[n++] = s[i];
        }
    }
    return n;
}

static int check_local_part(const char *local, size_t len, struct err *e)
{
    if (len == 0 || len > RUA_LOCAL_MAX)
        return err_set(e, "the part of the address before '@' must have 1 to %d octets", RUA_LOCAL_MAX);
    for (size_t i = 0; i < len; i++) {
        if (!ascii_is_alnum(local[i]) && !is_among(local[i], "!#$%&'*+-/=?^_`{|}~.")) {
            return err_set(e, "octet 0x%02x is not allowed in the part of the address before '@'",
                           (unsigned)(unsigned char)local[i]);
        }
    }
    return 0;
}

int rua_address(char out[RUA_ADDRESS_BUF], const char *address, size_t len, struct err *e)
{
    char domain[DOMAIN_BUF];
    const char *at = memchr(address, '@', len);
    size_t local_len = at == NULL ? 0 : (size_t)(at - address);

    if (at == NULL)
        return err_set(e, "the address has no '@'");
    if (check_local_part(address, local_len, e) < 0)
        return -1;
    if (domain_normalise(domain, at + 1, len - local_len - 1, e) < 0)
        return err_prefix(e, "the domain of the address");
    memcpy(out, address, local_len + 1);
    memcpy(out + local_len + 1, domain, strlen(domain) + 1);
    return 0;
}

static int check_length(size_t len, struct err *e)
{
    return len <= RUA_URI_MAX ? 0 : err_set(e, "the URI has %zu octets, but at most %d are taken", len, RUA_URI_MAX);
}

int rua_mailto_address(char out[RUA_ADDRESS_BUF], const char *uri, size_t len, struct err *e)
{
    char address[RUA_URI_MAX] = "";
    size_t n;

    if (check_length(len, e) < 0 || check_octets(uri, len, e) < 0)
        return -1;
    if (!begins_with(uri, len, mailto))
        return err_set(e, "not a mailto: URI");
    uri += sizeof mailto - 1;
    len -= sizeof mailto - 1;
    if (memchr(uri, '?', len) != NULL || memchr(uri, '#', len) != NULL)
        return err_set(e, "a mailto: URI for reports must be an address only, without '?' and '#'");
    n = decode_escapes(address, uri, len);
    return rua_address(out, address, n, e);
}

static size_t find_any(const char *s, size_t len, const char *set)
{
    size_t n = 0;

    while (n < len && !is_among(s[n], set))
        n++;
    return n;
}

static int check_port(const char *port, size_t len, struct err *e)
{
    unsigned long n = 0;

    for (size_t i = 0; i < len && n <= PORT_MAX; i++) {
        if (!ascii_is_digit(port[i]))
            return err_set(e, "the port of the URI is no number");
        n = n * 10 + (unsigned long)(port[i] - '0');
    }
    if (n == 0 || n > PORT_MAX)
        return err_set(e, "the port of the URI is not between 1 and %d", PORT_MAX);
    return 0;
}

static int check_host(const char *host, size_t len, struct err *e)
{
    char name[DOMAIN_BUF];
    char address[ADDRESS_BUF];

    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        bool may_be = host[1] == ':' || ascii_hex_value(host[1]) >= 0; /* but not the "IPv6:" of mail */
        if (may_be && memchr(host, ':', len) != NULL && address_normalise(address, host + 1, len - 2) == 1)
            return 0;
        return err_set(e, "no IPv6 address between '[' and ']'");
    }
    if (address_normalise(address, host, len) == 1)
        return 0;
    if (domain_normalise(name, host, len, e) < 0)
        return err_prefix(e, "the host of the URI");
    return 0;
}

/* [userinfo "@"] host [":" port] */
static int check_authority(const char *s, size_t len, struct err *e)
{
    const char *at = memrchr(s, '@', len);
    size_t host_len;

    if (at != NULL) {
        len -= (size_t)(at - s) + 1;
        s = at + 1;
    }
    host_len = len > 0 && s[0] == '[' ? find_any(s, len, "]") : find_any(s, len, ":");
    if (host_len < len && s[host_len] == ']')
        host_len++;
    if (check_host(s, host_len, e) < 0)
        return -1;
    if (host_len == len)
        return 0;
    if (s[host_len] != ':')
        return err_set(e, "'%c' after the host of the URI", s[host_len]);
    return check_port(s + host_len + 1, len - host_len - 1, e);
}

static int check_https(const char *uri, size_t len, struct err *e)
{
    size_t skip = sizeof https - 1;
    size_t authority_len;

    if (!begins_with(uri, len, https))
        return err_set(e, "\"//\" must follow https:");
    authority_len = find_any(uri + skip, len - skip, "/?#");
    if (find_any(uri + skip + authority_len, len - skip - authority_len, "[]") < len - skip - authority_len)
        return err_set(e, "'[' and ']' are only allowed around an IPv6 address");
    return check_authority(uri + skip, authority_len, e);
}

int rua_uri_check(enum rua_kind *kind, const char *uri, size_t len, struct err *e)
{
    char address[RUA_ADDRESS_BUF];

    *kind = RUA_OTHER;
    if (check_scheme(uri, len, e) < 0 || check_octets(uri, len, e) < 0)
        return -1;
    if (begins_with(uri, len, mailto)) {
        *kind = RUA_MAILTO;
        return rua_mailto_address(address, uri, len, e);
    }
    if (begins_with(uri, len, "https:")) {
        *kind = RUA_HTTPS;
        return check_length(len, e) < 0 ? -1 : check_https(uri, len, e);
    }
    return 0;
}
