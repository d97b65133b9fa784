/*
 * tls_attempt.h - one attempt of an MTA to deliver to one MX host, as its log, or Exim, tells it: what became of TLS,
 * and how it ended. What it means for which policy is judged later (attempt_judge.h). Pure.
 */
#ifndef POSTERN_TLS_ATTEMPT_H
#define POSTERN_TLS_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "domain.h"

/* How far TLS came. */
enum attempt_tls {
    ATTEMPT_NO_TLS,           /* a session without TLS, and nothing says why: not offered, or not wanted */
    ATTEMPT_NOT_OFFERED,      /* wanted, but STARTTLS was not offered */
    ATTEMPT_REFUSED,          /* STARTTLS was answered with a refusal */
    ATTEMPT_HANDSHAKE_FAILED, /* the handshake broke */
    ATTEMPT_TLS               /* there was TLS; trust says more */
};

/* What the MTA found the certificate to be. */
enum attempt_trust {
    ATTEMPT_TRUST_UNKNOWN,
    ATTEMPT_ANONYMOUS,
    ATTEMPT_UNTRUSTED, /* the chain does not end at an authority that it knows; or, of old Postfix, a wrong name */
    ATTEMPT_TRUSTED,   /* the chain does; the name was not looked at, or is wrong */
    ATTEMPT_VERIFIED   /* as the level demanded: chain and name, or DANE */
};

/* What is wrong with the certificate, where that is told. */
enum attempt_fault {
    ATTEMPT_FAULT_NONE, /* nothing, or not told */
    ATTEMPT_FAULT_NAME,
    ATTEMPT_FAULT_EXPIRED,
    ATTEMPT_FAULT_ISSUER, /* unknown, or the certificate is its own */
    ATTEMPT_FAULT_TLSA,   /* no TLSA record fits */
    ATTEMPT_FAULT_OTHER
};

enum attempt_end {
    ATTEMPT_SENT,        /* the message was taken */
    ATTEMPT_ANSWERED,    /* the server said no, for now or for good; TLS, if there was any, was well until then */
    ATTEMPT_LOST,        /* the connection broke, or nothing came any more */
    ATTEMPT_NO_SECURITY, /* the MTA gave up, as TLS was not what it demanded */
    ATTEMPT_MX_UNNAMED   /* the MTA did not go there: the host is none that the MTA-STS policy names */
};

#define ATTEMPT_REASON_MAX 128

struct tls_attempt {
    int64_t at;                /* seconds since the epoch, UTC */
    char domain[DOMAIN_BUF];   /* of the recipient, in its one form */
    char host[DOMAIN_BUF];     /* MX host in its one form; "" when it was an address literal */
    char address[ADDRESS_BUF]; /* of the host, in its one form; "" when not told */
    char sender[ADDRESS_BUF];  /* our own address; "" when not told */
    bool by_exim;              /* else of the mail log */
    enum attempt_tls tls;
    enum attempt_trust trust;
    enum attempt_fault fault;
    enum attempt_end end;
    char reason[ATTEMPT_REASON_MAX + 1]; /* of what went wrong, in the MTA's words with '_' for blanks; or "" */
};

#endif
