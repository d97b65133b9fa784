/* refresh.c - when facts are looked at again. */
#include "refresh.h"

#include "resolve.h"

/* Seconds from an option: never negative, never so many that adding them to a time overflows. */
static int64_t clamp_seconds(int64_t seconds)
{
    if (seconds < 0)
        return 0;
    return seconds > DEST_TIME_MAX ? DEST_TIME_MAX : seconds;
}

bool refresh_holds(const struct dest *d, int64_t now)
{
    return now < d->valid_until && d->valid_until - d->resolved <= RESOLVE_TTL_MAX &&
           d->resolved <= now + DEST_CLOCK_SLACK;
}

int64_t refresh_facts_at(const struct dest *d)
{
    int64_t life = d->valid_until - d->resolved;
    int64_t ahead = life / 5;

    if (life <= 0 || dest_temporary(d))
        return d->valid_until;
    return d->valid_until - (ahead > 1 ? ahead : 1);
}

int64_t refresh_policy_age(const struct dest_sts *sts, int64_t refetch_after)
{
    int64_t wait = clamp_seconds(refetch_after);
    int64_t half = (sts->expires - sts->fetched) / 2;

    return wait < half ? wait : half;
}

int64_t refresh_policy_at(const struct dest_sts *sts, int64_t refetch_after, int64_t retry_after, double spread)
{
    int64_t wait = refresh_policy_age(sts, refetch_after);

    if (!sts->has_policy)
        return 0;
    if (sts->failure != DEST_STS_OK)
        return sts->attempted + clamp_seconds(retry_after);
    if (spread > 1.0)
        spread = 1.0;
    if (spread > 0.0) /* false for a NaN, too */
        wait -= (int64_t)((double)wait / 10.0 * spread);
    return sts->fetched + wait;
}

int64_t refresh_keep_until(const struct dest *d, int64_t keep)
{
    int64_t end = d->valid_until;

    if (d->sts.has_policy && d->sts.expires > end)
        end = d->sts.expires;
    return end + clamp_seconds(keep);
}
