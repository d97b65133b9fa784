/*
 * serve_io.h - stsd's call socket (core/call.h).
 *
 *   - resolve DOMAIN: the destination record as JSON, from Redis or memory while it holds; TEMP when too many are
 * waiting
 *   - refresh DOMAIN: the same, gathered anew
 *   - activity: what it does now, as JSON for `posternctl top`: under_way: [{domain, ms, waits}], those worked on
 * longest, the oldest first; slowest: [{domain, ms, ago, end}], the slowest resolutions that ended in the last
 * SLOWEST_KEEP seconds
 *   - status: JSON, version, pid, uptime, redis, dnssec (a resolver is believed about it), and the numbers of /metrics
 */
#ifndef POSTERN_STSD_SERVE_IO_H
#define POSTERN_STSD_SERVE_IO_H

#include <event2/event.h>

#include "err.h"
#include "records_io.h"

struct serve;

/* Opens the socket. NULL with the reason in e. */
struct serve *serve_new(struct event_base *base, const char *address, struct err *e);

/* From now on answer. */
void serve_run(struct serve *s, struct records *records, const struct redis *redis, bool dnssec);

/* Take nothing new. */
void serve_drain(struct serve *s);
size_t serve_outstanding(const struct serve *s);

void serve_free(struct serve *s);

#endif
