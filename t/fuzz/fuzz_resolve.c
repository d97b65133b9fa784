/*
 * fuzz_resolve.c - the machine of resolve.h in a world whose replies are packets of the recipe in dns_recipe.h. It must
 * end within its bound, whatever is answered, in any order, and whenever the record is taken; the record must survive
 * JSON, claim no more than the answers, and lead to no weaker decision than what they and the record before demand.
 *
 * The first octet says how many resolutions there are, each with the record of the one before, whether something was
 * known before the first, and which domain it is. Each resolution: an octet of options, then for each result one that
 * picks a waiting action (0xff: the deadline passes) and the recipe of the reply or fetch.
 */
#include "dest_demand.h"
#include "dns_demand.h"
#include "dns_recipe.h"
#include "resolve.h"

#define NOW                   1795341600
#define DEADLINE              0xff
#define ROUNDS_MAX            4
#define POLICY(mode, max_age) "version: STSv1\nmode: " mode "\nmx: ha.example\nmx: *.example\nmax_age: " max_age "\n"

#define LABELS                                                         \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa." \
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb." \
    "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* There is no room before the second for _smtp._tls., and none before the third for _mta-sts. either. */
static const char *const domains[] = {
    "d.example",
    LABELS "dddddddddddddddddddddddddddddddddddddddddddddddddd.x",
    LABELS "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.xx",
};

/* What was answered, as far as a decision must heed it. */
struct witness {
    bool mx, mx_failed;
    bool sts_unknown; /* the MTA-STS record, or the policy that it speaks of, cannot be had now */
    bool usable;      /* authenticated TLSA records, one of them usable */
    bool unknown;     /* TLSA records of a host cannot be had */
    bool fetched;     /* a valid policy came */
    char host[DNS_MX_MAX][DOMAIN_BUF];
    size_t hosts;
};

struct trial {
    struct resolve *r;
    struct recipe *in;
    struct resolve_options options;
    const struct dest *previous;
    int64_t now;
    bool trust;
    struct witness seen;
};

static void note_mx(struct witness *w, const char *domain, const struct dns_answer *a)
{
    w->mx = true;
    w->mx_failed = a->status == DNS_FAILED;
    for (size_t i = 0; i < a->count; i++)
        memcpy(w->host[w->hosts++], a->rr[i].name, DOMAIN_BUF);
    if (a->status == DNS_NODATA)
        memcpy(w->host[w->hosts++], domain, strlen(domain) + 1);
}

static void note(struct trial *t, const struct resolve_action *act, const struct dns_answer *a)
{
    struct witness *w = &t->seen;

    if (act->type == DNS_MX)
        note_mx(w, act->name, a);
    if (act->type == DNS_TXT && strncmp(act->name, "_mta-sts.", 9) == 0)
        w->sts_unknown = a->status == DNS_FAILED || a->truncated;
    if (act->type != DNS_TLSA)
        return;
    w->unknown = w->unknown || a->status == DNS_FAILED;
    for (size_t i = 0; a->secure && i < a->count; i++)
        w->usable = w->usable || tlsa_usable(&a->rr[i].tlsa, NULL);
}

static void feed_reply(struct trial *t, const struct resolve_action *act)
{
    static struct dns_made m;
    struct dns_answer a;

    dns_make(&m, t->in, act->name, act->type);
    if (demand_reply(&a, m.octets, m.len, act->name, act->type, RECIPE_ID, t->trust) != DNS_REPLY_TAKEN)
        dns_answer_fail(&a, "time-out");
    note(t, act, &a);
    resolve_dns(t->r, act->slot, &a);
    resolve_dns(t->r, act->slot, &a); /* the second time is ignored */
    dns_answer_clear(&a);
}

/* One of the texts that mean something, or octets of the input. */
static size_t pick_body(char *out, size_t cap, struct recipe *in)
{
    static const char *const texts[] = {
        POLICY("enforce", "604800"), POLICY("testing", "604800"), POLICY("none", "604800"),
        POLICY("enforce", "1"),      POLICY("enforce", "0"),      POLICY("enforce", "60"),
        POLICY("none", "0"),         "version: STSv1\n",          "",
    };
    unsigned n = take(in);

    if (n >= sizeof(texts) / sizeof(texts[0]))
        return take_octets(out, n < cap ? n : cap, in);
    memcpy(out, texts[n], strlen(texts[n]));
    return strlen(texts[n]);
}

static void feed_fetch(struct trial *t, const struct resolve_action *act)
{
    char body[256];
    unsigned how = take(t->in);
    struct resolve_fetch f = {.untried = (how & 4) != 0, .failure = (enum dest_sts_failure)(how & 3), .body = body};
    struct sts_policy policy;

    demand(act->address_count > 0 && t->options.sts);
    f.len = pick_body(body, sizeof(body), t->in);
    f.why = (how & 8) != 0 ? "\xff\n why" : NULL;
    if (f.untried) {
        t->seen.sts_unknown = true;
    } else if (f.failure == DEST_STS_OK && sts_policy_parse(&policy, body, f.len, NULL) == 0) {
        t->seen.fetched = true;
        sts_policy_clear(&policy);
    }
    resolve_fetched(t->r, act->slot, &f, t->now + 1);
    resolve_fetched(t->r, act->slot, &f, t->now + 2);
}

/* The deadline has passed: was the record or the policy on its way? */
static void note_late(struct witness *w, const struct resolve_action *pending, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(pending[i].name, "_mta-sts.", 9) == 0 || strncmp(pending[i].name, "mta-sts.", 8) == 0)
            w->sts_unknown = true;
}

/* Perform everything, in the order that the input picks. */
static void perform(struct trial *t)
{
    static struct resolve_action pending[RESOLVE_ACTIONS_MAX];
    struct resolve_action act;
    size_t count = 0, started = 0;

    for (;;) {
        unsigned n;

        while (resolve_next(t->r, &act) == 1) {
            demand(++started <= RESOLVE_ACTIONS_MAX && act.slot < RESOLVE_ACTIONS_MAX);
            pending[count++] = act;
        }
        demand(resolve_done(t->r) == (count == 0));
        if (count == 0)
            return;
        n = take(t->in);
        if (n == DEADLINE) {
            note_late(&t->seen, pending, count);
            return;
        }
        n %= (unsigned)count;
        act = pending[n];
        pending[n] = pending[--count];
        if (act.what == RESOLVE_QUERY)
            feed_reply(t, &act);
        else
            feed_fetch(t, &act);
    }
}

static bool host_answered(const struct witness *w, const char *name)
{
    for (size_t i = 0; i < w->hosts; i++)
        if (strcmp(w->host[i], name) == 0)
            return true;
    return false;
}

static void demand_record(const struct trial *t, const struct dest *d)
{
    int64_t life = d->valid_until - d->resolved;

    for (size_t i = 0; i < d->host_count; i++) {
        const struct dest_host *h = &d->host[i];

        demand(host_answered(&t->seen, h->name));
        demand(h->dane == DEST_DANE_NONE || (t->options.dane && d->mx_secure));
        demand(i == 0 || h[-1].preference <= h->preference);
    }
    demand(life >= 1 && life <= (dest_temporary(d) ? RESOLVE_TEMP_TTL : RESOLVE_TTL_MAX));
    demand(!d->mx_secure || t->trust);
    demand(d->mx != DEST_MX_TEMP || !t->seen.mx || t->seen.mx_failed);
    demand(!d->sts.has_policy || dest_sts_live(&d->sts, d->resolved));
    demand(t->options.sts || !d->sts.has_policy);
}

/* A policy that was live goes on until a valid one takes its place. */
static void demand_policy(const struct trial *t, const struct dest *d)
{
    const struct dest *before = t->previous;

    if (!t->options.sts || t->seen.fetched || before == NULL || !dest_sts_live(&before->sts, d->resolved))
        return;
    demand(d->sts.has_policy && d->sts.fetched == before->sts.fetched && d->sts.expires == before->sts.expires);
    demand(strcmp(d->sts.policy_id, before->sts.policy_id) == 0 && d->sts.policy.mode == before->sts.policy.mode);
}

/* The answers alone, without what the record says of them: is the decision strong enough? */
static void demand_strength(const struct trial *t, const struct dest *d)
{
    struct decide_options options = decide_options_default();
    const struct witness *w = &t->seen;
    struct decision decision;
    bool dane;

    options.dane = t->options.dane;
    options.sts = t->options.sts;
    decide(&decision, d, DECIDE_FRESH, &options, d->resolved);
    if (decision.temp)
        return;
    dane = decision.level == LEVEL_DANE || decision.level == LEVEL_DANE_ONLY;
    demand(!w->usable || dane);
    demand(!w->unknown || dane || decision.level == LEVEL_SECURE);
    demand(!options.dane || (w->mx && !w->mx_failed) || (decision.level == LEVEL_SECURE && t->previous != NULL));
    if (options.sts && w->sts_unknown && (t->previous == NULL || t->previous->sts.record != DEST_STS_TEMP))
        demand(dest_sts_live(&d->sts, d->resolved) || decision.level == LEVEL_DANE_ONLY);
    demand(!options.dane || !w->mx_failed || t->previous == NULL || !dest_has_dane(t->previous));
}

static struct dest *resolve_once(const char *domain, const struct dest *previous, int64_t now, struct recipe *in)
{
    unsigned n = take(in);
    static struct trial t;
    struct dest *d;

    memset(&t, 0, sizeof(t));
    t = (struct trial){.in = in, .previous = previous, .now = now, .trust = (n & 1) == 0};
    t.options = resolve_options_default();
    t.options.dane = (n & 2) == 0;
    t.options.sts = (n & 4) == 0;
    t.options.ttl_min = (n & 8) != 0 ? 60 : 0;
    t.r = resolve_new(domain, previous, (n & 16) != 0, now, &t.options);
    demand(t.r != NULL);
    perform(&t);
    d = resolve_take(t.r, now + 2);
    demand(d != NULL && resolve_take(t.r, now + 2) == NULL);
    resolve_free(t.r);
    demand_record(&t, d);
    demand_policy(&t, d);
    demand_strength(&t, d);
    demand(fits_json(d));
    demand_round_trip(d);
    demand_decisions(d, n >> 4);
    return d;
}

/* Something that was known before, as a record from Redis may say it. */
static struct dest *make_previous(const char *domain, struct recipe *in)
{
    struct dest *d = dest_new(domain);
    unsigned n = take(in);
    char body[256];
    size_t len;

    demand(d != NULL);
    d->resolved = NOW - (int64_t)take16(in) * 4;
    d->dane_before = (n & 64) != 0;
    d->sts.record = (enum dest_sts_record)(n & 3);
    d->sts.failure = (enum dest_sts_failure)(n >> 2 & 3);
    d->sts.attempted = NOW - (int64_t)take(in) * 2;
    d->sts.learnt = (n & 128) != 0 ? NOW - (int64_t)take16(in) : 0;
    d->sts.temp_since = d->sts.record == DEST_STS_TEMP ? NOW - (int64_t)take16(in) : 0;
    len = pick_body(body, sizeof(body), in);
    if ((n & 16) != 0)
        (void)dest_sts_set_policy(&d->sts, (n & 32) != 0 ? "1" : "22", body, len, NOW - (int64_t)take16(in), NULL);
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe in = {data, size};
    unsigned n = take(&in);
    const char *domain = domains[n < 192 ? 0 : n < 224 ? 1 : 2];
    struct dest *before = (n & 4) != 0 ? make_previous(domain, &in) : NULL;
    int64_t now = NOW;

    for (unsigned left = n % ROUNDS_MAX + 1; left > 0; left--) {
        struct dest *d = resolve_once(domain, before, now, &in);

        dest_free(before);
        before = d;
        now = d->resolved + take(&in) * (int64_t)((n & 8) != 0 ? 2000 : 10);
    }
    dest_free(before);
    return 0;
}
