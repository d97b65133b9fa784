/* maillog_end.h - how a delivery ended, in the words of Postfix's smtp client. Pure. Text is borrowed. */
#ifndef POSTERN_MAILLOG_END_H
#define POSTERN_MAILLOG_END_H

#include "span.h"

enum maillog_end_kind {
    MAILLOG_END_OTHER,       /* other words: they say nothing of TLS */
    MAILLOG_END_NOT_OFFERED, /* TLS demanded, and not offered by host */
    MAILLOG_END_REFUSED,     /* TLS demanded, and STARTTLS refused by host: reason */
    MAILLOG_END_HANDSHAKE,   /* it broke, with a host that is not named */
    MAILLOG_END_CERTIFICATE, /* that of a host that is not named was not accepted: reason */
    MAILLOG_END_EARLY,       /* host refused before TLS could begin, or behind it */
    MAILLOG_END_ANSWERED,    /* host refused the message */
    MAILLOG_END_LOST_EARLY,  /* lost, while TLS may not have been tried yet: reason */
    MAILLOG_END_LOST         /* lost: reason */
};

struct maillog_end {
    enum maillog_end_kind kind;
    struct span host;       /* "mx.example[192.0.2.1]" or empty */
    struct span reason;     /* or empty */
    const char *reason_why; /* words before the reason, or "" */
};

void maillog_end_read(struct maillog_end *out, struct span text);

#endif
