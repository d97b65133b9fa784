/*
 * control_io.h - policyd's call socket for posternctl (core/call.h). Replies are JSON objects.
 *
 *   - explain NEXTHOP: nexthop, domain, kind, answer, answer_tlsrpt, temp, level, reasons, source, valid_until (0:
 * always), record
 *   - cache-show: entries, limit, more, domains: [{domain, answer, valid_until (0: out of date), hits}],
 * CONTROL_SHOW_MAX at most
 *   - cache-get DOMAIN: one of those with answer_tlsrpt; PERM when it is not there
 *   - cache-flush [DOMAIN]: flushed, how many
 *   - status: version, pid, uptime, redis, tracking, and the numbers of /metrics
 */
#ifndef POSTERN_CONTROL_IO_H
#define POSTERN_CONTROL_IO_H

#include <event2/event.h>

#include "conf.h"
#include "err.h"
#include "lookup_io.h"
#include "memory.h"
#include "redis_io.h"
#include "serve_io.h"

#define CONTROL_SHOW_MAX 1000

struct control;

/* Opens the socket. NULL with the reason in e. */
struct control *control_new(struct event_base *base, const char *address, struct err *e);

/* From now on answer. */
void control_run(struct control *c, struct memory *memory, struct lookups *lookups, const struct redis *redis,
                 const struct serve *serve, size_t cache_limit);

void control_free(struct control *c);

#endif
