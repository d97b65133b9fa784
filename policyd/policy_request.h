/*
 * policy_request.h - Postfix's policy delegation protocol (SMTPD_POLICY_README): lines of name=value, an empty line
 * ends a request; what is asked about a recipient, and what is answered. Pure; nothing is copied or allocated.
 */
#ifndef POSTERN_POLICY_REQUEST_H
#define POSTERN_POLICY_REQUEST_H

#include "address_tag.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>

#define POLICY_REQUEST_MAX    10000 /* octets of a request, the empty line included; Postfix's are below 1000 mostly */
#define POLICY_LINE_MAX       4096  /* octets of a line without its end; Postfix takes SMTP commands of 2048 */
#define POLICY_ATTRIBUTES_MAX 100   /* Postfix 3.7 sends 27 */

/* The state of the SMTP session in which Postfix asks. */
enum policy_state {
    POLICY_RCPT,
    POLICY_DATA,
    POLICY_END,  /* END-OF-MESSAGE: too late to add a header field */
    POLICY_OTHER /* CONNECT, EHLO, HELO, MAIL, VRFY, ETRN, and what may come */
};

struct policy_request {
    enum policy_state state;
    const char *recipient; /* in the caller's octets, not terminated. Empty: none yet, or, at DATA and later, several */
    size_t recipient_len;
    size_t total; /* octets of the whole request */
};

/*
 * Look for one request at the start of buf[0..len). Returns 1: found; 0: more octets are needed; -1 with the reason in
 * e: no request whatever comes: a limit is passed, a line is no name=value or has a NUL, request=smtpd_access_policy or
 * protocol_state is missing, recipient is missing at RCPT, or one of the three stands there twice. Lines are looked at
 * as soon as they are there.
 */
int policy_request_parse(struct policy_request *out, const char *buf, size_t len, struct err *e);

/*
 * Has the recipient the tag? Postfix gives addresses without <> and quotes: the local part is what stands before the
 * last @, whatever octets it has. An address that is written as RFC 5321 has it (address_tag.h) is understood as well.
 */
bool policy_recipient_tagged(const struct address_tag *tag, const char *recipient, size_t len);

enum policy_action {
    POLICY_DUNNO,
    POLICY_REQUIRETLS, /* Postfix 3.11 sends the message with REQUIRETLS */
    POLICY_MISPLACED   /* it may have to, but is asked too early or too late, or for several recipients at a time */
};

enum policy_action policy_request_action(const struct policy_request *req, const struct address_tag *tag);

/* The whole reply. */
const char *policy_reply(enum policy_action action);

/*
 * The reply to what is no request: the mail stays with the client for now. Said by us, since Postfix's own answer, when
 * we give none, is a setting (smtpd_policy_service_default_action) that some have made DUNNO.
 */
extern const char policy_reply_bad[];

#endif
