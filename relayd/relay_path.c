/* relay_path.c - see relay_path.h, which has the table. */
#include "relay_path.h"

#include "mx_match.h"

#include <string.h>

/* What of the facts goes for all hosts. */
struct vouch {
    const struct dest *dest;
    bool enforced;    /* a policy in mode enforce is live */
    bool tested;      /* one in mode testing is */
    bool sts_temp;    /* whether there is one could not be seen */
    bool sts_unknown; /* the same, and not for so long yet that it counts as none */
    uint32_t loop;    /* hosts of this preference and above are this relay, or behind it */
};

#define LOOP_NONE UINT32_MAX

/* The preference that we have ourselves among the hosts. */
static uint32_t own_preference(const struct relay_path_in *in)
{
    const char *own = in->own_name != NULL ? in->own_name : "";
    uint32_t lowest = LOOP_NONE;
    char name[DOMAIN_BUF];

    if (domain_normalise(name, own, strlen(own), NULL) != 0)
        return LOOP_NONE;
    for (size_t i = 0; i < in->dest->host_count; i++) {
        const struct dest_host *host = &in->dest->host[i];

        if (domain_equal(host->name, name) && host->preference < lowest)
            lowest = host->preference;
    }
    return lowest;
}

static struct vouch vouch_of(const struct relay_path_in *in, int64_t now)
{
    const struct dest_sts *sts = &in->dest->sts;
    bool live = dest_sts_live(sts, now), temp = !live && sts->record == DEST_STS_TEMP;

    return (struct vouch){
        .dest = in->dest,
        .enforced = live && sts->policy.mode == STS_MODE_ENFORCE,
        .tested = live && sts->policy.mode == STS_MODE_TESTING,
        .sts_temp = temp,
        .sts_unknown = temp && now - sts->temp_since < in->sts_unknown_hold,
        .loop = own_preference(in),
    };
}

/* A policy that cannot be seen is no reason to give mail back, however long that lasts: the MTA knows how old it is. */
static enum relay_failed why_unauthenticated(const struct vouch *v)
{
    if (v->sts_temp)
        return RELAY_FAILED_POLICY_TEMP;
    if (v->dest->sts.record == DEST_STS_FOUND && v->dest->sts.failure == DEST_STS_FETCH_ERROR)
        return RELAY_FAILED_POLICY_FETCH;
    return RELAY_FAILED_UNAUTHENTICATED;
}

static enum relay_failed why_barred(const struct vouch *v, const struct dest_host *host)
{
    const struct sts_policy *policy = &v->dest->sts.policy;
    bool secure = v->dest->mx_secure;

    if (host->preference >= v->loop)
        return RELAY_FAILED_LOOP;
    if (v->enforced && !mx_match_any(policy->mx, policy->mx_count, host->name))
        return RELAY_FAILED_NOT_IN_POLICY;
    if (!v->enforced && !secure)
        return why_unauthenticated(v);
    if (secure && host->dane == DEST_DANE_TEMP)
        return host->address_count == 0 ? RELAY_FAILED_ADDRESS_TEMP : RELAY_FAILED_TLSA_TEMP;
    if (host->address_count == 0)
        return RELAY_FAILED_ADDRESS_TEMP;
    if (v->sts_unknown && host->dane != DEST_DANE_USABLE)
        return RELAY_FAILED_POLICY_TEMP;
    return RELAY_FAILED_NOTHING;
}

static struct relay_candidate judge(const struct vouch *v, const struct dest_host *host)
{
    struct relay_candidate c = {.host = host, .barred = why_barred(v, host)};

    if (c.barred != RELAY_FAILED_NOTHING)
        return c;
    c.dane = v->dest->mx_secure && host->dane == DEST_DANE_USABLE;
    c.pkix = !c.dane || v->enforced;
    c.pkix_noted = !c.pkix && v->tested;
    return c;
}

/* SplitMix64 (Steele, Lea, Flood, 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Fisher-Yates. */
static void shuffle(struct relay_candidate *c, size_t count, uint64_t *state)
{
    for (size_t i = count; i > 1; i--) {
        size_t with = (size_t)(next_random(state) % i);
        struct relay_candidate kept = c[i - 1];

        c[i - 1] = c[with];
        c[with] = kept;
    }
}

/* Insertion sort, which leaves equals as they are: there are few, and mostly in order. */
static void sort_by_preference(struct relay_candidate *c, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct relay_candidate moved = c[i];
        size_t to = i;

        for (; to > 0 && c[to - 1].host->preference > moved.host->preference; to--)
            c[to] = c[to - 1];
        c[to] = moved;
    }
}

/* First those that may be used, then the others. */
static void take_hosts(struct relay_path *p, const struct vouch *v)
{
    const struct dest *d = v->dest;

    for (int barred = 0; barred < 2; barred++) {
        for (size_t i = 0; i < d->host_count && i < DEST_HOSTS_MAX; i++) {
            struct relay_candidate c = judge(v, &d->host[i]);

            if ((c.barred != RELAY_FAILED_NOTHING) == (barred != 0))
                p->candidate[p->count++] = c;
        }
        if (!barred)
            p->usable = p->count;
    }
}

static enum relay_failed domain_failed(const struct relay_path_in *in)
{
    if (in->kind != NEXTHOP_DOMAIN)
        return RELAY_FAILED_LITERAL;
    if (in->dest == NULL)
        return RELAY_FAILED_NO_FACTS;
    if (in->age != DECIDE_FRESH)
        return RELAY_FAILED_STALE;
    switch (in->dest->mx) {
    case DEST_MX_NODOMAIN:
        return RELAY_FAILED_NO_DOMAIN;
    case DEST_MX_NULL:
        return RELAY_FAILED_NULL_MX;
    case DEST_MX_IMPLICIT:
    case DEST_MX_LIST:
        return in->dest->host_count == 0 ? RELAY_FAILED_NO_HOST : RELAY_FAILED_NOTHING;
    case DEST_MX_TEMP:
        break;
    }
    return RELAY_FAILED_MX_TEMP;
}

void relay_path_plan(struct relay_path *out, const struct relay_path_in *in, int64_t now)
{
    struct vouch v;
    uint64_t seed;

    memset(out, 0, sizeof(*out));
    out->dest = in->dest;
    out->failed = domain_failed(in);
    if (out->failed != RELAY_FAILED_NOTHING)
        return;
    v = vouch_of(in, now);
    take_hosts(out, &v);
    seed = in->seed;
    shuffle(out->candidate, out->usable, &seed);
    sort_by_preference(out->candidate, out->usable);
}

const char *relay_candidate_sni(const struct relay_candidate *c)
{
    return c->dane ? c->host->tlsa_base : c->host->name;
}

size_t relay_candidate_names(const char *out[RELAY_NAMES_MAX], const struct relay_path *path,
                             const struct relay_candidate *c)
{
    size_t count = 0;

    if (!c->dane)
        return 0;
    out[count++] = c->host->tlsa_base;
    if (!domain_equal(c->host->tlsa_base, path->dest->domain))
        out[count++] = path->dest->domain;
    return count;
}

/* What the facts say beyond the condition itself. */
static const char *detail_of(enum relay_failed what, const struct dest *d)
{
    switch (what) {
    case RELAY_FAILED_MX_TEMP:
        return d->mx_why;
    case RELAY_FAILED_UNAUTHENTICATED:
        if (d->sts.failure == DEST_STS_OK && d->sts.has_policy && d->sts.policy.mode == STS_MODE_TESTING)
            return "its policy is in mode testing";
        return d->sts.why;
    case RELAY_FAILED_POLICY_FETCH:
    case RELAY_FAILED_POLICY_TEMP:
        return d->sts.why;
    default:
        return "";
    }
}

static void tally(struct relay_tally *t, enum relay_failed what, const char *host, const struct dest *d)
{
    struct relay_failure f;

    relay_failure_set(&f, what, host, NULL, detail_of(what, d));
    relay_tally_add(t, &f);
}

void relay_path_tally(struct relay_tally *t, const struct relay_path *path)
{
    if (path->failed != RELAY_FAILED_NOTHING)
        tally(t, path->failed, "", path->dest);
    for (size_t i = path->usable; i < path->count; i++)
        tally(t, path->candidate[i].barred, path->candidate[i].host->name, path->dest);
}

enum relay_failed relay_path_offer(bool *say, const struct relay_offer *offer, bool null_reverse_path)
{
    *say = offer->after;
    if (offer->after || null_reverse_path)
        return RELAY_FAILED_NOTHING;
    return offer->before ? RELAY_FAILED_REQUIRETLS_BARE : RELAY_FAILED_REQUIRETLS;
}
