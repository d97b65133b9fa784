/* counts_text.h - the texts of counts.h: how policies and failure details are written in Redis. Pure. */
#ifndef POSTERN_COUNTS_TEXT_H
#define POSTERN_COUNTS_TEXT_H

#include "buf.h"
#include "domain.h"
#include "tlsrpt_event.h"

#define COUNTS_ID_BUF   33    /* 32 hex digits */
#define COUNTS_TEXT_MAX 20480 /* octets of a policy or detail: the limits of tlsrpt_event.h always fit */

/* Lower case, and without one final dot (D4); what is not ASCII as A-labels where that can be. Network text: control
 * octets and what is not UTF-8 become '?', and it is cut at DOMAIN_MAX. Returns the length; 0: there is none. */
size_t counts_domain(char out[DOMAIN_BUF], const char *domain);

/* {"record":…,"policy-type":…,"policy-domain":…,"policy-string":[…],"mx-host":[…]} */
void counts_policy_text(struct buf *out, const char *record, const struct tlsrpt_policy *policy);

/* {"result-type":…,"sending-mta-ip":…,"receiving-mx-hostname":…,"receiving-mx-helo":…,"receiving-ip":…,
 * "additional-information":…,"failure-reason-code":…} */
void counts_detail_text(struct buf *out, const struct tlsrpt_failure *failure);

/* Only its result type, with the reason "other" (COUNTS_DETAILS_MAX). */
void counts_detail_other(struct buf *out, enum tlsrpt_result result);

/* ID of a policy's text. Returns 0, or -1 without memory. */
int counts_id(char out[COUNTS_ID_BUF], const char *text, size_t len);

#endif
