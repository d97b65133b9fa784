/*
 * relay_failure.h - what can go wrong on the way to the MX hosts of a domain, what that means for the message (RFC 8689
 * 4.2.1; checks S4 to S8), and the one reply that is made of the failures of all hosts. Pure.
 */
#ifndef POSTERN_RELAY_FAILURE_H
#define POSTERN_RELAY_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

#include "domain.h"

/* In the order of the steps: of two failures the later one got further. "Temp" and "perm" are 4xx and 5xx replies. */
enum relay_failed {
    RELAY_FAILED_NOTHING,

    /* The domain as a whole. */
    RELAY_FAILED_NO_FACTS,  /* there is no destination record, and none can be had now */
    RELAY_FAILED_STALE,     /* the record is out of date, and no newer one can be had now */
    RELAY_FAILED_MX_TEMP,   /* the MX look-up failed for now */
    RELAY_FAILED_LITERAL,   /* an address or a host in brackets: no MX records that could be authenticated */
    RELAY_FAILED_NO_DOMAIN, /* NXDOMAIN */
    RELAY_FAILED_NULL_MX,   /* RFC 7505 */
    RELAY_FAILED_NO_HOST,   /* no MX host has an address */

    /* A host that may not be used. */
    RELAY_FAILED_LOOP,            /* it is this relay itself, or not to be preferred to it */
    RELAY_FAILED_UNAUTHENTICATED, /* neither DNSSEC nor an MTA-STS policy vouches for the MX host */
    RELAY_FAILED_NOT_IN_POLICY,   /* an MTA-STS policy in mode enforce does not name it */
    RELAY_FAILED_POLICY_FETCH,    /* nothing else vouches for it, and the MTA-STS policy could not be fetched */
    RELAY_FAILED_POLICY_TEMP,     /* the MTA-STS record cannot be looked up, nor is a policy kept */
    RELAY_FAILED_TLSA_TEMP,       /* its TLSA records cannot be looked up */
    RELAY_FAILED_ADDRESS_TEMP,    /* its addresses cannot be looked up */

    /* On our side. */
    RELAY_FAILED_LOCAL, /* no memory, no socket, no certificate store */
    RELAY_FAILED_BUSY,  /* as many connections as are allowed, to the domain or in all */

    /* Talking to it. Lost, time-out and nonsense go for every step until a server has taken MAIL. */
    RELAY_FAILED_CONNECT, /* refused, unreachable */
    RELAY_FAILED_CONNECT_TIMEOUT,
    RELAY_FAILED_LOST,
    RELAY_FAILED_TIMEOUT,
    RELAY_FAILED_NONSENSE, /* what came was no SMTP, or too much of it */
    RELAY_FAILED_GREETING_TEMP,
    RELAY_FAILED_GREETING_PERM,
    RELAY_FAILED_EHLO_TEMP,
    RELAY_FAILED_EHLO_PERM,
    RELAY_FAILED_STARTTLS_ABSENT,
    RELAY_FAILED_STARTTLS_TEMP,
    RELAY_FAILED_STARTTLS_PERM,
    RELAY_FAILED_STARTTLS_INJECTION, /* octets in clear behind the reply to STARTTLS */
    RELAY_FAILED_HANDSHAKE,          /* cut, timed out, broken */
    RELAY_FAILED_HANDSHAKE_REFUSED,  /* no TLS version or cipher in common */
    RELAY_FAILED_CERT_UNTRUSTED,
    RELAY_FAILED_CERT_EXPIRED, /* or not valid yet */
    RELAY_FAILED_CERT_NAME,
    RELAY_FAILED_CERT_TLSA,       /* fits no TLSA record */
    RELAY_FAILED_TLS_EHLO_TEMP,   /* the EHLO under TLS */
    RELAY_FAILED_TLS_EHLO_PERM,   /* as above */
    RELAY_FAILED_REQUIRETLS,      /* not offered at all */
    RELAY_FAILED_REQUIRETLS_BARE, /* offered before STARTTLS, not after it (S3) */
    RELAY_FAILED_SIZE,
    RELAY_FAILED_8BITMIME,
    RELAY_FAILED_SMTPUTF8,
    RELAY_FAILED_REQUIRETLS_REFUSED, /* offered, but MAIL with it is refused */
    RELAY_FAILED_MAIL_TEMP,
    RELAY_FAILED_MAIL_PERM,

    /* Once a server has taken MAIL: no other host can be tried, as what the MTA has been told stands, and the message
       is not stored. */
    RELAY_FAILED_LATE_LOST,
    RELAY_FAILED_LATE_TIMEOUT,
    RELAY_FAILED_LATE_NONSENSE,
    RELAY_FAILED_DEADLINE, /* the time for the whole transaction is over */
    RELAY_FAILED_COUNT
};

/* "starttls-absent", …: the word for logs, metrics and the failure-reason-code of reports (RFC 8460 4.4). */
const char *relay_failed_name(enum relay_failed what);

/* What follows the name of the host, or of the domain: "does not offer STARTTLS". */
const char *relay_failed_words(enum relay_failed what);

/*
 * It will be the same when the MTA tries again. S8: what DNS, the network or a broken handshake has done is temporary.
 * RFC 8689 4.2.1 (S5) wants to know at once what a server does not offer, or who it is: so a certificate that is not
 * verified is permanent, by DANE, too.
 */
bool relay_failed_permanent(enum relay_failed what);

/*
 * The next address of the host may be tried, and the next host (S4; relay_walk.h). Not when the fault is ours, the
 * domain's as a whole, or the server's last word.
 *
 * MAIL_PERM is such a last word. Until MAIL all that fails is the server's own: whether it is there, who it is, what it
 * offers; another one may do better, and S4 has it tried. A 5xx to MAIL, from a server that is verified and offers what
 * is needed, is about the transaction: this sender, this message. Any MX host speaks for the domain, and RFC 5321
 * 4.2.1 wants the request not repeated as it is; asking the others would be shopping for the one with the laxest rules,
 * a backup MX mostly. Postfix's smtp client gives up there, too. 504 and 555 to MAIL with REQUIRETLS are about the
 * parameter (4.1.1.11), which another server may know: REQUIRETLS_REFUSED, and the next one is tried.
 */
bool relay_failed_next(enum relay_failed what);

/* The result type of RFC 8460 4.3, or "" when it is nothing that a session reports. */
const char *relay_failed_tlsrpt(enum relay_failed what);

/*
 * The steps at which a reply decides, and what a reply code means there: NOTHING (2xx), temp, perm, or NONSENSE for
 * what no step can answer. To EHLO only 250 is good: anything else has no list of what is offered, as when a server
 * that is out of step greets twice, and must not pass for "no STARTTLS". To MAIL with REQUIRETLS, 504 and 555 mean the
 * parameter.
 */
enum relay_step { RELAY_STEP_GREETING, RELAY_STEP_EHLO, RELAY_STEP_STARTTLS, RELAY_STEP_TLS_EHLO, RELAY_STEP_MAIL };
enum relay_failed relay_failed_reply(enum relay_step step, int code, bool with_requiretls);

/* What LOST, TIMEOUT and NONSENSE are called once MAIL was said; the others as they are. */
enum relay_failed relay_failed_late(enum relay_failed what);

#define RELAY_ENHANCED_BUF 12 /* "5.123.123" */
#define RELAY_DETAIL_MAX   160
#define RELAY_OTHERS_MAX   200
#define RELAY_TEXT_MAX     490 /* a reply line has 512 octets with code and end (RFC 5321 4.5.3.1.5) */

/* One host's failure, or the domain's (host ""). */
struct relay_failure {
    enum relay_failed what;
    char host[DOMAIN_BUF];
    char enhanced[RELAY_ENHANCED_BUF]; /* the next server's own code, or "" */
    char detail[RELAY_DETAIL_MAX];     /* foreign words, printable ASCII, or "" */
};

/*
 * enhanced and detail come from outside and may be NULL: a code that is none, or of another class than the failure, is
 * left out; in the detail what is not printable ASCII becomes '?', and it is cut.
 */
void relay_failure_set(struct relay_failure *out, enum relay_failed what, const char *host, const char *enhanced,
                       const char *detail);

/*
 * Of two addresses of one host, f is that of the one that counts more: one that took the connection, as what it lacks
 * the host lacks (a machine without IPv6 must not put off what will never go); then by the join below: the last word,
 * what is temporary, who got further.
 */
bool relay_failure_outweighs(const struct relay_failure *f, const struct relay_failure *than);

/*
 * The failures of all hosts of a domain, added in the order in which the hosts were tried or left out, those of the
 * addresses of one host one after the other. A host counts once, with the one of its addresses that counts most, the
 * first of equals: so it is temporary if one of its addresses that take connections may pass. All zeros: none yet.
 */
struct relay_tally {
    size_t count;              /* hosts */
    struct relay_failure last; /* of the host that was added last, of which more may come */
    struct relay_failure lead; /* of those before it, the one that gives the code */
    char others[RELAY_OTHERS_MAX];
    size_t unnamed; /* how many of the others did not fit */
};
void relay_tally_add(struct relay_tally *t, const struct relay_failure *f);

/* A reply for each recipient of the domain. */
struct relay_reply {
    int code;
    char enhanced[RELAY_ENHANCED_BUF];
    char text[RELAY_TEXT_MAX]; /* printable ASCII, one line */
};

/*
 * The join (S5, S8). A failure after which no host may be tried decides. Else any temporary one makes it temporary, and
 * only if all are permanent it is. Among those that count the one that got furthest gives the code, the first of them
 * when there are several: so it is 5.7.30 when a server could be verified and none offers REQUIRETLS, and 5.7.10 when
 * there is no server that can be verified (S6). The text names the domain and each host with its condition, as far as
 * there is room. Without any failure: temporary.
 */
void relay_tally_reply(struct relay_reply *out, const struct relay_tally *tally, const char *domain);

#endif
