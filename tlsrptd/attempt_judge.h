/*
 * attempt_judge.h - what an attempt (tls_attempt.h) means: how each policy of the destination came off (RFC 8460 4.3,
 * as session_event.h of relayd has it for our own sessions), and what fallback is to know of it. Pure.
 */
#ifndef POSTERN_ATTEMPT_JUDGE_H
#define POSTERN_ATTEMPT_JUDGE_H

#include "buf.h"
#include "dest.h"
#include "fallback.h"
#include "tls_attempt.h"
#include "tlsrpt_event.h"

/*
 * Called with the event, whose text is valid during the call. Not called when nothing is to be reported: no TLSRPT
 * record, no session, TLS not wanted (plain_wanted: our own answer to the MTA was "none").
 */
typedef void attempt_event_fn(void *ctx, const struct tlsrpt_event *event);

/* Returns 0, or -1 without memory. */
int attempt_judge(const struct tls_attempt *a, const struct dest *dest, bool plain_wanted, attempt_event_fn *fn,
                  void *ctx);

/* The outcome for the fallback decision; false: none, as nothing was learnt of TLS. */
bool attempt_fallback(enum fallback_event *out, const struct tls_attempt *a);

/* The same of an event that came as a datagram or from relayd; host: "" when the event does not name one. */
bool tlsrpt_event_fallback(enum fallback_event *out, const char **host, const struct tlsrpt_event *event);

#endif
