/*
 * dns_server_io.h - which resolvers dns_io.c asks, and which of them are believed when they set AD. Private to dns_*.c
 * and its test.
 */
#ifndef POSTERN_DNS_SERVER_IO_H
#define POSTERN_DNS_SERVER_IO_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "err.h"

#define DNS_SERVERS_MAX 16 /* a query remembers in a 32 bit word which of them gave up on it */
#define DNS_PORT        53

struct dns_server {
    struct address at;
    bool trusted; /* its AD is believed */
};

/*
 * AD crosses the wire unprotected, so it is only worth something when there is no wire: 127.0.0.0/8 (mapped into IPv6
 * too) and ::1, or when the configuration says so.
 */
bool dns_server_trusted(const struct sockaddr *sa, bool trust_ad);

/*
 * The resolvers of a NULL-terminated list; of an empty list (or NULL) the nameserver lines of the file at resolv_conf,
 * of which those that are no addresses (scoped ones) are passed over; if there is none, 127.0.0.1. Where one is trusted
 * the others are left out, and the log says so: what a validating resolver finds bogus (SERVFAIL) they would hand out
 * as insecure (B-3). Returns how many, 1 to DNS_SERVERS_MAX, or 0 with the reason in e.
 */
size_t dns_servers_read(struct dns_server out[DNS_SERVERS_MAX], char *const *list, const char *resolv_conf,
                        bool trust_ad, struct err *e);

#endif
