/*
 * smtp_envelope.h - EHLO, MAIL and RCPT as the next server gets them, from what the MTA said (lmtp_command.h) and what
 * that server offers under TLS (smtp_ehlo.h). Pure; a line is appended whole, with its CRLF, or not at all.
 *
 *   MAIL FROM:<a@b> REQUIRETLS SIZE=… BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=…
 *   RCPT TO:<a@b> NOTIFY=… ORCPT=…
 *
 * REQUIRETLS       always (RFC 8689 4.2.1; checks R2, S7), said by the MTA or not: all mail that comes here is flagged.
 *                  Only a message without a reverse-path, which is a bounce, goes without it to a server that does not
 *                  offer it: the conditions of RFC 8689 4.2.1 are not made for those, as they would be lost (B3).
 * SIZE             where it is offered; a message that is larger than the server's limit cannot be sent to it.
 * BODY, SMTPUTF8   the server must offer 8BITMIME and SMTPUTF8 when the MTA said BODY=8BITMIME or SMTPUTF8: nothing is
 *                  converted here (RFC 6152 3, RFC 6531 3.2). BODY=7BIT says no more than nothing and is left out.
 * RET              HDRS, whatever the MTA said, where DSN is offered: of flagged mail no bounce has the body (RFC 8689
 *                  5; check B1).
 * ENVID NOTIFY ORCPT  as they were, where DSN is offered. Without DSN they are left out (RFC 3461 5.2.1), also
 *                  NOTIFY=SUCCESS: the sender is then not told of the delivery.
 * AUTH             left out: the next server has no reason to believe it (RFC 4954 5).
 *
 * Source routes are left out of both paths (RFC 5321 3.6.1, 4.1.1.3). The tag is taken off the forward-path, and off an
 * ORCPT: the MTA makes ORCPT of the tagged address where none was given, and the tag is ours, not the sender's.
 * ORCPT of type utf-8 with octets above 0x7f is written in its 7-bit form, which every server with DSN takes (RFC 6533
 * 3), and left out when it has none.
 */
#ifndef POSTERN_SMTP_ENVELOPE_H
#define POSTERN_SMTP_ENVELOPE_H

#include "lmtp_command.h"
#include "smtp_ehlo.h"

/* name: of this host, as a domain or an address in brackets. */
void smtp_ehlo_write(struct buf *out, const char *name);

/*
 * Returns 0, or -1 with why this message cannot go to this server, in words that follow its name; another one may take
 * it:
 *   550 5.7.30  it does not offer REQUIRETLS (RFC 8689 4.2.1; S3, S6)
 *   550 5.6.7   SMTPUTF8 is needed and not offered (RFC 6531 3.2)
 *   554 5.6.3   8BITMIME is needed and not offered (RFC 6152 3)
 *   552 5.3.4   it is larger than the server takes (RFC 1870 6.1)
 *   451 4.3.0   no memory
 */
int smtp_mail_write(struct buf *out, const struct lmtp_command *mail, const struct smtp_ehlo *next,
                    struct smtp_refusal *r);

/* The same for a recipient; only 550 5.6.7, for an address that is not ASCII, and 451 4.3.0. */
int smtp_rcpt_write(struct buf *out, const struct lmtp_command *rcpt, const struct smtp_ehlo *next,
                    const struct address_tag *tag, struct smtp_refusal *r);

#endif
