/*
 * http_server.h - the one small HTTP server: GET and HEAD, one request a connection, answered at once or later. It
 * knows no users and no TLS: its address belongs on loopback, behind a proxy, or on a network of one's own.
 */
#ifndef POSTERN_HTTP_SERVER_H
#define POSTERN_HTTP_SERVER_H

#include <event2/event.h>

#include "err.h"
#include "http_message.h"

/*
 * Whoever asks has so many milliseconds to ask, to have the answer, and to take it, however slowly octets drip. What
 * comes behind the request is read and thrown away until the other end closes, so that it does see the answer.
 */
#define HTTP_CONNECTION_MS 10000
#define HTTP_ANSWER_MAX    2097152 /* octets of an answer */

struct http_server;
struct http_call; /* a request that has no answer yet */

/*
 * Answer with http_answer, exactly once, now or later. The request is valid during this call. Requests that are none,
 * and methods other than GET and HEAD, have been answered already.
 */
typedef void http_handle_fn(void *ctx, struct http_call *call, const struct http_request *request);

/* All of *answer is copied; of an answer to HEAD the body is left out. The call is gone. */
void http_answer(struct http_call *call, const struct http_answer *answer);

/* The same with a line of plain text. */
void http_answer_text(struct http_call *call, int status, const char *text);

struct http_server_options {
    const char *address;    /* address.h; a unix socket gets mode 0660 */
    size_t connections_max; /* at a time; for others the oldest that has not asked is given up, or else they wait */
    http_handle_fn *fn;
    void *ctx;
};

/* Serve from the loop. NULL with the reason and the address in e: it cannot listen there. base outlives it. */
struct http_server *http_server_new(struct event_base *base, const struct http_server_options *options, struct err *e);

/* NULL-safe. All calls must have been answered. */
void http_server_free(struct http_server *s);

#endif
