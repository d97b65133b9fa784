/*
 * tally.h - events added up in memory, by day, policy domain, record and policy, and failure detail, until they become
 * batches (batch.h). Pure; memory is bounded, and nobody can choose texts that make it slow.
 *
 * Each policy of an event is one session that came off or failed (J12); its failures are counted each, equal ones
 * together (J13). What was seen before takes a look-up and an addition; its texts are made once.
 */
#ifndef POSTERN_TALLY_H
#define POSTERN_TALLY_H

#include "batch.h"
#include "siphash.h"
#include "tlsrpt_event.h"

struct tally;

/* key: random, and secret; memory: octets, which the last event may pass. NULL without memory. */
struct tally *tally_new(const uint8_t key[SIPHASH_KEY], size_t memory);
void tally_free(struct tally *t); /* NULL-safe */

/* Returns 0: counted, and copied; 1: full, not counted: take what is there first; -1: no memory, counted in part. An
 * event without a domain or without policies counts nothing. */
int tally_add(struct tally *t, int32_t day, const struct tlsrpt_event *event);

bool tally_full(const struct tally *t);
uint64_t tally_events(const struct tally *t); /* since the last take */

/* Hand over what was counted, and begin anew. Entries of one domain, and of one policy, come together; the texts are
 * valid during the call. */
typedef void tally_entry_fn(void *ctx, const struct batch_entry *entry);
void tally_take(struct tally *t, tally_entry_fn *fn, void *ctx);

#endif
