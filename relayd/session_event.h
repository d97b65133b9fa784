/* clang-format off */
/*
 * session_event.h - what is told of a session with an MX host (tlsrpt_event.h; RFC 8460 4.3). Pure.
 *
 * A session is a connection on which TLS was begun, or would have been: one that is used again is no new one, nor is a
 * message. It came off when the certificate was verified as relay_path.h demands, whatever follows: that REQUIRETLS is
 * not offered is no failure of TLS. Each policy that applies is judged for itself (J19): DANE and MTA-STS, of which one
 * in mode testing is held to what it would demand in mode enforce; without either, what REQUIRETLS demands.
 *
 *   told of each policy          no STARTTLS, or refused; octets in clear behind the reply to it; a broken handshake
 *   told of the policy it breaks certificates: expired, another name, not trusted, without a TLSA record that fits
 *   told of DANE                 TLSA records none of which is usable: tlsa-invalid, though the session goes on by PKIX;
 *                                TLSA records that cannot be looked up or validated: dnssec-invalid
 *   told of MTA-STS              the policy does not name the host: validation-failure, reason not-in-policy
 *   not told                     all that is no matter of TLS: no connection, no service, replies lost before STARTTLS;
 *                                failures on our side; a policy that cannot be fetched, which is for stsd to tell
 *
 * The failure-reason-code is the name of the failure (relay_failed_name); of a certificate that is not trusted
 * OpenSSL's words with '_' for blanks, as Postfix has it. A domain without a TLSRPT record wants no reports: of it
 * nothing is told.
 */
/* clang-format on */
#ifndef POSTERN_SESSION_EVENT_H
#define POSTERN_SESSION_EVENT_H

#include "buf.h"
#include "dest.h"
#include "relay_path.h"

/* One certificate by one policy. HANDSHAKE: it was not looked at. */
struct session_verdict {
    enum relay_failed what; /* NOTHING: well */
    const char *words;      /* why not, or "" */
};

struct session {
    const struct dest *dest;
    const struct dest_host *host;
    enum relay_failed what;                       /* NOTHING: it came off */
    struct session_verdict dane, pkix;            /* when it came off, or failed by the certificate */
    const char *sending_ip, *receiving_ip, *helo; /* "" where not known */
};

/* Append the event. Returns whether there is something to be told; else, and without memory, nothing is added. */
bool session_event_write(struct buf *out, const struct session *s, int64_t now);

/*
 * A host that was not contacted, as it may not be, is told of as a session that failed, where a sender would have tried
 * it first: it is preferred to each host that may be used, or there is none. Once a message, as each would try anew.
 */
bool session_event_skipped(const struct relay_path *path, const struct relay_candidate *c);

#endif
