/* cert_pkcs12.h - certificates with their key from PKCS#12 (RFC 7292), as Windows and Java write it. Pure but for
 * OpenSSL. */
#ifndef POSTERN_CERT_PKCS12_H
#define POSTERN_CERT_PKCS12_H

#include "buf.h"
#include "err.h"

/*
 * Append the key and all certificates as PEM. password NULL: none, or an empty one. RC2 and 3DES, which older programs
 * use, are read when OpenSSL's legacy provider is there. Returns 0, or -1 with the reason and what to do.
 */
int cert_pkcs12_read(struct buf *pem, const char *octets, size_t len, const char *password, struct err *e);

#endif
