/* cert_served_io.h - the certificate that a mail server serves now, as a client under STARTTLS sees it. */
#ifndef POSTERN_CERT_SERVED_IO_H
#define POSTERN_CERT_SERVED_IO_H

#include <stdint.h>

#include "cert_use.h"

#define CERT_SERVED_MS 20000 /* a server that was told to reload may take so long */

/*
 * Connect, without SNI, and take the leaf's SHA-256, again and again, until this one is served, twice running, or ms
 * have gone by; a look takes 10 s at most. Returns 0, and e is as it was; or -1 with what the last look found: another
 * certificate, nobody who listens, no STARTTLS, a handshake that fails.
 */
int cert_served_wait(const struct cert_where *where, const uint8_t sha256[CERT_DIGEST_LEN], int64_t ms, struct err *e);

#endif
