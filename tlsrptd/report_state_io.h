/*
 * report_state_io.h - the states of reports in Redis (report_state.h). Each step is a compare-and-set by one script: it
 * is written if what is there is what it was decided on, else it is decided anew on what is there. So of any number of
 * nodes one sends. The Redis user needs EVAL, and in scripts HGET, HSET, EXPIRE.
 */
#ifndef POSTERN_REPORT_STATE_IO_H
#define POSTERN_REPORT_STATE_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain.h"
#include "redis_io.h"
#include "report_state.h"

struct report_states;

struct report_states *report_states_new(struct event_base *base, struct redis *redis);

/* Callbacks that are still to come do not come any more. An outcome that Redis has not taken is lost: it is unknown
 * once its lease has ended. */
void report_states_free(struct report_states *s); /* NULL-safe */

/* One report to one destination. The caller's, and to be kept until the callback has come. */
struct report_ticket {
    int32_t day;
    char domain[DOMAIN_BUF];
    char field[REPORT_FIELD_BUF]; /* report_state_field */
    int64_t keep;                 /* seconds that the domain's states of this day stay in Redis */
    struct report_state state;    /* as it was left by the last step */
};

/* May it be sent now? why: NULL, or why nobody can tell (then not). t->state is up to date. */
typedef void report_claimed_fn(void *ctx, enum report_verdict verdict, const char *why);
void report_states_claim(struct report_states *s, struct report_ticket *t, enum report_claim_how how, int64_t now,
                         report_claimed_fn *fn, void *ctx);

/* It is to leave at once. ours: it is noted in Redis that it does. Else it must not. */
typedef void report_begun_fn(void *ctx, bool ours, const char *why);
void report_states_begin(struct report_states *s, struct report_ticket *t, int64_t now, report_begun_fn *fn, void *ctx);

/* What has become of it. t is copied. While Redis is away it is kept, and written later. Of an outcome that comes too
 * late, as another node was told to send again, nothing is written. */
void report_states_end(struct report_states *s, const struct report_ticket *t, enum report_stage stage, int64_t next,
                       const char *why, int64_t now);

/* Outcomes that are not in Redis yet. fn is called each time that there are none any more. */
size_t report_states_waiting(const struct report_states *s);
void report_states_when_written(struct report_states *s, void (*fn)(void *ctx), void *ctx);

#endif
