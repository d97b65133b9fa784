/*
 * lmtp_command.h - one line from the MTA made a command (LMTP: RFC 2033; grammar: RFC 5321 4.1.2, RFC 6531 3.3). Pure;
 * allocates nothing: what a command holds points into the line.
 *
 *   LHLO name             RFC 2033 4.1
 *   MAIL FROM:<a@b> …     SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), RET ENVID (RFC 3461 4.3, 4.4),
 *                         AUTH (RFC 4954 5), REQUIRETLS (RFC 8689 2; check R2)
 *   RCPT TO:<a@b> …       NOTIFY ORCPT (RFC 3461 4.1, 4.2)
 *   DATA RSET NOOP QUIT VRFY
 *
 * Verbs, parameters and their words are taken in any case. Paths are judged as address_split does (address_tag.h), and
 * have no more than one @ outside of quotes behind the source route: what the MTA took, the next server is asked about.
 */
#ifndef POSTERN_LMTP_COMMAND_H
#define POSTERN_LMTP_COMMAND_H

#include <stdint.h>

#include "address_tag.h"
#include "smtp_refusal.h"
#include "smtp_text.h"

/*
 * Octets of a line without its CRLF. RFC 5321 4.5.3.1.4 grants 512, and the extensions above about 1,200 more; an
 * address of the length that is taken here, and an ORCPT, need 2,000.
 */
#define LMTP_LINE_MAX  4096U
#define LMTP_ENVID_MAX 100 /* octets of ENVID (RFC 3461 4.4) */
#define LMTP_SIZE_MAX  20  /* digits of SIZE (RFC 1870 3) */
#define LMTP_NAME_MAX  255 /* octets of LHLO's name (RFC 5321 4.5.3.1.2) */

/*
 * Look for the first line of octets[0..len). Returns 1: *line is its length, without the CRLF, and *took with it; 0:
 * more octets are needed; -1: no line of at most LMTP_LINE_MAX octets, however many come. Only CRLF ends a line (RFC
 * 5321 2.3.8); CR and LF alone are octets of it, for which lmtp_command_parse refuses it.
 */
int lmtp_line_find(size_t *line, size_t *took, const char *octets, size_t len);

enum lmtp_verb { LMTP_LHLO, LMTP_MAIL, LMTP_RCPT, LMTP_DATA, LMTP_RSET, LMTP_NOOP, LMTP_QUIT, LMTP_VRFY };

const char *lmtp_verb_name(enum lmtp_verb verb); /* "LHLO", … */

enum lmtp_body { LMTP_BODY_NONE, LMTP_BODY_7BIT, LMTP_BODY_8BITMIME };
enum lmtp_ret { LMTP_RET_NONE, LMTP_RET_FULL, LMTP_RET_HDRS };

struct lmtp_mail {
    bool has_size;
    uint64_t size; /* octets; a number above 2^64 - 1 is that */
    enum lmtp_body body;
    bool smtputf8;
    enum lmtp_ret ret;
    struct smtp_text envid; /* xtext, as it was written */
    struct smtp_text auth;  /* xtext or <> */
    bool requiretls;
};

struct lmtp_rcpt {
    struct smtp_text notify; /* "NEVER", or words of SUCCESS, FAILURE, DELAY with commas; case as written */
    struct smtp_text orcpt;  /* type;address; xtext, or of type utf-8 (RFC 6533 3) */
};

struct lmtp_command {
    enum lmtp_verb verb;
    struct smtp_text argument; /* LHLO: the name; VRFY, NOOP: what is behind the verb, may be empty */
    struct smtp_text path;     /* MAIL, RCPT: with < and >; "<>" of MAIL only */
    struct address_split at;   /* where the parts of the path are; all 0 for "<>"; RCPT always has a domain */
    struct lmtp_mail mail;     /* MAIL only */
    struct lmtp_rcpt rcpt;     /* RCPT only */
};

/*
 * Read a line, without its CRLF. Blanks at its end are passed over (RFC 5321 4.1.1). Returns 0, or -1 with the reply
 * that the line deserves:
 *   500 5.5.2  too long; control octets; neither ASCII nor UTF-8; no verb
 *   500 5.5.1  an unknown verb, HELO and EHLO among them (RFC 2033 4.1)
 *   502 5.5.1  a verb of SMTP that is not served here
 *   501 5.5.4  an argument that is missing or that may not be; a broken, repeated or too long parameter
 *   501 5.1.7, 5.1.3  no reverse-path; no forward-path with a domain
 *   504 5.5.4  a BODY that is not served (RFC 3030)
 *   553 5.6.7  a reverse-path in UTF-8 without SMTPUTF8 (RFC 6531 3.5)
 *   555 5.5.4  a parameter that is not among the above (RFC 5321 4.1.1.11)
 * out->verb is LMTP_RCPT then only if that was the verb.
 */
int lmtp_command_parse(struct lmtp_command *out, const char *line, size_t len, struct smtp_refusal *r);

/* How far a session is; {0} at its beginning. Who serves it keeps it so. */
struct lmtp_progress {
    bool greeted;  /* LHLO was taken */
    bool mail;     /* MAIL was taken; RSET, LHLO and the end of DATA end it */
    bool smtputf8; /* with that parameter */
    size_t taken;  /* recipients that were answered by 250 */
};

/*
 * May the command come now (RFC 5321 4.1.4, RFC 2033 4.2)? Returns 0, or -1 with 503 5.5.1: no LHLO before MAIL, a
 * second MAIL, no MAIL before RCPT or DATA, DATA without a recipient that was taken; or 553 5.6.7: a recipient in UTF-8
 * in a transaction without SMTPUTF8.
 */
int lmtp_command_in_order(const struct lmtp_progress *p, const struct lmtp_command *command, struct smtp_refusal *r);

#endif
