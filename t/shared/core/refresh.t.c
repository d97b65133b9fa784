/* refresh.t.c - tests of refresh.c: when facts and policies are looked at again (A9). */
#include "refresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define T   1000000
#define DAY INT64_C(86400)

struct facts_case {
    const char *name;
    int64_t ttl;
    enum dest_mx mx;
    enum dest_sts_record record;
    enum dest_dane second_host;
    int64_t at; /* from T on */
};

static const struct facts_case facts_cases[] = {
    {"last fifth of an hour", 3600, DEST_MX_LIST, DEST_STS_NONE, DEST_DANE_NONE, 2880},
    {"five seconds", 5, DEST_MX_LIST, DEST_STS_FOUND, DEST_DANE_USABLE, 4},
    {"a fifth is less than a second: one second ahead", 3, DEST_MX_LIST, DEST_STS_NONE, DEST_DANE_NONE, 2},
    {"one second", 1, DEST_MX_LIST, DEST_STS_NONE, DEST_DANE_NONE, 0},
    {"no life at all", 0, DEST_MX_LIST, DEST_STS_NONE, DEST_DANE_NONE, 0},
    {"ended before it began", -10, DEST_MX_LIST, DEST_STS_NONE, DEST_DANE_NONE, -10},
    {"MX temporary: at the end", 30, DEST_MX_TEMP, DEST_STS_NONE, DEST_DANE_NONE, 30},
    {"STS record temporary: at the end", 30, DEST_MX_LIST, DEST_STS_TEMP, DEST_DANE_NONE, 30},
    {"second host temporary: at the end", 30, DEST_MX_LIST, DEST_STS_NONE, DEST_DANE_TEMP, 30},
    {"negative facts", 300, DEST_MX_NODOMAIN, DEST_STS_INVALID, DEST_DANE_UNUSABLE, 240},
};

static void test_facts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof facts_cases / sizeof facts_cases[0]; i++) {
        const struct facts_case *c = &facts_cases[i];
        struct dest *d = dest_new("example.com");

        assert_non_null(d);
        d->resolved = T;
        d->valid_until = T + c->ttl;
        d->mx = c->mx;
        d->sts.record = c->record;
        assert_non_null(dest_add_host(d, "mx1.example.com", 10));
        dest_add_host(d, "mx2.example.com", 20)->dane = c->second_host;
        if (refresh_facts_at(d) != T + c->at)
            fail_msg("%s: %lld", c->name, (long long)refresh_facts_at(d) - T);
        dest_free(d);
    }
}

struct policy_case {
    const char *name;
    int64_t max_age;
    int64_t refetch_after;
    int64_t retry_after;
    double spread;
    enum dest_sts_failure failure;
    int64_t attempted; /* from T on */
    int64_t at;        /* from T on */
};

static const struct policy_case policy_cases[] = {
    {"A9 once a day", 604800, DAY, 300, 0, DEST_STS_OK, 0, DAY},
    {"A9 half of a short life", 3600, DAY, 300, 0, DEST_STS_OK, 0, 1800},
    {"exactly two days", 2 * DAY, DAY, 300, 0, DEST_STS_OK, 0, DAY},
    {"max_age 0: at once", 0, DAY, 300, 1, DEST_STS_OK, 0, 0},
    {"max_age 1: at once", 1, DAY, 300, 0, DEST_STS_OK, 0, 0},
    {"a year", 31557600, DAY, 300, 0, DEST_STS_OK, 0, DAY},
    {"a tenth earlier", 604800, DAY, 300, 1, DEST_STS_OK, 0, 77760},
    {"a twentieth earlier", 604800, DAY, 300, 0.5, DEST_STS_OK, 0, 82080},
    {"a tenth of the half life", 20000, DAY, 300, 1, DEST_STS_OK, 0, 9000},
    {"spread too large is 1", 604800, DAY, 300, 9, DEST_STS_OK, 0, 77760},
    {"spread below 0 is 0", 604800, DAY, 300, -3, DEST_STS_OK, 0, DAY},
    {"spread no number is 0", 604800, DAY, 300, NAN, DEST_STS_OK, 0, DAY},
    {"A9 five minutes after a failure", 604800, DAY, 300, 0, DEST_STS_FETCH_ERROR, DAY, DAY + 300},
    {"A9 never sooner, whatever the spread", 604800, DAY, 300, 1, DEST_STS_WEBPKI_INVALID, DAY, DAY + 300},
    {"a failure long before the day is over", 604800, DAY, 300, 0, DEST_STS_POLICY_INVALID, 100, 400},
    {"refetch_after below 0", 604800, -5, 300, 0, DEST_STS_OK, 0, 0},
    {"refetch_after beyond all", 604800, INT64_MAX, 300, 0, DEST_STS_OK, 0, 302400},
    {"retry_after below 0", 604800, DAY, -5, 0, DEST_STS_FETCH_ERROR, 7, 7},
    {"retry_after beyond all", 604800, DAY, INT64_MAX, 0, DEST_STS_FETCH_ERROR, 7, 7 + DEST_TIME_MAX},
};

static void test_policy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof policy_cases / sizeof policy_cases[0]; i++) {
        const struct policy_case *c = &policy_cases[i];
        struct dest_sts sts = {.has_policy = true, .fetched = T, .expires = T + c->max_age};
        int64_t at;

        sts.failure = c->failure;
        sts.attempted = T + c->attempted;
        at = refresh_policy_at(&sts, c->refetch_after, c->retry_after, c->spread);
        if (at != T + c->at)
            fail_msg("%s: %lld", c->name, (long long)at - T);
        if (c->failure == DEST_STS_OK && c->max_age > 1)
            assert_true(at < sts.expires);
    }
}

static void test_no_policy(void **state)
{
    struct dest_sts sts = {.failure = DEST_STS_FETCH_ERROR, .attempted = T};

    (void)state;
    assert_int_equal(refresh_policy_at(&sts, DAY, 300, 0.5), 0);
}

static void test_keep(void **state)
{
    struct dest *d = dest_new("example.com");

    (void)state;
    assert_non_null(d);
    d->valid_until = T + 100;
    assert_int_equal(refresh_keep_until(d, 50), T + 150);
    d->sts.expires = T + 1000; /* says nothing without a policy */
    assert_int_equal(refresh_keep_until(d, 50), T + 150);
    d->sts.has_policy = true;
    assert_int_equal(refresh_keep_until(d, 50), T + 1050);
    d->sts.expires = T + 99;
    assert_int_equal(refresh_keep_until(d, 0), T + 100);
    assert_int_equal(refresh_keep_until(d, -7), T + 100);
    assert_true(refresh_keep_until(d, INT64_MAX) == T + 100 + DEST_TIME_MAX);
    dest_free(d);
}

/* Facts may be used until their end, unless they come from the future or claim a life that stsd gives to none. */
static void test_holds(void **state)
{
    struct dest *d = dest_new("example.com");

    (void)state;
    assert_non_null(d);
    d->resolved = T;
    d->valid_until = T + 300;
    assert_true(refresh_holds(d, T));
    assert_true(refresh_holds(d, T + 299));
    assert_false(refresh_holds(d, T + 300));
    assert_true(refresh_holds(d, T - 60)); /* the clocks of two nodes */
    assert_false(refresh_holds(d, T - 61));
    d->valid_until = T + 3600;
    assert_true(refresh_holds(d, T));
    d->valid_until = T + 3601;
    assert_false(refresh_holds(d, T));
    d->resolved = d->valid_until = DEST_TIME_MAX;
    assert_false(refresh_holds(d, T));
    dest_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts), cmocka_unit_test(test_policy), cmocka_unit_test(test_no_policy),
        cmocka_unit_test(test_keep),  cmocka_unit_test(test_holds),
    };

    return cmocka_run_group_tests_name("refresh", tests, NULL, NULL);
}
