/* tlsa.h - which TLSA records a sending MTA can use (RFC 7672 3.1, RFC 7671; check B-2). */
#ifndef POSTERN_TLSA_H
#define POSTERN_TLSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define TLSA_DATA_MAX 16384 /* octets of association data that we keep of one record */

struct tlsa {
    uint8_t usage;
    uint8_t selector;
    uint8_t matching_type;
    uint16_t len;
    uint8_t *data; /* owned */
};

/*
 * Usable for SMTP: usage 2 (DANE-TA) or 3 (DANE-EE); selector 0 or 1; matching type 0 with a DER certificate or key
 * that OpenSSL can read whole, 1 with 32 octets, 2 with 64. On false, e (may be NULL) says why.
 */
bool tlsa_usable(const struct tlsa *rr, struct err *e);

/* Octets that the text of a record with len octets of data takes at most, "255 255 255 " and the NUL included. */
#define TLSA_TEXT_BUF(len) (13 + 2 * (size_t)(len))

/* "3 1 1 0123..." in lower-case hex, the form of RFC 8460 4.4. out must have TLSA_TEXT_BUF(rr->len) octets. */
void tlsa_format(char *out, const struct tlsa *rr);

/*
 * The reverse: three numbers, one blank after each, hex in any case, at most TLSA_DATA_MAX octets of data (none is
 * allowed: such a record is unusable, but can be published). Returns 0 (data owned by *out), or -1 with the reason and
 * *out empty.
 */
int tlsa_parse(struct tlsa *out, const char *text, size_t len, struct err *e);

/* Free the data and make the record empty. NULL-safe, may be called twice. */
void tlsa_clear(struct tlsa *rr);

#endif
