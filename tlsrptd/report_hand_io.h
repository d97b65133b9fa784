/* report_hand_io.h - reports that somebody asks for by hand: those of one domain, or of all of a day, now. Private to
 * report_job_io.c. */
#ifndef POSTERN_REPORT_HAND_IO_H
#define POSTERN_REPORT_HAND_IO_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "redis_io.h"
#include "report_job_io.h"
#include "report_sender_io.h"

#define REPORT_HANDS_MAX 16 /* at a time, and domains of each at a time */

struct report_hands;

/* ended: called whenever one has ended. */
struct report_hands *report_hands_new(struct redis *redis, struct report_sender *sender, void (*ended)(void *ctx),
                                      void *ctx);
void report_hands_free(struct report_hands *h); /* before the sender; no callbacks come any more */

/* As report_job_send. */
int report_hands_start(struct report_hands *h, int32_t day, const char *domain, enum report_claim_how how,
                       report_sent_fn *fn, void *ctx, struct err *e);

size_t report_hands_running(const struct report_hands *h);

/* Domains that have not begun are left out. */
void report_hands_drain(struct report_hands *h);

#endif
