/* relay_walk.c - see relay_walk.h. */
#include "relay_walk.h"

#include <string.h>

_Static_assert(DEST_ADDRESSES_MAX <= 32, "the bits of relay_walk.tried");

void relay_walk_begin(struct relay_walk *w, size_t candidate)
{
    *w = (struct relay_walk){.host = candidate};
}

const char *relay_walk_address(const struct relay_walk *w, const struct relay_path *path)
{
    return path->candidate[w->host].host->address[w->address];
}

bool relay_walk_host_begins(const struct relay_walk *w)
{
    return w->address == 0 && w->tried == 0 && !w->kept;
}

void relay_walk_instead(struct relay_walk *w, const struct relay_path *path, const char *address)
{
    const struct dest_host *host = path->candidate[w->host].host;

    w->kept = true;
    w->address = 0;
    while (w->address < host->address_count && strcmp(host->address[w->address], address) != 0)
        w->address++;
}

int64_t relay_walk_share(const struct relay_walk *w, const struct relay_path *path, int64_t left)
{
    size_t hosts = path->usable - w->host;
    int64_t share;

    if (hosts <= 1)
        return 0;
    share = left / (int64_t)(hosts < RELAY_SHARES_MAX ? hosts : RELAY_SHARES_MAX);
    return share > 0 ? share : 1;
}

void relay_walk_host_again(struct relay_walk *w)
{
    w->address = 0;
}

static bool was_tried(const struct relay_walk *w, const struct dest_host *host, size_t address)
{
    for (size_t i = 0; i < host->address_count; i++)
        if ((w->tried >> i & 1) != 0 && strcmp(host->address[i], host->address[address]) == 0)
            return true;
    return false;
}

/* One more of the same host, if there is any and the bound allows it. */
static bool further(struct relay_walk *w, const struct dest_host *host, bool session)
{
    size_t *spent = session ? &w->sessions : &w->connects;
    size_t bound = session ? RELAY_FURTHER_SESSIONS : RELAY_FURTHER_CONNECTS;
    size_t next = 0;

    while (next < host->address_count && was_tried(w, host, next))
        next++;
    if (next == host->address_count || *spent >= bound)
        return false;
    ++*spent;
    w->address = next;
    return true;
}

bool relay_walk_on(struct relay_walk *w, const struct relay_path *path, enum relay_failed what)
{
    const struct dest_host *host = path->candidate[w->host].host;

    if (w->address < host->address_count)
        w->tried |= 1U << w->address;
    if (further(w, host, what != RELAY_FAILED_CONNECT && what != RELAY_FAILED_CONNECT_TIMEOUT))
        return true;
    w->tried = 0;
    w->kept = false;
    w->address = 0;
    return ++w->host < path->usable;
}
