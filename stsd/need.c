/* need.c - see need.h. */
#include "need.h"

#include "refresh.h"

bool need_met(enum records_need need, const struct dest *d, const struct known *k, int64_t started, int64_t now)
{
    switch (need) {
    case RECORDS_USE:
        return refresh_holds(d, now);
    case RECORDS_AHEAD:
        return refresh_holds(d, now) && now < refresh_facts_at(d);
    case RECORDS_POLICY: /* at the earliest time that the spread allows, so that a due one is never good enough */
        return refresh_holds(d, now) && refresh_policy_at(&d->sts, k->refetch_after, k->retry_after, 1.0) > now;
    case RECORDS_FRESH:
        return d->resolved > started;
    }
    return false;
}

bool need_fetches(enum records_need need)
{
    return need == RECORDS_POLICY || need == RECORDS_FRESH;
}

int need_satisfied(struct need_end *out, struct known *k, const char *domain, enum records_need need, int64_t started,
                   int64_t now)
{
    struct record *known = known_get(k, domain);

    if (known == NULL || !need_met(need, known->dest, k, started, now))
        return 0;
    *out = (struct need_end){.record = known, .tell = TELL_NOTHING};
    if (need == RECORDS_POLICY) { /* the time of the next fetch once more, lest it stay due */
        out->tell = TELL_NEXT_FETCH;
        out->next_fetch = known_next_fetch(k, known->dest, true, now);
    }
    return 1;
}

void need_restore(struct need_end *end, struct known *k, int64_t now)
{
    if (end->tell == TELL_NOTHING)
        end->next_fetch = known_next_fetch(k, end->record->dest, false, now);
    end->tell = TELL_RECORD;
}

/* It has a later policy, or knows that the one that is known was ended since. */
static bool sts_is_later(const struct dest_sts *fresh, const struct dest_sts *known)
{
    return fresh->record != DEST_STS_TEMP && fresh->learnt > known->learnt;
}

/* The facts known stay; what the fresh ones say of MTA-STS comes to them. */
static void take_sts(struct dest *known, struct dest *fresh)
{
    struct dest_sts before = known->sts;

    known->sts = fresh->sts;
    fresh->sts = before;
}

int need_conclude(struct need_end *out, struct known *k, struct dest *fresh, enum records_need need, int64_t now)
{
    struct record *known = known_get(k, fresh->domain);
    bool stays = known != NULL && dest_temporary(fresh) && refresh_holds(known->dest, now);
    bool later = stays && sts_is_later(&fresh->sts, &known->dest->sts);

    if (later)
        take_sts(known->dest, fresh);
    if (stays)
        dest_free(fresh);
    else if ((known = known_put(k, fresh, now)) == NULL)
        return -1;
    *out = (struct need_end){.record = known, .tell = stays && !later ? TELL_NOTHING : TELL_RECORD};
    if (out->tell == TELL_RECORD) {
        out->next_fetch = known_next_fetch(k, known->dest, need == RECORDS_POLICY, now);
    } else if (need == RECORDS_POLICY) {
        out->tell = TELL_NEXT_FETCH;
        out->next_fetch = now + k->retry_after;
    }
    return 0;
}
