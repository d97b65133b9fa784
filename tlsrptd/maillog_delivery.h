/* maillog_delivery.h - the line that says what became of a recipient. Pure. Text is borrowed from the line. */
#ifndef POSTERN_MAILLOG_DELIVERY_H
#define POSTERN_MAILLOG_DELIVERY_H

#include <stdbool.h>

#include "span.h"

struct maillog_delivery {
    struct span domain; /* of the recipient, as written; empty when it has none */
    struct span relay;  /* "mx.example[192.0.2.1]"; empty: there was no session */
    bool reused;        /* conn_use: the session was there before this message */
    long seconds;       /* that connecting and sending took: the last two of delays= */
    struct span level;  /* tls= of Postfix 3.12, "may:none" or so; else empty */
    bool sent;          /* status=sent, or deliverable of an address probe */
    struct span reason; /* what stands in the last parentheses */
};

/*
 * line: what follows "QUEUEID: to=". An address is taken as Postfix 3.5 and later write it: a local part that has
 * blanks or special characters stands in quotes. Returns false when it is not written so, and when the line can be read
 * in two ways, as one with the words of a delivery line in an address that is not in quotes: such a line is not
 * believed.
 */
bool maillog_delivery_read(struct maillog_delivery *out, struct span line);

#endif
