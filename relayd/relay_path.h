/*
 * relay_path.h - the plan for REQUIRETLS mail to one domain: which of its MX hosts it may go to, in which order, and
 * how each must show that it is the right one (RFC 8689 4.2.1; checks S1, S2). Pure.
 */
#ifndef POSTERN_RELAY_PATH_H
#define POSTERN_RELAY_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide.h"
#include "dest.h"
#include "nexthop.h"
#include "relay_failure.h"

struct relay_path_in {
    enum nexthop_kind kind;  /* of what the mail is for; anything but a domain has no MX records (see below) */
    const struct dest *dest; /* NULL: nothing is known, nor to be had now */
    enum decide_age age;     /* FRESH also for what was gathered just now with a TTL of 0 */

    /* Seconds for which an MTA-STS record that cannot be looked up, without a policy that is kept, is a temporary
       error; then it is as none (see decide.h). */
    int64_t sts_unknown_hold;
    uint64_t seed;        /* random; by it hosts of one preference are put in order */
    const char *own_name; /* of this relay, as it greets (conf relayd.name), in any case; NULL or "": it has none */
};

/*
 * One MX host. Its addresses are in host->address, to be tried in that order (relay_walk.h). DANE goes by host->tlsa,
 * from which what is not usable (tlsa_usable) must be left out, and PKIX by the name of the MX host.
 */
struct relay_candidate {
    const struct dest_host *host;
    enum relay_failed barred; /* NOTHING: it may be used, and dane or pkix or both must hold */
    bool dane;
    bool pkix;
    bool pkix_noted; /* not demanded, but to be reported: DANE, and a policy in mode testing */
};

#define RELAY_NAMES_MAX 2

/* Valid as long as the destination record. It has half a KiB. */
struct relay_path {
    const struct dest *dest;
    enum relay_failed failed; /* of the domain as a whole; then there are no candidates. Else NOTHING */
    size_t usable;            /* how many may be used: these come first, in the order in which to try them */
    size_t count;             /* with those that are barred, which count as failed */
    struct relay_candidate candidate[DEST_HOSTS_MAX];
};

/*
 * A host is authenticated when the MX RRset, or its absence, is DNSSEC-authenticated, or when an unexpired MTA-STS
 * policy in mode enforce names it (S1). Testing does not count: it promises nothing, and may name hosts that are no
 * longer there. Beyond that the policies themselves bind, as for any mail. For each host the first line that fits:
 *
 *   it has our own name, or no better preference
 *   than the host that has it                     barred: loop (RFC 5321 5.1); we are known by that name alone
 *   enforce, and the policy does not name it          barred: not-in-policy (RFC 8461 5), however authentic DNS is
 *   MX not authenticated, no enforced policy
 *       the MTA-STS record TEMP                       barred: policy-temp, however long: it may pass (S8)
 *       a record, but the policy cannot be fetched    barred: policy-fetch
 *       else                                          barred: unauthenticated
 *   no address is known                               barred: address-temp
 *   MX authenticated, TLSA records TEMP               barred: tlsa-temp, not rescued by MTA-STS (A11)
 *   MX authenticated, TLSA records usable             DANE; with enforce PKIX too, as each RFC forbids to deliver where
 *                                                     its own check fails, and the certificate can be held to both
 *   the MTA-STS record TEMP, since less than hold     barred: policy-temp, as a policy may not name it
 *   else, also with TLSA records none of them usable  PKIX: TLS without verification (RFC 7672 2.2) is not enough here
 *
 * Permanent lines come before temporary ones: what bars a host for good is not worth waiting for. Without an
 * authenticated MX RRset nothing a record says of DANE counts (B-1).
 *
 * No host at all: no facts, stale facts, MX TEMP (all 4.4.3, as an enforced policy says nothing of which hosts there
 * are), no such domain (5.1.2), null MX (556 5.1.10, RFC 7505 4.2), MX hosts without addresses (5.4.4). All
 * barred: 5.7.10 rather than 5.7.30 (S6), since it is no server that lacks REQUIRETLS: there is none to which a session
 * could be authenticated, and none was asked. One that is barred for now makes it temporary. All barred by the
 * loop: 5.4.6.
 *
 * A literal, and a host in brackets: 5.7.10. Neither has MX records, so nobody vouches for the name. That would be
 * different for a host that the operator has configured (S10), but this plan is made for recipients' domains.
 *
 * Of more than DEST_HOSTS_MAX hosts the rest is never tried, nor waited for.
 */
void relay_path_plan(struct relay_path *out, const struct relay_path_in *in, int64_t now);

/* The name for SNI: the TLSA base domain with DANE (RFC 7672 8.1), else the MX host. */
const char *relay_candidate_sni(const struct relay_candidate *c);

/*
 * The names of which a certificate under usage 2 (DANE-TA) must have one: the TLSA base domain and the policy domain,
 * whose MX records are authenticated where DANE counts (RFC 7672 3.2.2; check B-4). Returns how many. They belong to
 * the record.
 */
size_t relay_candidate_names(const char *out[RELAY_NAMES_MAX], const struct relay_path *path,
                             const struct relay_candidate *c);

/* Add the failure of the domain, or of each host that is barred, to the tally of those that were tried. */
void relay_path_tally(struct relay_tally *t, const struct relay_path *path);

/* What a host offers in its replies to EHLO. */
struct relay_offer {
    bool before; /* REQUIRETLS before STARTTLS, where it does not count */
    bool after;  /* REQUIRETLS after it */
};

/*
 * S3, S7: may the message go over this verified session? NOTHING, and *say whether MAIL has the word REQUIRETLS; or why
 * not. With an empty reverse-path it goes without the word where that is not offered (B3), TLS and verification stay.
 */
enum relay_failed relay_path_offer(bool *say, const struct relay_offer *offer, bool null_reverse_path);

#endif
