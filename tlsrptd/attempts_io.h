/*
 * attempts_io.h - attempts on their way to being counted: each waits for the facts of its domain, from stsd, and, where
 * a session went without TLS, for what policyd says to that; then it is judged and given to the collector and to
 * fallback. They leave in the order in which they came, so that the position of the log that is saved with the counts
 * stands for all before it. Fallback does not wait for its turn.
 *
 * Of a session without TLS it is policyd that knows whether plain text was wanted: by a list of the operator's, or the
 * fallback state. It is asked before fallback hears of that session. Where it cannot be asked, TLS counts as wanted by
 * a domain that publishes MTA-STS or DANE, as our answer was hardly "none", and not by others, as nobody knows. Where
 * policyd says nothing of the level, it is the MTA's own, which is "may" at least (contrib/postfix/main.cf).
 *
 * While stsd is away nothing leaves (the log is the queue); a domain that it cannot tell of for minutes is given up
 * (facts_io.h), its attempts are not reported, and counted as such. While the collector is full nothing leaves, either.
 */
#ifndef POSTERN_ATTEMPTS_IO_H
#define POSTERN_ATTEMPTS_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector_io.h"
#include "err.h"
#include "fallback_feed_io.h"
#include "tls_attempt.h"

#define ATTEMPTS_MAX 10000 /* that wait; then attempts_full is true */

struct attempts;

/*
 * counts: also report them (else they only go to fallback). policyd: its control, or "". room is called, later, when it
 * was full and only half of it waits. NULL with the reason in e: a bad address.
 */
struct attempts *attempts_new(struct event_base *base, const char *stsd, const char *policyd, bool counts,
                              struct collector *c, struct fallback_feed *feed, void (*room)(void *ctx), void *ctx,
                              struct err *e);
void attempts_free(struct attempts *a);

/* Copied. Taken also when it is full: who adds must look. */
void attempts_add(struct attempts *a, const struct tls_attempt *attempt);

/* All that was added up to now has this position in that source (collector_position). */
void attempts_position(struct attempts *a, const char *source, const char *position);

bool attempts_full(const struct attempts *a);
size_t attempts_waiting(const struct attempts *a);
size_t attempts_of_exim(const struct attempts *a); /* of these; no log has them once more when the process ends */

struct attempts_stats {
    uint64_t attempts;   /* added */
    uint64_t reported;   /* given to the collector */
    uint64_t not_judged; /* as no facts could be had */
};
struct attempts_stats attempts_stats(const struct attempts *a);

/* Other times of facts_io.h, for tests. */
void attempts_patience(struct attempts *a, int64_t first_ms, unsigned tries);

#endif
