/*
 * failing.h - the destinations whose TLS fails now: the last failures by domain, FAILING_MAX of them, each until
 * nothing has been heard of it for FAILING_KEEP seconds. Pure.
 *
 * A failure may be heard of twice: at once for fallback, by its kind alone, and, of domains that want reports, with its
 * result type. It counts once: the count is the larger of the two.
 */
#ifndef POSTERN_FAILING_H
#define POSTERN_FAILING_H

#include <stddef.h>
#include <stdint.h>

#include "fallback.h"
#include "nexthop.h"
#include "tlsrpt_event.h"

#define FAILING_MAX  256
#define FAILING_KEEP 3600

struct failing_domain {
    uint64_t untyped, typed; /* failures since it is here */
    int64_t last;            /* seconds since the epoch */
    char domain[NEXTHOP_BUF];
    char host[NEXTHOP_BUF]; /* of the last failure; "" when not told */
    char result[32];        /* of the last: a result type of RFC 8460, or "handshake", "later" (fallback.h) */
};

/* All zero: empty. In texts, what is not printable ASCII is '?'. */
struct failing {
    struct failing_domain domain[FAILING_MAX];
    size_t count;
};

/* What fallback is told; what is no failure changes nothing, but for TLS that went well: then it is over. */
void failing_fallback(struct failing *f, const char *nexthop, const char *host, enum fallback_event event, int64_t at);

/* What is reported; an event without a failed policy changes nothing. */
void failing_event(struct failing *f, const struct tlsrpt_event *event, int64_t at);

/* Those left at this time, most failures first. Returns how many, at most max. */
size_t failing_list(const struct failing *f, const struct failing_domain **out, size_t max, int64_t now);

/* How often it failed. */
uint64_t failing_count(const struct failing_domain *d);

#endif
