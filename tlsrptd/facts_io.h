/*
 * facts_io.h - destination records for attempts, from stsd: many look-ups at a time, each domain once, and what came is
 * remembered for a short while.
 *
 * Whoever asks does not go away, so there are two kinds of trouble. While stsd cannot be reached at all, all wait. A
 * domain that it cannot tell of now is asked for again, each wait twice the last, and given up after some five minutes:
 * it must not hold up those behind it for ever.
 */
#ifndef POSTERN_FACTS_IO_H
#define POSTERN_FACTS_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "facts.h"

#define FACTS_MEMORY     2000 /* domains */
#define FACTS_FLIGHT     64   /* look-ups under way at one time; one while stsd is away */
#define FACTS_TRIES      8    /* then a domain is given up */
#define FACTS_FIRST_MS   2000 /* to the second try */
#define FACTS_LONGEST_MS 64000

struct facts_client;

/* NULL with the reason in e: a bad address. */
struct facts_client *facts_client_new(struct event_base *base, const char *stsd, struct err *e);
void facts_client_free(struct facts_client *c); /* who waits is not called */

/* What is remembered, to be released; or NULL. domain: in its one form, as in the next. */
struct facts *facts_known(struct facts_client *c, const char *domain);

/* facts: to be released; NULL: given up, or stsd will never tell (PERM). Called once, never from within facts_ask. */
typedef void facts_fn(void *ctx, struct facts *facts);
struct facts_wait;
struct facts_wait *facts_ask(struct facts_client *c, const char *domain, facts_fn *fn, void *ctx);
void facts_cancel(struct facts_wait *w);

/* From now on a domain is given up at its second failure, as too many wait; or it is no more so. */
void facts_impatient(struct facts_client *c, bool impatient);

/* Other times, for tests. */
void facts_patience(struct facts_client *c, int64_t first_ms, unsigned tries);

#endif
