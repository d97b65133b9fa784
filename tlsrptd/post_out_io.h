/*
 * post_out_io.h - a report by HTTPS POST (RFC 8460 5.4; checks H1 to H6): to the URI as published, without its
 * fragment; the certificate must be good; TLS 1.2 at least; no redirects, no proxy, no cookies; 60 s for all; what the
 * server answers beyond its status is not kept.
 */
#ifndef POSTERN_POST_OUT_IO_H
#define POSTERN_POST_OUT_IO_H

#include <stdbool.h>
#include <stddef.h>

#include "curl_loop_io.h"

#define POST_OUT_TIMEOUT_MS 60000
#define POST_OUT_ANSWER_MAX 65536 /* octets of headers, and of body, that are read */
#define POST_OUT_CONTENT    "application/tlsrpt+gzip"

struct post_out_options {
    const char *ca_file; /* PEM; "": the system's */
    const char *user_agent;
    bool anywhere; /* also addresses that are not public (post_address.h) */
    int timeout_ms;
};

struct post_out;

/* why: NULL when the server took it, by a status of 200 to 299. The handle is invalid then. */
typedef void post_out_fn(void *ctx, const char *why);

/* uri: one that rua_uri_check takes. The body is borrowed until the callback. */
struct post_out *post_out_start(struct curl_loop *loop, const struct post_out_options *options, const char *uri,
                                const char *body, size_t len, post_out_fn *fn, void *ctx);
void post_out_cancel(struct post_out *p);

#endif
