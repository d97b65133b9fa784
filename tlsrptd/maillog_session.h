/*
 * maillog_session.h - what is known of the session that an smtp process has, before its delivery line, and the attempt
 * that the two make. Pure.
 */
#ifndef POSTERN_MAILLOG_SESSION_H
#define POSTERN_MAILLOG_SESSION_H

#include "maillog_end.h"
#include "maillog_smtp.h"
#include "tls_attempt.h"

#define MAILLOG_STALE 600 /* seconds after which what was said of TLS is not joined to a delivery any more */

/* All zero: nothing was said. */
struct maillog_session {
    int64_t at;                      /* when it was last said */
    char host[MAILLOG_HOST_MAX + 1]; /* of which; "": nothing was said */
    bool reused;
    enum attempt_tls tls;
    enum attempt_trust trust;
    enum attempt_fault fault;
    char reason[ATTEMPT_REASON_MAX + 1];
};

/* Take in a line of any kind up to SMTP_SAYS_REFUSED; of another host, or of a new session, it forgets the old. */
void maillog_session_note(struct maillog_session *s, const struct smtp_line *line, int64_t at);

/* How it ended. */
struct maillog_outcome {
    int64_t at;
    long seconds;      /* that the session took */
    struct span relay; /* "mx.example[192.0.2.1]", or empty: then host of end, or that of the session */
    struct span level; /* tls= of the delivery line, or empty */
    bool sent;
    struct maillog_end end;
};

/* "mx.example[192.0.2.1]" of the host that it is about; empty when nothing tells. */
struct span maillog_outcome_host(const struct maillog_outcome *o, const struct maillog_session *s);

/* Make the attempt, without its domain. Returns false when there is none to tell of. */
bool maillog_session_attempt(struct tls_attempt *out, const struct maillog_session *s, const struct maillog_outcome *o);

/* For an MX host that was passed over (SMTP_SAYS_UNNAMED, SMTP_SAYS_NO_TLSA). Returns false when its name is none. */
bool maillog_passed_attempt(struct tls_attempt *out, const struct smtp_line *line, int64_t at);

#endif
