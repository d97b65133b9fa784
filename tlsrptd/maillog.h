/*
 * maillog.h - Postfix's log, line by line, into attempts (tls_attempt.h). A line says who wrote it
 * (postfix/smtp[4711]), but only some say for which message: what one process says of TLS belongs to the delivery that
 * it logs next. So there is a state for each smtp process. Postfix 3.4 to 3.12. Pure. Lines are foreign: EHLO names and
 * replies of servers, and addresses, stand in them, and what looks like Postfix's own words may be theirs.
 */
#ifndef POSTERN_MAILLOG_H
#define POSTERN_MAILLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls_attempt.h"

#define MAILLOG_LINE_MAX  8192  /* octets of a line that are looked at */
#define MAILLOG_PROCESSES 2000  /* whose state is kept; for one more, one that was silent for long is forgotten */
#define MAILLOG_OWN       20000 /* of our reports on their way in Postfix, as many as its active queue holds */

/* A line taken apart, or a journal entry. Text is borrowed, not terminated. */
struct maillog_entry {
    int64_t at;        /* seconds since the epoch */
    const char *ident; /* "postfix/smtp" */
    size_t ident_len;
    long pid;
    const char *text; /* what follows "postfix/smtp[4711]: " */
    size_t text_len;
};

/*
 * Can an entry of a program of that name ("postfix/smtp") matter: does it end in "/smtp", "/qmgr" or "/bounce"? Whose
 * syslog_name stands before that is looked at by maillog_add alone.
 */
bool maillog_ident_wanted(const char *ident, size_t len);

/*
 * Take a line of a log file apart (without its line end): RFC 3339 time stamps as Debian 12's rsyslog writes them, or
 * "Nov  2 15:04:05" in local time, whose year is the one that brings it nearest to now. Returns true, or false when it
 * is no line of a program that matters (maillog_ident_wanted): that is found out before the time is read, so it is
 * cheap to ask for each line of a log.
 */
bool maillog_entry_read(struct maillog_entry *out, const char *line, size_t len, int64_t now);

struct maillog;

/* The service of contrib/postfix for mail whose sender wants it delivered rather than by TLS (RFC 8689 5). */
#define MAILLOG_RELAXED "smtp-relaxed"

/* name: syslog_name of Postfix, "postfix": lines of postfix/smtp and, in a service's own name, postfix/NAME/smtp count;
 * those of lmtp and tlsproxy do not, nor those of MAILLOG_RELAXED: such mail is under no policy, and Postfix 3.10 tells
 * nothing of it either. own_sender: messages from this address are our reports and do not count (W8); ""
 * for none. Nor do bounces of them (W11). NULL without memory. */
struct maillog *maillog_new(const char *name, const char *own_sender);
void maillog_free(struct maillog *m);

/*
 * Called for each attempt that the entry ends; valid during the call. A session is one attempt, however many recipients
 * and messages it had (J12); its domain is that of the first recipient that is told of. An attempt that went
 * on in plain text with the same host, after a handshake or a session with TLS that broke, is one, too. A host that
 * refuses or hangs up before TLS could be tried, or cannot be reached, makes none.
 *
 * Wants smtp_tls_loglevel = 1: below that Postfix before 3.12 says nothing of TLS, and all sessions look plain. The log
 * must be of one machine. Where one message goes to several domains over one relay, the next hop that had a policy is
 * not told: the domain is the recipient's.
 */
typedef void maillog_attempt_fn(void *ctx, const struct tls_attempt *attempt);
void maillog_add(struct maillog *m, const struct maillog_entry *entry, maillog_attempt_fn *fn, void *ctx);

#endif
