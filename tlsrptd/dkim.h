/*
 * dkim.h - DKIM signatures (RFC 6376, RFC 8463): rsa-sha256 and ed25519-sha256, relaxed/relaxed, without l=, and the
 * DNS records of their keys. Pure; the reading of keys is dkim_key_io.h.
 */
#ifndef POSTERN_DKIM_H
#define POSTERN_DKIM_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define DKIM_RSA_BITS_MIN  1024 /* less is not used: verifiers need not take it (RFC 8301 3.2) */
#define DKIM_RSA_BITS_GOOD 2048 /* what signers should have */

struct dkim_key {
    const char *domain;   /* d=, in its one form (domain.h) */
    const char *selector; /* s= */
    EVP_PKEY *key;        /* RSA of DKIM_RSA_BITS_MIN or more, or Ed25519 */
};

/*
 * Append a "DKIM-Signature: …" field, folded at 78 columns, its lines ended by CR LF, for a message whose header and
 * body are given (lines end with CR LF; of the header all up to an empty line counts). names, in small letters: the
 * fields that are signed, as h= will have them. A name that stands there n times signs the last n fields of that name;
 * those that are missing are signed as absent, so that none can be added later (RFC 6376 5.4.2, 8.15). Returns 0, or -1
 * with the reason: a key that is none of the above, a domain or selector that is none, no memory.
 */
int dkim_sign(struct buf *out, const struct dkim_key *key, const char *header, size_t header_len, const char *body,
              size_t body_len, const char *const *names, size_t count, int64_t now, struct err *e);

/*
 * Append what is signed: those fields of the header in relaxed form, in this order, and then the signature's own field,
 * whose b= is empty, without its line end (RFC 6376 3.7).
 */
void dkim_signed_text(struct buf *out, const char *header, size_t header_len, const char *const *names, size_t count,
                      const char *field, size_t field_len);

/* Append the signature of that text, in base64. Returns 0, or -1 with the reason. */
int dkim_signature(struct buf *out, EVP_PKEY *key, const char *text, size_t len, struct err *e);

/* Can the key be used? Returns "rsa" or "ed25519" (k=), or NULL with the reason. */
const char *dkim_key_kind(EVP_PKEY *key, struct err *e);

/*
 * Append a field in relaxed form, with its CR LF (RFC 6376 3.4.2), or a body (3.4.4; an empty one stays empty). field:
 * with or without its last line end.
 */
void dkim_relaxed_header(struct buf *out, const char *field, size_t len);
void dkim_relaxed_body(struct buf *out, const char *body, size_t len);

/*
 * Append the TXT record of a key: "v=DKIM1; k=rsa; s=tlsrpt:email; p=…" (RFC 8460 3). With s=tlsrpt alone a verifier
 * that takes a report for any other mail must not use the key (RFC 6376 3.6.1). opendkim and Mail::DKIM do not use it,
 * and then DMARC fails, too. Returns 0, or -1 with the reason.
 */
int dkim_record(struct buf *out, EVP_PKEY *key, struct err *e);

/*
 * Compare a published record, its character-strings joined, with the key. Returns 0: it fits; 1: it fits, but is not
 * what it should be, so that some receivers may ignore reports (a warning in e); -1: it does not (e).
 */
int dkim_record_check(const char *txt, size_t len, EVP_PKEY *key, struct err *e);

#endif
