/* cert_make.h - new keys, self-signed certificates and requests for an authority. Pure but for OpenSSL. */
#ifndef POSTERN_CERT_MAKE_H
#define POSTERN_CERT_MAKE_H

#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "buf.h"
#include "domain.h"
#include "err.h"

#define CERT_WISH_HOSTS_MAX 100
#define CERT_WISH_DAYS_MAX  3650

struct cert_wish {
    char host[CERT_WISH_HOSTS_MAX][DOMAIN_BUF]; /* in their one form, or "*." and one; the first is the subject */
    size_t hosts;
    const char *organization, *country; /* NULL: none; 64 octets of UTF-8, and two letters */
    int64_t days;                       /* of a certificate */
};

/* One more host name, which may be a wildcard; one that is there already is no error. Returns 0, or -1. */
int cert_wish_add(struct cert_wish *w, const char *name, struct err *e);

/* "rsa2048" or "rsa", "rsa3072", "rsa4096", "p256", "ed25519". */
bool cert_key_type_known(const char *type);

/* Of such a type. Returns a key (EVP_PKEY_free), or NULL. */
EVP_PKEY *cert_key_make(const char *type, struct err *e);

/* A certificate that is its own issuer, good from an hour before now on. Returns it (X509_free), or NULL. */
X509 *cert_self_signed(const struct cert_wish *w, EVP_PKEY *key, int64_t now, struct err *e);

/* PKCS#10 (RFC 2986). Returns it (X509_REQ_free), or NULL. */
X509_REQ *cert_request(const struct cert_wish *w, EVP_PKEY *key, struct err *e);

/* Append as PEM, a key unencrypted. What cannot be written makes out fail. */
void cert_pem_key(struct buf *out, const EVP_PKEY *key);
void cert_pem_cert(struct buf *out, X509 *cert);
void cert_pem_request(struct buf *out, const X509_REQ *request);

#endif
