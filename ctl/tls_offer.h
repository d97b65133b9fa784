/*
 * tls_offer.h - what this OpenSSL says in a ClientHello when its versions are pinned: which versions can be used under
 * the system's settings (openssl.cnf, security level), which cipher suites and groups, in order. Nothing is sent.
 */
#ifndef POSTERN_TLS_OFFER_H
#define POSTERN_TLS_OFFER_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "buf.h"
#include "err.h"

#define TLS_OFFER_VERSIONS   4
#define TLS_OFFER_SUITES_MAX 128
#define TLS_OFFER_GROUPS_MAX 64
#define TLS_OFFER_TEXT_MAX   512

struct tls_offer_version {
    const char *name; /* "TLSv1.2", as in the list protocols */
    unsigned bit;     /* LIST_TLS_1_2 */
    bool pinned;      /* the pin allows it */
    bool usable;      /* and so does OpenSSL here */
    char why[120];    /* why OpenSSL does not; "" */
};

struct tls_offer_suite {
    const char *name, *standard;               /* OpenSSL's name, the RFCs' */
    const char *since;                         /* "TLSv1.3", "TLSv1.2"; older ones can be used up to TLS 1.2 */
    const char *key_exchange, *authentication; /* "ECDHE", "RSA"; "any" with TLS 1.3 */
    int bits;
};

struct tls_offer {
    const char *library; /* "OpenSSL 3.0.22 …" */
    int security_level;
    struct tls_offer_version version[TLS_OFFER_VERSIONS];
    struct tls_offer_suite suite[TLS_OFFER_SUITES_MAX];
    size_t suites;
    char group[TLS_OFFER_GROUPS_MAX][24];
    size_t groups;
    char postfix[TLS_OFFER_TEXT_MAX]; /* the pin as an attribute of a TLS policy of Postfix; "" without a pin */
    char exim[TLS_OFFER_TEXT_MAX];    /* as GnuTLS's priority string for Exim */
};

/*
 * value: as in the list protocols, ">=TLSv1.2 ciphers=high"; NULL: no pin. Returns 1; 0 when the pin leaves nothing to
 * offer, with the reason in e, *out being filled as far as it is known; or -1 when it is no pin.
 */
int tls_offer_read(struct tls_offer *out, const char *value, struct err *e);

void tls_offer_print(struct buf *out, const struct tls_offer *o, bool colour);
json_t *tls_offer_json(const struct tls_offer *o); /* NULL without memory */

#endif
