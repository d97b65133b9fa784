/* dns_server_io.c - the list of resolvers, from the configuration or /etc/resolv.conf. */
#include "dns_server_io.h"
#include "log.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

bool dns_server_trusted(const struct sockaddr *sa, bool trust_ad)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (trust_ad)
        return true;
    if (sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof(v4));
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(&v6, sa, sizeof(v6));
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127);
    }
    return false;
}

static int server_set(struct dns_server *out, const char *text, bool trust_ad, struct err *e)
{
    memset(out, 0, sizeof(*out));
    if (address_parse_port(&out->at, text, DNS_PORT, e) != 0)
        return -1;
    out->trusted = dns_server_trusted((const struct sockaddr *)&out->at.sa, trust_ad);
    return 0;
}

/* resolv.conf writes IPv6 addresses without brackets and never a port. */
static bool server_from_line(struct dns_server *out, const char *line, bool trust_ad)
{
    char word[64];
    char text[80];

    if (sscanf(line, "nameserver %63s", word) != 1)
        return false;
    (void)snprintf(text, sizeof(text), strchr(word, ':') != NULL ? "[%s]:%d" : "%s:%d", word, DNS_PORT);
    return server_set(out, text, trust_ad, NULL) == 0;
}

static size_t servers_from_file(struct dns_server *out, const char *path, bool trust_ad)
{
    char line[256];
    size_t count = 0;
    FILE *f = fopen(path, "re");

    if (f == NULL)
        return 0;
    while (count < DNS_SERVERS_MAX && fgets(line, sizeof(line), f) != NULL)
        if (server_from_line(&out[count], line, trust_ad))
            count++;
    fclose(f);
    return count;
}

/* Where one is believed only the believed ones are kept. Returns how many. */
static size_t keep_believed(struct dns_server *s, size_t count)
{
    size_t believed = 0, kept = 0;

    for (size_t i = 0; i < count; i++)
        believed += s[i].trusted ? 1 : 0;
    if (believed == 0)
        return count;
    for (size_t i = 0; i < count; i++) {
        if (s[i].trusted)
            s[kept++] = s[i];
        else
            log_warning("resolver-left-out", "resolver=%s why=%s", s[i].at.text,
                        "another one is on loopback, which is believed about DNSSEC and this one is not: asked in its "
                        "place, it would hide what is bogus");
    }
    return kept;
}

size_t dns_servers_read(struct dns_server out[DNS_SERVERS_MAX], char *const *list, const char *resolv_conf,
                        bool trust_ad, struct err *e)
{
    size_t count = 0;

    for (; list != NULL && list[count] != NULL; count++) {
        if (count == DNS_SERVERS_MAX) {
            err_set(e, "more than %d resolvers", DNS_SERVERS_MAX);
            return 0;
        }
        if (server_set(&out[count], list[count], trust_ad, e) != 0) {
            err_prefix(e, "resolver");
            return 0;
        }
    }
    if (count == 0)
        count = servers_from_file(out, resolv_conf, trust_ad);
    if (count == 0 && server_set(&out[0], "127.0.0.1:53", trust_ad, e) == 0)
        count = 1;
    return keep_believed(out, count);
}
