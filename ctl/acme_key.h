/* acme_key.h - the next key of a certificate by ACME, and the request that goes with it: cert_make.h as PEM. */
#ifndef POSTERN_ACME_KEY_H
#define POSTERN_ACME_KEY_H

#include <openssl/evp.h>

#include "buf.h"
#include "err.h"

#define ACME_KEY_MAX 16384 /* octets of a key as PEM */
#define ACME_CSR_MAX 65536

/* Those of cert_make.h but ed25519, which authorities do not sign. When it is none, e says which there are. */
bool acme_key_type_valid(const char *type, struct err *e);

/* Append a new key of that type, as PEM. Returns 0, or -1 with the reason. */
int acme_key_new(struct buf *pem, const char *type, struct err *e);

/* NULL when it is none. EVP_PKEY_free. */
EVP_PKEY *acme_key_read(const char *pem, size_t len);

/*
 * Append the request for these names, each once, as PEM; the first is the subject where it is short enough (64 octets).
 * Returns 0, or -1 with the reason.
 */
int acme_csr(struct buf *pem, EVP_PKEY *key, char *const *host, size_t hosts, struct err *e);

#endif
