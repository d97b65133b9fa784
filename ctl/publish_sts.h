/*
 * publish_sts.h - the MTA-STS policy of a domain of ours: what it becomes, whether it may be published, and the way
 * from testing to enforce and out again (RFC 8461 3.2, 8.1, 8.3). Pure.
 */
#ifndef POSTERN_PUBLISH_STS_H
#define POSTERN_PUBLISH_STS_H

#include "dest.h"
#include "err.h"
#include "probe.h"
#include "publish_verdict.h"
#include "published.h"

#define STS_DAY INT64_C(86400)

/*
 * How long senders keep a policy when nobody says: a day while it is tested and on the way out (RFC 8461 8.3), as what
 * is wrong in it is then over in a day; two weeks when it is enforced, the least that RFC 8461 3.2 calls right ("weeks
 * or greater"), as one who keeps a sender from the policy's renewal must do so for all that time.
 */
#define STS_TESTING_AGE UINT32_C(86400)
#define STS_ENFORCE_AGE UINT32_C(1209600)
#define STS_NONE_AGE    UINT32_C(86400)

/* Below that, an enforced policy hardly keeps anybody out. */
#define STS_ENFORCE_AGE_SMALL UINT32_C(604800)

/* What is asked for. */
struct sts_wish {
    bool has_mode, has_max_age;
    enum sts_mode mode;
    uint32_t max_age;
    char *const *mx; /* in their one form, no doubles */
    size_t mx_count; /* 0: those before, and what DNS has besides */
};

struct sts_plan {
    struct published next; /* owned */
    bool before;           /* the domain had a policy */
    enum sts_mode was;     /* its mode */
    bool changed;          /* the policy is another one than before, and so is its id */
};

/*
 * What the policy becomes. before: what is published, NULL for nothing. facts: what is known of the domain now, NULL
 * for nothing; a policy in there that is live and not ours is one that senders hold. A policy that stays as it is keeps
 * its id and its times. Returns CTL_YES, or the exit code with the reason in e and *out empty: CTL_LATER when there is
 * nothing to take MX hosts from now.
 */
enum ctl_exit sts_plan_make(struct sts_plan *out, const char *domain, const struct published *before,
                            const struct dest *facts, const struct sts_wish *wish, int64_t now, const char *by,
                            struct err *e);
void sts_plan_clear(struct sts_plan *p); /* NULL-safe, may be called twice */

/* Until when senders may hold some policy of this domain that binds them, the present one too. 0: none. */
int64_t sts_held_until(const struct published *p, int64_t now);

/* v=STSv1; id=…; */
#define STS_TXT_BUF (STS_ID_MAX + 20)
void sts_txt(char out[STS_TXT_BUF], const char *id);

/* --- may it be published? A line a verdict --- */

/*
 * Does the policy name every MX host there is now? Patterns that fit none of them are warned about. Nothing of a policy
 * of mode none. facts NULL: why in words.
 */
void sts_judge_hosts(struct verdicts *v, const struct sts_policy *policy, const struct dest *facts, const char *why);

/*
 * Would a sender that enforces the policy deliver to every MX host? An address that cannot be reached is unknown, or a
 * warning when another of its host is fine; one that this machine has no way to is then passed over. p NULL: why in
 * words. Sets in_policy of p's hosts.
 */
void sts_judge_probe(struct verdicts *v, struct probe *p, const char *why);

/* Is max_age right for the mode? */
void sts_judge_age(struct verdicts *v, const struct sts_policy *policy);

/* --- promotion --- */

/* A policy has been tested when senders that held another one hold it no more, and reports have come of a whole day in
 * UTC since, which is the day after that (RFC 8460 4.1). */
#define STS_TESTED_DAYS 2
int64_t sts_tested_at(const struct published *p);
void sts_judge_testing(struct verdicts *v, const struct published *p, int64_t now);

/* One more failure in TLS reports that were received. */
struct sts_failure {
    char *type, *sender, *host; /* owned; foreign */
    int64_t sessions;
};
struct sts_failures {
    struct sts_failure *row; /* owned */
    size_t count, room;
    int64_t good, bad; /* sessions under the policy, all reports */
    size_t details;    /* of failures under the policy */
    struct {
        size_t details;
        int64_t sessions;
    } unread[DEST_STS_FAILURES]; /* of senders without the policy, as they could not fetch or validate it, by why */
    size_t reports;              /* that say something of the policy */
    size_t old;                  /* that are of before it */
    bool failed;                 /* no memory */
};

/*
 * Add what a report (report_normal.h) says of the domain's MTA-STS policy; of one that ends before `changed`, nothing.
 * A sender that could not fetch or validate it may go by none and say so (RFC 8460 4.2, no-policy-found, with a result
 * of 4.3.2.2): that counts, too.
 */
void sts_failures_add(struct sts_failures *f, const json_t *report, const char *domain, int64_t changed);
void sts_failures_clear(struct sts_failures *f); /* NULL-safe, may be called twice */
void sts_judge_reports(struct verdicts *v, const struct sts_failures *f);

/* --- the way out --- */

/* Returns CTL_YES when the policy may be taken away, or CTL_NO with why not and when in e. */
enum ctl_exit sts_may_remove(const struct published *p, int64_t now, struct err *e);

#endif
