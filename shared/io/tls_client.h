/*
 * tls_client.h - TLS of outgoing SMTP, as far as it is a matter of certificates: an SSL for a connection to an MX host,
 * which cannot finish its handshake unless the host has shown what was demanded of it. The SSL gets its octets from
 * whoever made it (a BIO, a bufferevent); nothing here waits.
 *
 * What holds for all: TLS 1.2 at least, no renegotiation, no session is ever resumed (neither kept nor asked for by
 * ticket), so every handshake verifies the certificate anew. Names are looked for in the dNSNames alone, not in the CN;
 * a wildcard stands for the whole left-most label and one label only (RFC 8461 4.1, RFC 7672 3.2.3, RFC 6125).
 */
#ifndef POSTERN_TLS_CLIENT_H
#define POSTERN_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "err.h"
#include "tlsa.h"

/*
 * The settings that all connections share, with the certificate authorities of the PEM file, or those of the system
 * when it is NULL or "". NULL with the reason in e: no such file, no certificate in it, the system has none, no memory.
 * To be freed with SSL_CTX_free().
 */
SSL_CTX *tls_client_context(const char *ca_file, struct err *e);

/*
 * What is demanded of one host: PKIX, DANE, or both at once, then the one certificate must pass both. Nothing of it is
 * kept after tls_client_new. Names are domain names in their one form (domain.h).
 */
struct tls_client_demand {
    const char *sni;
    const char *pkix_name; /* the certificate is trusted and has this name; NULL: not by PKIX */
    bool pkix_noted;       /* with DANE: whether that is so is only to be known, and not demanded */

    /* The certificate fits a usable record (RFC 7672 3.1): with DANE-EE whatever its names and dates, with DANE-TA it
       has one of these names. All NULL and 0: not by DANE. Records that are not usable are passed over. */
    const struct tlsa *tlsa;
    size_t tlsa_count;
    const char *const *dane_name;
    size_t dane_names;

    /* Whether any of this is so is only to be known (tls_client_judged): the handshake goes on whatever the certificate
       is. For those who look and never send mail; tls_client_result stays what it would have been. */
    bool noted;
};

/*
 * An SSL that demands this, in client state, not connected to anything; to be freed with SSL_free(), before the
 * context. NULL with the reason in e: nothing is demanded, no record is usable, an empty name, no memory.
 */
SSL *tls_client_new(SSL_CTX *ctx, const struct tls_client_demand *demand, struct err *e);

enum tls_client_result {
    TLS_CLIENT_VERIFIED,
    TLS_CLIENT_UNTRUSTED, /* no chain to an authority that is trusted, or anything else that is wrong with it */
    TLS_CLIENT_EXPIRED,   /* or not valid yet */
    TLS_CLIENT_NAME,
    TLS_CLIENT_TLSA,    /* no TLSA record fits */
    TLS_CLIENT_REFUSED, /* no version or cipher in common, says either side */
    TLS_CLIENT_BROKEN,  /* the handshake ended otherwise, or has not ended */
    TLS_CLIENT_LOCAL    /* our side could not verify: no memory */
};

/* "verified", "untrusted", "expired", "name", "tlsa", "refused", "broken", "local" */
const char *tls_client_result_name(enum tls_client_result result);

/*
 * How the handshake ended: VERIFIED only when it is over and all that was demanded was shown. error is OpenSSL's own of
 * the failure (ERR_get_error, bufferevent_get_openssl_error), 0 when there is none. For all but VERIFIED e says in
 * words what it was.
 */
enum tls_client_result tls_client_result(const SSL *ssl, unsigned long error, struct err *e);

/* What the certificate was found to be, for reports: VERIFIED, or why not, or BROKEN for what was not looked at. */
struct tls_client_judgement {
    enum tls_client_result result;
    const char *words; /* OpenSSL's, static; "" when there is nothing to say */
};

/* By DANE and by PKIX, each for itself, as soon as the certificate has come. */
void tls_client_judged(struct tls_client_judgement *dane, struct tls_client_judgement *pkix, const SSL *ssl);

#define TLS_CLIENT_NAMES_MAX 256

/* What is known of the other side, for logs: printable ASCII, cut to fit, "" for what is not known (yet). */
struct tls_client_peer {
    char version[16];                 /* "TLSv1.3"; "" before the handshake is over */
    char cipher[64];                  /* as above */
    char sha256[65];                  /* digest of the certificate, hex */
    char issuer[160];                 /* RFC 2253 */
    char expires[24];                 /* 2026-11-22T10:00:00Z */
    char names[TLS_CLIENT_NAMES_MAX]; /* its dNSNames, with commas */
};

/* Also after a handshake that failed, as soon as the certificate has come. */
void tls_client_peer(struct tls_client_peer *out, const SSL *ssl);

#endif
