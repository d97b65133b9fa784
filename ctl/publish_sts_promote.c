/* publish_sts_promote.c - from testing to enforce: was it long enough, and what do TLS reports say; see publish_sts.h.
 */
#include "publish_sts.h"

#include "member.h"
#include "print.h"
#include "report_time.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 10000 /* of failures that are told apart */

#define NO_POLICY "no-policy-found"

int64_t sts_tested_at(const struct published *p)
{
    return (p->held > p->changed ? p->held : p->changed) + STS_TESTED_DAYS * STS_DAY;
}

void sts_judge_testing(struct verdicts *v, const struct published *p, int64_t now)
{
    struct buf when;

    buf_init(&when, 100);
    print_time(&when, now < sts_tested_at(p) ? sts_tested_at(p) : p->changed, now);
    if (now >= sts_tested_at(p))
        verdicts_add(v, VERDICT_OK, "time in testing", "as it is since %s", buf_text(&when));
    else
        verdicts_add(v, VERDICT_BAD, "time in testing",
                     "too short: senders that held an earlier policy, and the reports of a whole day, take until %s",
                     buf_text(&when));
    buf_clear(&when);
}

/* --- reports --- */

static bool same_row(const struct sts_failure *r, const char *type, const char *sender, const char *host)
{
    return strcmp(r->type, type) == 0 && strcmp(r->sender, sender) == 0 && strcmp(r->host, host) == 0;
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b > 0 ? b : 0, &sum) ? INT64_MAX : sum;
}

static struct sts_failure *new_row(struct sts_failures *f)
{
    size_t room = f->room > 0 ? f->room * 2 : 16;
    struct sts_failure *grown;

    if (f->count == f->room) {
        grown = reallocarray(f->row, room, sizeof(*grown));
        if (grown == NULL)
            return NULL;
        f->row = grown;
        f->room = room;
    }
    return &f->row[f->count];
}

static void add_row(struct sts_failures *f, const char *type, const char *sender, const char *host, int64_t sessions)
{
    struct sts_failure *r;

    for (size_t i = 0; i < f->count; i++)
        if (same_row(&f->row[i], type, sender, host)) {
            f->row[i].sessions = plus(f->row[i].sessions, sessions);
            return;
        }
    r = f->count < ROWS_MAX ? new_row(f) : NULL;
    if (r == NULL) {
        f->failed = true;
        return;
    }
    *r = (struct sts_failure){strdup(type), strdup(sender), strdup(host), plus(0, sessions)};
    if (r->type != NULL && r->sender != NULL && r->host != NULL) {
        f->count++;
        return;
    }
    free(r->type);
    free(r->sender);
    free(r->host);
    f->failed = true;
}

static bool of_domain(const json_t *entry, const char *domain)
{
    const char *name = member_text(json_object_get(entry, "policy"), "policy-domain");
    char one[DOMAIN_BUF];

    return domain_normalise(one, name, strlen(name), NULL) == 0 && domain_equal(one, domain);
}

static bool of_type(const json_t *entry, const char *type)
{
    return strcmp(member_text(json_object_get(entry, "policy"), "policy-type"), type) == 0;
}

/* DEST_STS_OK: the failure is of another kind. */
static enum dest_sts_failure why_unread(const json_t *detail)
{
    const char *type = member_text(detail, "result-type");

    for (enum dest_sts_failure f = DEST_STS_OK + 1; f < DEST_STS_FAILURES; f++)
        if (strcmp(type, dest_sts_failure_name(f)) == 0)
            return f;
    return DEST_STS_OK;
}

/* Does the entry say something of the domain's MTA-STS policy? Of one that was not found, that it could not be had. */
static bool is_ours(const json_t *entry, const char *domain)
{
    const json_t *details = json_object_get(entry, "failure-details");
    bool unread = false;

    for (size_t i = 0; i < json_array_size(details); i++)
        unread = unread || why_unread(json_array_get(details, i)) != DEST_STS_OK;
    return of_domain(entry, domain) && (of_type(entry, "sts") || (of_type(entry, NO_POLICY) && unread));
}

static void add_detail(struct sts_failures *f, const json_t *detail, const char *sender)
{
    const char *type = member_text(detail, "result-type"), *host = member_text(detail, "receiving-mx-hostname");

    add_row(f, type[0] != '\0' ? type : "-", sender, host[0] != '\0' ? host : "-",
            member_number(detail, "failed-session-count"));
}

static void add_unread(struct sts_failures *f, const json_t *entry, const char *sender)
{
    const json_t *details = json_object_get(entry, "failure-details");

    for (size_t i = 0; i < json_array_size(details); i++) {
        const json_t *d = json_array_get(details, i);
        enum dest_sts_failure why = why_unread(d);

        if (why == DEST_STS_OK)
            continue;
        f->unread[why].details++;
        f->unread[why].sessions = plus(f->unread[why].sessions, member_number(d, "failed-session-count"));
        add_detail(f, d, sender);
    }
}

static void add_entry(struct sts_failures *f, const json_t *entry, const char *sender)
{
    const json_t *summary = json_object_get(entry, "summary"), *details = json_object_get(entry, "failure-details");
    int64_t bad = member_number(summary, "total-failure-session-count");

    f->good = plus(f->good, member_number(summary, "total-successful-session-count"));
    f->bad = plus(f->bad, bad);
    f->details += json_array_size(details);
    for (size_t i = 0; i < json_array_size(details); i++)
        add_detail(f, json_array_get(details, i), sender);
    if (json_array_size(details) == 0 && bad > 0)
        add_row(f, "-", sender, "-", bad);
}

void sts_failures_add(struct sts_failures *f, const json_t *report, const char *domain, int64_t changed)
{
    const json_t *policies = json_object_get(report, "policies");
    const char *sender = member_text(report, "organization-name");
    bool zone, ours = false, old;
    int64_t end;

    old = report_time(&end, &zone, member_text(json_object_get(report, "date-range"), "end-datetime")) == 0 &&
          end < changed;
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const json_t *entry = json_array_get(policies, i);

        if (!is_ours(entry, domain))
            continue;
        ours = true;
        if (!old)
            (of_type(entry, NO_POLICY) ? add_unread : add_entry)(f, entry, sender[0] != '\0' ? sender : "-");
    }
    if (ours && old)
        f->old++;
    else if (ours)
        f->reports++;
}

void sts_failures_clear(struct sts_failures *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->count; i++) {
        free(f->row[i].type);
        free(f->row[i].sender);
        free(f->row[i].host);
    }
    free(f->row);
    *f = (struct sts_failures){0};
}

/* Returns whether there were any. */
static bool judge_unread(struct verdicts *v, const struct sts_failures *f)
{
    bool any = false;

    for (enum dest_sts_failure why = DEST_STS_OK + 1; why < DEST_STS_FAILURES; why++) {
        if (f->unread[why].details == 0)
            continue;
        any = true;
        verdicts_add(v, VERDICT_BAD, "TLS reports",
                     "%s: %" PRId64 " session%s of senders that had no policy (" NO_POLICY "), as they could not %s "
                     "yours; mend what serves it and wait for the reports of a day without",
                     dest_sts_failure_name(why), f->unread[why].sessions, f->unread[why].sessions == 1 ? "" : "s",
                     why == DEST_STS_FETCH_ERROR ? "fetch" : "validate");
    }
    return any;
}

void sts_judge_reports(struct verdicts *v, const struct sts_failures *f)
{
    bool under = f->bad > 0 || f->details > 0, unread;

    if (f->old > 0)
        verdicts_add(v, VERDICT_WARN, "TLS reports", "%zu of before the policy last changed, not counted", f->old);
    if (f->failed)
        verdicts_add(v, VERDICT_UNKNOWN, "TLS reports", "not all that they say was counted: no memory, or too much");
    if (under)
        verdicts_add(v, VERDICT_BAD, "TLS reports",
                     "%" PRId64 " failed sessions under the policy, %" PRId64 " good ones, in %zu report%s; mend what "
                     "the table shows and wait for the reports of a day without",
                     f->bad, f->good, f->reports, f->reports == 1 ? "" : "s");
    unread = judge_unread(v, f);
    if (under || unread)
        return;
    if (f->reports > 0)
        verdicts_add(v, VERDICT_OK, "TLS reports", "%" PRId64 " good sessions, no failed one, in %zu report%s", f->good,
                     f->reports, f->reports == 1 ? "" : "s");
    else
        verdicts_add(v, VERDICT_WARN, "TLS reports",
                     "none was given that says anything of this policy; name the files of those that came");
}
