/* address.h - "unix:/path" and "inet:ADDRESS:PORT", the way sockets are written in the configuration. Pure, no
 * resolving. */
#ifndef POSTERN_ADDRESS_H
#define POSTERN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "err.h"

#define ADDRESS_TEXT 128

struct address {
    struct sockaddr_storage sa;
    socklen_t len;
    char text[ADDRESS_TEXT]; /* as it was written */
};

/*
 * "unix:/absolute/path", "inet:192.0.2.1:25", "inet:[2001:db8::1]:25", "inet:*:25" (any IPv4), "tcp:" as another word
 * for "inet:". Returns 0, or -1 with the reason and an example in e.
 */
int address_parse(struct address *out, const char *text, struct err *e);

/*
 * The address of the n-th of several processes, from 1, that each listen on one of their own: "unix:/p" belongs to the
 * first and "unix:/p.2" to the second, "inet:192.0.2.1:25" to the first and "inet:192.0.2.1:26" to the second. Returns
 * 0, or -1 with the reason in e.
 */
int address_nth(struct address *out, const char *text, unsigned n, struct err *e);

/*
 * "inet:127.0.1.1-16:8689" is sixteen addresses, 127.0.1.1 to 127.0.1.16; anything else is one, itself. Writes the nth,
 * from 0, if there is one. Returns how many there are, up to 255, or 0 with the reason in e: a range that ends before
 * it begins, or beyond 255, or a text that does not fit.
 */
size_t address_range(char out[ADDRESS_TEXT], const char *text, size_t n, struct err *e);

/* An IP address by itself, as DNS gives it, without brackets. Returns 0, or -1: it is none, or the port is 0. */
int address_of_ip(struct address *out, const char *ip, uint16_t port);

/* Can only processes of this machine connect to it? A unix socket, 127.0.0.0/8, ::1. */
bool address_is_near(const struct address *a);

/* "192.0.2.1:53" or "[::1]:53" or "192.0.2.1" with a default port. Returns 0, or -1 with the reason. */
int address_parse_port(struct address *out, const char *text, unsigned default_port, struct err *e);

#endif
