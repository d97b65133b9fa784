/* receiver_cert.h - the certificates of receivers, right and wrong ones, and their authority. What fails ends the
 * program. */
#ifndef POSTERN_T_RECEIVER_CERT_H
#define POSTERN_T_RECEIVER_CERT_H

#include <openssl/ssl.h>

/* Make the authority of all, DIR/ca.pem, and another one that none has, DIR/stranger.pem. First of all. */
void receiver_cert_authorities(const char *dir);

/* A server's context for a host of that name with a new certificate; kind: as key cert= of receiver.c. The caller's. */
SSL_CTX *receiver_cert_tls(const char *name, const char *kind);

/* Print " SPKI TA" and an end of line: the SHA-256 digests of a host's key and of the authority's certificate. */
void receiver_cert_print(const SSL_CTX *tls);

#endif
