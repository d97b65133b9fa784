/* probe_findings.h - what the probe found to be wrong, or worth to know, and what to do about it. Pure. */
#ifndef POSTERN_PROBE_FINDINGS_H
#define POSTERN_PROBE_FINDINGS_H

#include "probe.h"

#define PROBE_SUBJECT_BUF (DOMAIN_BUF + ADDRESS_BUF + 32)

/* Valid during the call. */
struct probe_finding {
    enum probe_verdict verdict;      /* GOOD: no sender minds, but worth to know */
    char subject[PROBE_SUBJECT_BUF]; /* "mx.example.com [192.0.2.1]", "… and 2 more" that are alike, or the domain */
    struct err why, to_do;           /* to_do may be "" */
};
typedef void probe_finding_fn(void *ctx, const struct probe_finding *finding);

/* Of the domain first, then of the addresses of each host. */
void probe_findings(const struct probe *p, probe_finding_fn *fn, void *ctx);

#endif
