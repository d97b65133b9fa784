/*
 * acme_plan.h - certificates by ACME (RFC 8555): when one is due, when a failed renewal is tried again, when the
 * operator is told of it, and what the hook's words may be. Pure.
 */
#ifndef POSTERN_ACME_PLAN_H
#define POSTERN_ACME_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cert_store_io.h"

/* A certificate of these dates is renewed from then on: so long before its end, or when a third of its time is left,
 * whichever is later. */
int64_t acme_due(int64_t not_before, int64_t not_after, int64_t renew_before);

/* After a failure an authority is asked again a day later: 0 for at once, else the time. */
int64_t acme_try_after(const struct cert_about *a, int64_t now);

/* Is the operator to be told of the trouble now: at once, then each week, each day when the certificate in use ends
 * within a week (not_after; 0: there is none)? */
bool acme_tell(const struct cert_about *a, int64_t not_after, int64_t now);

enum acme_hook { ACME_HOOK_BEGIN, ACME_HOOK_DONE, ACME_HOOK_FAILED };

struct acme_challenge {
    enum acme_hook method;
    bool dns;
    char host[DOMAIN_BUF]; /* in its one form */
    const char *token;     /* base64url; the words' own */
    const char *auth;      /* http-01: the key authorization; dns-01: its digest, as it goes into the TXT record */
};

#define ACME_TOKEN_MAX 200

/*
 * What uacme(1) tells its hook: METHOD TYPE IDENT TOKEN AUTH. Words come from the authority and are believed in no
 * other form than RFC 8555 8.3 and 8.4 give them. dns: dns-01 is wanted, else http-01. Returns 1, 0 for another type of
 * challenge, which is declined, or -1 with the reason.
 */
int acme_hook_read(struct acme_challenge *out, char *const word[5], bool dns, struct err *e);

/* What uacme says on standard error, as one line: the reason that the authority gives, else that of our hook, else
 * uacme's own first line. */
void acme_complaint(char *out, size_t size, const char *said);

#endif
