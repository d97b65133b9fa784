/*
 * door_io.h - the call socket (call.h): relayd and stsd tell outcomes, posternctl asks. The verbs:
 *
 *   event JSON                        an outcome (tlsrpt_event.h). OK once it is on disk or in Redis; TEMP: keep it
 *   report-send DAY DOMAIN [again]    send reports now, of one domain or of all ("*"). OK with
 *                                     {"rows":[{"domain":…,"destination":…,"state":…,"why":…},…]}
 *   activity                          what fails now, as JSON for `posternctl top`: OK with
 *                                     {"failing":[{"domain":…,"host":…,"result":…,"failures":…,"ago":…},…]}
 *   status                            OK with numbers, as JSON
 */
#ifndef POSTERN_DOOR_IO_H
#define POSTERN_DOOR_IO_H

#include <event2/event.h>
#include <stdbool.h>

#include "err.h"
#include "failing.h"
#include "report_job_io.h"
#include "tlsrpt_event.h"

struct door;

struct door_hooks {
    bool (*event)(void *ctx, const struct tlsrpt_event *event);                      /* false: there is no room */
    void (*when_safe)(void *ctx, void (*fn)(void *answer, bool safe), void *answer); /* what was counted up to now */
    void (*update)(void *ctx); /* brings the counters up to date */
};

/* NULL with the reason in e. Requests are put off until door_run. */
struct door *door_open(struct event_base *base, const char *address, struct err *e);
void door_run(struct door *d, const struct door_hooks *hooks, void *ctx, struct report_job *job,
              const struct redis *redis, const struct failing *failing);

void door_drain(struct door *d);
size_t door_outstanding(const struct door *d); /* requests without an answer */
void door_close(struct door *d);

#endif
