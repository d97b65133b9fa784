/*
 * publish_sts_check.h - what senders see of a domain's MTA-STS: the TXT record, the policy host, the policy as it is
 * served; a line a verdict. Pure.
 */
#ifndef POSTERN_PUBLISH_STS_CHECK_H
#define POSTERN_PUBLISH_STS_CHECK_H

#include "dest.h"
#include "dns_msg.h"
#include "https_io.h"
#include "publish_verdict.h"
#include "published.h"

/* ours: what Redis has of the domain; NULL: nothing, or not known. */

/* The answer about _mta-sts.DOMAIN. RFC 8461 3.1. */
void sts_check_record(struct verdicts *v, const char *domain, const struct dns_answer *txt,
                      const struct published *ours);

/* Where the policy host is. */
#define STS_ADDRESSES_MAX ((size_t)2 * DEST_ADDRESSES_MAX)
struct sts_policy_host {
    char address[STS_ADDRESSES_MAX][ADDRESS_BUF];
    size_t count;
    bool insecure; /* an answer was not validated by DNSSEC, which may be the one that there is none of a kind */
    char why[128]; /* a look-up that failed; "" when none did */
};

/* Add an answer about mta-sts.DOMAIN, A or AAAA; then judge what there is. */
void sts_policy_host_add(struct sts_policy_host *h, const struct dns_answer *answer);
void sts_check_policy_host(struct verdicts *v, const char *host, const struct sts_policy_host *h);

/*
 * The policy file, RFC 8461 3.2 and 3.3. Returns true with the policy that a sender would have in *out
 * (sts_policy_clear), or false with *out empty.
 */
bool sts_check_fetched(struct verdicts *v, struct sts_policy *out, const char *host, const struct https_result *result,
                       const struct published *ours);

#endif
