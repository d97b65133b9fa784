/* report_mail.h - a report as a mail (RFC 8460 5.3; checks E1 to E14). Pure. */
#ifndef POSTERN_REPORT_MAIL_H
#define POSTERN_REPORT_MAIL_H

#include "dkim.h"
#include "report.h"

#define REPORT_MAIL_MAX        10000000 /* octets */
#define REPORT_MAIL_UNIQUE_MAX 50

struct report_mail {
    const char *from;           /* an address at the submitter's domain, or a subdomain of it */
    const char *to;             /* address, as rua_mailto_address gives it */
    const struct dkim_key *key; /* signed by each of them, in this order; their d= is that of an address at from */
    size_t keys;
    int64_t now;        /* Date, and t= */
    const char *unique; /* letters and digits for Message-ID and boundary, different for each mail */
};

/*
 * Append the whole message, lines ended by CR LF, all of it 7bit. Of foreign text there is only the domain and the
 * address, which are looked at again; the report is in the part that is compressed. Returns 0, or -1 with the reason.
 */
int report_mail_build(struct buf *out, const struct report *r, const struct report_mail *m, struct err *e);

#endif
