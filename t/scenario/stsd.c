/* stsd.c - plays stsd: the ways of records_io.c, schedule_io.c and give_back_io.c. */
#include "site_internal.h"

#include "refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_SECONDS 86400 /* STORE_KEEP_SECONDS */
#define BATCH        100

static void schedule_at(struct entry *e, int64_t at)
{
    e->refresh = at;
}

static void tell_redis(struct site *s, const struct need_end *end)
{
    const struct dest *d = end->record->dest;
    struct entry *e = end->tell == TELL_NOTHING ? NULL : redis_new_entry(s, d->domain);

    if (e == NULL)
        return;
    if (end->tell == TELL_RECORD)
        redis_set(s, e, d, refresh_keep_until(d, KEEP_SECONDS));
    schedule_at(e, end->next_fetch);
}

static void note_used(struct site *s, struct record *record, int64_t now)
{
    struct entry *e;

    if (!record_use(record, now))
        return;
    e = redis_new_entry(s, record->dest->domain);
    if (e == NULL)
        return;
    e->used = now;
    record->used_told = now;
}

/* Facts near their end are gathered anew while they still hold. */
static void look_ahead(struct site *s, struct node *n, const struct record *known)
{
    if (node_now(s, n) >= refresh_facts_at(known->dest))
        site_later(s, n, known->dest->domain, false);
}

/* What was known when a fault was put into the story. */
static void note_floor(struct site *s, const struct dest *previous, int64_t now)
{
    struct floor *f = &s->floor;
    struct decision decision;

    f->blank = previous == NULL || (!refresh_holds(previous, now) && !dest_sts_live(&previous->sts, now));
    if (previous == NULL)
        return;
    decide(&decision, previous, DECIDE_STALE, &s->decide, now);
    f->strength = (struct strength){decision.temp, decision.level, decision.use_sts};
    f->until = decision.temp || decision.level < LEVEL_ENCRYPT ? 0
               : decision.use_sts                              ? previous->sts.expires
                                                               : INT64_MAX;
}

static struct dest *resolve_now(struct site *s, struct node *n, const char *domain, bool force)
{
    const struct record *known = known_get(&n->known, domain);
    const struct dest *previous = known == NULL ? NULL : known->dest;
    bool hit = s->gather.meddle.hit;
    struct dest *d = gather(&s->gather, domain, previous, force, node_now(s, n));

    if (!hit && s->gather.meddle.hit)
        note_floor(s, previous, node_now(s, n));
    return d;
}

/* Redis first; what it has, or memory, may do. */
static const struct record *without_resolution(struct site *s, struct node *n, const char *domain,
                                               enum records_need need)
{
    struct dest *d = redis_get(s, domain);
    const struct record *known = known_get(&n->known, domain);
    int64_t now = node_now(s, n);
    bool lacking = known != NULL && known_beyond(known, d);
    struct need_end end;

    if (d != NULL && known_put(&n->known, d, now) == NULL)
        abort();
    if (need_satisfied(&end, &n->known, domain, need, now, now) == 0)
        return NULL;
    if (lacking)
        need_restore(&end, &n->known, now);
    tell_redis(s, &end);
    if (need == RECORDS_USE) {
        note_used(s, end.record, now);
        look_ahead(s, n, end.record);
    }
    return end.record;
}

const struct record *stsd_work(struct site *s, struct node *n, const char *domain, enum records_need need)
{
    const struct record *found = s->redis_up ? without_resolution(s, n, domain, need) : NULL;
    int64_t now = node_now(s, n);
    struct need_end end;
    struct dest *d;

    if (found != NULL)
        return found;
    d = resolve_now(s, n, domain, need_fetches(need));
    if (d == NULL)
        return NULL;
    if (need_conclude(&end, &n->known, d, need, now) != 0)
        abort();
    tell_redis(s, &end);
    if (need == RECORDS_USE)
        note_used(s, end.record, now);
    return end.record;
}

const struct record *stsd_get(struct site *s, struct node *n, const char *domain, enum records_need need)
{
    struct record *known = known_get(&n->known, domain);
    int64_t now = node_now(s, n);

    if (s->redis_up || known == NULL || need == RECORDS_FRESH || !need_met(need, known->dest, &n->known, now, now))
        return stsd_work(s, n, domain, need);
    if (need == RECORDS_USE) {
        (void)record_use(known, now);
        look_ahead(s, n, known);
    }
    return known;
}

/* --- the schedule --- */

static void schedule_by_redis(struct site *s, struct node *n, int64_t now)
{
    for (size_t i = 0; i < s->entries; i++) {
        struct entry *e = &s->entry[i];

        if (e->refresh == 0 || e->refresh > now)
            continue;
        if (known_in_use(e->used, now, s->used_within))
            (void)stsd_get(s, n, e->domain, RECORDS_POLICY);
        else
            e->refresh = e->used = 0;
    }
}

void stsd_schedule(struct site *s, struct node *n)
{
    int64_t now = node_now(s, n);
    char names[BATCH][DOMAIN_BUF];
    size_t found;

    if (s->redis_up) {
        schedule_by_redis(s, n, now);
        return;
    }
    found = known_due(&n->known, now, s->used_within, names, BATCH);
    for (size_t i = 0; i < found; i++)
        (void)stsd_get(s, n, names[i], RECORDS_POLICY);
}

/* --- Redis is back --- */

void stsd_give_back(struct site *s, struct node *n)
{
    const void *cursor = NULL;
    const char *domain;
    struct record *record;

    while ((record = cache_next(n->known.cache, &cursor, &domain)) != NULL) {
        int64_t now = node_now(s, n);
        struct entry *e = record_counts(record, now) ? redis_new_entry(s, domain) : NULL;
        int64_t next = known_next_fetch(&n->known, record->dest, false, now);

        if (e == NULL || e->json != NULL)
            continue;
        redis_set(s, e, record->dest, refresh_keep_until(record->dest, KEEP_SECONDS));
        if (next == 0)
            continue;
        schedule_at(e, next);
        if (record->used > e->used)
            e->used = record->used;
    }
}
