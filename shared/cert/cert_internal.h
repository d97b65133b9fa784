/* cert_internal.h - what the files of certificate.h share. */
#ifndef POSTERN_CERT_INTERNAL_H
#define POSTERN_CERT_INTERNAL_H

#include "certificate.h"

/* Names and signature: was it issued by that one? Purposes and dates do not matter. */
bool cert_is_issued_by(X509 *cert, X509 *issuer);

/* A name as RFC 2253 has it, printable ASCII, cut to fit; "(no name)" for an empty one. */
void cert_name_text(char *out, size_t size, const X509_NAME *name);

/* "RSA 2048", "EC P-256", "Ed25519"; what it is otherwise, or "unreadable" for NULL. */
enum cert_key_type cert_key_text(char *out, size_t size, const EVP_PKEY *key);

/* Seconds since the epoch. Returns 0, or -1 when it is no time. */
int cert_time(int64_t *out, const ASN1_TIME *time);

#endif
