/*
 * datagram_io.h - the socket to which libtlsrpt sends (Postfix 3.10 and later). Its sender does not wait,
 * and the kernel keeps some ten datagrams only: a thread of its own does nothing but take them out, into memory
 * (datagram_drain_io.h); the loop gets them from there in order. The same octets, sent again and again, are read once
 * (datagram_memory.h).
 */
#ifndef POSTERN_DATAGRAM_IO_H
#define POSTERN_DATAGRAM_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "tlsrpt_event.h"

struct datagrams;

/* Returns false when it could not be counted: it is kept, and comes again later, before all that came after it. */
typedef bool datagram_fn(void *ctx, const struct tlsrpt_event *event);

/*
 * Listen at a unix address, with that mode; memory: octets that may wait. A socket that is left over is replaced, any
 * other file is not (D8). bad: file that a datagram that cannot be read is copied to, once a start; "" for none. It
 * replaces what was there, and nothing is written through a link. NULL with the reason in e.
 */
struct datagrams *datagrams_open(struct event_base *base, const char *address, unsigned mode, size_t memory,
                                 const char *bad, datagram_fn *fn, void *ctx, struct err *e);
int datagrams_run(struct datagrams *d, struct err *e); /* after privileges are dropped: starts the thread. 0 or -1 */

/*
 * Take no more, remove the socket, and give fn what waits, until it returns false; what then is left is dropped. For
 * the end of the process, before the collector is drained.
 */
void datagrams_drain(struct datagrams *d);

/* Without datagrams_drain, what waits is lost. NULL-safe. */
void datagrams_close(struct datagrams *d);

/* While fn is called: when the datagram came, seconds since the epoch. Its day is the one that counts (D7). */
int64_t datagrams_at(const struct datagrams *d);

struct datagrams_stats {
    uint64_t received, unreadable, dropped; /* dropped: memory was full; it is among those received, as unreadable is */
    uint64_t odd;                           /* counted, but not as it should be (tlsrpt_event_read.h) */
    uint64_t waiting;                       /* octets in memory now */
};
struct datagrams_stats datagrams_stats(const struct datagrams *d);

#endif
