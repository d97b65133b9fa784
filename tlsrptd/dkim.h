/*
 * dkim.h - DKIM signatures (RFC 6376, RFC 8463): rsa-sha256 and ed25519-sha256, relaxed/relaxed, without l=. Pure, but
 * for the reading of keys, which is dkim_key_io.h.
 */
#ifndef POSTERN_DKIM_H
#define POSTERN_DKIM_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct dkim_key {
    const char *domain;   /* d= */
    const char *selector; /* s= */
    EVP_PKEY *key;        /* RSA of 1024 bits or more, or Ed25519 */
};

/*
 * Append a "DKIM-Signature: …" field, its lines ended by CR LF, for a message whose header and body are given (lines
 * end with CR LF). names: the header fields that are signed, each that is there (from the last upwards when named
 * again). Returns 0, or -1 with the reason.
 */
int dkim_sign(struct buf *out, const struct dkim_key *key, const char *header, size_t header_len, const char *body,
              size_t body_len, const char *const *names, size_t count, int64_t now, struct err *e);

/* Relaxed canonical forms (RFC 6376 3.4.2, 3.4.4). */
void dkim_relaxed_header(struct buf *out, const char *field, size_t len);
void dkim_relaxed_body(struct buf *out, const char *body, size_t len);

/* The TXT record of a key: "v=DKIM1; k=rsa; s=tlsrpt; p=…" (RFC 8460 3). Returns 0, or -1 with the reason. */
int dkim_record(struct buf *out, EVP_PKEY *key, struct err *e);

/*
 * Compare a published record with the key. Returns 0: it fits; 1: it fits, but lacks s=tlsrpt, so receivers may ignore
 * reports (warning in e); -1: it does not (e).
 */
int dkim_record_check(const char *txt, size_t len, EVP_PKEY *key, struct err *e);

#endif
