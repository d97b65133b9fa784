/* cert_served_io.h - the certificate that a mail server serves now, as a client under STARTTLS sees it. */
#ifndef POSTERN_CERT_SERVED_IO_H
#define POSTERN_CERT_SERVED_IO_H

#include <stdint.h>

#include "cert_use.h"

#define CERT_SERVED_MS 20000 /* a server that was told to reload may take so long */

/*
 * Connect, without SNI, and take the leaf's SHA-256. Each octet may take 10 seconds. Returns 0, or -1 with the reason:
 * nobody listens, no STARTTLS, TLS fails.
 */
int cert_served(uint8_t out[CERT_DIGEST_LEN], const struct cert_where *where, struct err *e);

/* Look until this one is served, twice running, or ms have gone by. Returns 0, or -1 with what was served instead. */
int cert_served_wait(const struct cert_where *where, const uint8_t sha256[CERT_DIGEST_LEN], int64_t ms, struct err *e);

#endif
