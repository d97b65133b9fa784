/*
 * attempt_judge.h - what an attempt (tls_attempt.h) means: how each policy of the destination came off (RFC 8460 4.3,
 * as session_event.h of relayd has it for our own sessions), and what fallback is to know of it. Pure.
 *
 * An attempt is told of when the domain has a TLSRPT record and the host is one of its MX hosts: mail by way of a smart
 * host, or through a filter, is no session with the domain. No session, no event: a connection that was lost before TLS
 * was begun is none. Each policy is judged for itself (J19); MTA-STS in mode testing is held to what it would demand in
 * mode enforce. What there is to see decides:
 *
 *   told of each policy     starttls-not-supported: not offered, refused (J14), or a session in clear that nobody
 *                           wanted; validation-failure, reason tls-handshake-failure, when the handshake broke
 *   TLSA                    dnssec-invalid when the records cannot be looked up, tlsa-invalid when none is usable;
 *                           certificate-not-trusted when none fits
 *   MTA-STS                 validation-failure, reason not-in-policy, of a host that it does not name; of the
 *                           certificate host-mismatch, expired, or not-trusted with the MTA's words as the reason; TLS
 *                           without a certificate is not-trusted, too
 *   neither                 TLS is success, but where the MTA itself gave up for want of security
 *
 * What nobody looked at is not held against a host. A certificate that DANE has verified was not held against the
 * authorities, one that is "Trusted" at level may was not held against the name, one that was not verified by DANE as
 * the MTA had no DANE was not held against the TLSA records: by those policies the session came off. To leave it out
 * would make a domain that publishes both look as if all its sessions by the other policy failed. Left out is MTA-STS
 * only where DANE ended the session: then there was none that came off.
 */
#ifndef POSTERN_ATTEMPT_JUDGE_H
#define POSTERN_ATTEMPT_JUDGE_H

#include "dest.h"
#include "fallback.h"
#include "tls_attempt.h"
#include "tlsrpt_event.h"

/* The host is an MX host of the domain as far as the facts tell: one of those they have, or they do not have all. */
bool attempt_is_direct(const struct tls_attempt *a, const struct dest *dest);

/*
 * There would be something to report, were it not that plain text may have been wanted: only then policyd is asked. Of
 * a host that the facts do not have nothing is reported, also when they do not have all: it may be a smart host, of
 * which a domain with very many MX records is not to hear.
 */
bool attempt_is_reported(const struct tls_attempt *a, const struct dest *dest);

/* A policy of the destination demands TLS, as far as the facts tell: our answer to the MTA will not have been "none",
 * so a session in clear was not wanted, even where nobody can be asked. */
bool attempt_policy_demands(const struct dest *dest);

/*
 * Called with the event, whose text is valid during the call. Not called when nothing is to be reported: no TLSRPT
 * record, no session, TLS not wanted (plain_wanted: our own answer to the MTA was "none", so a session in clear is no
 * failure).
 */
typedef void attempt_event_fn(void *ctx, const struct tlsrpt_event *event);

/* Returns 0, or -1 without memory. */
int attempt_judge(const struct tls_attempt *a, const struct dest *dest, bool plain_wanted, attempt_event_fn *fn,
                  void *ctx);

/*
 * The outcome for the fallback decision; false: none, as nothing was learnt of TLS. That STARTTLS was not offered
 * counts as a failure where the MTA then gave up: without plain text the mail never leaves.
 */
bool attempt_fallback(enum fallback_event *out, const struct tls_attempt *a);

/*
 * The same of an event that came as a datagram or from relayd; host: "" when the event does not name one. An event with
 * a policy by which it came off was TLS; one whose policies all failed says so only by results that are about the
 * session, not about the policy or DNS.
 */
bool tlsrpt_event_fallback(enum fallback_event *out, const char **host, const struct tlsrpt_event *event);

#endif
