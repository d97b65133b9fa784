/*
 * tlsrpt_policy.h - which policies of a destination a session with one of its MX hosts is reported under (RFC 8460 4.4,
 * checks J7 to J10, J19), in the form of tlsrpt_event.h. Pure. Whoever knows how the session came off adds the results.
 */
#ifndef POSTERN_TLSRPT_POLICY_H
#define POSTERN_TLSRPT_POLICY_H

#include <stdint.h>

#include "dest.h"
#include "tlsrpt_event.h"

#define TLSRPT_POLICIES_MAX 2

#define TLSRPT_VERDICT_REASON_BUF 128

struct tlsrpt_policies {
    struct tlsrpt_policy policy[TLSRPT_POLICIES_MAX]; /* for struct tlsrpt_event */
    size_t count;                                     /* one at least */
    struct tlsrpt_failure failure[TLSRPT_POLICIES_MAX];
    char reason[TLSRPT_POLICIES_MAX][TLSRPT_VERDICT_REASON_BUF];
    char *text; /* owned, as the next */
    const char **pointer;
};

/*
 * In this order, those that apply:
 *
 *   TLSA  the MX records are authenticated, and the host has TLSA records, usable or not, or they cannot be looked up
 *         (then there are no strings). Its domain is the TLSA base domain, of TEMP the MX host.
 *   STS   a policy in mode enforce or testing holds now. Whether it names the host is for whoever judges.
 *   NONE  neither; so it is with mode none (RFC 8461 5).
 *
 * host is one of the record's, or NULL when none is meant (then there is no TLSA). Without failures, failed is false.
 * What is made borrows from the record: it is good as long as that, and to be given to tlsrpt_policies_clear. Returns
 * 0, or -1 without memory and nothing to clear.
 */
int tlsrpt_policies_make(struct tlsrpt_policies *out, const struct dest *d, const struct dest_host *host, int64_t now);

/* How a session came off by one policy. */
struct tlsrpt_verdict {
    bool failed;
    enum tlsrpt_result result; /* when it failed, as the next */
    const char *reason;        /* in words, of which '_' stands for blanks in the event; borrowed until it is judged */
};

/* Returns false when the session says nothing of this policy. */
typedef bool tlsrpt_judge_fn(const void *ctx, const struct tlsrpt_policy *p, struct tlsrpt_verdict *out);

/*
 * Give each policy its result, and a failure with the hosts and addresses of *where; those of which the session says
 * nothing go. Afterwards count may be 0: then there is nothing to be told. Once.
 */
void tlsrpt_policies_judge(struct tlsrpt_policies *p, tlsrpt_judge_fn *judge, const void *ctx,
                           const struct tlsrpt_failure *where);

/* Words as a failure-reason-code: '_' for blanks, cut to size - 1 octets. */
void tlsrpt_reason(char *out, size_t size, const char *words);

/* NULL-safe, may be called twice. */
void tlsrpt_policies_clear(struct tlsrpt_policies *p);

#endif
