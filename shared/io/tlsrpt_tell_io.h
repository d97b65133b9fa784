/*
 * tlsrpt_tell_io.h - TLS outcomes on their way to the collector: each is sent as a request of the call protocol, verb
 * "event", with the JSON of tlsrpt_event.h, and kept until the collector has answered OK. While it is away they wait in
 * memory, and are sent in their order when it is back. One that it puts off (TEMP) goes behind all others. Nobody waits
 * for this.
 *
 * When an answer is lost with the connection, or comes too late, the event is sent again, and may be counted twice; so
 * it is only then. Lost are: those that find TLSRPT_TELL_EVENTS or TLSRPT_TELL_OCTETS waiting already, those that the
 * collector refuses for good (PERM), those that it puts off five times though it takes others in between, and those
 * that wait when the process ends. They are counted, and logged once a minute at most.
 */
#ifndef POSTERN_TLSRPT_TELL_IO_H
#define POSTERN_TLSRPT_TELL_IO_H

#include <event2/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define TLSRPT_TELL_EVENTS 10000
#define TLSRPT_TELL_OCTETS 8388608

struct tlsrpt_tell_stats {
    uint64_t events; /* all that were to be told */
    uint64_t lost;
    uint64_t waiting; /* now */
};

struct tlsrpt_tell;

/* NULL with the reason in e: a bad address. */
struct tlsrpt_tell *tlsrpt_tell_new(struct event_base *base, const char *address, struct err *e);

/* One event, copied. NULL-safe, as all that follow: then nobody is told. */
void tlsrpt_tell(struct tlsrpt_tell *t, const char *json, size_t len);

/* Since the start; all 0 for NULL. */
struct tlsrpt_tell_stats tlsrpt_tell_stats(const struct tlsrpt_tell *t);

/*
 * Before the process ends: returns true when nothing waits. Else fn is called, from the loop, once that is so or after
 * so many milliseconds.
 */
bool tlsrpt_tell_drain(struct tlsrpt_tell *t, int64_t ms, void (*fn)(void *ctx), void *ctx);

void tlsrpt_tell_free(struct tlsrpt_tell *t); /* what waits is lost */

#endif
