/* answer.h - what policyd's memory holds about one next hop: the finished replies and how long they hold. Pure. */
#ifndef POSTERN_ANSWER_H
#define POSTERN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide.h"
#include "dest.h"

/* The maps of the socketmap listener. */
enum answer_map { ANSWER_POSTFIX, ANSWER_TLSRPT };

struct answer {
    int64_t valid_until;    /* seconds since the epoch */
    int64_t stale_until;    /* until then it may still be given when nothing newer can be had */
    int64_t resolved;       /* when the facts behind it were gathered; 0: there are none */
    int64_t policy_fetched; /* of the enforced MTA-STS policy that is known, be the answer from it or from DANE, */
    int64_t policy_until;   /* and when that expires; 0: there is none */
    int64_t refresh_at;     /* from then on a use starts a look-up in the background */
    uint32_t epoch;         /* of the memory (memory.h) when the answer was put in */
    uint32_t hits;
    bool smtps;          /* the destination is reached by implicit TLS, as the list smtps says */
    bool binds;          /* the facts demand TLS; an answer known to be out of date is given again only then */
    unsigned char level; /* enum tls_level; DEFAULT when it is temp */
    unsigned char by;    /* enum decide_by */
    uint32_t plain_len;  /* the plain reply, then the one with TLSRPT attributes unless it is the same */
    uint32_t tlsrpt_len; /* 0: the same */
    char wire[];         /* whole netstrings, ready to be sent */
};

/*
 * Render a decision. dest may be NULL when the decision is temp. Returns a new answer (free with free()), or NULL
 * without memory. A policy that cannot be rendered becomes TEMP, never something weaker.
 */
struct answer *answer_new(const struct decision *decision, const struct dest *dest,
                          const struct decide_options *options);

/*
 * New facts bring no word of the enforced policy that was live in this answer's facts and has not expired: no later
 * policy (be it of mode none, or gone by now). Absence and failed fetches do not revoke a policy (RFC 8461 section 3.1,
 * 5.1), so it goes on.
 */
bool answer_outlives(const struct answer *a, const struct dest *dest, int64_t now);

/* Note with an answer made of such facts what policy goes on. */
void answer_keep_policy(struct answer *a, const struct answer *before);

/*
 * A use at this time starts a look-up in the background. Then refresh_at moves on, so that for ANSWER_REFRESH_AGAIN
 * seconds no other does.
 */
#define ANSWER_REFRESH_AGAIN 10
bool answer_due(struct answer *a, int64_t now);

/* The level, for people; or "temp". */
const char *answer_level(const struct answer *a);

/* The reply for a map. */
const char *answer_wire(const struct answer *a, enum answer_map map, size_t *len);

/* The text within the reply netstring, not terminated, e.g. "OK dane-only". */
const char *answer_text(const struct answer *a, enum answer_map map, size_t *len);

#endif
