/* publish_sts_check_io.h - looking at what a domain publishes of MTA-STS as a sender does, anew. */
#ifndef POSTERN_PUBLISH_STS_CHECK_IO_H
#define POSTERN_PUBLISH_STS_CHECK_IO_H

#include "conf.h"
#include "publish_sts_check.h"
#include "publish_verdict.h"
#include "published.h"

/*
 * TXT record, policy host, policy, MX hosts and their TLS, a line a verdict; of the TLSRPT record whether there is one,
 * unless the caller looks at that itself (reports_too is false). ours: what Redis has, NULL: nothing, or not known. DNS
 * and HTTPS go as stsd's do, and past all that it has in memory.
 */
void sts_check(struct verdicts *v, const struct conf *conf, const char *domain, const struct published *ours,
               bool reports_too);

/* Where mta-sts.DOMAIN is, IPv4 and IPv6. */
void sts_policy_host_find(struct sts_policy_host *out, const struct conf *conf, const char *host);

/* How long the MX hosts have to answer. */
#define STS_PROBE_MS 30000

#endif
