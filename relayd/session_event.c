/* session_event.c - see session_event.h, which has the table. */
#include "session_event.h"

#include "mx_match.h"
#include "tlsrpt_policy.h"

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

/* How the policy came off, but for TLSA records that are unusable. Returns false when the session says nothing of it.
 */
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

/* The TLSA records were there, but none that could be held against the certificate. */
static bool is_unusable(const struct session *s, const struct tlsrpt_policy *p)
{
    return p->type == TLSRPT_POLICY_TLSA && s->host->dane == DEST_DANE_UNUSABLE && by_certificate(s->what);
}

static bool policy_judge(const void *ctx, const struct tlsrpt_policy *p, struct tlsrpt_verdict *out)
{
    const struct session *s = ctx;
    struct session_verdict v;

    if (!judge(&v, s, p))
        return false;
    out->failed = v.what != RELAY_FAILED_NOTHING;
    out->reason = v.what == RELAY_FAILED_CERT_UNTRUSTED && v.words[0] != '\0' ? v.words : relay_failed_name(v.what);
    (void)tlsrpt_result_of_name(&out->result, relay_failed_tlsrpt(v.what));
    if (is_unusable(s, p))
        *out = (struct tlsrpt_verdict){true, TLSRPT_TLSA_INVALID, "no-usable-record"};
    return true;
}

static bool is_told(const struct session *s)
{
    return s->dest->tlsrpt[0] != '\0' && (s->what == RELAY_FAILED_NOTHING || relay_failed_tlsrpt(s->what)[0] != '\0');
}

bool session_event_write(struct buf *out, const struct session *s, int64_t now)
{
    const struct tlsrpt_failure where = {
        .sending_ip = s->sending_ip, .mx_name = s->host->name, .mx_helo = s->helo, .receiving_ip = s->receiving_ip};
    struct tlsrpt_policies policies;
    size_t before = out->len;

    if (!is_told(s) || tlsrpt_policies_make(&policies, s->dest, s->host, now) != 0)
        return false;
    tlsrpt_policies_judge(&policies, policy_judge, s, &where);
    if (policies.count > 0)
        tlsrpt_event_write(out,
                           &(struct tlsrpt_event){s->dest->domain, s->dest->tlsrpt, policies.policy, policies.count});
    tlsrpt_policies_clear(&policies);
    return buf_ok(out) && out->len > before;
}

bool session_event_skipped(const struct relay_path *path, const struct relay_candidate *c)
{
    return c->barred != RELAY_FAILED_NOTHING &&
           (path->usable == 0 || c->host->preference < path->candidate[0].host->preference);
}
