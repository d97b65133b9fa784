/*
 * decide_lists.t.c - tests of decide_lists.c: the order in which lists and facts go, as a table, and then every
 * combination of facts, entries and fallback state against properties.
 */
#include "decide_lists.h"

#include "decide_facts.h"

#include <stdlib.h>

/* How an entry stands in a combination. */
enum stand { ABSENT, PLAIN, OVERRIDE, OVERRIDE_BY_HOST, STANDS };

/* What is told, and the entries that it points to. */
struct telling {
    enum tls_level require; /* DEFAULT: no entry */
    enum stand exclude;
    enum stand sts_exclude;
    int only; /* 0: not in force; 1: without an entry for this destination; 2: with one */
    bool plain;
    bool pins;
    int implicit; /* 0: no; 1: an entry in smtps; 2: port 465 */
    enum tls_level default_level;
    struct decide_told told;
};

static struct list_entry *entry_new(enum list_id list, const char *value, bool override)
{
    struct list_entry_in in = {
        .value = value, .author = "anna", .comment = "", .created = 1767225600, .override = override};
    struct list_pattern p;
    struct list_entry *entry;

    assert_int_equal(list_pattern_parse(&p, "example.com", 11, NULL), 0);
    entry = list_entry_new(list, &p, &in, NULL);
    assert_non_null(entry);
    return entry;
}

static void tell_one(struct telling *t, enum list_id list, const char *value, enum stand stand)
{
    if (stand == ABSENT)
        return;
    t->told.match.hit[list] = (struct lists_hit){.entry = entry_new(list, value, stand >= OVERRIDE),
                                                 .by = stand == OVERRIDE_BY_HOST ? LISTS_BY_HOST : LISTS_BY_NEXTHOP,
                                                 .what = "mx.example.com"};
}

static void tell(struct telling *t)
{
    memset(&t->told, 0, sizeof t->told);
    tell_one(t, LIST_REQUIRE, tls_level_name(t->require), t->require == LEVEL_DEFAULT ? ABSENT : PLAIN);
    tell_one(t, LIST_EXCLUDE, "", t->exclude);
    tell_one(t, LIST_STS_EXCLUDE, "", t->sts_exclude);
    tell_one(t, LIST_ONLY, "", t->only == 2 ? PLAIN : ABSENT);
    tell_one(t, LIST_PROTOCOLS, ">=TLSv1.2 ciphers=high", t->pins ? PLAIN : ABSENT);
    tell_one(t, LIST_SMTPS, "", t->implicit == 1 ? PLAIN : ABSENT);
    t->told.implicit_tls = t->implicit == 2;
    t->told.match.only = t->only != 0;
    t->told.plain = t->plain;
    t->told.plain_until = NOW + 7;
    t->told.mode = FALLBACK_PLAIN;
}

static void untell(struct telling *t)
{
    for (size_t i = 0; i < LISTS; i++)
        free((struct list_entry *)t->told.match.hit[i].entry);
}

/* What the facts alone say, what they say when MTA-STS may be left out, and with the lists. */
struct said {
    struct decision alone, base, told;
};

static void run(const struct facts *f, struct telling *t, struct said *said)
{
    struct dest *dest = make(f);
    struct decide_options options = decide_options_default();
    struct decide_options changed;

    options.default_level = t->default_level;
    changed = decide_lists_options(&options, &t->told);
    decide(&said->alone, dest, DECIDE_FRESH, &options, NOW);
    decide(&said->base, dest, DECIDE_FRESH, &changed, NOW);
    said->told = said->base;
    decide_lists(&said->told, &t->told, &changed);
    dest_free(dest);
}

/* --- the order, by examples --- */

#define NOTHING                                                       \
    {                                                                 \
        DEST_MX_LIST, false, false, "n", DEST_STS_NONE, NOPOLICY, 300 \
    }
#define STS                                                           \
    {                                                                 \
        DEST_MX_LIST, false, false, "n", DEST_STS_FOUND, ENFORCE, 300 \
    }
#define DANE_ALL                                                      \
    {                                                                 \
        DEST_MX_LIST, true, false, "uu", DEST_STS_NONE, NOPOLICY, 300 \
    }
#define DANE_ONE                                                      \
    {                                                                 \
        DEST_MX_LIST, true, false, "un", DEST_STS_NONE, NOPOLICY, 300 \
    }
#define UNUSABLE                                                     \
    {                                                                \
        DEST_MX_LIST, true, false, "x", DEST_STS_NONE, NOPOLICY, 300 \
    }
#define UNKNOWN                                                      \
    {                                                                \
        DEST_MX_TEMP, false, false, "", DEST_STS_NONE, NOPOLICY, 300 \
    }

static const struct {
    struct facts facts;
    struct telling telling;
    const char *answer; /* a level, or "temp" */
    const char *reason; /* in one of the reasons */
} rows[] = {
    {NOTHING, {0}, "default", "nothing binds"},
    {NOTHING, {.exclude = PLAIN}, "none", "list exclude: example.com by anna on 2026-01-01: none"},
    {NOTHING, {.exclude = OVERRIDE}, "none", "(override)"},
    {NOTHING, {.only = 1}, "none", "the destination is not on it"},
    {NOTHING, {.only = 2}, "default", "TLS may be used"},
    {NOTHING, {.only = 2, .exclude = PLAIN}, "default", "TLS may be used"},
    {NOTHING, {.only = 2, .exclude = OVERRIDE}, "none", "(override)"},
    {NOTHING, {.only = 2, .plain = true}, "none", "next attempt goes plain"},
    {NOTHING, {.plain = true}, "none", "next attempt goes plain"},
    {NOTHING,
     {.require = LEVEL_ENCRYPT},
     "encrypt",
     "list require: example.com encrypt by anna on 2026-01-01: encrypt"},
    {NOTHING, {.require = LEVEL_ENCRYPT, .only = 1}, "encrypt", "list require"},
    {NOTHING,
     {.require = LEVEL_SECURE, .exclude = PLAIN},
     "secure",
     "TLS binds, and the list require has the destination"},
    {NOTHING, {.require = LEVEL_SECURE, .exclude = OVERRIDE}, "secure", "the list require has the destination too"},
    {NOTHING, {.require = LEVEL_ENCRYPT, .plain = true}, "encrypt", "does not go: TLS binds"},
    {STS, {0}, "secure", "RFC 8461"},
    {STS, {.exclude = PLAIN}, "secure", "does not say override"},
    {STS, {.exclude = OVERRIDE}, "none", "whatever the destination publishes"},
    {STS, {.exclude = OVERRIDE_BY_HOST}, "secure", "override counts only by next hop"},
    {STS, {.only = 1}, "secure", "RFC 8461"},
    {STS, {.plain = true}, "secure", "does not go: TLS binds"},
    {STS, {.sts_exclude = PLAIN}, "secure", "does not say override"},
    {STS, {.sts_exclude = OVERRIDE}, "default", "MTA-STS does not count"},
    {{DEST_MX_LIST, false, false, "n", DEST_STS_FOUND, TESTING, 300},
     {.sts_exclude = PLAIN},
     "default",
     "the policy in testing mode is not reported on"},
    {STS, {.sts_exclude = OVERRIDE, .exclude = PLAIN}, "none", "list exclude"},
    {STS, {.sts_exclude = OVERRIDE, .require = LEVEL_ENCRYPT}, "encrypt", "list require"},
    {STS, {.sts_exclude = OVERRIDE_BY_HOST}, "secure", "override counts only by next hop"},
    {STS, {.require = LEVEL_ENCRYPT}, "secure", "no more than what goes already"},
    {STS, {.require = LEVEL_DANE_ONLY}, "dane-only", "list require"},
    {DANE_ALL, {.exclude = PLAIN, .plain = true, .only = 1}, "dane-only", "does not go"},
    {DANE_ALL, {.exclude = OVERRIDE}, "none", "(override)"},
    {DANE_ALL, {.sts_exclude = OVERRIDE}, "dane-only", "RFC 7672"},
    {DANE_ONE, {0}, "dane", "each MX host with TLSA records"},
    {DANE_ONE, {.require = LEVEL_ENCRYPT}, "dane-only", "list require"},
    {DANE_ONE, {.plain = true}, "dane", "does not go"},
    {UNKNOWN, {.exclude = PLAIN}, "temp", "MX records cannot be looked up"},
    {UNKNOWN, {.exclude = OVERRIDE}, "none", "(override)"},
    {UNKNOWN, {.only = 1, .plain = true}, "temp", "MX records cannot be looked up"},
    {UNKNOWN, {.require = LEVEL_ENCRYPT}, "temp", "goes when the facts are known"},
    {UNUSABLE, {0}, "dane", "each MX host by its TLSA records"},
    {UNUSABLE, {.require = LEVEL_ENCRYPT}, "encrypt", "list require"},
    {UNUSABLE, {.require = LEVEL_SECURE}, "secure", "list require"},
    /* TLS versions need a level */
    {NOTHING,
     {.pins = true},
     "encrypt",
     "list protocols: example.com >=TLSv1.2 ciphers=high by anna on 2026-01-01: encrypt, as"},
    {NOTHING, {.pins = true, .default_level = LEVEL_MAY}, "may", "goes with the level"},
    {NOTHING, {.pins = true, .default_level = LEVEL_ENCRYPT}, "encrypt", "goes with the level"},
    {NOTHING, {.pins = true, .only = 2}, "encrypt", "need a level"},
    {NOTHING, {.pins = true, .plain = true}, "none", "next attempt goes plain"},
    {NOTHING, {.pins = true, .exclude = PLAIN}, "none", "list exclude"},
    {STS, {.pins = true}, "secure", "goes with the level"},
    {UNKNOWN, {.pins = true}, "temp", "MX records cannot be looked up"},
    /* the default level binds nothing */
    {NOTHING, {.default_level = LEVEL_MAY}, "may", "may: the default level of the configuration"},
    {NOTHING, {.default_level = LEVEL_ENCRYPT}, "encrypt", "encrypt: the default level of the configuration"},
    {NOTHING, {.default_level = LEVEL_ENCRYPT, .plain = true}, "none", "next attempt goes plain"},
    {NOTHING, {.default_level = LEVEL_ENCRYPT, .exclude = PLAIN}, "none", "list exclude"},
    {NOTHING, {.default_level = LEVEL_ENCRYPT, .only = 1}, "none", "the destination is not on it"},
    {NOTHING, {.default_level = LEVEL_ENCRYPT, .only = 2}, "encrypt", "the default level"},
    {NOTHING, {.default_level = LEVEL_MAY, .require = LEVEL_SECURE}, "secure", "list require"},
    {STS, {.default_level = LEVEL_MAY}, "secure", "RFC 8461"},
    {STS, {.default_level = LEVEL_MAY, .sts_exclude = OVERRIDE}, "may", "the default level"},
    {DANE_ONE, {.default_level = LEVEL_ENCRYPT}, "dane", "each MX host with TLSA records"},
    {UNKNOWN, {.default_level = LEVEL_MAY}, "temp", "MX records cannot be looked up"},
    /* implicit TLS has no plain form */
    {NOTHING, {.implicit = 1}, "encrypt", "list smtps: example.com by anna on 2026-01-01: implicit TLS, port 465"},
    {NOTHING, {.implicit = 2}, "encrypt", "no level below encrypt"},
    {NOTHING, {.implicit = 2, .default_level = LEVEL_MAY}, "encrypt", "no level below encrypt"},
    {NOTHING, {.implicit = 1, .plain = true}, "encrypt", "fallback plain: does not go: implicit TLS"},
    {NOTHING, {.implicit = 2, .plain = true}, "encrypt", "fallback plain: does not go: implicit TLS"},
    {NOTHING,
     {.implicit = 1, .exclude = PLAIN},
     "encrypt",
     "list exclude: example.com by anna on 2026-01-01: does not go: implicit"},
    {NOTHING,
     {.implicit = 2, .exclude = OVERRIDE},
     "encrypt",
     "list exclude: example.com by anna on 2026-01-01: does not go: impl"},
    {NOTHING, {.implicit = 2, .only = 1}, "encrypt", "list only: does not go: implicit TLS"},
    {NOTHING,
     {.implicit = 2, .only = 2, .exclude = OVERRIDE},
     "encrypt",
     "list exclude: example.com by anna on 2026-01-01: does"},
    {NOTHING, {.implicit = 2, .require = LEVEL_SECURE}, "secure", "list require"},
    {STS, {.implicit = 2, .exclude = OVERRIDE}, "secure", "does not go: implicit TLS"},
    {STS, {.implicit = 1, .sts_exclude = OVERRIDE}, "encrypt", "no level below encrypt"},
    {DANE_ONE, {.implicit = 2}, "dane-only", "no level below encrypt"},
    {UNUSABLE, {.implicit = 2}, "encrypt", "no level below encrypt"},
    {UNKNOWN, {.implicit = 1, .plain = true}, "temp", "MX records cannot be looked up"},
};

static bool has_reason(const struct decision *d, const char *words)
{
    for (size_t i = 0; i < d->reason_count; i++)
        if (strstr(d->reason[i], words) != NULL)
            return true;
    return false;
}

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct telling t = rows[i].telling;
        struct said said;
        const char *answer;

        tell(&t);
        run(&rows[i].facts, &t, &said);
        answer = said.told.temp ? "temp" : tls_level_name(said.told.level);
        if (strcmp(answer, rows[i].answer) != 0 || !has_reason(&said.told, rows[i].reason))
            fail_msg("row %zu: %s, %s", i, answer, said.told.reason[said.told.reason_count - 1]);
        if (t.exclude >= OVERRIDE && t.sts_exclude != PLAIN && has_reason(&said.told, "does not say override"))
            fail_msg("row %zu: an entry that says override is told not to", i);
        untell(&t);
    }
}

/* --- next hops in brackets, which have no facts --- */

static const struct {
    struct telling telling;
    const char *answer;
    const char *reason;
} fixed[] = {
    {{0}, "default", "no MX look-up"},
    {{.exclude = PLAIN}, "none", "list exclude"},
    {{.exclude = OVERRIDE}, "none", "(override)"},
    {{.only = 1}, "none", "the destination is not on it"},
    {{.plain = true}, "none", "next attempt goes plain"},
    {{.sts_exclude = OVERRIDE}, "default", "MTA-STS does not count"},
    {{.require = LEVEL_DANE_ONLY}, "dane-only", "list require"},
    {{.require = LEVEL_ENCRYPT, .plain = true, .exclude = OVERRIDE, .only = 1}, "encrypt", "does not go: TLS binds"},
    {{.pins = true}, "encrypt", "need a level"},
    {{.default_level = LEVEL_MAY}, "may", "the default level"},
    {{.implicit = 2, .exclude = OVERRIDE}, "encrypt", "no level below encrypt"},
    {{.implicit = 1}, "encrypt", "list smtps"},
};

static void test_fixed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        struct telling t = fixed[i].telling;
        struct decide_options options = decide_options_default();
        struct decision d;

        tell(&t);
        options.default_level = t.default_level;
        decide_fixed(&d, "next hop in brackets: no MX look-up", NOW + 100);
        decide_lists(&d, &t.told, &options);
        if (d.temp || strcmp(tls_level_name(d.level), fixed[i].answer) != 0 || !has_reason(&d, fixed[i].reason))
            fail_msg("row %zu: %s, %s", i, tls_level_name(d.level), d.reason[d.reason_count - 1]);
        assert_int_equal(d.valid_until, d.level == LEVEL_NONE && t.plain ? NOW + 7 : NOW + 100);
        assert_int_equal(d.overridden, t.sts_exclude == OVERRIDE);
        untell(&t);
    }
}

/* --- every combination --- */

#define PROPERTY(cond)    \
    do {                  \
        if (!(cond))      \
            return #cond; \
    } while (0)

static bool binding(const struct decision *d)
{
    return d->temp || d->level >= LEVEL_ENCRYPT;
}

/* The answer is good enough where `wanted` is demanded. */
static bool satisfies(const struct decision *d, enum tls_level wanted)
{
    if (d->temp || d->level == wanted || d->level == LEVEL_DANE_ONLY)
        return true;
    return d->level != LEVEL_DANE && wanted != LEVEL_DANE && d->level > wanted;
}

/* The answer is good enough for what the facts say. Where no TLSA record is usable, `dane` is no more than TLS. */
static bool satisfies_facts(const struct decision *d, const struct decision *facts)
{
    if (!binding(facts))
        return true;
    return satisfies(d, facts->level) ||
           (facts->level == LEVEL_DANE && !facts->dane_verifies && d->level >= LEVEL_ENCRYPT);
}

static bool may_override(const struct telling *t)
{
    return t->sts_exclude == OVERRIDE || (t->exclude == OVERRIDE && t->require == LEVEL_DEFAULT && t->implicit == 0);
}

/* Nothing but an explicit override makes the answer weaker than what binds. */
static const char *weakened(const struct telling *t, const struct said *said)
{
    const struct decision *alone = &said->alone, *told = &said->told;
    bool override = may_override(t);

    PROPERTY(!told->overridden || override);
    PROPERTY(override || alone->temp == told->temp);
    PROPERTY(override || satisfies_facts(told, alone));
    PROPERTY(override || !alone->use_sts || told->use_sts);
    PROPERTY(told->overridden || satisfies_facts(told, alone));
    PROPERTY(t->require == LEVEL_DEFAULT || satisfies(told, t->require));
    PROPERTY(told->temp == (told->by >= DECIDE_TEMP_UNKNOWN));
    PROPERTY((told->level == LEVEL_NONE) ==
             (told->by == DECIDE_BY_EXCLUDE || told->by == DECIDE_BY_ONLY || told->by == DECIDE_BY_FALLBACK));
    PROPERTY((told->level != LEVEL_DEFAULT || told->temp) != (told->by == DECIDE_BY_NOTHING));
    return NULL;
}

/* No answer without its cause. */
static const char *groundless(const struct telling *t, const struct said *said)
{
    const struct decision *base = &said->base, *told = &said->told;
    bool listed_plain = t->implicit == 0 && (t->only != 0 ? t->only == 1 : t->exclude != ABSENT);
    bool plain = t->implicit == 0 && t->plain;

    PROPERTY(!told->temp || base->temp);
    PROPERTY(told->level != LEVEL_NONE || listed_plain || plain || t->exclude == OVERRIDE);
    PROPERTY(told->temp || binding(told) || told->level == LEVEL_NONE || !listed_plain);
    PROPERTY(told->temp || binding(told) || told->level == LEVEL_NONE || !plain);
    PROPERTY(told->level != LEVEL_DANE_ONLY || base->level == LEVEL_DANE_ONLY || base->level == LEVEL_DANE ||
             t->require == LEVEL_DANE_ONLY);
    PROPERTY(!told->use_sts || base->use_sts);
    return NULL;
}

/* What has no plain form is never plain; the level is said where one is needed; the default level binds nothing. */
static const char *ill_defaulted(const struct telling *t, const struct said *said)
{
    const struct decision *base = &said->base, *told = &said->told;
    bool nothing_binds = !binding(base) && t->require == LEVEL_DEFAULT;
    bool goes_plain = t->plain || (t->only != 0 ? t->only == 1 : t->exclude != ABSENT) || t->exclude == OVERRIDE;

    PROPERTY(t->implicit == 0 || told->temp || (told->level >= LEVEL_ENCRYPT && told->level != LEVEL_DANE));
    PROPERTY(told->smtps == (t->implicit == 1 && !told->temp));
    PROPERTY(told->temp || told->level != LEVEL_DEFAULT || (t->default_level == LEVEL_DEFAULT && !t->pins));
    PROPERTY(told->level != LEVEL_MAY || (t->default_level == LEVEL_MAY && nothing_binds));
    PROPERTY(!nothing_binds || t->implicit != 0 || (told->level == LEVEL_NONE) == goes_plain);
    return NULL;
}

static const char *ill_formed(const struct telling *t, const struct said *said)
{
    const struct decision *base = &said->base, *told = &said->told;
    const char *last = told->reason_count > 0 ? told->reason[told->reason_count - 1] : "";

    PROPERTY(told->reason_count > 0 && told->reason_count < DECIDE_REASONS_MAX);
    PROPERTY(!told->temp || strncmp(last, "temporary: ", 11) == 0);
    PROPERTY(told->valid_until > NOW && told->valid_until <= base->valid_until);
    PROPERTY((told->protocols[0] != '\0') == (t->pins && !told->temp && told->level != LEVEL_NONE));
    PROPERTY((told->ciphers[0] != '\0') == (told->protocols[0] != '\0'));
    for (size_t i = 0; i < told->reason_count; i++)
        PROPERTY(told->reason[i][0] != '\0');
    PROPERTY(!t->plain || told->level != LEVEL_NONE || t->exclude != ABSENT || t->only != 0 ||
             told->valid_until <= NOW + 7);
    return NULL;
}

/* How strong an answer is, for comparing two of the same facts. */
static int strength(const struct decision *d)
{
    static const int of[] = {[LEVEL_NONE] = 0, [LEVEL_DEFAULT] = 1, [LEVEL_MAY] = 2,    [LEVEL_ENCRYPT] = 3,
                             [LEVEL_DANE] = 3, [LEVEL_VERIFY] = 4,  [LEVEL_SECURE] = 5, [LEVEL_DANE_ONLY] = 6};

    return d->temp ? 7 : of[d->level];
}

/* Adding an entry to `require` never weakens. */
static const char *require_weakens(const struct facts *f, const struct telling *t, const struct decision *told)
{
    struct telling without = *t;
    struct said said;

    without.require = LEVEL_DEFAULT;
    tell(&without);
    run(f, &without, &said);
    untell(&without);
    PROPERTY(strength(told) >= strength(&said.told));
    return NULL;
}

static void check(const struct facts *f, struct telling *t)
{
    struct said said;
    const char *broken;

    tell(t);
    run(f, t, &said);
    broken = weakened(t, &said);
    if (broken == NULL)
        broken = groundless(t, &said);
    if (broken == NULL)
        broken = ill_formed(t, &said);
    if (broken == NULL)
        broken = ill_defaulted(t, &said);
    if (broken == NULL && t->require != LEVEL_DEFAULT)
        broken = require_weakens(f, t, &said.told);
    if (broken != NULL)
        fail_msg("%s: mx %s secure %d hosts \"%s\" record %s mode %d; require %s exclude %d sts-exclude %d only %d "
                 "plain %d pins %d implicit %d default %s: facts %s, answer %s%s",
                 broken, dest_mx_name(f->mx), f->secure, f->hosts, dest_sts_record_name(f->record), (int)f->mode,
                 tls_level_name(t->require), (int)t->exclude, (int)t->sts_exclude, t->only, t->plain, t->pins,
                 t->implicit, tls_level_name(t->default_level),
                 said.alone.temp ? "temp" : tls_level_name(said.alone.level), said.told.temp ? "temp " : "",
                 tls_level_name(said.told.level));
    untell(t);
}

/* What says how TLS is used: pins, implicit TLS, the default level. */
static void vary(struct telling *t, unsigned how)
{
    static const enum tls_level defaults[] = {LEVEL_DEFAULT, LEVEL_MAY, LEVEL_ENCRYPT};

    t->pins = how % 2 == 0;
    t->implicit = (int)(how / 2 % 3);
    t->default_level = defaults[how / 6];
}

#define VARIATIONS 18

/* variations: how many of them. */
static void check_tellings(const struct facts *f, unsigned variations)
{
    static const enum tls_level requires[] = {LEVEL_DEFAULT, LEVEL_ENCRYPT, LEVEL_VERIFY, LEVEL_SECURE,
                                              LEVEL_DANE_ONLY};

    for (size_t r = 0; r < sizeof requires / sizeof requires[0]; r++)
        for (int exclude = ABSENT; exclude < STANDS; exclude++)
            for (int sts_exclude = ABSENT; sts_exclude < STANDS; sts_exclude++)
                for (unsigned rest = 0; rest < 6 * variations; rest++) {
                    struct telling t = {.require = requires[r],
                                        .exclude = (enum stand)exclude,
                                        .sts_exclude = (enum stand)sts_exclude,
                                        .only = (int)(rest % 6 / 2),
                                        .plain = rest % 2 != 0};

                    vary(&t, rest / 6);
                    check(f, &t);
                }
}

static void test_every_combination(void **state)
{
    static const char *const hosts[] = {"n", "u", "un", "x", "tu", "tn"};
    static const enum dest_mx mxs[] = {DEST_MX_TEMP, DEST_MX_NULL, DEST_MX_LIST};

    (void)state;
    for (size_t m = 0; m < sizeof mxs / sizeof mxs[0]; m++)
        for (int secure = 0; secure < 2; secure++)
            for (size_t h = 0; h < sizeof hosts / sizeof hosts[0]; h++)
                for (unsigned record = DEST_STS_NONE; record <= DEST_STS_TEMP; record++)
                    for (unsigned mode = NOPOLICY; mode < EXPIRED_TESTING; mode++) {
                        const struct facts f = {
                            mxs[m], secure != 0, false, hosts[h], (enum dest_sts_record)record, (enum mode)mode, 300};

                        check_tellings(&f, 1);
                    }
}

/* The same with every variation, for facts of each weight. */
static void test_every_variation(void **state)
{
    static const struct facts facts[] = {NOTHING,
                                         STS,
                                         DANE_ALL,
                                         DANE_ONE,
                                         UNUSABLE,
                                         UNKNOWN,
                                         {DEST_MX_LIST, false, false, "n", DEST_STS_FOUND, TESTING, 300},
                                         {DEST_MX_LIST, true, false, "un", DEST_STS_FOUND, ENFORCE, 300},
                                         {DEST_MX_LIST, true, true, "n", DEST_STS_NONE, NOPOLICY, 300},
                                         {DEST_MX_LIST, true, false, "tn", DEST_STS_TEMP, NOPOLICY, 300}};

    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        check_tellings(&facts[i], VARIATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_every_variation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
