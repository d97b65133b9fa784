/* probe_tls.h - TLS of the probe: an SSL that goes on whatever the certificate is, and what it then knows. */
#ifndef POSTERN_PROBE_TLS_H
#define POSTERN_PROBE_TLS_H

#include "probe.h"

/*
 * For a connection to this host, judged by PKIX, and by DANE when its TLSA records are usable. *hello becomes the
 * version in the server's ServerHello, 0x0303 for TLS 1.2; it must be valid as long as the SSL. NULL with the reason.
 */
SSL *probe_tls_new(SSL_CTX *ctx, const struct dest *dest, const struct dest_host *host, int *hello, struct err *e);

/* Version, cipher, group, chain and judgements, as far as they are known; also after a handshake that failed. */
void probe_tls_note(struct probe_address *out, SSL *ssl);

/* Why the handshake failed with this error of OpenSSL's (0: closed), in words that say what to do. */
void probe_tls_why(const SSL *ssl, unsigned long error, int hello, struct err *e);

#endif
