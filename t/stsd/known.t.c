/* Tests of stsd/known.c: what a node remembers, and that a live policy is not lost to newer facts without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "known.h"

#include <stdio.h>
#include <string.h>

#define NOW 1000000
#define DAY 86400

static const uint8_t secret[16] = {3};

/* Facts of a time, with a policy fetched at another (0: none), living a day. */
static struct dest *facts(const char *domain, int64_t resolved, int64_t fetched)
{
    static const char body[] = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n";
    struct dest *d = dest_new(domain);

    assert_non_null(d);
    d->mx = DEST_MX_NODOMAIN;
    d->resolved = resolved;
    d->valid_until = resolved + 300;
    if (fetched != 0)
        assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, strlen(body), fetched, NULL), 0);
    return d;
}

static const struct row {
    const char *name;
    int64_t first, first_fetched, second, second_fetched;
    int64_t resolved, fetched; /* what is remembered in the end */
} rows[] = {
    {"newer facts", NOW - 9, 0, NOW, 0, NOW, 0},
    {"older facts", NOW, 0, NOW - 9, 0, NOW, 0},
    {"facts from the future", NOW - 9, 0, NOW + 61, 0, NOW - 9, 0},
    {"facts after those from the future", NOW + 61, 0, NOW - 9, 0, NOW - 9, 0},
    {"facts of another clock", NOW - 9, 0, NOW + 60, 0, NOW + 60, 0},
    {"newer facts without the policy", NOW - 9, NOW - 9, NOW, 0, NOW, NOW - 9},
    {"newer facts with an older policy", NOW - 9, NOW - 5, NOW, NOW - 8, NOW, NOW - 5},
    {"older facts with a newer policy", NOW, NOW - 8, NOW - 1, NOW - 5, NOW, NOW - 5},
    {"older facts with a policy where there was none", NOW, 0, NOW - 9, NOW - 9, NOW, NOW - 9},
    {"a policy that has expired", NOW - 9, NOW - DAY, NOW, 0, NOW, 0},
};

static void test_merge(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct known known;
        const struct record *record;

        print_message("%s\n", row->name);
        assert_int_equal(known_init(&known, 10, secret), 0);
        assert_non_null(known_put(&known, facts("example.com", row->first, row->first_fetched), NOW));
        record = known_put(&known, facts("example.com", row->second, row->second_fetched), NOW);
        assert_non_null(record);
        assert_ptr_equal(record, known_get(&known, "example.com"));
        assert_int_equal(record->dest->resolved, row->resolved);
        assert_int_equal(record->dest->sts.has_policy, row->fetched != 0);
        if (row->fetched != 0)
            assert_int_equal(record->dest->sts.fetched, row->fetched);
        known_clear(&known);
    }
}

/* Does what is remembered say more than what is there? Times as in struct row: remembered, there (0: nothing is). */
static void test_beyond(void **state)
{
    static const struct {
        int64_t ours, ours_fetched, there, there_fetched;
        bool beyond;
    } cases[] = {
        {NOW, 0, 0, 0, true},
        {NOW, 0, NOW, 0, false},
        {NOW, 0, NOW - 1, 0, true},
        {NOW, 0, NOW + 1, 0, false},
        {NOW, NOW, NOW, NOW, false},
        {NOW, NOW, NOW, 0, true},
        {NOW, NOW - 1, NOW + 1, NOW - 2, true},
        {NOW, NOW - 2, NOW + 1, NOW - 1, false},
        {NOW, NOW - 2, NOW - 1, NOW - 1, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dest *there = cases[i].there == 0 ? NULL : facts("example.com", cases[i].there, cases[i].there_fetched);
        struct record ours = {.dest = facts("example.com", cases[i].ours, cases[i].ours_fetched)};

        assert_int_equal(known_beyond(&ours, there), cases[i].beyond);
        dest_free(ours.dest);
        dest_free(there);
    }
}

/* Due: a policy past half its life, of a domain in use; not again before retry_after. */
static void test_due(void **state)
{
    char names[3][DOMAIN_BUF];
    struct known known;
    struct record *record;

    (void)state;
    assert_int_equal(known_init(&known, 10, secret), 0);
    known.refetch_after = DAY;
    known.retry_after = 300;
    known_put(&known, facts("fresh.example", NOW, NOW), NOW)->used = NOW;
    known_put(&known, facts("none.example", NOW, 0), NOW)->used = NOW;
    known_put(&known, facts("unused.example", NOW, NOW - DAY / 2), NOW)->used = NOW - 1000;
    record = known_put(&known, facts("due.example", NOW, NOW - DAY / 2), NOW);
    record->used = NOW - 10;
    assert_int_equal(known_due(&known, NOW, 100, names, 3), 1);
    assert_string_equal(names[0], "due.example");
    assert_int_equal(known_due(&known, NOW + 299, 399, names, 3), 0);
    assert_int_equal(known_due(&known, NOW + 300, 400, names, 3), 1);
    assert_int_equal(known_due(&known, NOW + 9999, 19998, names, 1), 1); /* no more than asked for */
    known_clear(&known);
}

/* The time of the next fetch: within the last tenth before half of the life; not at once after an attempt that left it
 * due. */
static void test_next_fetch(void **state)
{
    struct known known;
    struct dest *d = facts("example.com", NOW, NOW), *none = facts("none.example", NOW, 0);

    (void)state;
    assert_int_equal(known_init(&known, 10, secret), 0);
    known.refetch_after = DAY;
    known.retry_after = 300;
    for (int i = 0; i < 1000; i++)
        assert_in_range(known_next_fetch(&known, d, true, NOW), NOW + DAY / 2 - DAY / 20, NOW + DAY / 2);
    assert_int_equal(known_next_fetch(&known, none, true, NOW), 0);
    assert_int_equal(known_next_fetch(&known, d, true, NOW + DAY / 2), NOW + DAY / 2 + 300);
    assert_in_range(known_next_fetch(&known, d, false, NOW + DAY / 2), NOW, NOW + DAY / 2);
    dest_free(d);
    dest_free(none);
    known_clear(&known);
}

/* Policies live a day: in use, expiring, expired, not asked for lately. */
static void test_policies(void **state)
{
    static const struct {
        const char *domain;
        int64_t fetched, used;
    } policies[] = {{"fresh.test", NOW - 10, NOW},
                    {"quarter.test", NOW - DAY * 3 / 4, NOW - 7200},
                    {"late.test", NOW - DAY * 3 / 4 - 1, NOW - 1},
                    {"forgotten.test", NOW - DAY + 1, NOW - 7201},
                    {"expired.test", NOW - DAY, NOW},
                    {"nothing.test", 0, NOW}};
    struct known_policies p;
    struct known k;

    (void)state;
    assert_int_equal(known_init(&k, 10, secret), 0);
    p = known_policies(&k, NOW, 7200);
    assert_int_equal(p.count[KNOWN_ENFORCE] + p.expiring, 0);
    assert_int_equal(p.oldest_fetch + p.soonest_expiry, 0);
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
        known_put(&k, facts(policies[i].domain, NOW - 1, policies[i].fetched), NOW)->used = policies[i].used;
    p = known_policies(&k, NOW, 7200);
    assert_int_equal(p.count[KNOWN_ENFORCE], 4);
    assert_int_equal(p.count[KNOWN_TESTING] + p.count[KNOWN_NONE], 0);
    assert_int_equal(p.expiring, 1);
    assert_int_equal(p.oldest_fetch, NOW - DAY * 3 / 4 - 1);
    assert_int_equal(p.soonest_expiry, NOW + DAY / 4 - 1);
    known_clear(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies), cmocka_unit_test(test_merge),      cmocka_unit_test(test_beyond),
        cmocka_unit_test(test_due),      cmocka_unit_test(test_next_fetch),
    };

    return cmocka_run_group_tests_name("known", tests, NULL, NULL);
}
