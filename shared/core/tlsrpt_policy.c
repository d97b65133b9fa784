/* tlsrpt_policy.c - see tlsrpt_policy.h. The texts of all policies stand one after the other in one piece of memory. */
#include "tlsrpt_policy.h"

#include <stdlib.h>
#include <string.h>

static bool has_tlsa(const struct dest *d, const struct dest_host *host)
{
    return host != NULL && d->mx_secure && host->dane != DEST_DANE_NONE;
}

static bool has_sts(const struct dest *d, int64_t now)
{
    return dest_sts_live(&d->sts, now) && d->sts.policy.mode != STS_MODE_NONE;
}

/* Where the texts and the pointers to them go. */
struct place {
    char *text;
    const char **pointer;
};

static void tlsa_fill(struct tlsrpt_policy *p, struct place *at, const struct dest_host *host)
{
    p->type = TLSRPT_POLICY_TLSA;
    p->domain = host->tlsa_base[0] != '\0' ? host->tlsa_base : host->name;
    p->string = at->pointer;
    p->strings = host->tlsa_count;
    for (size_t i = 0; i < host->tlsa_count; i++) {
        tlsa_format(at->text, &host->tlsa[i]);
        *at->pointer++ = at->text;
        at->text += strlen(at->text) + 1;
    }
}

static void sts_fill(struct tlsrpt_policy *p, struct place *at, const struct dest *d)
{
    const struct dest_sts *sts = &d->sts;
    const char *line;
    size_t len, pos = 0;

    p->type = TLSRPT_POLICY_STS;
    p->domain = d->domain;
    p->string = at->pointer;
    while (sts_policy_line(&line, &len, &pos, sts->body, sts->body_len) == 1) {
        memcpy(at->text, line, len);
        at->text[len] = '\0';
        *at->pointer++ = at->text;
        at->text += len + 1;
        p->strings++;
    }
    p->mx = at->pointer;
    p->mx_count = sts->policy.mx_count;
    for (size_t i = 0; i < sts->policy.mx_count; i++)
        *at->pointer++ = sts->policy.mx[i];
}

static size_t lines_of(const struct dest_sts *sts)
{
    const char *line;
    size_t len, pos = 0, count = 0;

    while (sts_policy_line(&line, &len, &pos, sts->body, sts->body_len) == 1)
        count++;
    return count;
}

static int room_make(struct tlsrpt_policies *out, const struct dest *d, const struct dest_host *host, bool sts)
{
    size_t octets = 1, pointers = 1;

    for (size_t i = 0; host != NULL && i < host->tlsa_count; i++, pointers++)
        octets += TLSA_TEXT_BUF(host->tlsa[i].len);
    if (sts) {
        octets += d->sts.body_len + 1; /* each line's NUL has the place of its end */
        pointers += lines_of(&d->sts) + d->sts.policy.mx_count;
    }
    out->text = malloc(octets);
    out->pointer = calloc(pointers, sizeof(*out->pointer));
    return out->text != NULL && out->pointer != NULL ? 0 : -1;
}

int tlsrpt_policies_make(struct tlsrpt_policies *out, const struct dest *d, const struct dest_host *host, int64_t now)
{
    bool tlsa = has_tlsa(d, host), sts = has_sts(d, now);
    struct place at;

    memset(out, 0, sizeof(*out));
    if (room_make(out, d, tlsa ? host : NULL, sts) != 0) {
        tlsrpt_policies_clear(out);
        return -1;
    }
    at = (struct place){out->text, out->pointer};
    if (tlsa)
        tlsa_fill(&out->policy[out->count++], &at, host);
    if (sts)
        sts_fill(&out->policy[out->count++], &at, d);
    if (out->count == 0)
        out->policy[out->count++] = (struct tlsrpt_policy){.type = TLSRPT_POLICY_NONE, .domain = d->domain};
    return 0;
}

void tlsrpt_reason(char *out, size_t size, const char *words)
{
    size_t i = 0;

    for (; words[i] != '\0' && i + 1 < size; i++)
        out[i] = words[i] == ' ' ? '_' : words[i];
    out[i] = '\0';
}

void tlsrpt_policies_judge(struct tlsrpt_policies *p, tlsrpt_judge_fn *judge, const void *ctx,
                           const struct tlsrpt_failure *where)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->count; i++) {
        struct tlsrpt_policy *policy = &p->policy[kept];
        struct tlsrpt_verdict v = {0};

        *policy = p->policy[i];
        if (!judge(ctx, policy, &v))
            continue;
        policy->failed = v.failed;
        if (v.failed) {
            p->failure[kept] = *where;
            p->failure[kept].result = v.result;
            p->failure[kept].reason = p->reason[kept];
            tlsrpt_reason(p->reason[kept], sizeof(p->reason[kept]), v.reason);
            policy->failure = &p->failure[kept];
            policy->failures = 1;
        }
        kept++;
    }
    p->count = kept;
}

void tlsrpt_policies_clear(struct tlsrpt_policies *p)
{
    if (p == NULL)
        return;
    free(p->text);
    free(p->pointer);
    memset(p, 0, sizeof(*p));
}
