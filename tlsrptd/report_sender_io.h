/*
 * report_sender_io.h - the reports of one domain and day, each to each destination of its record, one after the other:
 * what was counted is read, the destination is claimed (report_state_io.h), the report is built, and leaves by mail or
 * POST. Few leave at a time; what is in memory is what leaves now.
 */
#ifndef POSTERN_REPORT_SENDER_IO_H
#define POSTERN_REPORT_SENDER_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "redis_io.h"
#include "report_job_io.h"
#include "report_state_io.h"

#define REPORT_DESTINATIONS_MAX 64 /* of one domain and day; who changes its record all day does not get more */
#define REPORT_MAILS_MAX        4  /* leave at a time */
#define REPORT_POSTS_MAX        8
#define REPORT_WORKS_MAX        64   /* domains under way, but for those that wait for a POST */
#define REPORT_WAITING_MAX      2000 /* these: a POST may take a minute, and mails do not wait for it; more come later */
#define REPORT_AGAIN_SECONDS    60   /* when Redis is away */

struct report_sender;

/* Reads keys and authorities. NULL with the reason in e. conf is borrowed until it is configured anew. */
struct report_sender *report_sender_new(struct event_base *base, const struct conf *conf, struct redis *redis,
                                        struct err *e);
/* -1 with the reason in e: keys cannot be read, those from before stay. */
int report_sender_configure(struct report_sender *s, const struct conf *conf, struct err *e);
void report_sender_free(struct report_sender *s); /* what is under way is dropped without callback */

/* Nothing more begins; what leaves now is finished. */
void report_sender_drain(struct report_sender *s);

/* Seconds since the epoch, as the configuration has the clock. */
int64_t report_sender_now(const struct report_sender *s);

/* Another domain may be started. */
bool report_sender_has_room(const struct report_sender *s);

/* row, unless NULL, for each destination; then done, once, later. again: when to start anew, as not all is finished;
 * -1: it is. Returns 0, or -1 when Redis is away. */
typedef void report_work_done_fn(void *ctx, int64_t again);
int report_sender_start(struct report_sender *s, int32_t day, const char *domain, enum report_claim_how how,
                        report_sent_fn *row, report_work_done_fn *done, void *ctx);

/* Outcomes that Redis has not got yet (report_state_io.h). */
size_t report_sender_unwritten(const struct report_sender *s);
void report_sender_when_written(struct report_sender *s, void (*fn)(void *ctx), void *ctx);

struct report_job_stats report_sender_stats(const struct report_sender *s);

#endif
