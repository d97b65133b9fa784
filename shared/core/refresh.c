/* refresh.c - when facts are looked at again. */
#include "refresh.h"

/* DNS could not be asked for a part of the facts. */
static bool facts_temporary(const struct dest *d)
{
    if (d->mx == DEST_MX_TEMP || d->sts.record == DEST_STS_TEMP)
        return true;
    for (size_t i = 0; i < d->host_count; i++)
        if (d->host[i].dane == DEST_DANE_TEMP)
            return true;
    return false;
}

/* Seconds from an option: never negative, never so many that adding them to a time overflows. */
static int64_t clamp_seconds(int64_t seconds)
{
    if (seconds < 0)
        return 0;
    return seconds > DEST_TIME_MAX ? DEST_TIME_MAX : seconds;
}

int64_t refresh_facts_at(const struct dest *d)
{
    int64_t life = d->valid_until - d->resolved;
    int64_t ahead = life / 5;

    if (life <= 0 || facts_temporary(d))
        return d->valid_until;
    return d->valid_until - (ahead > 1 ? ahead : 1);
}

int64_t refresh_policy_at(const struct dest_sts *sts, int64_t refetch_after, int64_t retry_after, double spread)
{
    int64_t wait = clamp_seconds(refetch_after);
    int64_t half;

    if (!sts->has_policy)
        return 0;
    if (sts->failure != DEST_STS_OK)
        return sts->attempted + clamp_seconds(retry_after);
    half = (sts->expires - sts->fetched) / 2;
    if (wait > half)
        wait = half;
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
