/*
 * datagram_memory.h - the events of recent datagrams, by their octets: an MTA says the same of a domain again and
 * again, and that is read once. Bounded: for a new one that which was not asked for goes (cache.h), and when all of
 * them have too many octets, all are forgotten. Pure.
 */
#ifndef POSTERN_DATAGRAM_MEMORY_H
#define POSTERN_DATAGRAM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "siphash.h"
#include "tlsrpt_event_read.h"

struct datagram_memory;

/* At most so many datagrams, which with their events have at most so many octets; secret: random octets. NULL without
 * memory. */
struct datagram_memory *datagram_memory_new(size_t entries, size_t octets, const uint8_t secret[SIPHASH_KEY]);
void datagram_memory_free(struct datagram_memory *m);

/* What a datagram says, valid until the next call; or NULL with the reason (tlsrpt_event_read.h). */
const struct tlsrpt_event_read *datagram_memory_read(struct datagram_memory *m, const char *octets, size_t len,
                                                     struct err *e);

size_t datagram_memory_count(const struct datagram_memory *m);
size_t datagram_memory_octets(const struct datagram_memory *m);

#endif
