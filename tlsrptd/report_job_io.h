/*
 * report_job_io.h - sends the reports of a day: each to each destination of its record, once, on however many nodes
 * (report_state_io.h), spread over report_delay after the day has ended, with retries for report_retry.
 */
#ifndef POSTERN_REPORT_JOB_IO_H
#define POSTERN_REPORT_JOB_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "redis_io.h"

struct report_job;

/* Reads keys and authorities. NULL with the reason in e. Without a contact in conf nothing is sent, and that is logged.
 */
struct report_job *report_job_new(struct event_base *base, const struct conf *conf, struct redis *redis, struct err *e);
/* 0; or -1 with the reason in e, and conf is not used: the one from before stays. */
int report_job_configure(struct report_job *j, const struct conf *conf, struct err *e);
void report_job_free(struct report_job *j);

/*
 * Now, by hand: the reports of a day, of one domain or of all ("" ), whether their time has come or not; those that
 * were sent are not sent again, unless `again` is set. fn gets a row for each destination, and at the end one with
 * domain NULL.
 */
struct report_sent {
    const char *domain, *destination, *state, *why; /* state: report_stage_name (report_state.h) */
};
typedef void report_sent_fn(void *ctx, const struct report_sent *row);
int report_job_send(struct report_job *j, int32_t day, const char *domain, bool again, report_sent_fn *fn, void *ctx,
                    struct err *e);

/* Stop after what is under way; fn when nothing is. Returns true when nothing was. */
bool report_job_drain(struct report_job *j, void (*fn)(void *ctx), void *ctx);

struct report_job_stats {
    uint64_t sent, failed, given_up, unknown;
    uint64_t waiting;  /* domains whose reports are still to go */
    int64_t last_sent; /* when one was last taken; 0: none yet */
};
struct report_job_stats report_job_stats(const struct report_job *j);

#endif
