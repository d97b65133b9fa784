/* publish_sts.c - what a policy becomes, and when it may go; see publish_sts.h. */
#include "publish_sts.h"

#include "mx_match.h"
#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A web server or a cache on the way may go on with the old file for a while, and clocks differ. */
#define SLACK STS_DAY

void sts_txt(char out[STS_TXT_BUF], const char *id)
{
    (void)snprintf(out, STS_TXT_BUF, "v=STSv1; id=%s;", id);
}

void sts_plan_clear(struct sts_plan *p)
{
    if (p == NULL)
        return;
    published_clear(&p->next);
    *p = (struct sts_plan){.before = false};
}

/* --- patterns --- */

static int add_pattern(struct sts_policy *p, const char *pattern, struct err *e)
{
    char **grown;

    if (p->mx_count >= STS_MX_PATTERN_MAX)
        return err_set(e, "more than %d MX patterns", STS_MX_PATTERN_MAX);
    grown = reallocarray(p->mx, p->mx_count + 1, sizeof(*grown));
    if (grown == NULL)
        return err_set(e, "no memory");
    p->mx = grown;
    p->mx[p->mx_count] = strdup(pattern);
    if (p->mx[p->mx_count] == NULL)
        return err_set(e, "no memory");
    p->mx_count++;
    return 0;
}

static int add_patterns(struct sts_policy *p, char *const *mx, size_t count, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_pattern(p, mx[i], e);
    return rc;
}

/* Those MX hosts that no pattern fits. */
static int add_hosts(struct sts_policy *p, const struct dest *facts, struct err *e)
{
    char pattern[DOMAIN_BUF];

    for (size_t i = 0; i < facts->host_count; i++) {
        const char *name = facts->host[i].name;

        if (mx_match_any(p->mx, p->mx_count, name))
            continue;
        if (sts_pattern_normalise(pattern, name, strlen(name), e) != 0)
            return err_prefix(e, "no policy can name the MX host %s", name);
        if (add_pattern(p, pattern, e) != 0)
            return -1;
    }
    return 0;
}

/* Why there are no MX hosts to be named. */
static enum ctl_exit no_hosts(const struct dest *facts, struct err *e)
{
    if (facts == NULL || facts->mx == DEST_MX_TEMP) {
        err_set(e, "the MX hosts cannot be known now%s%s; try again later, or name them with --mx",
                facts != NULL && facts->mx_why[0] != '\0' ? ": " : "", facts != NULL ? facts->mx_why : "");
        return CTL_LATER;
    }
    if (facts->mx == DEST_MX_NODOMAIN)
        err_set(e, "there is no such domain in DNS; publish its MX records first, or name the hosts with --mx");
    else
        err_set(e, "the domain has no MX host in DNS%s; publish MX records first, or name the hosts with --mx",
                facts->mx == DEST_MX_NULL ? " and says that it takes no mail (RFC 7505)" : "");
    return CTL_NO;
}

/* --- the policy --- */

static uint32_t usual_age(enum sts_mode mode)
{
    static const uint32_t age[] = {
        [STS_MODE_NONE] = STS_NONE_AGE, [STS_MODE_TESTING] = STS_TESTING_AGE, [STS_MODE_ENFORCE] = STS_ENFORCE_AGE};

    return age[mode];
}

/* As a sender reads it: what no policy may say, or is too long, shows here. */
static int policy_holds(const struct sts_policy *p, struct err *e)
{
    struct sts_policy read;
    struct buf body;
    int rc = -1;

    buf_init(&body, STS_BODY_MAX);
    published_body(&body, p);
    if (!buf_ok(&body))
        err_set(e, "the policy would be longer than %d octets, which is all that a sender must read", STS_BODY_MAX);
    else
        rc = sts_policy_parse(&read, buf_text(&body), body.len, e);
    if (rc == 0)
        sts_policy_clear(&read);
    buf_clear(&body);
    return rc;
}

static enum ctl_exit make_policy(struct sts_policy *out, const struct published *before, const struct dest *facts,
                                 const struct sts_wish *wish, struct err *e)
{
    int rc = 0;

    out->mode = wish->has_mode ? wish->mode : before != NULL ? before->policy.mode : STS_MODE_TESTING;
    if (wish->has_max_age)
        out->max_age = wish->max_age;
    else if (before != NULL && before->policy.mode == out->mode)
        out->max_age = before->policy.max_age;
    else
        out->max_age = usual_age(out->mode);
    if (wish->mx_count > 0)
        rc = add_patterns(out, wish->mx, wish->mx_count, e);
    else if (before != NULL)
        rc = add_patterns(out, before->policy.mx, before->policy.mx_count, e);
    if (rc == 0 && wish->mx_count == 0 && out->mode != STS_MODE_NONE && facts != NULL)
        rc = add_hosts(out, facts, e);
    if (rc != 0)
        return CTL_NO;
    if (out->mx_count == 0 && out->mode != STS_MODE_NONE)
        return no_hosts(facts, e);
    return policy_holds(out, e) == 0 ? CTL_YES : CTL_NO;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t binds_until(const struct sts_policy *p, int64_t now)
{
    return p->mode == STS_MODE_NONE ? 0 : now + p->max_age + SLACK;
}

int64_t sts_held_until(const struct published *p, int64_t now)
{
    int64_t until = later(p->held, binds_until(&p->policy, now));

    return until > now ? until : 0;
}

/* Until when senders may hold what was served up to now. */
static int64_t held(const struct published *before, const struct dest *facts, int64_t now)
{
    int64_t until = before != NULL ? later(before->held, binds_until(&before->policy, now)) : 0;

    if (before == NULL && facts != NULL && dest_sts_live(&facts->sts, now))
        until = binds_until(&facts->sts.policy, now);
    return until > now ? until : 0;
}

static void keep_as_it_is(struct published *next, const struct published *before)
{
    memcpy(next->id, before->id, sizeof(next->id));
    memcpy(next->by, before->by, sizeof(next->by));
    next->changed = before->changed;
    next->since = before->since;
    next->held = before->held;
}

static void take_new(struct sts_plan *p, const struct published *before, const struct dest *facts, int64_t now,
                     const char *by)
{
    const char *last = before != NULL ? before->id : facts != NULL ? facts->sts.id : NULL;
    struct published *next = &p->next;

    published_id(next->id, now, last);
    (void)snprintf(next->by, sizeof(next->by), "%s", by);
    next->changed = now;
    next->since = before != NULL && before->policy.mode == next->policy.mode ? before->since : now;
    next->held = held(before, facts, now);
    p->changed = true;
}

/* As it is read from Redis: nothing is written that could not be read again, such as a strange author. */
static int can_be_kept(const struct published *p, struct err *e)
{
    struct published read;
    struct buf json;
    int rc;

    buf_init(&json, PUBLISHED_JSON_MAX);
    published_write(&json, p);
    rc = buf_ok(&json) ? published_read(&read, p->domain, buf_text(&json), json.len, e)
                       : err_set(e, "longer than %d octets", PUBLISHED_JSON_MAX);
    if (rc == 0)
        published_clear(&read);
    buf_clear(&json);
    return rc == 0 ? 0 : err_prefix(e, "the policy cannot be kept");
}

enum ctl_exit sts_plan_make(struct sts_plan *out, const char *domain, const struct published *before,
                            const struct dest *facts, const struct sts_wish *wish, int64_t now, const char *by,
                            struct err *e)
{
    enum ctl_exit rc;

    *out = (struct sts_plan){.before = before != NULL};
    rc = make_policy(&out->next.policy, before, facts, wish, e);
    if (rc != CTL_YES) {
        sts_plan_clear(out);
        return rc;
    }
    (void)snprintf(out->next.domain, sizeof(out->next.domain), "%s", domain);
    if (before != NULL)
        out->was = before->policy.mode;
    if (before != NULL && sts_policy_equal(&before->policy, &out->next.policy))
        keep_as_it_is(&out->next, before);
    else
        take_new(out, before, facts, now, by);
    if (can_be_kept(&out->next, e) == 0)
        return CTL_YES;
    sts_plan_clear(out);
    return CTL_NO;
}

/* --- the way out --- */

enum ctl_exit sts_may_remove(const struct published *p, int64_t now, struct err *e)
{
    struct buf when;
    int64_t until = sts_held_until(p, now);

    if (p->policy.mode != STS_MODE_NONE) {
        err_set(e,
                "the policy is in mode %s, and senders that hold it would go on with it; first "
                "\"posternctl publish sts %.60s --mode none\", which tells when it may go (RFC 8461 8.3)",
                sts_mode_name(p->policy.mode), p->domain);
        return CTL_NO;
    }
    if (until == 0)
        return CTL_YES;
    buf_init(&when, 100);
    print_time(&when, until, now);
    err_set(e,
            "senders may hold an earlier policy until %s, and learn from the TXT record and the policy of mode none "
            "that it counts no more (RFC 8461 8.3); remove it then",
            buf_text(&when));
    buf_clear(&when);
    return CTL_NO;
}
