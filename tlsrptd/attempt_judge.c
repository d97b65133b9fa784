/* attempt_judge.c - see attempt_judge.h, which has the rules. */
#include "attempt_judge.h"

#include "mx_match.h"
#include "tlsrpt_policy.h"

#include <string.h>

struct attempt {
    const struct tls_attempt *a;
    const struct dest *dest;
    const struct dest_host *host; /* NULL: the facts do not have it */
};

static const struct dest_host *host_find(const struct dest *dest, const char *name)
{
    for (size_t i = 0; name[0] != '\0' && i < dest->host_count; i++)
        if (domain_equal(dest->host[i].name, name))
            return &dest->host[i];
    return NULL;
}

bool attempt_is_direct(const struct tls_attempt *a, const struct dest *dest)
{
    return a->host[0] != '\0' && (dest->mx_truncated || host_find(dest, a->host) != NULL);
}

bool attempt_policy_demands(const struct dest *dest)
{
    return dest_has_dane(dest) || (dest_sts_live(&dest->sts, dest->resolved) && dest->sts.policy.mode != STS_MODE_NONE);
}

/* --- one policy --- */

static bool fail(struct tlsrpt_verdict *out, enum tlsrpt_result result, const char *reason)
{
    *out = (struct tlsrpt_verdict){true, result, reason};
    return true;
}

/* The MTA's words, or others where it has none. */
static const char *words(const struct tls_attempt *a, const char *otherwise)
{
    return a->reason[0] != '\0' ? a->reason : otherwise;
}

/* Without TLS all policies fail alike. */
static bool fail_without_tls(const struct tls_attempt *a, struct tlsrpt_verdict *out)
{
    switch (a->tls) {
    case ATTEMPT_REFUSED:
        return fail(out, TLSRPT_STARTTLS_NOT_SUPPORTED, "starttls-refused");
    case ATTEMPT_HANDSHAKE_FAILED:
        return fail(out, TLSRPT_VALIDATION_FAILURE, "tls-handshake-failure");
    default:
        return fail(out, TLSRPT_STARTTLS_NOT_SUPPORTED, "starttls-absent");
    }
}

/* That the chain was trusted, and still it was given up, leaves the name. */
static bool is_name_fault(const struct tls_attempt *a)
{
    return a->fault == ATTEMPT_FAULT_NAME ||
           (a->fault == ATTEMPT_FAULT_NONE && a->trust == ATTEMPT_TRUSTED && a->end == ATTEMPT_NO_SECURITY);
}

static bool is_trust_fault(const struct tls_attempt *a)
{
    return a->fault == ATTEMPT_FAULT_ISSUER || a->fault == ATTEMPT_FAULT_OTHER ||
           (a->fault == ATTEMPT_FAULT_NONE && a->trust == ATTEMPT_UNTRUSTED);
}

/* The certificate by the authorities: what the MTA tells of it. */
static void judge_certificate(const struct tls_attempt *a, struct tlsrpt_verdict *out)
{
    if (a->trust == ATTEMPT_VERIFIED)
        return;
    if (a->trust == ATTEMPT_ANONYMOUS)
        (void)fail(out, TLSRPT_CERTIFICATE_NOT_TRUSTED, words(a, "no-certificate"));
    else if (is_name_fault(a))
        (void)fail(out, TLSRPT_CERTIFICATE_HOST_MISMATCH, words(a, "hostname-mismatch"));
    else if (a->fault == ATTEMPT_FAULT_EXPIRED)
        (void)fail(out, TLSRPT_CERTIFICATE_EXPIRED, words(a, "certificate-expired"));
    else if (is_trust_fault(a))
        (void)fail(out, TLSRPT_CERTIFICATE_NOT_TRUSTED, words(a, "certificate-not-trusted"));
}

/* Faults of the authorities are none of DANE, unless it was DANE that the MTA gave up for. */
static void judge_tlsa(const struct attempt *x, struct tlsrpt_verdict *out)
{
    const struct tls_attempt *a = x->a;

    if (x->host->dane == DEST_DANE_UNUSABLE)
        (void)fail(out, TLSRPT_TLSA_INVALID, "no-usable-record");
    else if (a->trust == ATTEMPT_VERIFIED)
        return;
    else if (x->host->dane == DEST_DANE_TEMP)
        (void)fail(out, TLSRPT_DNSSEC_INVALID, "tlsa-temp");
    else if (a->fault == ATTEMPT_FAULT_TLSA)
        (void)fail(out, TLSRPT_CERTIFICATE_NOT_TRUSTED, words(a, "no-matching-tlsa"));
    else if (a->end == ATTEMPT_NO_SECURITY)
        judge_certificate(a, out);
}

/* Of a session that DANE has ended nothing is known by the authorities. */
static bool judge_sts(const struct attempt *x, struct tlsrpt_verdict *out)
{
    const struct sts_policy *policy = &x->dest->sts.policy;

    if (!mx_match_any(policy->mx, policy->mx_count, x->a->host))
        return fail(out, TLSRPT_VALIDATION_FAILURE, "not-in-policy");
    judge_certificate(x->a, out);
    return out->failed || x->a->fault != ATTEMPT_FAULT_TLSA;
}

/* No policy, but perhaps a wish of the operator's. */
static void judge_none(const struct tls_attempt *a, struct tlsrpt_verdict *out)
{
    if (a->end != ATTEMPT_NO_SECURITY)
        return;
    judge_certificate(a, out);
    if (!out->failed)
        (void)fail(out, TLSRPT_VALIDATION_FAILURE, words(a, "not-secure"));
}

/* There was no session, as the TLSA records could not be looked up. */
static bool is_tlsa_temp(const struct attempt *x)
{
    return x->a->tls == ATTEMPT_NO_TLS && x->a->end == ATTEMPT_NO_SECURITY && x->host != NULL && x->dest->mx_secure &&
           x->host->dane == DEST_DANE_TEMP;
}

static bool policy_judge(const void *ctx, const struct tlsrpt_policy *p, struct tlsrpt_verdict *out)
{
    const struct attempt *x = ctx;

    if (x->a->end == ATTEMPT_MX_UNNAMED)
        return p->type == TLSRPT_POLICY_STS && fail(out, TLSRPT_VALIDATION_FAILURE, "not-in-policy");
    if (is_tlsa_temp(x))
        return p->type == TLSRPT_POLICY_TLSA && fail(out, TLSRPT_DNSSEC_INVALID, "tlsa-temp");
    if (x->a->tls != ATTEMPT_TLS)
        return fail_without_tls(x->a, out);
    if (p->type == TLSRPT_POLICY_STS)
        return judge_sts(x, out);
    if (p->type == TLSRPT_POLICY_TLSA)
        judge_tlsa(x, out);
    else
        judge_none(x->a, out);
    return true;
}

/* --- the attempt --- */

static bool is_session(const struct tls_attempt *a)
{
    return a->tls != ATTEMPT_NO_TLS || a->end != ATTEMPT_LOST;
}

bool attempt_is_reported(const struct tls_attempt *a, const struct dest *dest)
{
    return dest->tlsrpt[0] != '\0' && is_session(a) &&
           (host_find(dest, a->host) != NULL || (a->end == ATTEMPT_MX_UNNAMED && a->host[0] != '\0'));
}

/* Facts are of now. An attempt that the log tells late, or a clock that was set ahead, does not end their policy. */
static int64_t policy_time(const struct tls_attempt *a, const struct dest *dest)
{
    return a->at < dest->resolved ? a->at : dest->resolved;
}

int attempt_judge(const struct tls_attempt *a, const struct dest *dest, bool plain_wanted, attempt_event_fn *fn,
                  void *ctx)
{
    const struct attempt x = {a, dest, host_find(dest, a->host)};
    const struct tlsrpt_failure where = {.sending_ip = a->sender, .mx_name = a->host, .receiving_ip = a->address};
    struct tlsrpt_policies policies;

    if (!attempt_is_reported(a, dest) || (plain_wanted && a->tls == ATTEMPT_NO_TLS))
        return 0;
    if (tlsrpt_policies_make(&policies, dest, x.host, policy_time(a, dest)) != 0)
        return -1;
    tlsrpt_policies_judge(&policies, policy_judge, &x, &where);
    if (policies.count > 0)
        fn(ctx, &(struct tlsrpt_event){dest->domain, dest->tlsrpt, policies.policy, policies.count});
    tlsrpt_policies_clear(&policies);
    return 0;
}

/* --- fallback --- */

bool attempt_fallback(enum fallback_event *out, const struct tls_attempt *a)
{
    bool gave_up = a->end == ATTEMPT_NO_SECURITY;

    if (a->end == ATTEMPT_MX_UNNAMED)
        return false;
    switch (a->tls) {
    case ATTEMPT_NO_TLS:
        *out = FALLBACK_PLAIN_DONE;
        return a->end == ATTEMPT_SENT || a->end == ATTEMPT_ANSWERED;
    case ATTEMPT_NOT_OFFERED:
        *out = gave_up ? FALLBACK_HANDSHAKE_FAILED : FALLBACK_PLAIN_DONE;
        return true;
    case ATTEMPT_REFUSED:
    case ATTEMPT_HANDSHAKE_FAILED:
        *out = FALLBACK_HANDSHAKE_FAILED;
        return true;
    case ATTEMPT_TLS:
        break;
    }
    *out = gave_up ? FALLBACK_HANDSHAKE_FAILED : a->end == ATTEMPT_LOST ? FALLBACK_LATER_FAILED : FALLBACK_TLS_DONE;
    return true;
}

/* The result is of a session, and not of a policy or of DNS, which nobody came to use. */
static bool is_of_session(const struct tlsrpt_failure *f)
{
    bool skipped = f->reason != NULL && strcmp(f->reason, "not-in-policy") == 0;

    return f->result >= TLSRPT_STARTTLS_NOT_SUPPORTED && f->result <= TLSRPT_VALIDATION_FAILURE && !skipped;
}

/* What the policy tells of the host: the MX host that failed, or whose TLSA records it is. */
static void host_take(const char **host, const struct tlsrpt_policy *p)
{
    const char *name = p->failures > 0 ? p->failure[0].mx_name : p->type == TLSRPT_POLICY_TLSA ? p->domain : NULL;

    if ((*host)[0] == '\0' && name != NULL)
        *host = name;
}

bool tlsrpt_event_fallback(enum fallback_event *out, const char **host, const struct tlsrpt_event *event)
{
    bool done = false, failed = false;

    *host = "";
    for (size_t i = 0; i < event->policies; i++) {
        const struct tlsrpt_policy *p = &event->policy[i];

        host_take(host, p);
        done |= !p->failed;
        failed |= p->failed && p->failures > 0 && is_of_session(&p->failure[0]);
    }
    *out = done ? FALLBACK_TLS_DONE : FALLBACK_HANDSHAKE_FAILED;
    return done || failed;
}
