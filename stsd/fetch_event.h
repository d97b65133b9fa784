/*
 * fetch_event.h - what the collector is told of a policy fetch that failed (RFC 8460 4.3.2.2; tlsrpt_event.h): an event
 * of the domain's MTA-STS policy, of which there are no strings, as none was had. Pure.
 */
#ifndef POSTERN_FETCH_EVENT_H
#define POSTERN_FETCH_EVENT_H

#include "buf.h"
#include "dest.h"

/*
 * Append the event of a record that was just made. before: when the last fetch was tried that the record made before it
 * knew of (sts.attempted), 0 for none. Returns false, with nothing added, when no fetch was tried since, it went well,
 * or the domain has no TLSRPT record.
 */
bool fetch_event_write(struct buf *out, const struct dest *dest, int64_t before);

#endif
