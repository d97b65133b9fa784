/* smtp_client_settings_io.c - see smtp_client_io.h: what the configuration, or else the system, says. */
#include "smtp_client_io.h"

#include "domain.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The whole name of a host that goes by a short one, where /etc/hosts or DNS knows it: servers refuse a short one. */
static void whole_name(char host[SMTP_CLIENT_NAME_BUF])
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
    struct addrinfo *found = NULL;
    char name[DOMAIN_BUF];

    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return;
    if (found->ai_canonname != NULL && strchr(found->ai_canonname, '.') != NULL &&
        strncmp(found->ai_canonname, "localhost.", 10) != 0 &&
        domain_normalise(name, found->ai_canonname, strlen(found->ai_canonname), NULL) == 0)
        (void)snprintf(host, SMTP_CLIENT_NAME_BUF, "%s", name);
    freeaddrinfo(found);
}

void smtp_client_own_name(char out[SMTP_CLIENT_NAME_BUF], const struct conf_relayd *conf)
{
    char host[SMTP_CLIENT_NAME_BUF] = "";

    if (conf->name[0] != '\0')
        (void)snprintf(host, sizeof(host), "%s", conf->name);
    else if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        (void)snprintf(host, sizeof(host), "localhost");
    else if (strchr(host, '.') == NULL)
        whole_name(host);
    (void)snprintf(out, SMTP_CLIENT_NAME_BUF, "%s", host);
}

void smtp_client_settings_take(struct smtp_client_settings *out, const struct conf_relayd *conf)
{
    smtp_client_own_name(out->name, conf);
    out->port = (uint16_t)conf->port;
    out->connect_timeout_ms = conf->connect_timeout_ms;
    out->command_timeout_ms = conf->command_timeout_ms;
}
