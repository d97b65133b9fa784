/* decide.t.c - tests of decide.c: the table of decide.h by name. decide_every.t.c has the rest of the combinations. */
#include "decide.h"

#include "resolve.h"

#include "decide_facts.h"

struct named_case {
    const char *name;
    struct facts facts;
    enum decide_age age;
    bool temp;
    enum tls_level level;
    bool use_sts;
    int64_t for_seconds; /* valid_until - NOW */
    const char *says;    /* in one of the reasons */
};

#define LIST     DEST_MX_LIST, true, false
#define INSECURE DEST_MX_LIST, false, false
#define CUT      DEST_MX_LIST, true, true
#define F        DEST_STS_FOUND
#define N        DEST_STS_NONE
#define TEMP     true, LEVEL_DEFAULT, false

static const struct named_case named[] = {
    {"B-1 DANE everywhere",
     {LIST, "uu", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE_ONLY,
     false,
     60,
     "DANE: every MX host (2) has usable TLSA records, authenticated by DNSSEC"},
    {"A11 DANE everywhere goes before MTA-STS",
     {LIST, "uu", F, ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE_ONLY,
     true,
     10,
     "MTA-STS: policy id 20260101 says enforce, max_age 86400, expires 2026-11-22T10:00:10Z"},
    {"B-1 MX not authenticated",
     {INSECURE, "uu", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DEFAULT,
     false,
     60,
     "nothing binds: the MTA's own level goes"},
    {"B-1 MX not authenticated, a host TEMP",
     {INSECURE, "t", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DEFAULT,
     false,
     60,
     "DANE: does not count"},
    {"B-1 implicit MX",
     {DEST_MX_IMPLICIT, true, false, "u", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE_ONLY,
     false,
     60,
     "the domain itself is the host"},
    {"more hosts than kept",
     {CUT, "uu", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE,
     false,
     60,
     "more that were left"},
    {"more hosts than kept, and enforce",
     {CUT, "uu", F, ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE_ONLY,
     true,
     10,
     ""},
    {"some hosts without TLSA",
     {LIST, "un", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE,
     false,
     60,
     "usable at 1, unusable at 0, absent at 1, not known now at 0"},
    {"some hosts without TLSA, and enforce",
     {LIST, "un", F, ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE_ONLY,
     true,
     10,
     ""},
    {"some hosts without TLSA, and testing",
     {LIST, "un", F, TESTING, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE,
     false,
     10,
     ""},
    {"some hosts without TLSA, and STS unknown",
     {LIST, "un", DEST_STS_TEMP, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE_ONLY,
     false,
     60,
     "cannot be looked up now, may forbid"},
    {"B-3 unusable only", {LIST, "xx", N, NOPOLICY, 60}, DECIDE_FRESH, false, LEVEL_DANE, false, 60, "unusable at 2"},
    {"B-3 unusable only, and enforce", {LIST, "xx", F, ENFORCE, 60}, DECIDE_FRESH, false, LEVEL_SECURE, true, 10, ""},
    {"B-3 unusable only, and STS unknown",
     {LIST, "x", DEST_STS_TEMP, NOPOLICY, 60},
     DECIDE_FRESH,
     TEMP,
     30,
     "temporary"},
    {"B-3 usable and unusable", {LIST, "ux", N, NOPOLICY, 60}, DECIDE_FRESH, false, LEVEL_DANE, false, 60, ""},
    {"B-3 temp and usable", {LIST, "tu", N, NOPOLICY, 60}, DECIDE_FRESH, false, LEVEL_DANE, false, 60, ""},
    {"B-3 temp and usable, and enforce",
     {LIST, "tu", F, ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE_ONLY,
     true,
     10,
     ""},
    {"B-3 temp only", {LIST, "t", N, NOPOLICY, 60}, DECIDE_FRESH, TEMP, 30, "temporary: TLSA records"},
    {"A11 temp only, not rescued by enforce", {LIST, "t", F, ENFORCE, 60}, DECIDE_FRESH, TEMP, 10, "temporary: TLSA"},
    {"B-3 temp and none",
     {LIST, "tn", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE,
     false,
     60,
     "left out by the MTA"},
    {"B-3 temp and none, and enforce", {LIST, "tn", F, ENFORCE, 60}, DECIDE_FRESH, TEMP, 10, "temporary: TLSA"},
    {"B-3 temp and none, and STS unknown",
     {LIST, "tn", DEST_STS_TEMP, NOPOLICY, 60},
     DECIDE_FRESH,
     TEMP,
     30,
     "temporary: TLSA"},
    {"more hosts than kept, those kept without TLSA",
     {CUT, "nn", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DANE,
     false,
     60,
     "left out"},
    {"MX TEMP", {DEST_MX_TEMP, false, false, "", N, NOPOLICY, 60}, DECIDE_FRESH, TEMP, 30, "temporary: the MX records"},
    {"A2 MX TEMP and enforce",
     {DEST_MX_TEMP, false, false, "", F, ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_SECURE,
     true,
     10,
     ""},
    {"B5 null MX",
     {DEST_MX_NULL, false, false, "", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DEFAULT,
     false,
     60,
     "null MX"},
    {"null MX, perhaps forged, and enforce",
     {DEST_MX_NULL, false, false, "", F, ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_SECURE,
     true,
     10,
     ""},
    {"no such domain",
     {DEST_MX_NODOMAIN, true, false, "", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DEFAULT,
     false,
     60,
     "no such domain"},
    {"no host has an address",
     {LIST, "", N, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DEFAULT,
     false,
     60,
     "no MX host"},
    {"A8 enforce", {INSECURE, "n", F, ENFORCE, 60}, DECIDE_FRESH, false, LEVEL_SECURE, true, 10, "enforce"},
    {"A8 enforce, expired",
     {INSECURE, "n", F, EXPIRED_ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DEFAULT,
     false,
     60,
     "policy id 20260101 expired 2026-11-22T10:00:00Z"},
    {"A2 enforce goes on without record",
     {INSECURE, "n", N, ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_SECURE,
     true,
     10,
     "MTA-STS: no record"},
    {"A2 enforce goes on with a broken record",
     {INSECURE, "n", DEST_STS_INVALID, ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_SECURE,
     true,
     10,
     "no valid record"},
    {"A2 enforce goes on while DNS fails",
     {INSECURE, "n", DEST_STS_TEMP, ENFORCE, 60},
     DECIDE_FRESH,
     false,
     LEVEL_SECURE,
     true,
     10,
     "cannot be looked up"},
    {"A7 testing", {INSECURE, "n", F, TESTING, 60}, DECIDE_FRESH, false, LEVEL_DEFAULT, false, 10, "says testing"},
    {"A7 mode none", {INSECURE, "n", F, PNONE, 60}, DECIDE_FRESH, false, LEVEL_DEFAULT, false, 10, "says none"},
    {"A8 a record, no policy to be had",
     {INSECURE, "n", F, NOPOLICY, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DEFAULT,
     false,
     60,
     "record id 20260101, no policy for it"},
    {"A2 record TEMP, nothing kept",
     {INSECURE, "n", DEST_STS_TEMP, NOPOLICY, 60},
     DECIDE_FRESH,
     TEMP,
     30,
     "no policy is kept"},
    {"A2 record TEMP, expired enforce kept",
     {INSECURE, "n", DEST_STS_TEMP, EXPIRED_ENFORCE, 60},
     DECIDE_FRESH,
     TEMP,
     30,
     ""},
    {"A2 record TEMP, testing kept",
     {INSECURE, "n", DEST_STS_TEMP, TESTING, 60},
     DECIDE_FRESH,
     false,
     LEVEL_DEFAULT,
     false,
     10,
     ""},
    {"stale: DANE goes on",
     {LIST, "u", N, NOPOLICY, -DAY},
     DECIDE_STALE,
     false,
     LEVEL_DANE_ONLY,
     false,
     30,
     "facts are old"},
    {"stale: some DANE goes on", {LIST, "un", N, NOPOLICY, -DAY}, DECIDE_STALE, false, LEVEL_DANE, false, 30, ""},
    {"stale: enforce goes on", {INSECURE, "n", F, ENFORCE, -DAY}, DECIDE_STALE, false, LEVEL_SECURE, true, 10, ""},
    {"stale: nothing binds, not long",
     {INSECURE, "n", N, NOPOLICY, -1},
     DECIDE_STALE,
     false,
     LEVEL_DEFAULT,
     false,
     30,
     ""},
    {"stale: nothing binds, 20 s left",
     {INSECURE, "n", N, NOPOLICY, 20 - STALE},
     DECIDE_STALE,
     false,
     LEVEL_DEFAULT,
     false,
     20,
     ""},
    {"stale: nothing binds, too long", {INSECURE, "n", N, NOPOLICY, -STALE}, DECIDE_STALE, TEMP, 30, "too old"},
    {"stale: testing, too long", {INSECURE, "n", F, TESTING, -STALE}, DECIDE_STALE, TEMP, 10, "too old"},
    {"newer asked for in vain, but not stale yet",
     {INSECURE, "n", N, NOPOLICY, 5},
     DECIDE_STALE,
     false,
     LEVEL_DEFAULT,
     false,
     5,
     ""},
    {"gathered just now with a TTL of 0",
     {LIST, "u", N, NOPOLICY, 0},
     DECIDE_FRESH,
     false,
     LEVEL_DANE_ONLY,
     false,
     1,
     ""},
};

static bool says(const struct decision *out, const char *words)
{
    for (size_t i = 0; i < out->reason_count; i++)
        if (strstr(out->reason[i], words) != NULL)
            return true;
    return false;
}

static void test_named(void **state)
{
    const struct decide_options options = decide_options_default();

    (void)state;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        const struct named_case *c = &named[i];
        struct dest *d = make(&c->facts);
        struct decision out;

        decide(&out, d, c->age, &options, NOW);
        if (out.temp != c->temp || out.level != c->level || out.use_sts != c->use_sts)
            fail_msg("%s: temp %d, level %s, use_sts %d", c->name, out.temp, tls_level_name(out.level), out.use_sts);
        if (out.valid_until - NOW != c->for_seconds)
            fail_msg("%s: for %lld s", c->name, (long long)out.valid_until - NOW);
        if (!says(&out, c->says))
            fail_msg("%s: no reason says \"%s\"", c->name, c->says);
        dest_free(d);
    }
}

static void test_nothing_known(void **state)
{
    const struct decide_options options = decide_options_default();
    struct decision out;

    (void)state;
    for (unsigned age = DECIDE_FRESH; age <= DECIDE_STALE; age++) {
        decide(&out, NULL, (enum decide_age)age, &options, NOW);
        assert_true(out.temp);
        assert_int_equal(out.level, LEVEL_DEFAULT);
        assert_int_equal(out.valid_until, NOW + RESOLVE_TEMP_TTL);
        assert_int_equal(out.reason_count, 1);
    }
}

static void test_fixed(void **state)
{
    struct decision out;

    (void)state;
    decide_fixed(&out, "next hop in brackets: no MX look-up, so no MTA-STS", 77);
    assert_false(out.temp);
    assert_int_equal(out.level, LEVEL_DEFAULT);
    assert_int_equal(out.valid_until, 77);
    assert_int_equal(out.reason_count, 1);
    assert_string_equal(out.reason[0], "next hop in brackets: no MX look-up, so no MTA-STS");
    decide_fixed(&out, "", 77);
    assert_int_equal(out.reason_count, 1);
    assert_string_not_equal(out.reason[0], "");
}

/* Foreign sentences are cut and made printable; names of the longest kind do not crowd out the last reason. */
static void test_foreign_text(void **state)
{
    const struct facts f = {DEST_MX_TEMP, false, false, "", DEST_STS_INVALID, EXPIRED_ENFORCE, 60};
    const struct decide_options options = decide_options_default();
    struct dest *d = make(&f);
    struct decision out;

    (void)state;
    memset(d->mx_why, 'a', sizeof d->mx_why - 1);
    memcpy(d->mx_why, "x\n\x01\x7f\xc3\xa9{}", 8);
    memset(d->sts.why, 'b', sizeof d->sts.why - 1);
    d->sts.failure = DEST_STS_WEBPKI_INVALID;
    decide(&out, d, DECIDE_STALE, &options, NOW);
    assert_true(out.temp);
    assert_true(says(&out, "for now: x?????{}aaa"));
    assert_true(says(&out, "the last fetch failed: sts-webpki-invalid: bbb"));
    assert_non_null(strstr(out.reason[out.reason_count - 1], "temporary: the MX records"));
    for (size_t i = 0; i < out.reason_count; i++)
        for (const char *c = out.reason[i]; *c != '\0'; c++)
            assert_in_range(*c, 0x20, 0x7e);
    dest_free(d);
}

/* Times at the ends of their range. */
static void test_extremes(void **state)
{
    struct decide_options options = decide_options_default();
    const struct facts f = {INSECURE, "n", DEST_STS_NONE, NOPOLICY, 0};
    struct dest *d = make(&f);
    struct decision out;

    (void)state;
    options.stale_max = INT64_MAX;
    d->valid_until = 0;
    decide(&out, d, DECIDE_STALE, &options, NOW);
    assert_false(out.temp);
    assert_int_equal(out.valid_until, NOW + RESOLVE_TEMP_TTL);
    options.stale_max = 0;
    d->valid_until = NOW;
    decide(&out, d, DECIDE_STALE, &options, NOW);
    assert_true(out.temp);
    d->valid_until = DEST_TIME_MAX;
    decide(&out, d, DECIDE_FRESH, &options, NOW);
    assert_true(out.valid_until == DEST_TIME_MAX);
    decide(&out, d, DECIDE_FRESH, &options, 0);
    assert_true(out.valid_until == DEST_TIME_MAX);
    dest_free(d);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(tls_level_name(LEVEL_DEFAULT), "default");
    assert_string_equal(tls_level_name(LEVEL_NONE), "none");
    assert_string_equal(tls_level_name(LEVEL_MAY), "may");
    assert_string_equal(tls_level_name(LEVEL_ENCRYPT), "encrypt");
    assert_string_equal(tls_level_name(LEVEL_DANE), "dane");
    assert_string_equal(tls_level_name(LEVEL_VERIFY), "verify");
    assert_string_equal(tls_level_name(LEVEL_SECURE), "secure");
    assert_string_equal(tls_level_name(LEVEL_DANE_ONLY), "dane-only");
}

/* A11: a domain that had DANE, or may have it, does not fall to MTA-STS because its MX records cannot be looked up. */
static void test_dane_before(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 3; before++) {
        struct facts facts = {DEST_MX_TEMP, false, false, "", F, ENFORCE, 60};
        struct decide_options options = decide_options_default();
        struct dest *d = make(&facts);
        struct decision out;

        d->dane_before = before == 1;
        d->mx_never_known = before == 2;
        decide(&out, d, DECIDE_FRESH, &options, NOW);
        assert_int_equal(out.temp, before != 0);
        options.dane = false;
        decide(&out, d, DECIDE_FRESH, &options, NOW);
        assert_int_equal(out.level, LEVEL_SECURE);
        dest_free(d);
    }
}

/* The hold for an MTA-STS record that cannot be looked up ends. */
static void test_unknown_hold(void **state)
{
    struct facts facts = {DEST_MX_LIST, false, false, "n", DEST_STS_TEMP, NOPOLICY, 60};
    struct decide_options options = decide_options_default();
    struct dest *d = make(&facts);
    struct decision out;

    (void)state;
    d->sts.temp_since = NOW - options.sts_unknown_hold + 1;
    decide(&out, d, DECIDE_FRESH, &options, NOW);
    assert_true(out.temp);
    d->sts.temp_since = NOW - options.sts_unknown_hold;
    decide(&out, d, DECIDE_FRESH, &options, NOW);
    assert_false(out.temp);
    assert_int_equal(out.level, LEVEL_DEFAULT);
    dest_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dane_before),   cmocka_unit_test(test_unknown_hold), cmocka_unit_test(test_named),
        cmocka_unit_test(test_nothing_known), cmocka_unit_test(test_fixed),        cmocka_unit_test(test_foreign_text),
        cmocka_unit_test(test_extremes),      cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
