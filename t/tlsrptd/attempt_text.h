/* attempt_text.h - an attempt as one line of text, for the tests of those who make attempts. */
#ifndef POSTERN_T_ATTEMPT_TEXT_H
#define POSTERN_T_ATTEMPT_TEXT_H

#include <stddef.h>
#include <stdio.h>

#include "tls_attempt.h"

#define ATTEMPT_TEXT 1024

/* "good.example mx.good.example 192.0.2.11 tls verified fine sent" and the reason, if there is one. */
static inline void attempt_text(char out[ATTEMPT_TEXT], const struct tls_attempt *a)
{
    static const char *const tls[] = {"no-tls", "not-offered", "refused", "handshake", "tls"};
    static const char *const trust[] = {"unknown", "anonymous", "untrusted", "trusted", "verified"};
    static const char *const fault[] = {"fine", "name", "expired", "issuer", "tlsa", "other"};
    static const char *const end[] = {"sent", "answered", "lost", "no-security", "mx-unnamed"};

    (void)snprintf(out, ATTEMPT_TEXT, "%s %s %s %s %s %s %s%s%s", a->domain, a->host[0] == '\0' ? "-" : a->host,
                   a->address[0] == '\0' ? "-" : a->address, tls[a->tls], trust[a->trust], fault[a->fault], end[a->end],
                   a->reason[0] == '\0' ? "" : " ", a->reason);
}

#endif
