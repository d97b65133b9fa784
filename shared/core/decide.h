/*
 * decide.h - the decision: from the facts about a destination to the TLS policy for mail to it, with the reasons. One
 * pure function (doc/architecture.md, "The decision"). RFC 7672 and RFC 8461; DANE goes before MTA-STS (A11).
 */
#ifndef POSTERN_DECIDE_H
#define POSTERN_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dest.h"
#include "tls_level.h"

#define DECIDE_REASONS_MAX 20
#define DECIDE_REASON_MAX  240

struct decide_options {
    bool dane;       /* DANE counts; off when the MTA has no validating resolver */
    bool other_port; /* it is off because the next hop has another port than 25: only the reason differs */
    bool sts;        /* MTA-STS counts */

    /* Seconds for which a domain whose MTA-STS record cannot be looked up, and of which no policy is kept, is a
       temporary error; then it is as without MTA-STS. */
    int64_t sts_unknown_hold;

    /* An enforced policy is known that these facts say nothing of: as if the MTA-STS record could not be looked up. */
    bool sts_elsewhere;

    /* Seconds past valid_until for which facts that bind nothing are still used when no newer can be had. */
    int64_t stale_max;

    /* The level where nothing binds: LEVEL_DEFAULT (the MTA's own), LEVEL_MAY or LEVEL_ENCRYPT. It binds nothing: lists
       and fallback may still say plain. decide_lists() puts it in; decide() says LEVEL_DEFAULT. */
    enum tls_level default_level;
};
struct decide_options decide_options_default(void); /* true, true, 4 hours, 1 hour, LEVEL_DEFAULT */

/* How fresh the facts are that the caller could get. */
enum decide_age {
    DECIDE_FRESH, /* now < valid_until, or gathered just now */
    DECIDE_STALE  /* newer ones were asked for and cannot be had now */
};

/* What has decided, for counting; the reasons are for people. */
enum decide_by {
    DECIDE_BY_NOTHING, /* nothing binds */
    DECIDE_BY_HOP,     /* the next hop is no domain: there are no facts */
    DECIDE_BY_DANE,
    DECIDE_BY_STS,
    DECIDE_BY_REQUIRE, /* the lists of these names */
    DECIDE_BY_EXCLUDE,
    DECIDE_BY_ONLY,
    DECIDE_BY_PROTOCOLS,
    DECIDE_BY_FALLBACK,
    DECIDE_BY_IMPLICIT, /* implicit TLS, port 465 */
    DECIDE_BY_DEFAULT_LEVEL,
    DECIDE_TEMP_UNKNOWN, /* from here on, and only there, temp: nothing is known; */
    DECIDE_TEMP_MX,      /* the MX records, */
    DECIDE_TEMP_TLSA,    /* TLSA records, */
    DECIDE_TEMP_STS,     /* or the MTA-STS record cannot be looked up; */
    DECIDE_TEMP_STALE,   /* the facts are too old; */
    DECIDE_TEMP_LISTS,   /* the lists are not known, or whether they have an entry for an MX host */
    DECIDE_BYS
};

/* "nothing", "no-domain", "dane", "mta-sts", "require", "exclude", "only", "protocols", "fallback", "implicit-tls",
 * "default-level", "temp-unknown", "temp-mx", "temp-tlsa", "temp-mta-sts", "temp-stale", "temp-lists" */
const char *decide_by_name(enum decide_by by);

struct decision {
    bool temp; /* no policy can be given now: the MTA must hold the mail; the last reason says why */
    enum decide_by by;
    enum tls_level level; /* when not temp */

    /* The level comes from, or is backed by, the enforced MTA-STS policy: match= and servername= go with secure. */
    bool use_sts;

    /* With LEVEL_DANE: a host has usable TLSA records, or may have; else they only make TLS mandatory. */
    bool dane_verifies;

    bool binds;       /* the facts demand TLS */
    bool sts_testing; /* a testing policy is live, for reports; says nothing of the level */
    bool overridden;  /* an entry of the lists that says `override` made it weaker than what binds, or (sts-exclude)
                         may have */
    bool smtps;       /* by implicit TLS (RFC 8314 3.3), as the list smtps says */
    const char *protocols; /* Postfix's attributes of these names, "" or NULL for none; an entry of a list owns them */
    const char *ciphers;
    int64_t valid_until; /* the answer may be given until then */
    int64_t ends;        /* what is plain by the lists or the fallback state is so no longer than that; 0: no end */
    char reason[DECIDE_REASONS_MAX][DECIDE_REASON_MAX];
    size_t reason_count; /* never 0 */
};

/*
 * DANE counts when the options say so, the MX look-up found hosts and was authenticated. "Enforced": an enforce policy
 * is live and MTA-STS counts. "Unknown": the MTA-STS record is TEMP, no policy is live, and that for less than
 * sts_unknown_hold. The first line that fits decides:
 *
 *   facts                                                 enforced    unknown     else
 *   no record at all (dest NULL: stsd is away)            temp        temp        temp
 *   MX TEMP, and DANE went before (dane_before)           temp        temp        temp
 *   MX TEMP, never known before (mx_never_known)          temp        temp        temp
 *   MX TEMP                                               secure      temp        temp
 *   DANE: every host usable, none left out                dane-only   dane-only   dane-only
 *   DANE: a host usable, others not, or left out          dane-only   dane-only   dane
 *   DANE: every host TEMP                                 temp        temp        temp
 *   DANE: none usable, a host TEMP                        temp        temp        dane
 *   DANE: none usable, a host unusable                    secure      temp        dane
 *   DANE: no TLSA records, but hosts left out             secure      temp        dane
 *   else, null MX, no such domain, no host                secure      temp        default
 *
 * "Left out" is mx_truncated. `dane` is safe beside a host TEMP because the MTA's own look-up skips that host, and
 * beside an unusable one because it makes TLS mandatory there. Policies in mode testing or none bind nothing.
 *
 * STALE facts: what binds goes on (a live enforce policy, DANE); default goes on for stale_max seconds after
 * dest->valid_until, then temp. valid_until is after now, and the least of dest->valid_until (when that is to come),
 * the live policy's expiry, for temp and stale now + RESOLVE_TEMP_TTL, and for default from stale facts the end of
 * stale_max. Reasons are printable ASCII, cut to fit; what foreign text holds besides becomes '?'.
 */
void decide(struct decision *out, const struct dest *dest, enum decide_age age, const struct decide_options *options,
            int64_t now);

/* Append a reason; see struct decision. */
void decide_reason(struct decision *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for next hops that have no facts: [host], addresses -> default, with the reason. */
void decide_fixed(struct decision *out, const char *why, int64_t valid_until);

#endif
