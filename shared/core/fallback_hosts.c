/* fallback_hosts.c - the fallback states of the MX hosts of one next hop. */
#include "fallback_hosts.h"

#include <stdio.h>
#include <string.h>

/* The host's place, or a new one, or that of the state with the oldest event; NULL: this one is the oldest. */
static struct fallback_host *place(struct fallback_hosts *hosts, const char *name, int64_t last_event)
{
    struct fallback_host *oldest = &hosts->host[0];

    for (size_t i = 0; i < hosts->count; i++) {
        struct fallback_host *host = &hosts->host[i];

        if (strcmp(host->name, name) == 0)
            return host;
        if (fallback_last_event(&host->state) < fallback_last_event(&oldest->state))
            oldest = host;
    }
    if (hosts->count < FALLBACK_HOSTS_MAX)
        return &hosts->host[hosts->count++];
    return fallback_last_event(&oldest->state) < last_event ? oldest : NULL;
}

void fallback_hosts_put(struct fallback_hosts *hosts, const char *name, const struct fallback_state *state)
{
    struct fallback_host *host = place(hosts, name, fallback_last_event(state));

    if (host == NULL)
        return;
    snprintf(host->name, sizeof(host->name), "%s", name);
    host->state = *state;
}

int fallback_hosts_read(struct fallback_hosts *hosts, const char *name, size_t name_len, const char *json,
                        size_t json_len, struct err *e)
{
    struct fallback_state state;
    char normal[DOMAIN_BUF];

    if (address_normalise(normal, name, name_len) != 1 && domain_normalise(normal, name, name_len, e) != 0)
        return -1;
    if (strlen(normal) != name_len || memcmp(normal, name, name_len) != 0)
        return err_set(e, "the host must be written %s", normal);
    if (fallback_from_json(&state, json, json_len, e) != 0)
        return -1;
    fallback_hosts_put(hosts, normal, &state);
    return 0;
}

static bool is_gone(const char *name, const struct dest *dest)
{
    if (dest == NULL || dest->mx_truncated || (dest->mx != DEST_MX_LIST && dest->mx != DEST_MX_IMPLICIT))
        return false;
    for (size_t i = 0; i < dest->host_count; i++)
        if (strcmp(dest->host[i].name, name) == 0)
            return false;
    return true;
}

bool fallback_hosts_go_plain(const struct fallback_hosts *hosts, const struct dest *dest, enum fallback_mode mode,
                             int64_t keep, int64_t now, int64_t *until)
{
    struct fallback_state all = {0};

    for (size_t i = 0; i < hosts->count; i++)
        if (!is_gone(hosts->host[i].name, dest))
            fallback_add(&all, &hosts->host[i].state, now);
    return fallback_goes_plain(&all, mode, keep, now, until);
}
