/*
 * batch_queue_io.h - the batches on their way to Redis, in the order of their numbers: those that the spool gave back
 * at the start, and those that were made since. They go one at a time. Each stays for BATCH_STAYS_MS after Redis took
 * it: a Redis that ends without notice loses what came in its last second or two (appendfsync everysec), and gets them
 * again. Private to collector_io.c.
 */
#ifndef POSTERN_BATCH_QUEUE_IO_H
#define POSTERN_BATCH_QUEUE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "redis_io.h"
#include "spool_io.h"

#define BATCH_STAYS_MS 10000

struct batch_queue;

/* changed is called when batches were taken. redis and spool outlive it; spool is told by batch_queue_spool, as it
 * gives its batches before it is there. */
struct batch_queue *batch_queue_new(struct redis *redis, int64_t keep, void (*changed)(void *ctx), void *ctx);
void batch_queue_spool(struct batch_queue *q, struct spool *spool);
void batch_queue_free(struct batch_queue *q);

/* A batch that is in the spool at that place, or in memory only: place NULL, octets copied. */
void batch_queue_add(struct batch_queue *q, const char *lane, uint64_t number, const struct spool_place *place,
                     const char *octets, size_t len);

/* Write what is in memory only, and not in Redis, to the spool. Returns 0, or -1 with the reason: some of it is still
 * in memory only. */
int batch_queue_save(struct batch_queue *q, struct err *e);

/* Send what there is to be sent, and let go of what is done. To be called now and then, and after an addition. */
void batch_queue_work(struct batch_queue *q);

/* All of that lane up to which number are on disk, or in Redis; last: the last one that was made. */
uint64_t batch_queue_safe(const struct batch_queue *q, uint64_t last);

size_t batch_queue_waiting(const struct batch_queue *q);   /* batches that Redis has not */
size_t batch_queue_in_memory(const struct batch_queue *q); /* octets that are neither on disk nor in Redis */
uint64_t batch_queue_taken(const struct batch_queue *q);   /* batches that Redis took */

#endif
