/* smtp_ehlo.h - what a server offers in its reply to EHLO (RFC 5321 4.1.1.1). Pure. */
#ifndef POSTERN_SMTP_EHLO_H
#define POSTERN_SMTP_EHLO_H

#include <stdint.h>

#include "smtp_reply.h"

struct smtp_ehlo {
    bool starttls;   /* RFC 3207 */
    bool requiretls; /* RFC 8689 2; counts only in the reply to the EHLO under TLS (checks R1, S3) */
    bool pipelining; /* RFC 2920 */
    bool eightbitmime;
    bool smtputf8;
    bool dsn;
    bool chunking;
    bool enhanced_codes; /* RFC 2034 */
    bool size;           /* RFC 1870 */
    uint64_t size_max;   /* octets of a message; 0: no limit is stated */
};

/*
 * Read a whole reply with code 250. Keywords come from the second line on, in any case; other ones are passed over, and
 * of parameters only SIZE's counts: one that is no number states no limit. REQUIRETLS has no parameters; with some it
 * is another extension, and not counted (check R1).
 */
void smtp_ehlo_read(struct smtp_ehlo *out, const struct smtp_reply *reply);

#endif
