/* fetch_event.c - see fetch_event.h. */
#include "fetch_event.h"

#include "tlsrpt_event.h"
#include "tlsrpt_policy.h"

bool fetch_event_write(struct buf *out, const struct dest *dest, int64_t before)
{
    char reason[TLSRPT_VERDICT_REASON_BUF];
    struct tlsrpt_failure f = {.reason = reason};
    const struct tlsrpt_policy policy = {
        .type = TLSRPT_POLICY_STS, .domain = dest->domain, .failure = &f, .failures = 1, .failed = true};

    if (dest->tlsrpt[0] == '\0' || dest->sts.failure == DEST_STS_OK || dest->sts.attempted == before)
        return false;
    (void)tlsrpt_result_of_name(&f.result, dest_sts_failure_name(dest->sts.failure));
    tlsrpt_reason(reason, sizeof(reason), dest->sts.why);
    tlsrpt_event_write(out, &(struct tlsrpt_event){dest->domain, dest->tlsrpt, &policy, 1});
    return buf_ok(out);
}
