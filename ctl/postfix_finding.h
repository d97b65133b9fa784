/* postfix_finding.h - what `posternctl check postfix` finds. Pure. */
#ifndef POSTERN_POSTFIX_FINDING_H
#define POSTERN_POSTFIX_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#define POSTFIX_FINDINGS_MAX 200 /* more are not kept */

enum postfix_finding_kind {
    /* the way of flagged mail */
    FLAG_UNROUTED,
    FLAG_NO_TRANSPORT,
    FLAG_SUBSTITUTION,
    FLAG_LINE_SKIPPED,
    FLAG_LINE_UNSEEN,
    FLAG_MAP_BEFORE,
    FLAG_MAP_UNREADABLE,
    FLAG_SERVICE_MISSING,
    FLAG_SERVICE_NOT_LMTP,
    FLAG_SERVICE_SMALL,
    FLAG_NEXTHOP,
    FLAG_NEXTHOP_CHROOT,
    FLAG_CONCURRENCY,
    FLAG_COHORT_LIMIT,
    FLAG_RATE_DELAY,
    FLAG_TIMEOUT,
    FLAG_FALLBACK,
    FLAG_LMTP_TLS,
    FLAG_DEFERRED,
    /* where it may be led off, or lose the flag */
    FLAG_FILTER,
    FLAG_HEADER_ACTION,
    FLAG_BCC,
    FLAG_REWRITTEN,
    /* the milter */
    MILTER_MISSING,
    MILTER_MAPS,
    MILTER_PROXY,
    MILTER_ACTION,
    MILTER_PROTOCOL,
    MILTER_STRIP,
    MILTER_NON_SMTPD,
    MILTER_PICKUP,
    MILTER_PICKUP_FILTER,
    MILTER_QMQP,
    MILTER_DELIMITER,
    MILTER_PROPAGATE,
    /* TLS-Required: No, and mail that is not flagged */
    RELAXED_UNROUTED,
    RELAXED_SERVICE,
    RELAXED_ORDER,
    RELAXED_RELAYHOST,
    RELAXED_WEAK,
    RELAXED_TAG,
    POLICY_MAPS,
    POSTFIX_FINDING_KINDS
};

struct postfix_finding {
    enum postfix_finding_kind kind;
    char where[300]; /* "FILE:LINE", "main.cf: PARAMETER", "master.cf: NAME/TYPE" */
    char what[400];
};

struct postfix_findings {
    struct postfix_finding *item; /* POSTFIX_FINDINGS_MAX; the caller's */
    size_t count;
    bool cut; /* there were more */
};

/* Add one, cut at its sizes, unless it is there. */
void postfix_report(struct postfix_findings *f, enum postfix_finding_kind kind, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Is one of this kind about this place there? */
bool postfix_found(const struct postfix_findings *f, enum postfix_finding_kind kind, const char *where);

/* Of each kind: its name for programs, why it matters, what to do. */
const char *postfix_finding_name(enum postfix_finding_kind kind);
const char *postfix_finding_why(enum postfix_finding_kind kind);
const char *postfix_finding_remedy(enum postfix_finding_kind kind);

#endif
