/* known.c - see known.h. */
#include "known.h"

#include "refresh.h"

#include <stdlib.h>
#include <string.h>

#define USED_SECONDS 3600 /* how often Redis is told that a domain is in use */

static void record_free(void *value)
{
    struct record *record = value;

    dest_free(record->dest);
    free(record);
}

bool record_use(struct record *record, int64_t now)
{
    record->used = now;
    return record->dest->sts.has_policy && now - record->used_told >= USED_SECONDS;
}

bool known_in_use(int64_t used, int64_t now, int64_t used_within)
{
    return used >= now - used_within;
}

bool record_counts(const struct record *record, int64_t now)
{
    return refresh_holds(record->dest, now) || dest_sts_live(&record->dest->sts, now);
}

int known_init(struct known *k, size_t limit, const uint8_t secret[16])
{
    memcpy(&k->spread, secret, sizeof(k->spread));
    k->cache = cache_new(limit, record_free, secret);
    return k->cache == NULL ? -1 : 0;
}

void known_clear(struct known *k)
{
    cache_free(k->cache);
    k->cache = NULL;
}

struct record *known_get(struct known *k, const char *domain)
{
    return cache_get(k->cache, domain, strlen(domain));
}

/* Facts from the future, which a clock that was wrong has made, count for older than any. */
static bool older(const struct dest *a, const struct dest *b, int64_t now)
{
    bool a_future = a->resolved > now + DEST_CLOCK_SLACK, b_future = b->resolved > now + DEST_CLOCK_SLACK;

    return a_future == b_future ? a->resolved < b->resolved : a_future;
}

/* Both are about one domain: the newer facts, and of the policies the one fetched later. */
static int record_merge(struct record *record, struct dest *dest, int64_t now)
{
    struct dest *old = record->dest;

    if (older(dest, old, now)) {
        if (dest_sts_adopt_policy(&old->sts, &dest->sts, now) != 0)
            return -1;
        dest_free(dest);
        return 0;
    }
    if (dest_sts_adopt_policy(&dest->sts, &old->sts, now) != 0)
        return -1;
    dest_free(old);
    record->dest = dest;
    return 0;
}

struct record *known_put(struct known *k, struct dest *dest, int64_t now)
{
    struct record *record = known_get(k, dest->domain);

    if (record != NULL)
        return record_merge(record, dest, now) == 0 ? record : NULL;
    record = calloc(1, sizeof(*record));
    if (record == NULL)
        return NULL;
    record->dest = dest;
    if (cache_put(k->cache, dest->domain, strlen(dest->domain), record) != 0) {
        free(record);
        return NULL;
    }
    return record;
}

bool known_beyond(const struct record *record, const struct dest *dest)
{
    return dest == NULL || record->dest->resolved > dest->resolved || record->dest->sts.learnt > dest->sts.learnt;
}

static void note_in_use(struct known_policies *out, const struct dest_sts *sts, int64_t now)
{
    if (sts->expires - now < (sts->expires - sts->fetched) / 4)
        out->expiring++;
    if (out->oldest_fetch == 0 || sts->fetched < out->oldest_fetch)
        out->oldest_fetch = sts->fetched;
    if (out->soonest_expiry == 0 || sts->expires < out->soonest_expiry)
        out->soonest_expiry = sts->expires;
}

struct known_policies known_policies(const struct known *k, int64_t now, int64_t used_within)
{
    struct known_policies out = {0};
    const void *cursor = NULL;
    const char *domain;
    const struct record *record;

    while ((record = cache_next(k->cache, &cursor, &domain)) != NULL) {
        const struct dest_sts *sts = &record->dest->sts;

        if (!dest_sts_live(sts, now))
            continue;
        out.count[sts->policy.mode == STS_MODE_ENFORCE   ? KNOWN_ENFORCE
                  : sts->policy.mode == STS_MODE_TESTING ? KNOWN_TESTING
                                                         : KNOWN_NONE]++;
        if (sts->policy.mode == STS_MODE_ENFORCE && known_in_use(record->used, now, used_within))
            note_in_use(&out, sts, now);
    }
    return out;
}

size_t known_due(struct known *k, int64_t now, int64_t used_within, char (*names)[DOMAIN_BUF], size_t limit)
{
    const void *cursor = NULL;
    const char *domain;
    struct record *record;
    size_t found = 0;

    while (found < limit && (record = cache_next(k->cache, &cursor, &domain)) != NULL) {
        int64_t at = refresh_policy_at(&record->dest->sts, k->refetch_after, k->retry_after, 1.0);

        if (at == 0 || at > now || record->next_try > now || !known_in_use(record->used, now, used_within))
            continue;
        record->next_try = now + k->retry_after;
        memcpy(names[found++], record->dest->domain, DOMAIN_BUF);
    }
    return found;
}

int64_t known_next_fetch(struct known *k, const struct dest *dest, bool tried, int64_t now)
{
    int64_t at;

    k->spread = k->spread * 6364136223846793005U + 1442695040888963407U; /* Knuth's MMIX generator */
    at = refresh_policy_at(&dest->sts, k->refetch_after, k->retry_after, (double)(k->spread >> 40) / (1 << 24));
    if (!tried || at == 0 || at > now)
        return at;
    return now + k->retry_after > dest->valid_until ? now + k->retry_after : dest->valid_until;
}
