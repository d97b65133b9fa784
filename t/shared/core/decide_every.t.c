/*
 * decide_every.t.c - tests of decide.c: every combination of facts and options against properties that are stated
 * without looking at how the decision is made.
 */
#include "decide.h"

#include "resolve.h"

#include "decide_facts.h"

/* The combination under test, and what can be said of it without deciding. */
struct combination {
    struct facts facts;
    enum decide_age age;
    struct decide_options options;
    bool dane_counts;
    size_t usable, unusable, temp, hosts;
    bool live, enforced, unknown, too_old;
};

static void count_hosts(struct combination *c)
{
    const struct facts *f = &c->facts;

    c->usable = c->unusable = c->temp = c->hosts = 0;
    c->dane_counts = c->options.dane && f->secure && (f->mx == DEST_MX_LIST || f->mx == DEST_MX_IMPLICIT);
    if (!c->dane_counts)
        return;
    for (const char *h = f->hosts; *h != '\0'; h++) {
        c->hosts++;
        c->usable += *h == 'u' ? 1 : 0;
        c->unusable += *h == 'x' ? 1 : 0;
        c->temp += *h == 't' ? 1 : 0;
    }
}

static void classify(struct combination *c)
{
    const struct facts *f = &c->facts;

    count_hosts(c);
    c->live = c->options.sts && f->mode != NOPOLICY && f->mode < EXPIRED_TESTING;
    c->enforced = c->live && f->mode == ENFORCE;
    c->unknown = c->options.sts && c->options.sts_unknown_hold > 0 && !c->live && f->record == DEST_STS_TEMP;
    c->too_old = c->age == DECIDE_STALE && f->ttl <= -STALE;
}

#define PROPERTY(cond)    \
    do {                  \
        if (!(cond))      \
            return #cond; \
    } while (0)

/* What must never be said, whatever else: the properties that keep mail safe. */
static const char *unsafe(const struct combination *c, const struct decision *d)
{
    bool some_dane = c->usable + c->unusable > 0;

    PROPERTY(!c->enforced || d->temp || d->level == LEVEL_SECURE || d->level == LEVEL_DANE_ONLY);
    PROPERTY(!c->unknown || d->temp || d->level == LEVEL_DANE_ONLY);
    PROPERTY(d->temp == (d->by >= DECIDE_TEMP_UNKNOWN));
    PROPERTY((d->by == DECIDE_BY_STS) == (d->level == LEVEL_SECURE));
    PROPERTY((d->by == DECIDE_BY_DANE) == (d->level == LEVEL_DANE || d->level == LEVEL_DANE_ONLY));
    PROPERTY(!some_dane || d->temp || d->level == LEVEL_DANE || d->level == LEVEL_SECURE ||
             d->level == LEVEL_DANE_ONLY);
    PROPERTY(c->usable == 0 || d->temp || d->level == LEVEL_DANE || d->level == LEVEL_DANE_ONLY); /* A11 */
    PROPERTY(c->usable == 0 || !c->enforced || d->temp || d->level == LEVEL_DANE_ONLY);
    PROPERTY(c->hosts == 0 || c->usable < c->hosts || c->facts.truncated || d->level == LEVEL_DANE_ONLY);
    PROPERTY(c->temp == 0 || d->temp || d->level == LEVEL_DANE || d->level == LEVEL_DANE_ONLY); /* B-3 */
    PROPERTY(c->temp == 0 || c->temp < c->hosts || d->temp);
    PROPERTY(!c->options.dane || c->facts.mx != DEST_MX_TEMP || c->enforced || d->temp);
    PROPERTY(!c->too_old || d->temp || d->level != LEVEL_DEFAULT);
    return NULL;
}

/* What must not be said without cause: mail held, or a demand that no facts support. */
static const char *groundless(const struct combination *c, const struct decision *d)
{
    bool mx_temp = c->options.dane && c->facts.mx == DEST_MX_TEMP;
    bool hosts_temp = c->temp > 0 && c->usable == 0 && (c->temp == c->hosts || c->enforced || c->unknown);

    PROPERTY(!d->temp || (mx_temp && !c->enforced) || hosts_temp || c->unknown ||
             (c->too_old && !c->enforced && c->usable + c->unusable == 0));
    PROPERTY(!d->temp || !c->unknown || c->usable == 0);
    PROPERTY(d->temp || d->level == LEVEL_DEFAULT || d->level == LEVEL_DANE || d->level == LEVEL_SECURE ||
             d->level == LEVEL_DANE_ONLY);
    PROPERTY(d->level != LEVEL_DANE_ONLY || c->usable > 0);
    PROPERTY(d->level != LEVEL_DANE_ONLY || (c->usable == c->hosts && !c->facts.truncated) || c->enforced ||
             c->unknown);
    PROPERTY(d->level != LEVEL_DANE || c->usable + c->unusable + c->temp > 0 || (c->hosts > 0 && c->facts.truncated));
    PROPERTY(d->level != LEVEL_SECURE || c->enforced);
    return NULL;
}

static const char *ill_formed(const struct combination *c, const struct decision *d)
{
    int64_t left = d->valid_until - NOW;

    PROPERTY(!d->temp || (d->level == LEVEL_DEFAULT && !d->use_sts));
    PROPERTY(d->use_sts == (!d->temp && c->enforced));
    PROPERTY(d->sts_testing == (c->live && c->facts.mode == TESTING));
    PROPERTY(left > 0 && left <= 300);
    PROPERTY(!(d->temp || c->age == DECIDE_STALE) || left <= RESOLVE_TEMP_TTL);
    PROPERTY(!c->live || left <= 10);
    PROPERTY(c->age == DECIDE_STALE || left <= c->facts.ttl);
    PROPERTY(d->reason_count > 0 && d->reason_count <= DECIDE_REASONS_MAX);
    for (size_t i = 0; i < d->reason_count; i++) {
        PROPERTY(d->reason[i][0] != '\0');
        PROPERTY(memchr(d->reason[i], '\0', DECIDE_REASON_MAX) != NULL);
    }
    PROPERTY(!d->temp || strncmp(d->reason[d->reason_count - 1], "temporary: ", 11) == 0);
    PROPERTY(d->temp || d->level != LEVEL_DEFAULT || strncmp(d->reason[d->reason_count - 1], "nothing binds", 13) == 0);
    return NULL;
}

static void check(struct combination *c)
{
    struct dest *dest = make(&c->facts);
    struct decision out;
    const char *broken;

    classify(c);
    memset(&out, 0xa5, sizeof out);
    decide(&out, dest, c->age, &c->options, NOW);
    broken = unsafe(c, &out);
    if (broken == NULL)
        broken = groundless(c, &out);
    if (broken == NULL)
        broken = ill_formed(c, &out);
    if (broken != NULL)
        fail_msg("%s: mx %s secure %d cut %d hosts \"%s\" record %s mode %d age %d ttl %lld options %d%d%d: temp %d "
                 "level %s",
                 broken, dest_mx_name(c->facts.mx), c->facts.secure, c->facts.truncated, c->facts.hosts,
                 dest_sts_record_name(c->facts.record), (int)c->facts.mode, (int)c->age, (long long)c->facts.ttl,
                 c->options.dane, c->options.sts, c->options.sts_unknown_hold > 0, out.temp, tls_level_name(out.level));
    dest_free(dest);
}

static void check_ages_and_options(const struct facts *facts)
{
    static const struct {
        enum decide_age age;
        int64_t ttl;
    } ages[] = {{DECIDE_FRESH, 300}, {DECIDE_STALE, 300}, {DECIDE_STALE, -100}, {DECIDE_STALE, -STALE - 1}};

    for (size_t a = 0; a < sizeof ages / sizeof ages[0]; a++) {
        for (unsigned bits = 0; bits < 8; bits++) {
            struct combination c = {.facts = *facts, .age = ages[a].age, .options = decide_options_default()};

            c.facts.ttl = ages[a].ttl;
            c.options.dane = (bits & 1) != 0;
            c.options.sts = (bits & 2) != 0;
            c.options.sts_unknown_hold = (bits & 4) != 0 ? 3600 : 0;
            check(&c);
        }
    }
}

static void test_every_combination(void **state)
{
    static const char *const hosts[] = {"",   "u",  "uu", "un",  "n",  "nn", "x",   "xx",
                                        "xu", "xn", "tu", "txu", "tn", "t",  "ttx", "unxt"};

    (void)state;
    for (unsigned mx = DEST_MX_TEMP; mx <= DEST_MX_LIST; mx++)
        for (unsigned flags = 0; flags < 4; flags++)
            for (size_t h = 0; h < sizeof hosts / sizeof hosts[0]; h++)
                for (unsigned record = DEST_STS_NONE; record <= DEST_STS_TEMP; record++)
                    for (unsigned mode = NOPOLICY; mode < MODES; mode++) {
                        const struct facts f = {(enum dest_mx)mx,
                                                (flags & 1) != 0,
                                                (flags & 2) != 0,
                                                hosts[h],
                                                (enum dest_sts_record)record,
                                                (enum mode)mode,
                                                0};

                        check_ages_and_options(&f);
                    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_combination),
    };

    return cmocka_run_group_tests_name("decide_every", tests, NULL, NULL);
}
