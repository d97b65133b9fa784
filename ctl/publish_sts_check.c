/* publish_sts_check.c - see publish_sts_check.h. */
#include "publish_sts_check.h"

#include "sts_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD "TXT record"
#define HOST   "policy host"
#define POLICY "policy file"

/* --- the record --- */

static void judge_id(struct verdicts *v, const char *id, const struct published *ours, const char *validated)
{
    if (ours == NULL)
        verdicts_add(v, VERDICT_OK, RECORD, "id %s (%s)", id, validated);
    else if (strcmp(id, ours->id) == 0)
        verdicts_add(v, VERDICT_OK, RECORD, "id %s, as it should be (%s)", id, validated);
    else
        verdicts_add(
            v, VERDICT_BAD, RECORD,
            "id %s (%s), but that of the policy is %s: senders that hold an earlier policy do not notice the new "
            "one; change the record when the policy file is served",
            id, validated, ours->id);
}

static void judge_records(struct verdicts *v, const char *domain, const struct dns_answer *txt,
                          const struct published *ours)
{
    struct sts_txt *all = calloc(txt->count > 0 ? txt->count : 1, sizeof(*all));
    struct sts_record record = {""};
    struct err e = {""};
    int found;

    if (all == NULL) {
        v->failed = true;
        return;
    }
    for (size_t i = 0; i < txt->count; i++)
        all[i] = (struct sts_txt){txt->rr[i].text, txt->rr[i].text_len};
    found = sts_record_select(&record, all, txt->count, &e);
    free(all);
    if (found == 1)
        judge_id(v, record.id, ours, verdict_dnssec(txt->secure));
    else if (found == 0)
        verdicts_add(v, VERDICT_BAD, RECORD, "_mta-sts.%s has TXT records, but none of MTA-STS", domain);
    else
        verdicts_add(v, VERDICT_BAD, RECORD, "_mta-sts.%s: %s; senders take that for no MTA-STS at all", domain,
                     e.text);
}

void sts_check_record(struct verdicts *v, const char *domain, const struct dns_answer *txt,
                      const struct published *ours)
{
    if (txt->status == DNS_FAILED)
        verdicts_add(v, VERDICT_UNKNOWN, RECORD, "_mta-sts.%s cannot be looked up now: %s", domain, txt->why);
    else if (txt->status == DNS_FOUND)
        judge_records(v, domain, txt, ours);
    else if (ours != NULL)
        verdicts_add(v, VERDICT_BAD, RECORD,
                     "_mta-sts.%s has none, so no sender looks for a policy; when the policy file is served, publish "
                     "\"v=STSv1; id=%s;\"",
                     domain, ours->id);
    else
        verdicts_add(v, VERDICT_BAD, RECORD, "_mta-sts.%s has none, so no sender looks for a policy", domain);
}

/* --- the policy host --- */

void sts_policy_host_add(struct sts_policy_host *h, const struct dns_answer *answer)
{
    if (answer->status == DNS_FAILED)
        (void)snprintf(h->why, sizeof(h->why), "%s", answer->why);
    else
        h->insecure = h->insecure || !answer->secure;
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count && i < DEST_ADDRESSES_MAX; i++)
        if (h->count < STS_ADDRESSES_MAX)
            (void)snprintf(h->address[h->count++], ADDRESS_BUF, "%s", answer->rr[i].address);
}

void sts_check_policy_host(struct verdicts *v, const char *host, const struct sts_policy_host *h)
{
    if (h->why[0] != '\0')
        verdicts_add(v, h->count > 0 ? VERDICT_WARN : VERDICT_UNKNOWN, HOST, "%s cannot be looked up now: %s", host,
                     h->why);
    else if (h->count == 0)
        verdicts_add(v, VERDICT_BAD, HOST,
                     "%s has no address; give it A and AAAA records, or a CNAME, that lead to the web server", host);
    if (h->count > 0)
        verdicts_add(v, VERDICT_OK, HOST, "%s has %zu address%s (%s)", host, h->count, h->count == 1 ? "" : "es",
                     verdict_dnssec(!h->insecure));
}

/* --- the policy --- */

static bool same_as_ours(const char *body, size_t len, const struct published *ours)
{
    struct buf want;
    bool same;

    buf_init(&want, STS_BODY_MAX);
    published_body(&want, &ours->policy);
    same = buf_ok(&want) && want.len == len && memcmp(buf_text(&want), body, len) == 0;
    buf_clear(&want);
    return same;
}

static void judge_policy(struct verdicts *v, const struct sts_policy *policy, const struct https_result *r,
                         const struct published *ours)
{
    const char *mode = sts_mode_name(policy->mode);

    if (ours == NULL)
        verdicts_add(v, VERDICT_OK, POLICY, "mode %s, max_age %lu, %zu mx", mode, (unsigned long)policy->max_age,
                     policy->mx_count);
    else if (same_as_ours(r->body, r->len, ours))
        verdicts_add(v, VERDICT_OK, POLICY, "mode %s, as it should be", mode);
    else if (sts_policy_equal(policy, &ours->policy))
        verdicts_add(v, VERDICT_OK, POLICY, "mode %s, as it should be, but not letter by letter", mode);
    else
        verdicts_add(v, VERDICT_BAD, POLICY,
                     "another one than was published: mode %s, max_age %lu, %zu mx, in place of mode %s, max_age %lu, "
                     "%zu mx; have the web server serve the present one",
                     mode, (unsigned long)policy->max_age, policy->mx_count, sts_mode_name(ours->policy.mode),
                     (unsigned long)ours->policy.max_age, ours->policy.mx_count);
}

static bool judge_answer(struct verdicts *v, struct sts_policy *out, const struct https_result *r,
                         const struct published *ours)
{
    struct err e = {""};

    if (r->status >= 300 && r->status < 400) {
        verdicts_add(v, VERDICT_BAD, POLICY, "HTTP status %ld, a redirect, which senders do not follow", r->status);
    } else if (sts_http_check(r->status, r->content_type, &e) != 0) {
        verdicts_add(v, VERDICT_BAD, POLICY,
                     "%s; senders take nothing but status 200 and text/plain: have the web server pass it to "
                     "stsd.publish_listen, or "
                     "serve the file of --out",
                     e.text);
    } else if (sts_policy_parse(out, r->body, r->len, &e) != 0) {
        verdicts_add(v, VERDICT_BAD, POLICY, "not valid: %s", e.text);
    } else {
        judge_policy(v, out, r, ours);
        return true;
    }
    return false;
}

bool sts_check_fetched(struct verdicts *v, struct sts_policy *out, const char *host, const struct https_result *r,
                       const struct published *ours)
{
    *out = (struct sts_policy){.mx = NULL};
    if (r->outcome == HTTPS_UNTRUSTED) {
        verdicts_add(v, VERDICT_BAD, "HTTPS",
                     "https://%s: its certificate is not taken: %s; senders have no policy then", host, r->why);
    } else if (r->outcome == HTTPS_FAILED) {
        verdicts_add(v, VERDICT_BAD, "HTTPS", "https://%s%s: %s", host, STS_HTTP_PATH, r->why);
    } else if (r->outcome == HTTPS_UNTRIED) {
        verdicts_add(v, VERDICT_UNKNOWN, "HTTPS", "https://%s could not be asked: %s", host, r->why);
    } else {
        verdicts_add(v, VERDICT_OK, "HTTPS", "https://%s has a certificate that is valid for it", host);
        return judge_answer(v, out, r, ours);
    }
    return false;
}
