/* smtp_refusal.h - why a command or a message is not taken, as a reply says it (RFC 5321 4.2, RFC 3463). Pure. */
#ifndef POSTERN_SMTP_REFUSAL_H
#define POSTERN_SMTP_REFUSAL_H

#include "err.h"

struct smtp_refusal {
    unsigned code;      /* 400 to 599 */
    const char *status; /* enhanced status code, "5.5.4"; a constant */
    struct err why;     /* printable, without control octets; what was foreign in it may still be 8-bit */
};

/* Fill it; r may be NULL. Always returns -1, so that `return smtp_refuse(r, 501, "5.5.4", "...")` reads well. */
int smtp_refuse(struct smtp_refusal *r, unsigned code, const char *status, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a sentence that is there already. */
int smtp_refuse_as(struct smtp_refusal *r, unsigned code, const char *status, const struct err *why);

#endif
