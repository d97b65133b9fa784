/* smtp_client_settings_io.c - see smtp_client_io.h: what the configuration, or else the system, says. */
#include "smtp_client_io.h"

#include <stdio.h>
#include <unistd.h>

void smtp_client_own_name(char out[SMTP_CLIENT_NAME_BUF], const struct conf_relayd *conf)
{
    char host[SMTP_CLIENT_NAME_BUF] = "";

    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        (void)snprintf(host, sizeof(host), "localhost");
    (void)snprintf(out, SMTP_CLIENT_NAME_BUF, "%s", conf->name[0] != '\0' ? conf->name : host);
}

void smtp_client_settings_take(struct smtp_client_settings *out, const struct conf_relayd *conf)
{
    smtp_client_own_name(out->name, conf);
    out->port = (uint16_t)conf->port;
    out->connect_timeout_ms = conf->connect_timeout_ms;
    out->command_timeout_ms = conf->command_timeout_ms;
}
