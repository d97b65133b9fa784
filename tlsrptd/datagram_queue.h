/*
 * datagram_queue.h - datagrams that wait in memory, in order, with the time at which they came: one thread puts them
 * in, another takes them out, without a lock. They are in segments, each of which is there only while something in it
 * waits. Pure.
 */
#ifndef POSTERN_DATAGRAM_QUEUE_H
#define POSTERN_DATAGRAM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct datagram_queue;

/* For so many octets, or for a few of the longest datagrams if that is more. NULL without memory. */
struct datagram_queue *datagram_queue_new(size_t octets, size_t longest);
void datagram_queue_free(struct datagram_queue *q);

/* For the one thread. False when it does not fit. len: at most longest. */
bool datagram_queue_put(struct datagram_queue *q, int64_t at, const char *octets, size_t len);

/* For the other: the oldest one, which stays until it is popped; false when there is none. */
struct datagram {
    int64_t at; /* as given */
    const char *octets;
    size_t len;
};
bool datagram_queue_front(struct datagram_queue *q, struct datagram *out);
void datagram_queue_pop(struct datagram_queue *q);

/* For both: octets that wait; 0: none does. */
size_t datagram_queue_octets(const struct datagram_queue *q);

#endif
