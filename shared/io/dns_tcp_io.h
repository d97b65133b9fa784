/* dns_tcp_io.h - one DNS query over TCP (RFC 7766), for replies too large for UDP. Private to dns_io.c, which keeps the
 * time. */
#ifndef POSTERN_DNS_TCP_IO_H
#define POSTERN_DNS_TCP_IO_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

struct dns_tcp;

/* The reply is valid during the callback; NULL when there will be none, with the reason. The callee frees the exchange.
 */
typedef void dns_tcp_fn(void *ctx, const uint8_t *reply, size_t len, const char *why);

/*
 * Connect, send, wait for one reply. fn is called at most once, never from within. NULL when no socket could be had
 * (errno says why).
 */
struct dns_tcp *dns_tcp_start(struct event_base *base, const struct address *server, const uint8_t *query, size_t len,
                              dns_tcp_fn *fn, void *ctx);

/* Closes the connection; fn will not be called. NULL-safe; allowed within fn. */
void dns_tcp_free(struct dns_tcp *t);

#endif
