/* smtp_client_settings_io.c - see smtp_client_io.h: what the configuration, or else the system, says. */
#include "smtp_client_io.h"

#include <stdio.h>
#include <unistd.h>

void smtp_client_settings_take(struct smtp_client_settings *out, const struct conf_relayd *conf)
{
    char host[SMTP_CLIENT_NAME_BUF] = "";

    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(out->name, sizeof(out->name), "%s",
                   conf->name[0] != '\0' ? conf->name : (host[0] != '\0' ? host : "localhost"));
    out->port = (uint16_t)conf->port;
    out->connect_timeout_ms = conf->connect_timeout_ms;
    out->command_timeout_ms = conf->command_timeout_ms;
}
