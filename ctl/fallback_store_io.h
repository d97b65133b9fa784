/*
 * fallback_store_io.h - the fallback states in Redis (fallback_io.h), as posternctl reads and clears them. The Redis
 * user needs UNLINK, EVAL, and in scripts SCAN, TYPE and HSCAN, for keys PREFIXfallback:*.
 */
#ifndef POSTERN_FALLBACK_STORE_IO_H
#define POSTERN_FALLBACK_STORE_IO_H

#include "fallback_text.h"
#include "redis_ask_io.h"

/* Append the states of a next hop. Returns 0, or -1 with the reason in e. */
int fallback_store_read(struct redis_ask *a, const char *nexthop, struct fallback_rows *out, struct err *e);

/* Append those of all next hops. What is no hash is a row that says so. */
int fallback_store_read_all(struct redis_ask *a, const char *prefix, struct fallback_rows *out, struct err *e);

/* Forget a next hop; *count grows by what was there: 1 or 0. */
int fallback_store_clear(struct redis_ask *a, const char *nexthop, int64_t *count, struct err *e);

/* Forget them all; *count grows by the number of next hops. */
int fallback_store_clear_all(struct redis_ask *a, const char *prefix, int64_t *count, struct err *e);

/* Note an event, as fallback_report does, and wait. */
int fallback_store_report(struct redis_ask *a, const char *nexthop, const char *host, enum fallback_event event,
                          int64_t at, struct err *e);

#endif
