/* cert_where.c - where a mail server listens, so that it can be seen what it serves; see cert_use.h. */
#include "cert_use.h"

#include <stdio.h>
#include <string.h>

#include "domain.h"

/* --- Postfix --- */

static bool takes_mail(const struct postfix_conf *p, const struct postfix_service *s)
{
    return strcmp(s->type, "inet") == 0 &&
           (strcmp(s->command, "smtpd") == 0 || strcmp(s->command, "postscreen") == 0) &&
           strcmp(postfix_value(p, s, "smtpd_tls_wrappermode"), "yes") != 0;
}

/* "[::1]:25", "127.0.0.1:smtp", "smtp" */
static void split_name(struct cert_where *out, const char *name)
{
    const char *colon = strrchr(name, ':');
    size_t len = colon != NULL ? (size_t)(colon - name) : 0;

    if (len >= 2 && name[0] == '[' && name[len - 1] == ']') {
        name++;
        len -= 2;
    }
    (void)snprintf(out->host, sizeof(out->host), "%.*s", (int)len, name);
    (void)snprintf(out->port, sizeof(out->port), "%s", colon != NULL ? colon + 1 : name);
}

static const struct postfix_service *find_service(const struct postfix_conf *p)
{
    const struct postfix_service *first = NULL;
    struct cert_where at;

    for (size_t i = 0; i < p->service_count; i++) {
        const struct postfix_service *s = &p->service[i];
        if (!takes_mail(p, s))
            continue;
        split_name(&at, s->name);
        if (strcmp(at.port, "smtp") == 0 || strcmp(at.port, "25") == 0)
            return s;
        if (first == NULL)
            first = s;
    }
    return first;
}

void cert_where_postfix(struct cert_where *out, const struct postfix_conf *p, const struct postfix_service **service)
{
    const struct postfix_service *s = find_service(p);
    const char *interfaces = postfix_value(p, NULL, "inet_interfaces"), *word = "";
    size_t len = 0;

    *out = (struct cert_where){"", ""};
    if (service != NULL)
        *service = s;
    if (s == NULL)
        return;
    split_name(out, s->name);
    if (out->host[0] != '\0')
        return;
    if (!postfix_word(&interfaces, &word, &len) || postfix_list_has(postfix_value(p, NULL, "inet_interfaces"), "all") ||
        postfix_list_has(postfix_value(p, NULL, "inet_interfaces"), "loopback-only")) {
        bool ipv6 = strcmp(postfix_value(p, NULL, "inet_protocols"), "ipv6") == 0;
        (void)snprintf(out->host, sizeof(out->host), "%s", ipv6 ? "::1" : "127.0.0.1");
        return;
    }
    if (len >= 2 && word[0] == '[' && word[len - 1] == ']') {
        word++;
        len -= 2;
    }
    (void)snprintf(out->host, sizeof(out->host), "%.*s", (int)len, word);
}

/* --- Exim --- */

/* The first element of a list of Exim's: "a : b", "<; a ; b"; a doubled separator stands for itself. */
static void first_element(char *out, size_t size, const char *list)
{
    char separator = ':';
    size_t n = 0;

    list += strspn(list, " \t");
    if (list[0] == '<' && list[1] != '\0') {
        separator = list[1];
        list += 2 + strspn(list + 2, " \t");
    }
    for (; *list != '\0' && *list != '\n' && n + 1 < size; list++) {
        if (*list == separator && list[1] != separator)
            break;
        list += *list == separator;
        out[n++] = *list;
    }
    while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t'))
        n--;
    out[n] = '\0';
}

/* "127.0.0.1.2525", "[::1]:2525": the port is cut off. */
static void cut_port(char *address, char *port, size_t size)
{
    char normal[ADDRESS_BUF], *end = strrchr(address, '.');

    if (address[0] == '[') {
        char *close = strchr(address, ']');
        if (close != NULL && close[1] == ':')
            (void)snprintf(port, size, "%s", close + 2);
        if (close != NULL)
            *close = '\0';
        memmove(address, address + 1, strlen(address));
        return;
    }
    if (end == NULL || address_normalise(normal, address, strlen(address)) == 1)
        return;
    *end = '\0';
    if (address_normalise(normal, address, strlen(address)) == 1)
        (void)snprintf(port, size, "%s", end + 1);
    else
        *end = '.';
}

void cert_where_exim(struct cert_where *out, const char *interfaces, const char *ports)
{
    char address[sizeof(out->host)], normal[ADDRESS_BUF];

    first_element(out->port, sizeof(out->port), ports);
    if (out->port[0] == '\0')
        (void)snprintf(out->port, sizeof(out->port), "smtp");
    first_element(address, sizeof(address), interfaces);
    cut_port(address, out->port, sizeof(out->port));
    if (address_normalise(normal, address, strlen(address)) != 1 || strcmp(normal, "0.0.0.0") == 0)
        (void)snprintf(out->host, sizeof(out->host), "127.0.0.1");
    else
        (void)snprintf(out->host, sizeof(out->host), "%s", strcmp(normal, "::") == 0 ? "::1" : normal);
}
