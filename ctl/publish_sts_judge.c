/* publish_sts_judge.c - may a policy be published: MX hosts, their TLS, max_age; see publish_sts.h. */
#include "publish_sts.h"

#include "mx_match.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WHAT_BUF (DOMAIN_BUF + 60)

/* --- MX hosts --- */

static void judge_host(struct verdicts *v, const struct sts_policy *policy, const char *host)
{
    char what[WHAT_BUF];

    (void)snprintf(what, sizeof(what), "MX %s", host);
    if (mx_match_any(policy->mx, policy->mx_count, host))
        verdicts_add(v, VERDICT_OK, what, "the policy names it");
    else
        verdicts_add(v, VERDICT_BAD, what,
                     "no mx pattern of the policy fits, so senders would not deliver there; add --mx %s, or take the "
                     "host out of the MX records and wait until their TTL has passed",
                     host);
}

static void judge_pattern(struct verdicts *v, const char *pattern, const struct dest *facts)
{
    char what[WHAT_BUF];

    for (size_t i = 0; i < facts->host_count; i++)
        if (mx_match(pattern, facts->host[i].name))
            return;
    (void)snprintf(what, sizeof(what), "mx %s", pattern);
    verdicts_add(v, VERDICT_WARN, what,
                 "fits no MX host that there is now; right for one that is to come, or has just gone, else name the "
                 "others with --mx");
}

void sts_judge_hosts(struct verdicts *v, const struct sts_policy *policy, const struct dest *facts, const char *why)
{
    if (policy->mode == STS_MODE_NONE)
        return;
    if (facts == NULL || facts->mx == DEST_MX_TEMP) {
        verdicts_add(v, VERDICT_UNKNOWN, "MX records", "cannot be looked up now: %s",
                     facts == NULL ? why : facts->mx_why);
        return;
    }
    if (facts->host_count == 0)
        verdicts_add(v, VERDICT_BAD, "MX records", "%s",
                     facts->mx == DEST_MX_NODOMAIN ? "there is no such domain in DNS"
                     : facts->mx == DEST_MX_NULL   ? "the domain says that it takes no mail (RFC 7505)"
                                                   : "the domain has no MX host");
    if (facts->mx == DEST_MX_IMPLICIT && facts->host_count > 0)
        verdicts_add(
            v, VERDICT_WARN, "MX records",
            "there are none, so that the domain is its own MX host; if this is the name of a mail server, give "
            "the domain of its addresses in its place");
    if (facts->mx_truncated)
        verdicts_add(v, VERDICT_UNKNOWN, "MX records", "there are more MX hosts than were looked at");
    for (size_t i = 0; i < facts->host_count; i++)
        judge_host(v, policy, facts->host[i].name);
    for (size_t i = 0; i < policy->mx_count; i++)
        judge_pattern(v, policy->mx[i], facts);
}

/* --- their TLS --- */

static void judge_good(struct verdicts *v, const struct probe_host *h, size_t good)
{
    char what[WHAT_BUF];

    (void)snprintf(what, sizeof(what), "TLS of %s", h->host->name);
    verdicts_add(v, VERDICT_OK, what, "STARTTLS, and a certificate that senders take, at %zu of %zu address%s", good,
                 h->count, h->count == 1 ? "" : "es");
}

static void judge_address(struct verdicts *v, const struct probe_host *h, const struct probe_address *at, bool others)
{
    char what[WHAT_BUF];
    struct err e = {""};
    enum probe_verdict verdict = probe_sts(h, at, &e);

    if (verdict == PROBE_GOOD)
        return;
    (void)snprintf(what, sizeof(what), "TLS of %s", h->host->name);
    if (verdict == PROBE_BAD)
        verdicts_add(v, VERDICT_BAD, what, "%s: %s; senders that enforce the policy do not deliver there", at->address,
                     e.text);
    else if (others && at->unrouted)
        return;
    else if (others)
        verdicts_add(v, VERDICT_WARN, what, "%s: %s; another address of the host is fine", at->address, e.text);
    else
        verdicts_add(v, VERDICT_UNKNOWN, what, "%s: %s; try again when it answers, from a network that may use port 25",
                     at->address, e.text);
}

static void judge_tls(struct verdicts *v, struct probe_host *h)
{
    char what[WHAT_BUF];
    size_t good = 0;

    h->in_policy = true; /* of what is looked at here; sts_judge_hosts has told otherwise */
    for (size_t i = 0; i < h->count; i++)
        good += probe_sts(h, &h->at[i], NULL) == PROBE_GOOD;
    if (good > 0)
        judge_good(v, h, good);
    for (size_t i = 0; i < h->count; i++)
        judge_address(v, h, &h->at[i], good > 0);
    if (h->count > 0)
        return;
    (void)snprintf(what, sizeof(what), "TLS of %s", h->host->name);
    verdicts_add(v, VERDICT_UNKNOWN, what, "the host has no address that could be asked");
}

void sts_judge_probe(struct verdicts *v, struct probe *p, const char *why)
{
    if (p == NULL)
        verdicts_add(v, VERDICT_UNKNOWN, "TLS of the MX hosts", "cannot be looked at now: %s", why);
    for (size_t i = 0; p != NULL && i < p->hosts; i++)
        judge_tls(v, &p->host[i]);
}

/* --- max_age --- */

void sts_judge_age(struct verdicts *v, const struct sts_policy *policy)
{
    if (policy->max_age == 0)
        verdicts_add(v, VERDICT_WARN, "max_age", "0: no sender keeps the policy");
    else if (policy->mode == STS_MODE_ENFORCE && policy->max_age < STS_ENFORCE_AGE_SMALL)
        verdicts_add(v, VERDICT_WARN, "max_age",
                     "%" PRIu32 " seconds: who keeps senders from renewing the policy for that long has it gone; weeks "
                     "are right for mode enforce (RFC 8461 3.2)",
                     policy->max_age);
    else
        verdicts_add(v, VERDICT_OK, "max_age", "%" PRIu32 " seconds", policy->max_age);
}
