/*
 * datagram_drain_io.h - the socket of datagram_io.h and the thread that empties it: it takes out whatever is there in
 * one call, puts it into memory (datagram_queue.h) and wakes the loop, if that is not awake. When memory is full, what
 * comes is dropped and counted.
 */
#ifndef POSTERN_DATAGRAM_DRAIN_IO_H
#define POSTERN_DATAGRAM_DRAIN_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datagram_queue.h"
#include "err.h"

struct datagram_drain;

/* See datagrams_open. */
struct datagram_drain *datagram_drain_open(const char *address, unsigned mode, size_t memory, struct err *e);
int datagram_drain_run(struct datagram_drain *d, struct err *e); /* 0 or -1 */

/* No more come: the socket is closed, its file is gone, the thread has ended; what was in the kernel is in the queue.
 */
void datagram_drain_stop(struct datagram_drain *d);
void datagram_drain_close(struct datagram_drain *d);

/* Readable (eventfd, not blocking) when there is something in the queue and the loop has been resting. */
int datagram_drain_fd(const struct datagram_drain *d);

/* The loop has found the queue empty and rests. Returns false when something has come meanwhile: go on. */
bool datagram_drain_rest(struct datagram_drain *d);

/* What waits, for the loop. */
struct datagram_queue *datagram_drain_queue(struct datagram_drain *d);

uint64_t datagram_drain_received(const struct datagram_drain *d);
uint64_t datagram_drain_dropped(const struct datagram_drain *d); /* of those received */

#endif
