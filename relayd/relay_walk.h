/*
 * relay_walk.h - the order in which the addresses of a domain's MX hosts are tried: all of a host, then the next host
 * (RFC 5321 5.1), each a candidate of its own until one has taken MAIL. Pure.
 *
 * An address is tried once for each host that has it: under another name it has another certificate to show. Every
 * host has its first address tried (S4). Of the further ones so many are, for one message and domain:
 *
 *   RELAY_FURTHER_SESSIONS   behind an address that took the connection. With the first of a host that makes the five
 *                            of Postfix's smtp_mx_address_limit; as records have IPv6 and IPv4 by turns, both are
 *                            among them. It is for the ordinary case, a domain without REQUIRETLS: it would be asked at
 *                            each of its addresses, with a handshake each, for every flagged message
 *   RELAY_FURTHER_CONNECTS   behind one that did not. That costs less, and a machine without IPv6, or with a dead
 *                            route, needs one for each host, of which there are DEST_HOSTS_MAX
 *
 * So of 32 hosts with 8 addresses each 68 are tried at most. The time for the whole transaction holds beside that, and
 * no address may use it up while there are hosts behind its own: relay_walk_share.
 */
#ifndef POSTERN_RELAY_WALK_H
#define POSTERN_RELAY_WALK_H

#include "relay_path.h"

#define RELAY_FURTHER_SESSIONS 4
#define RELAY_FURTHER_CONNECTS DEST_HOSTS_MAX
#define RELAY_SHARES_MAX       8

struct relay_walk {
    size_t host;               /* the candidate that is being tried, */
    size_t address;            /* and which of its addresses; address_count: one that is not among them */
    unsigned tried;            /* a bit for each address of the host, without the present one */
    bool kept;                 /* a connection to the host that was kept has been used */
    size_t sessions, connects; /* further ones, of which there are so many */
};

/* At the first address of this candidate, which is not barred. */
void relay_walk_begin(struct relay_walk *w, size_t candidate);

/* The address to be tried. Valid as long as the path. */
const char *relay_walk_address(const struct relay_walk *w, const struct relay_path *path);

/* Nothing of the host has been tried yet: a connection to it that was kept may be used. */
bool relay_walk_host_begins(const struct relay_walk *w);

/* Instead of the address that was to be tried a connection to this one is used, as it was kept. */
void relay_walk_instead(struct relay_walk *w, const struct relay_path *path, const char *address);

/*
 * How long the present address may take until MAIL is answered, when so much is left of the time for the whole (both in
 * milliseconds): what comes to each host that is left, but of RELAY_SHARES_MAX at most, so that of many none is
 * hurried. 0: as long as there is, as no host is left behind it.
 */
int64_t relay_walk_share(const struct relay_walk *w, const struct relay_path *path, int64_t left);

/* That connection had ended in the meantime: as if there had been none. */
void relay_walk_host_again(struct relay_walk *w);

/* The present address failed so, and the next may be tried (relay_failed_next). Returns whether there is one. */
bool relay_walk_on(struct relay_walk *w, const struct relay_path *path, enum relay_failed what);

#endif
