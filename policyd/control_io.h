/*
 * control_io.h - policyd's call socket for posternctl (core/call.h). Replies are JSON objects. Each worker has a socket
 * (address_nth) and speaks for itself, but for the numbers in `status`: those are of all workers together.
 *
 *   - explain NEXTHOP: nexthop, domain, kind, answer, answer_tlsrpt, temp, level, smtps, overridden, reasons, source,
 *     valid_until (0: always), record
 *   - cache-show: entries, limit, more, domains: [{domain, answer, valid_until (0: out of date), hits}],
 *     CONTROL_SHOW_MAX at most
 *   - cache-get NEXTHOP: one of those with answer_tlsrpt; PERM when it is not there
 *   - cache-flush [NEXTHOP]: flushed, how many
 *   - activity: what this worker does now, for `posternctl top` (activity.h)
 *   - status: version, pid (of the supervisor, if there are workers), uptime, workers, redis ("up" when it is
 *     connected to all of them), tracking (the same), the numbers of /metrics, and lists: {from, redis ("adopt",
 *     "lost", "older"), read, file_problem, lists: {NAME: {entries, bad, problem}}} (operator_lists_io.h)
 */
#ifndef POSTERN_CONTROL_IO_H
#define POSTERN_CONTROL_IO_H

#include <event2/event.h>

#include "conf.h"
#include "err.h"
#include "gauges_io.h"
#include "lookup_io.h"
#include "memory.h"

#define CONTROL_SHOW_MAX 1000

struct control;

/* Opens the sockets of all workers. NULL with the reason in e. */
struct control *control_new(struct event_base *base, const char *address, size_t workers, struct err *e);

/* From now on answer on that worker's socket; the others are closed. All stay the caller's. */
void control_run(struct control *c, size_t worker, struct memory *memory, struct lookups *lookups,
                 const struct operator_lists *lists, struct gauges *gauges, size_t cache_limit);

void control_free(struct control *c);

#endif
