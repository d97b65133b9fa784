/* rua_uri.h - where TLS reports go: the URIs of a TLSRPT record's rua field (RFC 8460 3, RFC 3986, RFC 6068; checks
 * W12). */
#ifndef POSTERN_RUA_URI_H
#define POSTERN_RUA_URI_H

#include <stddef.h>

#include "domain.h"
#include "err.h"

#define RUA_URI_MAX     512
#define RUA_LOCAL_MAX   64 /* octets before the '@' (RFC 5321 4.5.3.1.1) */
#define RUA_ADDRESS_BUF (RUA_LOCAL_MAX + 1 + DOMAIN_BUF)

enum rua_kind { RUA_OTHER, RUA_MAILTO, RUA_HTTPS };

/*
 * Check one URI. Returns 0 with its kind, or -1 when an octet is no URI's, or when a mailto: or https: URI is longer
 * than RUA_URI_MAX or not one that a report could be sent to. Of other schemes only the octets are looked at.
 */
int rua_uri_check(enum rua_kind *kind, const char *uri, size_t len, struct err *e);

/*
 * The address of a mailto: URI, percent-decoded: a local part of letters, digits, '.' and the other octets of RFC 5322
 * atext, and a domain in its one form. It may begin with '-'. Returns 0, or -1 with the reason.
 */
int rua_mailto_address(char out[RUA_ADDRESS_BUF], const char *uri, size_t len, struct err *e);

/* The same of an address that stands by itself, without percent-encoding. */
int rua_address(char out[RUA_ADDRESS_BUF], const char *address, size_t len, struct err *e);

#endif
