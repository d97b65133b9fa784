/*
 * report_record_io.h - the TLSRPT record that a domain has now, asked of stsd before its reports leave. What was
 * counted says which record its sessions had, but whoever may tell outcomes could have made that up; reports go only
 * where the domain itself wants them (W3).
 */
#ifndef POSTERN_REPORT_RECORD_IO_H
#define POSTERN_REPORT_RECORD_IO_H

#include <event2/event.h>

#include "err.h"

struct report_records;

/* NULL with the reason in e: a bad address. */
struct report_records *report_records_new(struct event_base *base, const char *stsd, struct err *e);
void report_records_free(struct report_records *r); /* who waits is not called */

/* record: "" when there is none now that is valid; NULL: it cannot be told now, why says more. Called once, later. */
typedef void report_record_fn(void *ctx, const char *record, const char *why);
struct report_record_wait;
struct report_record_wait *report_record_ask(struct report_records *r, const char *domain, report_record_fn *fn,
                                             void *ctx);
void report_record_cancel(struct report_record_wait *w);

#endif
