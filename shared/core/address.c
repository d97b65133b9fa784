/*
 * address.c - socket addresses as they are written in the configuration. Names are not resolved, ports have no names
 * and IPv6 addresses no scope: an address means the same on every machine and at every time.
 */
#include "address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define PORT_DIGITS 5
#define HOST_MAX    (INET6_ADDRSTRLEN + 2) /* with the brackets */

static int port_parse(in_port_t *out, const char *text)
{
    unsigned n = 0;
    size_t i;

    for (i = 0; text[i] >= '0' && text[i] <= '9' && i < PORT_DIGITS; i++)
        n = n * 10 + (unsigned)(text[i] - '0');
    if (i == 0 || text[i] != '\0' || text[0] == '0' || n > 65535)
        return -1;
    *out = htons((in_port_t)n);
    return 0;
}

/* host[0..len): "192.0.2.1", "[2001:db8::1]" or, when that is allowed, "*". */
static int host_parse(struct address *out, const char *host, size_t len, in_port_t port, int star)
{
    char text[HOST_MAX + 1];
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->sa;

    if (len == 0 || len > HOST_MAX)
        return -1;
    memcpy(text, host, len);
    text[len] = '\0';
    if (text[0] == '[') {
        if (text[len - 1] != ']')
            return -1;
        text[len - 1] = '\0';
        v6->sin6_family = AF_INET6;
        v6->sin6_port = port;
        out->len = sizeof(*v6);
        return inet_pton(AF_INET6, text + 1, &v6->sin6_addr) == 1 ? 0 : -1;
    }
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    out->len = sizeof(*v4);
    if (star && strcmp(text, "*") == 0) {
        v4->sin_addr.s_addr = htonl(INADDR_ANY);
        return 0;
    }
    return inet_pton(AF_INET, text, &v4->sin_addr) == 1 ? 0 : -1;
}

static int unix_parse(struct address *out, const char *path, struct err *e)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&out->sa;
    size_t len = strlen(path);

    if (path[0] != '/' || path[len - 1] == '/')
        return err_set(e, "\"%s\" is no absolute path; write unix:/run/postern/NAME.sock", out->text);
    if (len >= sizeof(un->sun_path)) {
        return err_set(e, "\"%s\" is longer than the %zu octets that a socket's path may have", out->text,
                       sizeof(un->sun_path) - 1);
    }
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, len + 1);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return 0;
}

static int inet_parse(struct address *out, const char *rest, struct err *e)
{
    const char *colon = strrchr(rest, ':');
    in_port_t port;

    if (colon == NULL || port_parse(&port, colon + 1) != 0)
        return err_set(e, "\"%s\" has no port from 1 to 65535 at its end; write inet:127.0.0.1:8461", out->text);
    if (host_parse(out, rest, (size_t)(colon - rest), port, 1) != 0)
        return err_set(e, "\"%s\" has no IP address; write inet:127.0.0.1:8461 or inet:[::1]:8461", out->text);
    return 0;
}

static int text_set(struct address *out, const char *text, struct err *e)
{
    size_t len = strlen(text);

    memset(out, 0, sizeof(*out));
    if (len >= sizeof(out->text))
        return err_set(e, "\"%.60s...\" is too long for an address", text);
    memcpy(out->text, text, len + 1);
    return 0;
}

int address_parse(struct address *out, const char *text, struct err *e)
{
    if (text_set(out, text, e) != 0)
        return -1;
    if (strncmp(out->text, "unix:", 5) == 0)
        return unix_parse(out, out->text + 5, e);
    if (strncmp(out->text, "inet:", 5) == 0 || strncmp(out->text, "tcp:", 4) == 0)
        return inet_parse(out, strchr(out->text, ':') + 1, e);
    return err_set(e, "\"%s\" is no address; write unix:/path or inet:ADDRESS:PORT", out->text);
}

static unsigned port_of(const struct address *a)
{
    if (a->sa.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&a->sa)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&a->sa)->sin_port);
}

int address_nth(struct address *out, const char *text, unsigned n, struct err *e)
{
    char nth[sizeof(out->text) + 16];

    if (address_parse(out, text, e) != 0)
        return -1;
    if (n <= 1)
        return 0;
    if (out->sa.ss_family == AF_UNIX)
        (void)snprintf(nth, sizeof(nth), "%s.%u", text, n);
    else
        (void)snprintf(nth, sizeof(nth), "%.*s:%u", (int)(strrchr(text, ':') - text), text, port_of(out) + n - 1);
    return address_parse(out, nth, e);
}

/* The digits before *end, back to what is none: a number up to 255, or -1. *start is where they begin. */
static int octet_before(const char **start, const char *text, const char *end)
{
    int n = 0, scale = 1;

    for (*start = end; *start > text && isdigit((unsigned char)(*start)[-1]) && end - *start < 4; --*start) {
        n += scale * ((*start)[-1] - '0');
        scale *= 10;
    }
    return *start == end || n > 255 ? -1 : n;
}

size_t address_range(char out[ADDRESS_TEXT], const char *text, size_t n, struct err *e)
{
    const char *colon = strrchr(text, ':');
    const char *last_at = colon, *first_at;
    int last = strncmp(text, "unix:", 5) != 0 && colon != NULL ? octet_before(&last_at, text, colon) : -1;
    bool range = last >= 0 && last_at > text && last_at[-1] == '-';
    int first = range ? octet_before(&first_at, text, last_at - 1) : -1;
    int len;

    if (range && (first < 0 || first > last)) {
        (void)err_set(e, "\"%.60s\" is no range of addresses; write inet:127.0.1.1-16:8689", text);
        return 0;
    }
    if (range)
        len = snprintf(out, ADDRESS_TEXT, "%.*s%zu%s", (int)(first_at - text), text, (size_t)first + n, colon);
    else
        len = snprintf(out, ADDRESS_TEXT, "%s", text);
    if (len >= ADDRESS_TEXT) {
        (void)err_set(e, "\"%.60s...\" is too long for an address", text);
        return 0;
    }
    return range ? (size_t)(last - first) + 1 : 1;
}

bool address_is_near(const struct address *a)
{
    if (a->sa.ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)&a->sa)->sin_addr.s_addr) >> 24 == 127;
    return a->sa.ss_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&a->sa)->sin6_addr);
}

int address_of_ip(struct address *out, const char *ip, uint16_t port)
{
    char text[ADDRESS_TEXT];
    int len = snprintf(text, sizeof(text), strchr(ip, ':') != NULL ? "inet:[%s]:%u" : "inet:%s:%u", ip, (unsigned)port);

    return ip[0] != '*' && len > 0 && (size_t)len < sizeof(text) ? address_parse(out, text, NULL) : -1;
}

int address_parse_port(struct address *out, const char *text, unsigned default_port, struct err *e)
{
    in_port_t port = htons((in_port_t)default_port);
    const char *colon;
    size_t len;

    if (text_set(out, text, e) != 0)
        return -1;
    len = strlen(out->text);
    colon = strrchr(out->text, ':');
    if (colon != NULL && len > 0 && out->text[len - 1] != ']') {
        if (port_parse(&port, colon + 1) != 0) {
            return err_set(e, "\"%s\" has no port from 1 to 65535 after its last colon; write 127.0.0.1:%u or [::1]:%u",
                           out->text, default_port, default_port);
        }
        len = (size_t)(colon - out->text);
    }
    if (host_parse(out, out->text, len, port, 0) != 0) {
        return err_set(e, "\"%s\" is no IP address; write 127.0.0.1:%u or [::1]:%u", out->text, default_port,
                       default_port);
    }
    return 0;
}
