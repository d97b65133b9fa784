/*
 * https_io.h - HTTPS GET by libcurl's multi interface, on threads, for MTA-STS policies (RFC 8461 3.3; A3): given
 * addresses, TLS 1.2+, the certificate's SAN dNSNames only (never the CN), no redirects, no proxy, no reuse, no
 * cookies, one deadline for everything, a cap on octets. The program must ignore SIGPIPE.
 */
#ifndef POSTERN_HTTPS_IO_H
#define POSTERN_HTTPS_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct https;
struct https_get;

struct https_options {
    const char *ca_file; /* PEM; "" or NULL: the system's */
    const char *user_agent;
    int port;
    int timeout_ms;     /* the whole fetch */
    size_t max_octets;  /* of the body */
    size_t concurrency; /* transfers at one time; more wait their turn, without deadline */
};

/*
 * Nobody's slow host keeps others out: hosts are told apart by their first address (IPv6: its /64), and take turns. One
 * host has at most a tenth of the transfers, and at most twice as many are asked for; more are HTTPS_UNTRIED. A
 * transfer that has taken a tenth of timeout_ms ends as HTTPS_UNTRIED when another waits for its place, the oldest
 * first.
 */
#define HTTPS_SHARES   10
#define HTTPS_PATIENCE 10

enum https_outcome {
    HTTPS_UNTRIED,  /* our own fault: no memory, no descriptor, too much to do: it says nothing of the host */
    HTTPS_ANSWERED, /* an HTTP answer came whole: status, content_type, body */
    HTTPS_FAILED,   /* connect, cut, time-out, too large */
    HTTPS_UNTRUSTED /* the certificate was not accepted */
};

struct https_result {
    enum https_outcome outcome;
    long status;
    const char *content_type; /* NULL: none */
    const char *body;
    size_t len;
    const char *why; /* for the other outcomes, in words */
};

/*
 * The strings of options are copied. Starts the threads. NULL with the reason in e: no authorities to check
 * certificates with, or libcurl does not start.
 */
struct https *https_new(struct event_base *base, const struct https_options *options, struct err *e);
void https_free(struct https *h); /* NULL-safe; what is under way is dropped without callback */

/*
 * The result is valid during the callback. Called once, never from within https_start. It may start, cancel other
 * transfers and free the struct https.
 */
typedef void https_done_fn(void *ctx, const struct https_result *result);

/*
 * GET https://host:port path from one of the addresses (all are tried as libcurl does; none is HTTPS_FAILED "no
 * address"; text of addresses, not foreign words). Aborts without memory. The handle is invalid after the callback.
 */
struct https_get *https_start(struct https *h, const char *host, const char *path, const char *const *addresses,
                              size_t count, https_done_fn *fn, void *ctx);
void https_cancel(struct https_get *g); /* its callback does not come; the handle is invalid */

/* It has run for half of timeout_ms at least, or has failed: if there is no answer, that is the host's doing. */
bool https_had_its_time(const struct https_get *g);

size_t https_outstanding(const struct https *h); /* transfers that run or wait for their turn */

#endif
