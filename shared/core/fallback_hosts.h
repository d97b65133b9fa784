/*
 * fallback_hosts.h - the fallback states of the MX hosts of one next hop, and whether the next attempt there goes
 * plain. The MTA asks by next hop only, and does not say which host it will try: so a failure at one host counts for
 * all, until TLS has gone well at one. Pure.
 */
#ifndef POSTERN_FALLBACK_HOSTS_H
#define POSTERN_FALLBACK_HOSTS_H

#include "dest.h"
#include "fallback.h"

#define FALLBACK_HOSTS_MAX DEST_HOSTS_MAX

struct fallback_hosts {
    struct fallback_host {
        char name[DOMAIN_BUF]; /* a host name or an address, in its one form */
        struct fallback_state state;
    } host[FALLBACK_HOSTS_MAX];
    size_t count;
};

/*
 * Put a state; one of the same name goes. When all places are taken, the state whose last event is oldest goes, which
 * may be this one.
 */
void fallback_hosts_put(struct fallback_hosts *hosts, const char *name, const struct fallback_state *state);

/* Put one as Redis has it. Returns 0, or -1 with the reason in e and nothing put. */
int fallback_hosts_read(struct fallback_hosts *hosts, const char *name, size_t name_len, const char *json,
                        size_t json_len, struct err *e);

/*
 * As fallback_goes_plain, for the next hop. dest: the facts, or NULL (none, or a next hop in brackets). Where they have
 * all MX hosts, states of others do not count: those hosts are no longer there.
 */
bool fallback_hosts_go_plain(const struct fallback_hosts *hosts, const struct dest *dest, enum fallback_mode mode,
                             int64_t keep, int64_t now, int64_t *until);

#endif
