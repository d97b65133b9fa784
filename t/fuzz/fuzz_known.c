/*
 * fuzz_known.c - what stsd remembers (known.h) after a sequence of records in any order of time, against a model that
 * keeps of each domain the newest facts and, of the policies that were live when they came, the one fetched last. Which
 * policies are due is worked out anew.
 */
#include "known.h"
#include "recipe.h"
#include "refresh.h"

#define DOMAINS   6
#define STEPS_MAX 200
#define REFETCH   86400
#define RETRY     300
#define AHEAD     100 /* more than clocks may differ */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What should be remembered of a domain. */
struct model {
    bool there;
    int64_t resolved;
    bool has_policy;
    int64_t fetched, expires;
    enum sts_mode mode;
    enum dest_sts_failure failure;
    int64_t attempted, used, next_try;
    int64_t learnt, valid_until;
};

static const char *const domains[DOMAINS] = {"a.test", "b.test", "c.test", "d.test", "e.test", "f.test"};
static const char *const modes[] = {"enforce", "testing", "none"};
static const int64_t ages[] = {604800, 60, 3600, 172800, 0};

static void add_policy(struct dest *d, int64_t fetched, unsigned n)
{
    char body[100];
    int len = snprintf(body, sizeof(body), "version: STSv1\nmode: %s\nmx: mx.test\nmax_age: %lld\n", modes[n % 3],
                       (long long)ages[n / 3 % 5]);

    demand(dest_sts_set_policy(&d->sts, "1", body, (size_t)len, fetched, NULL) == 0);
}

static struct dest *make_dest(const char *domain, int64_t now, struct recipe *in)
{
    struct dest *d = dest_new(domain);
    unsigned n = take(in);

    demand(d != NULL);
    d->resolved = now + AHEAD - take(in) * (int64_t)((n & 1) != 0 ? 1 : 600);
    d->valid_until = d->resolved + 300;
    d->sts.failure = (n & 2) != 0 ? DEST_STS_FETCH_ERROR : DEST_STS_OK;
    d->sts.attempted = d->resolved;
    if ((n & 4) != 0)
        add_policy(d, now + AHEAD - take(in) * (int64_t)((n & 8) != 0 ? 1 : 6000), n >> 4);
    else if ((n & 8) != 0) /* a policy that is gone by now, or from the future */
        d->sts.learnt = now + AHEAD - take(in) * (int64_t)((n & 16) != 0 ? 1 : 6000);
    return d;
}

static bool from_future(int64_t at, int64_t now)
{
    return at > now + DEST_CLOCK_SLACK;
}

/* What is from the future counts for older than what is not, and for nothing once it is gone. */
static bool superseded(const struct model *m, int64_t fetched, int64_t now)
{
    if (!m->has_policy)
        return m->learnt > fetched && !from_future(m->learnt, now);
    if (from_future(m->fetched, now) != from_future(fetched, now))
        return from_future(fetched, now);
    return m->fetched >= fetched;
}

static bool is_newer(const struct dest *d, const struct model *m, int64_t now)
{
    if (from_future(d->resolved, now) != from_future(m->resolved, now))
        return from_future(m->resolved, now);
    return d->resolved >= m->resolved;
}

static void take_policy(struct model *m, const struct dest_sts *sts)
{
    m->learnt = sts->has_policy ? sts->fetched : sts->learnt;
    m->has_policy = sts->has_policy;
    m->fetched = sts->fetched;
    m->expires = sts->expires;
    m->mode = sts->policy.mode;
}

static void model_put(struct model *m, const struct dest *d, int64_t now)
{
    bool newer = !m->there || is_newer(d, m, now);
    struct model old = *m;

    if (newer) {
        m->resolved = d->resolved;
        m->valid_until = d->valid_until;
        m->failure = d->sts.failure;
        m->attempted = d->sts.attempted;
        take_policy(m, &d->sts);
        if (old.has_policy && now < old.expires && !superseded(m, old.fetched, now)) {
            m->has_policy = true;
            m->fetched = m->learnt = old.fetched;
            m->expires = old.expires;
            m->mode = old.mode;
        }
    } else if (d->sts.has_policy && now < d->sts.expires && !superseded(m, d->sts.fetched, now)) {
        take_policy(m, &d->sts);
    }
    m->there = true;
}

static void demand_same(const struct dest *d, const struct model *m)
{
    demand(d->resolved == m->resolved && d->sts.has_policy == m->has_policy);
    demand(!m->has_policy || (d->sts.fetched == m->fetched && d->sts.expires == m->expires));
    demand(d->sts.learnt == m->learnt && (!m->has_policy || d->sts.policy.mode == m->mode));
}

/* When the policy is to be fetched again at its earliest and latest; false: it need not be. */
static bool model_due(const struct model *m, int64_t *first, int64_t *last)
{
    int64_t wait = (m->expires - m->fetched) / 2;

    if (wait > REFETCH)
        wait = REFETCH;
    *first = m->fetched + wait - wait / 10 - 1;
    *last = m->fetched + wait;
    if (m->failure != DEST_STS_OK)
        *first = *last = m->attempted + RETRY;
    return m->there && m->has_policy;
}

static void demand_next(struct known *k, const struct model *m, const struct dest *d, int64_t now)
{
    int64_t first, last, at = known_next_fetch(k, d, false, now);

    if (model_due(m, &first, &last))
        demand(at >= first && at <= last);
    else
        demand(at == 0);
    at = known_next_fetch(k, d, true, now); /* it was just tried */
    demand(at == 0 || (at > now && (at <= last || at == now + RETRY || at == m->valid_until)));
}

static void put(struct known *k, struct model *models, int64_t now, struct recipe *in)
{
    unsigned n = take(in) % DOMAINS;
    struct dest *d = make_dest(domains[n], now, in);
    const struct record *record;

    model_put(&models[n], d, now);
    record = known_put(k, d, now);
    demand(record != NULL && record == known_get(k, domains[n]));
    demand_same(record->dest, &models[n]);
    demand_next(k, &models[n], record->dest, now);
}

/* A policy past its latest time is named, one before its earliest is not; one that was named is not so soon again. */
static void ask_due(struct known *k, struct model *models, int64_t now, int64_t within)
{
    char names[DOMAINS][DOMAIN_BUF];
    size_t count = known_due(k, now, within, names, DOMAINS);

    for (size_t i = 0; i < DOMAINS; i++) {
        struct model *m = &models[i];
        int64_t first = 0, last = 0;
        bool wanted = model_due(m, &first, &last) && m->next_try <= now && m->used >= now - within, named = false;

        for (size_t j = 0; j < count; j++)
            named = named || strcmp(names[j], domains[i]) == 0;
        demand(!named || (wanted && now >= first));
        demand(named || !wanted || now < last);
        if (named)
            m->next_try = now + RETRY;
    }
}

static void use(struct known *k, struct model *models, unsigned n, int64_t now)
{
    struct record *record = known_get(k, domains[n]);

    demand((record != NULL) == models[n].there);
    if (record != NULL)
        record->used = models[n].used = now;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[16] = {7};
    struct recipe in = {data, size};
    struct model models[DOMAINS] = {{.there = false}};
    struct known k = {.refetch_after = REFETCH, .retry_after = RETRY};
    int64_t now = 10000000;

    demand(known_init(&k, DOMAINS, secret) == 0);
    for (unsigned step = 0; in.left > 0 && step < STEPS_MAX; step++) {
        unsigned n = take(&in);

        switch (n % 4) {
        case 0:
            put(&k, models, now, &in);
            break;
        case 1:
            ask_due(&k, models, now, (n & 128) != 0 ? REFETCH : now);
            break;
        case 2:
            now += (n / 4) * (int64_t)((n & 128) != 0 ? 3000 : 60);
            break;
        default:
            use(&k, models, n / 4 % DOMAINS, now);
        }
    }
    known_clear(&k);
    return 0;
}
