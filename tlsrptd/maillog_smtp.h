/*
 * maillog_smtp.h - one line of Postfix's smtp client, by itself: what it says. Read from the left, in the order in
 * which Postfix writes, so that what servers and senders put into a line is never taken for Postfix's words.
 * Postfix 3.4 to 3.12. Pure. Text is borrowed from the line.
 */
#ifndef POSTERN_MAILLOG_SMTP_H
#define POSTERN_MAILLOG_SMTP_H

#include <stdbool.h>

#include "span.h"
#include "tls_attempt.h"

#define MAILLOG_QUEUE_ID_MAX 31  /* octets */
#define MAILLOG_HOST_MAX     320 /* of "HOST[ADDRESS]" */

enum smtp_says {
    SMTP_SAYS_NOTHING,   /* of TLS or deliveries */
    SMTP_SAYS_TLS,       /* TLS with host: trust */
    SMTP_SAYS_REUSED,    /* a session from before goes on: host, trust */
    SMTP_SAYS_FAULT,     /* the certificate of host is not what is wanted: fault, reason */
    SMTP_SAYS_HANDSHAKE, /* it broke, with host: reason or none */
    SMTP_SAYS_LIBRARY,   /* why it broke: reason */
    SMTP_SAYS_REFUSED,   /* host took no STARTTLS: it was refused or, where TLS is demanded, not offered (3.10) */
    SMTP_SAYS_UNNAMED,   /* host (a name alone) is none of the MTA-STS policy (3.10) */
    SMTP_SAYS_NO_TLSA,   /* the TLSA records of host (a name alone) cannot be looked up */
    SMTP_SAYS_LEFT,      /* the message queue_id was not delivered to a host, and others are tried: text says why */
    SMTP_SAYS_DELIVERY   /* what became of a recipient of queue_id: text is the rest of the line */
};

struct smtp_line {
    enum smtp_says says;
    struct span host; /* "mx.example[192.0.2.1]" */
    enum attempt_trust trust;
    enum attempt_fault fault;
    struct span reason;
    struct span queue_id;
    struct span text;
};

void smtp_line_read(struct smtp_line *out, struct span line);

/*
 * Take "mx.example[192.0.2.1]:25" off the front, the port may lack; *out is without the port. Returns false for
 * anything else.
 */
bool smtp_host_take(struct span *out, struct span *s);

#endif
