/*
 * resolve_sts.c - the MTA-STS steps: the record, whether to fetch, the addresses of the policy host, what the fetch
 * said (RFC 8461; checks A1, A2, A7 to A9). The policy that was known before stays until it expires or another one
 * takes its place: absence and failure do not revoke it.
 */
#include "resolve_internal.h"

#include "refresh.h"
#include "sts_http.h"

#include <stdlib.h>
#include <string.h>

/* Begin with what was known before: a live policy, and how the last fetch went. Returns 0, or -1 without memory. */
int resolve_sts_begin(struct resolve *r, const struct dest_sts *previous)
{
    struct dest_sts *sts = &r->d->sts;

    if (!r->options.sts)
        return 0;
    sts->record = DEST_STS_TEMP;
    resolve_say(sts->why, RESOLVE_LATE);
    if (previous == NULL)
        return 0;
    r->had_policy = previous->has_policy;
    sts->failure = previous->failure;
    sts->attempted = previous->attempted;
    r->temp_since = previous->record == DEST_STS_TEMP ? previous->temp_since : 0;
    if (previous->record == DEST_STS_FOUND)
        resolve_say(r->fetch_why, "%s", previous->why);
    sts->learnt = previous->learnt;
    return dest_sts_live(previous, r->now) ? dest_sts_copy_policy(sts, previous) : 0;
}

/* Returns as sts_record_select; -2 without memory. */
static int select_record(struct sts_record *out, const struct dns_answer *answer, struct err *e)
{
    struct sts_txt *txt;
    int rc;

    txt = resolve_txt_list(answer);
    if (txt == NULL)
        return -2;
    rc = sts_record_select(out, txt, answer->count, e);
    free(txt);
    return rc;
}

/* There is a valid record. A fetch that failed earlier is still the last one. */
static void record_found(struct resolve *r, const struct sts_record *record)
{
    struct dest_sts *sts = &r->d->sts;

    sts->record = DEST_STS_FOUND;
    memcpy(sts->id, record->id, sizeof(sts->id));
    resolve_say(sts->why, "%s", sts->failure != DEST_STS_OK ? r->fetch_why : "");
}

/* Without a valid record the domain has no MTA-STS that could have failed. */
static void record_absent(struct resolve *r, enum dest_sts_record state, const char *why)
{
    struct dest_sts *sts = &r->d->sts;

    sts->record = state;
    sts->failure = DEST_STS_OK;
    resolve_say(sts->why, "%s", why);
}

void resolve_sts_txt(struct resolve *r, const struct dns_answer *answer)
{
    struct sts_record record;
    struct err e = {""};
    int rc;

    if (answer->status == DNS_FAILED || answer->truncated) {
        resolve_say(r->d->sts.why, "TXT: %s", answer->truncated ? "a record cannot be read" : answer->why);
        return;
    }
    resolve_rest_on(r, answer);
    rc = answer->status == DNS_FOUND ? select_record(&record, answer, &e) : 0;
    if (rc == 1)
        record_found(r, &record);
    else if (rc == -2)
        r->failed = true;
    else
        record_absent(r, rc == 0 ? DEST_STS_NONE : DEST_STS_INVALID, e.text);
}

static void fetch_failed(struct resolve *r, enum dest_sts_failure failure, int64_t now)
{
    r->d->sts.failure = failure;
    r->d->sts.attempted = now;
}

/* Something asks for the policy file: none is kept, another id, or the one kept is old (A8, A9). */
static bool fetch_needed(const struct resolve *r)
{
    const struct dest_sts *sts = &r->d->sts;

    return r->force || !sts->has_policy || strcmp(sts->id, sts->policy_id) != 0 || sts->fetched > r->now ||
           r->now - sts->fetched >= refresh_policy_age(sts, r->options.refetch_after);
}

/*
 * The last fetch failed, and not long ago. That it failed shows also where the record was away in between and the
 * failure no longer counts: there is no policy from it.
 */
static bool fetch_barred(const struct resolve *r)
{
    const struct dest_sts *sts = &r->d->sts;
    bool failed = sts->failure != DEST_STS_OK || !r->had_policy;

    return failed && sts->attempted > 0 && sts->attempted <= r->now && r->now - sts->attempted < r->options.retry_after;
}

void resolve_sts_consider(struct resolve *r)
{
    const struct dest *d = r->d;
    char host[DOMAIN_BUF];

    if (r->step[SLOT_MX] != STEP_DONE || r->step[SLOT_TXT] != STEP_DONE || d->sts.record != DEST_STS_FOUND)
        return;
    if (d->mx == DEST_MX_NULL || d->mx == DEST_MX_NODOMAIN || !fetch_needed(r))
        return;
    if (fetch_barred(r)) {
        r->fetch_barred = true;
    } else if (sts_policy_host(host, d->domain) != 0) {
        fetch_failed(r, DEST_STS_FETCH_ERROR, r->now);
        resolve_say(r->d->sts.why, "the name of the policy host would be too long");
    } else {
        resolve_want(r, SLOT_STS_AAAA);
        resolve_want(r, SLOT_STS_A);
    }
}

/* There is a record, but whether there is a policy cannot be told now. */
static void policy_unknown(struct resolve *r, const char *why)
{
    struct dest_sts *sts = &r->d->sts;

    sts->record = DEST_STS_TEMP;
    sts->id[0] = '\0';
    resolve_say(sts->why, "the policy was not fetched: %s", why);
}

/*
 * No address: the domain's failure, when a resolver says so. Where none says anything of one of the families (none can
 * be reached, no descriptors) the fault is ours.
 */
static void address_missing(struct resolve *r)
{
    const struct resolve_addresses *a = &r->policy_host;
    char why[DEST_WHY_MAX];

    if (a->v4.unheard || a->v6.unheard) {
        memcpy(why, r->d->sts.why, sizeof(why));
        policy_unknown(r, why);
        return;
    }
    fetch_failed(r, DEST_STS_FETCH_ERROR, r->now);
    if (a->v4.status != DNS_FAILED && a->v6.status != DNS_FAILED)
        resolve_say(r->d->sts.why, "the policy host has no address");
}

/* Of two failures the one of which nothing was heard is told, then that of AAAA, whichever comes first. */
static int failure_rank(const struct resolve_family *f, bool v6)
{
    if (f->status != DNS_FAILED)
        return 0;
    return 1 + (v6 ? 1 : 0) + (f->unheard ? 2 : 0);
}

void resolve_sts_address(struct resolve *r, enum resolve_slot slot, const struct dns_answer *answer)
{
    struct resolve_addresses *a = &r->policy_host;
    bool v6 = slot == SLOT_STS_AAAA;

    resolve_family_set(v6 ? &a->v6 : &a->v4, answer);
    if (failure_rank(v6 ? &a->v6 : &a->v4, v6) > failure_rank(v6 ? &a->v4 : &a->v6, !v6))
        resolve_say(r->d->sts.why, "%s of the policy host: %s", dns_type_name(slot == SLOT_STS_A ? DNS_A : DNS_AAAA),
                    answer->why);
    if (r->step[SLOT_STS_A] != STEP_DONE || r->step[SLOT_STS_AAAA] != STEP_DONE)
        return;
    if (a->v4.count + a->v6.count > 0)
        resolve_want(r, SLOT_FETCH);
    else
        address_missing(r);
}

void resolve_sts_fetched(struct resolve *r, const struct resolve_fetch *fetch, int64_t now)
{
    struct dest_sts *sts = &r->d->sts;
    struct err e = {""};

    if (fetch->untried) {
        policy_unknown(r, fetch->why != NULL ? fetch->why : "it could not be tried");
    } else if (fetch->failure != DEST_STS_OK) {
        fetch_failed(r, fetch->failure, now);
        resolve_say(sts->why, "%s", fetch->why != NULL ? fetch->why : "the fetch failed");
    } else if (dest_sts_set_policy(sts, sts->id, fetch->body, fetch->len, now, &e) != 0) {
        fetch_failed(r, DEST_STS_POLICY_INVALID, now);
        resolve_say(sts->why, "%s", e.text);
    } else {
        fetch_failed(r, DEST_STS_OK, now);
        sts->why[0] = '\0';
    }
}

static bool step_open(const struct resolve *r, enum resolve_slot slot)
{
    return r->step[slot] == STEP_WANTED || r->step[slot] == STEP_STARTED;
}

/*
 * The end, early or not. A fetch that is wanted but was never tried says nothing of the policy host: whether there is a
 * policy is not known now. A policy past its life goes.
 */
void resolve_sts_end(struct resolve *r, int64_t now)
{
    struct dest_sts *sts = &r->d->sts;

    if (step_open(r, SLOT_FETCH) || step_open(r, SLOT_STS_A) || step_open(r, SLOT_STS_AAAA))
        policy_unknown(r, "not in time");
    if (sts->record == DEST_STS_TEMP)
        sts->temp_since = r->temp_since > 0 && r->temp_since <= now ? r->temp_since : now;
    if (sts->has_policy && !dest_sts_live(sts, now))
        dest_sts_drop_policy(sts);
}

int64_t resolve_sts_due(const struct resolve *r)
{
    const struct dest_sts *sts = &r->d->sts;

    if (sts->record != DEST_STS_FOUND || (sts->failure == DEST_STS_OK && !r->fetch_barred))
        return 0;
    return sts->attempted + r->options.retry_after;
}
