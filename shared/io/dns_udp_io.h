/*
 * dns_udp_io.h - one DNS query over UDP: a socket that is connected for it alone, from a random port that it has for it
 * alone. A few sockets are kept for later queries: those get a new port, and hear nothing that was meant for the old
 * one. Private to dns_io.c, which keeps the time.
 */
#ifndef POSTERN_DNS_UDP_IO_H
#define POSTERN_DNS_UDP_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

struct dns_udp;
struct dns_udp_pool;

/* The sockets of one program; never NULL. To be freed when no query is under way. */
struct dns_udp_pool *dns_udp_pool_new(struct event_base *base);
void dns_udp_pool_free(struct dns_udp_pool *pool); /* NULL-safe */

/*
 * A datagram from the server's address and port, valid during the callback; or NULL and errno's value for an error of
 * the socket (nobody listens there). Returns true to hear more, false when it was the last one wanted or the exchange
 * has been freed.
 */
typedef bool dns_udp_fn(void *ctx, const uint8_t *reply, size_t len, int error);

/* Send the query. fn is never called from within. NULL when it could not be sent (errno says why). */
struct dns_udp *dns_udp_start(struct dns_udp_pool *pool, const struct address *server, const uint8_t *query, size_t len,
                              dns_udp_fn *fn, void *ctx);

/* Gives the socket up; fn will not be called. NULL-safe; allowed within fn, which returns false then. */
void dns_udp_free(struct dns_udp *u);

#endif
