/* session_event.c - see session_event.h, which has the table. */
#include "session_event.h"

#include "mx_match.h"
#include "tlsrpt_policy.h"

#include <string.h>

#define REASON_BUF 128

/* The certificate decided, one way or the other. */
static bool by_certificate(enum relay_failed what)
{
    switch (what) {
    case RELAY_FAILED_NOTHING:
    case RELAY_FAILED_CERT_UNTRUSTED:
    case RELAY_FAILED_CERT_EXPIRED:
    case RELAY_FAILED_CERT_NAME:
    case RELAY_FAILED_CERT_TLSA:
        return true;
    default:
        return false;
    }
}

/* What a verdict, or its absence, means for a session. */
static struct session_verdict certificate_verdict(const struct session *s, const struct session_verdict *v)
{
    return v->what == RELAY_FAILED_HANDSHAKE ? (struct session_verdict){s->what, ""} : *v;
}

/* How the policy came off. Returns false when the session says nothing of it. */
static bool judge(struct session_verdict *out, const struct session *s, const struct tlsrpt_policy *p)
{
    bool sts = p->type == TLSRPT_POLICY_STS, tlsa = p->type == TLSRPT_POLICY_TLSA;
    const struct sts_policy *policy = &s->dest->sts.policy;

    *out = (struct session_verdict){s->what, ""};
    if ((s->what == RELAY_FAILED_NOT_IN_POLICY && !sts) || (s->what == RELAY_FAILED_TLSA_TEMP && !tlsa))
        return false;
    if (!by_certificate(s->what))
        return true;
    if (tlsa)
        *out = certificate_verdict(s, &s->dane);
    else if (sts && !mx_match_any(policy->mx, policy->mx_count, s->host->name))
        out->what = RELAY_FAILED_NOT_IN_POLICY;
    else
        *out = certificate_verdict(s, &s->pkix);
    return true;
}

static void reason_write(char out[REASON_BUF], const struct session_verdict *v)
{
    bool words = v->what == RELAY_FAILED_CERT_UNTRUSTED && v->words[0] != '\0';
    const char *from = words ? v->words : relay_failed_name(v->what);
    size_t i = 0;

    for (; from[i] != '\0' && i + 1 < REASON_BUF; i++)
        out[i] = from[i] == ' ' ? '_' : from[i];
    out[i] = '\0';
}

static void failure_fill(struct tlsrpt_failure *f, char reason[REASON_BUF], const struct session *s,
                         const struct session_verdict *v)
{
    *f = (struct tlsrpt_failure){.sending_ip = s->sending_ip,
                                 .mx_name = s->host->name,
                                 .mx_helo = s->helo,
                                 .receiving_ip = s->receiving_ip,
                                 .reason = reason};
    reason_write(reason, v);
    (void)tlsrpt_result_of_name(&f->result, relay_failed_tlsrpt(v->what));
}

/* The TLSA records were there, but none that could be held against the certificate. */
static bool is_unusable(const struct session *s, const struct tlsrpt_policy *p)
{
    return p->type == TLSRPT_POLICY_TLSA && s->host->dane == DEST_DANE_UNUSABLE && by_certificate(s->what);
}

static void policies_write(struct buf *out, const struct session *s, struct tlsrpt_policies *all)
{
    struct tlsrpt_failure failure[TLSRPT_POLICIES_MAX];
    char reason[TLSRPT_POLICIES_MAX][REASON_BUF];
    struct tlsrpt_policy told[TLSRPT_POLICIES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        struct tlsrpt_policy *p = &told[count];
        struct session_verdict v;

        *p = all->policy[i];
        if (!judge(&v, s, p))
            continue;
        p->failed = v.what != RELAY_FAILED_NOTHING || is_unusable(s, p);
        if (p->failed) {
            failure_fill(&failure[count], reason[count], s, &v);
            if (is_unusable(s, p)) {
                failure[count].result = TLSRPT_TLSA_INVALID;
                failure[count].reason = "no-usable-record";
            }
            p->failure = &failure[count];
            p->failures = 1;
        }
        count++;
    }
    if (count > 0)
        tlsrpt_event_write(out, &(struct tlsrpt_event){s->dest->domain, s->dest->tlsrpt, told, count});
}

static bool is_told(const struct session *s)
{
    return s->dest->tlsrpt[0] != '\0' && (s->what == RELAY_FAILED_NOTHING || relay_failed_tlsrpt(s->what)[0] != '\0');
}

bool session_event_write(struct buf *out, const struct session *s, int64_t now)
{
    struct tlsrpt_policies policies;
    size_t before = out->len;

    if (!is_told(s) || tlsrpt_policies_make(&policies, s->dest, s->host, now) != 0)
        return false;
    policies_write(out, s, &policies);
    tlsrpt_policies_clear(&policies);
    return buf_ok(out) && out->len > before;
}

bool session_event_skipped(const struct relay_path *path, const struct relay_candidate *c)
{
    return c->barred != RELAY_FAILED_NOTHING &&
           (path->usable == 0 || c->host->preference < path->candidate[0].host->preference);
}
