/*
 * call_client.h - the client side of the call protocol: one connection, many requests in flight, reconnects by itself.
 * The process must ignore SIGPIPE.
 */
#ifndef POSTERN_CALL_CLIENT_H
#define POSTERN_CALL_CLIENT_H

#include <event2/event.h>

#include "call.h"
#include "err.h"

struct call_client;

/*
 * status CALL_OK, CALL_TEMP or CALL_PERM as the server said. A server that is away, closes, is too slow or talks
 * nonsense is CALL_TEMP with the reason as text, and `reached` false. Called once per request, never from within
 * call_send. text is valid during the callback and NUL-terminated.
 */
typedef void call_reply_fn(void *ctx, enum call_status status, const char *text, size_t len, int reached);

/* Connects at the first request. NULL with the reason in e (a bad address). */
struct call_client *call_client_new(struct event_base *base, const char *address, struct err *e);

/*
 * Returns a handle for call_cancel, or NULL when the request is too long or without memory (then fn is not called).
 * While the connection is down one attempt is made per request, but no more often than every 200 ms; between attempts
 * requests fail fast.
 */
struct call_sent *call_send(struct call_client *c, const char *verb, const char *arg, size_t arg_len, int timeout_ms,
                            call_reply_fn *fn, void *ctx);

/* fn will not be called. The handle is invalid after its callback. */
void call_cancel(struct call_sent *s);

/* Outstanding requests are dropped without callback. */
void call_client_free(struct call_client *c);

#endif
