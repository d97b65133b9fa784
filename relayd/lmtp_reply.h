/*
 * lmtp_reply.h - replies to the MTA (LMTP: RFC 2033; RFC 5321 4.2, RFC 2034). Pure; a reply is appended whole, or not
 * at all. Text may be foreign: it is masked (smtp_text.h), and a line is cut at LMTP_REPLY_MAX.
 */
#ifndef POSTERN_LMTP_REPLY_H
#define POSTERN_LMTP_REPLY_H

#include <stdint.h>

#include "smtp_refusal.h"
#include "smtp_reply.h"

#define LMTP_REPLY_MAX 512 /* octets of a line with its CRLF (RFC 5321 4.5.3.1.5) */

/*
 * "550 5.7.30 text"; code from 200 to 599, status of its class or "" for none, as in greetings and 354. A line
 * whatever the text: "250 2.0.0" when it is empty.
 */
void lmtp_reply_write(struct buf *out, unsigned code, const char *status, const char *text);

void lmtp_reply_refuse(struct buf *out, const struct smtp_refusal *r);

/*
 * The reply to LHLO: name, then what lmtp_command.h reads: PIPELINING, 8BITMIME, SMTPUTF8, DSN, ENHANCEDSTATUSCODES and
 * SIZE with size_max (0: no limit). REQUIRETLS is not offered, as this session is not under TLS (RFC 8689 2; check R1).
 */
void lmtp_reply_lhlo(struct buf *out, const char *name, uint64_t size_max);

/*
 * Pass on what a next server said to RCPT or to the end of the message: "550 5.1.1 host mx.example said: 550 5.1.1 No
 * such user". After DATA the MTA wants it once for each recipient that was taken, in their order (RFC 2033 4.2).
 *
 * The code stays, but each of class 2 is 250, and 421 is 451: it is that server which ends its session, not this one. A
 * status that is missing is X.0.0. One of class 3, which is no answer there, is 451 4.5.0. To RCPT (rcpt) 552 is 452,
 * as some servers say it for too many recipients (RFC 5321 4.5.3.1.10).
 */
void lmtp_reply_pass(struct buf *out, const char *host, const struct smtp_reply *reply, bool rcpt);

#endif
