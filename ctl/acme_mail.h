/* acme_mail.h - a mail to the operator about a certificate. Pure. */
#ifndef POSTERN_ACME_MAIL_H
#define POSTERN_ACME_MAIL_H

#include <stdint.h>

#include "buf.h"
#include "err.h"

#define ACME_MAIL_MAX 65536

struct acme_mail {
    const char *from, *to;
    const char *host;   /* this machine */
    const char *name;   /* of the certificate */
    const char *state;  /* a few words for the subject */
    const char *text;   /* what there is to say, lines ended by LF; may hold the words of an authority */
    const char *unique; /* for the Message-ID */
    int64_t now;
};

/* Append the message, lines ended by CR LF, all of it 7bit: other characters become "?", and lines are short. Returns
 * 0, or -1 with the reason. */
int acme_mail_build(struct buf *out, const struct acme_mail *m, struct err *e);

#endif
