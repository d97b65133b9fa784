/*
 * known.h - the records that this node remembers, newest facts and newest policy of each domain, bounded. With Redis
 * they are what goes on while it is away; without, they are all there is. Pure.
 */
#ifndef POSTERN_KNOWN_H
#define POSTERN_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"
#include "dest.h"

struct record {
    struct dest *dest;
    int64_t used;      /* when mail last asked for it; 0: not since it is remembered */
    int64_t used_told; /* the `used` that Redis was last told */
    int64_t next_try;  /* no new attempt of known_due before that */
};

struct known {
    struct cache *cache;                /* struct record by domain */
    int64_t refetch_after, retry_after; /* see refresh_policy_at; the owner sets them */
    uint64_t spread;                    /* state of the sequence that spreads fetches */
};

/* Mail has asked for it now. Returns whether Redis is to be told, once an hour while there is a policy to keep fresh;
 * the caller then sets used_told. */
bool record_use(struct record *record, int64_t now);

/* Mail asked for it lately enough for its policy to be kept fresh. */
bool known_in_use(int64_t used, int64_t now, int64_t used_within);

/* It still says something: its facts hold, or its policy lives. */
bool record_counts(const struct record *record, int64_t now);

/* Returns 0, or -1 without memory. */
int known_init(struct known *k, size_t limit, const uint8_t secret[16]);
void known_clear(struct known *k);

/* NULL: not remembered. Valid until the next known_put. */
struct record *known_get(struct known *k, const char *domain);

/*
 * Remember a record, owned from now on. Facts that were gathered later than these stay (unless they are from the
 * future), and so does a live policy that was fetched later; the record that results is returned. NULL without memory:
 * dest is still the caller's.
 */
struct record *known_put(struct known *k, struct dest *dest, int64_t now);

/* The policies that have not expired. In use: enforced, and mail has asked for it within used_within seconds. */
enum known_mode { KNOWN_ENFORCE, KNOWN_TESTING, KNOWN_NONE, KNOWN_MODES };
struct known_policies {
    size_t count[KNOWN_MODES];
    size_t expiring;      /* in use, with less than a quarter of its life left: twice as long as it should get to be */
    int64_t oldest_fetch; /* of those in use; 0: there is none */
    int64_t soonest_expiry; /* the same */
};
struct known_policies known_policies(const struct known *k, int64_t now, int64_t used_within);

/* Does it say more than this record of the same domain (NULL: none): newer facts, or a policy fetched later? */
bool known_beyond(const struct record *record, const struct dest *dest);

/*
 * Up to limit domains in use whose policy is due (refresh_policy_at, at its earliest);
 * each is passed over until retry_after later. Returns how many names were written.
 */
size_t known_due(struct known *k, int64_t now, int64_t used_within, char (*names)[DOMAIN_BUF], size_t limit);

/*
 * When to fetch the policy of a record again, spread so that policies learnt together are not fetched together; 0:
 * there is none. tried: that was just attempted, so if it is still due there was nothing to fetch: it is due
 * again when the facts end, but not before retry_after.
 */
int64_t known_next_fetch(struct known *k, const struct dest *dest, bool tried, int64_t now);

#endif
