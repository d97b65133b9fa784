/* call_server.h - the server side of the call protocol (core/call.h) over a listener. */
#ifndef POSTERN_CALL_SERVER_H
#define POSTERN_CALL_SERVER_H

#include <event2/event.h>

#include "call.h"
#include "err.h"

#define CALL_CONNECTIONS_MAX 1000  /* of one server; for one more the longest idle one is closed, or it waits */
#define CALL_OUTSTANDING_MAX 10000 /* requests of one connection without a reply; then it is not read further */

struct call_server;
struct call; /* one request that waits for its reply */

/* verb and arg are valid during the callback only. It must lead to exactly one call_answer, at once or later. */
typedef void call_handler_fn(void *ctx, struct call *call, const char *verb, const char *arg, size_t arg_len);

/*
 * Listen at the address (listener_open; mode: of a unix socket) and hand each request to fn. NULL with the reason and
 * address in e.
 */
struct call_server *call_server_open(struct event_base *base, const char *address, unsigned mode, call_handler_fn *fn,
                                     void *ctx, struct err *e);

/* Send the reply and free the call; the client may have gone, that is fine. */
void call_answer(struct call *call, enum call_status status, const char *text, size_t len);
void call_answerf(struct call *call, enum call_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Take no new connections or requests; what is outstanding is still answered. */
void call_server_drain(struct call_server *s);

/* Requests without an answer, and connections that have not taken theirs. */
size_t call_server_outstanding(const struct call_server *s);

/* Close everything. Calls still outstanding must still be given to call_answer, which then only frees them. */
void call_server_free(struct call_server *s);

#endif
