/*
 * attempts_io.h - attempts on their way to being counted: each waits for the facts of its domain, from stsd, and, where
 * a session went without TLS, for what policyd says to that; then it is judged and given to the collector and to
 * fallback. They leave in the order in which they came, so that the position of the log that is saved with the counts
 * stands for all before it.
 */
#ifndef POSTERN_ATTEMPTS_IO_H
#define POSTERN_ATTEMPTS_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "collector_io.h"
#include "err.h"
#include "fallback_feed_io.h"
#include "tls_attempt.h"

#define ATTEMPTS_MAX 10000 /* that wait; then attempts_full is true */

struct attempts;

/* counts: also report them (else they only go to fallback). room is called when it was full and is no more. NULL with
 * the reason in e: a bad address. */
struct attempts *attempts_new(struct event_base *base, const char *stsd, const char *policyd, bool counts,
                              struct collector *c, struct fallback_feed *feed, void (*room)(void *ctx), void *ctx,
                              struct err *e);
void attempts_free(struct attempts *a);

/* Copied. */
void attempts_add(struct attempts *a, const struct tls_attempt *attempt);

/* All that was added up to now has this position in that source (collector_position). */
void attempts_position(struct attempts *a, const char *source, const char *position);

bool attempts_full(const struct attempts *a);
size_t attempts_waiting(const struct attempts *a);

#endif
