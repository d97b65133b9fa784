/* report_mail_read.h - the part of a mail that has a TLS report (RFC 8460 5.3). Pure. */
#ifndef POSTERN_REPORT_MAIL_READ_H
#define POSTERN_REPORT_MAIL_READ_H

#include "buf.h"
#include "report_read.h"

/*
 * Append the octets of that part, decoded, and fill in what f says of the mail. Returns 0, or -1 with the reason: no
 * mail, or none with a report; report_found_clear in any case.
 */
int report_mail_read(struct buf *out, struct report_found *f, const char *octets, size_t len, struct err *e);

#endif
