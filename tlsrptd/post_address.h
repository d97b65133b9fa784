/* post_address.h - may a report be POSTed there? A TLSRPT record may name any host, and that host any address; those of
 * this machine, of its network and of nobody are not for the owners of records to choose (RFC 8460 7; check H5). Pure.
 */
#ifndef POSTERN_POST_ADDRESS_H
#define POSTERN_POST_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * An address that the internet routes to one host: not loopback, link-local, private, multicast, reserved or for
 * documents (the registries of RFC 6890). An IPv6 address that stands for an IPv4 address is judged by that.
 */
bool post_address_is_public(const struct sockaddr *sa, socklen_t len);

#endif
