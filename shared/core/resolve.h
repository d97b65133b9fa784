/*
 * resolve.h - the steps from a domain name to its destination record, as a machine without sockets or clock: it says
 * which DNS queries and which policy fetch it wants, is fed their results in any order, and at the end hands out the
 * record.
 *
 *     r = resolve_new(domain, previous, force, now, &options);
 *     while (!resolve_done(r)) {
 *         while (resolve_next(r, &action)) perform it, keeping action.slot;
 *         when a result is there: resolve_dns(r, slot, answer) or resolve_fetched(r, slot, fetch);
 *     }
 *     dest = resolve_take(r, now);
 *
 * The rules are RFC 8461 (checks A1 to A9) and RFC 7672 2.2 (checks B-1 to B-6); the order of queries stands in
 * resolve.c.
 */
#ifndef POSTERN_RESOLVE_H
#define POSTERN_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "dest.h"
#include "dns_msg.h"

#define RESOLVE_TEMP_TTL    30    /* seconds that facts with a temporary failure in them live */
#define RESOLVE_TEMP_FORGET 86400 /* seconds without a look after which a temporary failure counts as a new one */
#define RESOLVE_TTL_MAX     3600  /* no facts live longer without a new look at DNS */
#define RESOLVE_ACTIONS_MAX (6 + 5 * DEST_HOSTS_MAX) /* actions of one resolution, in all */

struct resolve;

struct resolve_options {
    bool dane;       /* look for TLSA records */
    bool sts;        /* look for MTA-STS */
    int64_t ttl_min; /* seconds; facts without a temporary failure live at least so long (0: as DNS says, but 1) */
    int64_t refetch_after; /* seconds; a policy older than this is fetched again though its id is the same (RFC
                              8461 10.2: 86400) */
    int64_t retry_after;   /* seconds; no new fetch so soon after a failed one (300) */
};

/* The values of the RFCs. */
struct resolve_options resolve_options_default(void);

enum resolve_what { RESOLVE_QUERY, RESOLVE_FETCH };

struct resolve_action {
    enum resolve_what what;
    unsigned slot;         /* names the action when its result comes */
    enum dns_type type;    /* QUERY */
    char name[DOMAIN_BUF]; /* QUERY: the name to ask for; FETCH: the policy host mta-sts.DOMAIN */
    char address[DEST_ADDRESSES_MAX][ADDRESS_BUF]; /* FETCH: where the host is, IPv6 and IPv4 */
    size_t address_count;
};

/* What became of a policy fetch. Filled by the shell; body stays the shell's. */
struct resolve_fetch {
    bool untried;                  /* the fault is on our side: it says nothing of the domain */
    enum dest_sts_failure failure; /* DEST_STS_OK: body is the policy file as served (status and media type checked) */
    const char *why;               /* the failure in words, or NULL */
    const char *body;
    size_t len;
};

/*
 * previous is what was known before (NULL: nothing); its policy is carried on as A2 and A8 say. It is copied where
 * needed. force: fetch the policy again though nothing asks for it, except within retry_after of a failure. NULL
 * without memory.
 */
struct resolve *resolve_new(const char *domain, const struct dest *previous, bool force, int64_t now,
                            const struct resolve_options *options);
void resolve_free(struct resolve *r);

/* The next action to start. Returns 1, or 0 when there is none to start now. */
int resolve_next(struct resolve *r, struct resolve_action *out);

/* Feed one result. A slot that is unknown or was fed before is ignored. */
void resolve_dns(struct resolve *r, unsigned slot, const struct dns_answer *answer);
void resolve_fetched(struct resolve *r, unsigned slot, const struct resolve_fetch *fetch, int64_t now);

/* True when the record is complete; then resolve_next says 0. */
bool resolve_done(const struct resolve *r);

/*
 * Hand out the record, the caller's from now on. A fetch that was tried and is not there must be fed as failed before.
 * Before it is done (deadline passed): what is missing counts as a temporary failure. An MX host without addresses is
 * no host and is left out (B-5); where none is left, mx stays what it was and host_count is 0. A second call gives
 * NULL, as does lack of memory.
 */
struct dest *resolve_take(struct resolve *r, int64_t now);

#endif
