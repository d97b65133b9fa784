/* refresh.h - when facts are looked at again (RFC 8461 5.1 and 10.2; check A9). Pure arithmetic on times. */
#ifndef POSTERN_REFRESH_H
#define POSTERN_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "dest.h"

/*
 * The facts may be used: their time is not over, and it is no longer than stsd makes it. A record from the future,
 * which another node's clock or a foreign hand has made, does not hold.
 */
bool refresh_holds(const struct dest *d, int64_t now);

/*
 * From when on a record in use is looked up again in the background, so that no mail waits: the last fifth of its life,
 * at least 1 s before its end. For facts with a temporary failure: at their end.
 */
int64_t refresh_facts_at(const struct dest *d);

/* Seconds after which a policy is fetched again though its id is the same: refetch_after (a day), at most half its
 * life. */
int64_t refresh_policy_age(const struct dest_sts *sts, int64_t refetch_after);

/*
 * When the policy of a domain in use must be fetched again whether or not mail asks for it: refetch_after (a day) after
 * the fetch, but no later than half of its life; after a failed fetch retry_after later. spread in 0..1 makes it up to
 * a tenth earlier, so that domains learnt together are not fetched together. 0: there is no policy to keep.
 */
int64_t refresh_policy_at(const struct dest_sts *sts, int64_t refetch_after, int64_t retry_after, double spread);

/* How long Redis must keep the record: to the end of the facts or of the policy, whichever is later, plus keep seconds.
 */
int64_t refresh_keep_until(const struct dest *d, int64_t keep);

#endif
