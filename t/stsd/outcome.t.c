/* outcome.t.c - tests of outcome.c and of the names under which outcomes are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counters.h"
#include "outcome.h"

#include <stdio.h>
#include <string.h>

#define NOW 1000000

struct row {
    enum dest_mx mx;
    bool secure;
    enum dest_dane dane;
    enum dest_sts_record record;
    const char *mode; /* NULL: no policy */
    int64_t age;      /* of the policy, which lives 86400 s */
    enum outcome want;
};

static const struct row rows[] = {
    {DEST_MX_TEMP, true, DEST_DANE_USABLE, DEST_STS_TEMP, "enforce", 0, OUTCOME_TEMP_MX},
    {DEST_MX_LIST, true, DEST_DANE_TEMP, DEST_STS_TEMP, NULL, 0, OUTCOME_TEMP_STS},
    {DEST_MX_LIST, true, DEST_DANE_TEMP, DEST_STS_FOUND, "enforce", 0, OUTCOME_TEMP_TLSA},
    {DEST_MX_NODOMAIN, true, DEST_DANE_NONE, DEST_STS_FOUND, "enforce", 0, OUTCOME_NO_MAIL},
    {DEST_MX_NULL, true, DEST_DANE_NONE, DEST_STS_NONE, NULL, 0, OUTCOME_NO_MAIL},
    {DEST_MX_LIST, true, DEST_DANE_USABLE, DEST_STS_FOUND, "enforce", 0, OUTCOME_DANE},
    {DEST_MX_LIST, true, DEST_DANE_UNUSABLE, DEST_STS_NONE, NULL, 0, OUTCOME_DANE},
    {DEST_MX_LIST, false, DEST_DANE_USABLE, DEST_STS_NONE, NULL, 0, OUTCOME_NOTHING},
    {DEST_MX_LIST, true, DEST_DANE_NONE, DEST_STS_FOUND, "enforce", 86399, OUTCOME_STS_ENFORCE},
    {DEST_MX_LIST, true, DEST_DANE_NONE, DEST_STS_NONE, "enforce", 86399, OUTCOME_STS_ENFORCE},
    {DEST_MX_LIST, true, DEST_DANE_NONE, DEST_STS_FOUND, "enforce", 86400, OUTCOME_NOTHING},
    {DEST_MX_IMPLICIT, true, DEST_DANE_NONE, DEST_STS_FOUND, "testing", 0, OUTCOME_STS_TESTING},
    {DEST_MX_LIST, true, DEST_DANE_NONE, DEST_STS_FOUND, "none", 0, OUTCOME_STS_NONE},
    {DEST_MX_LIST, true, DEST_DANE_NONE, DEST_STS_INVALID, NULL, 0, OUTCOME_NOTHING},
};

static struct dest *make(const struct row *row)
{
    struct dest *d = dest_new("example.com");
    char body[200];

    assert_non_null(d);
    d->mx = row->mx;
    d->mx_secure = row->secure;
    if (row->mx == DEST_MX_LIST || row->mx == DEST_MX_IMPLICIT)
        dest_add_host(d, "mx.example.com", 10)->dane = row->dane;
    d->sts.record = row->record;
    (void)snprintf(body, sizeof(body), "version: STSv1\nmode: %s\nmx: mx.example.com\nmax_age: 86400\n",
                   row->mode == NULL ? "" : row->mode);
    if (row->mode != NULL)
        assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, strlen(body), NOW - row->age, NULL), 0);
    return d;
}

static void test_outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dest *d = make(&rows[i]);

        if (outcome_of(d, NOW) != rows[i].want)
            fail_msg("row %zu: %s", i, outcome_name(outcome_of(d, NOW)));
        dest_free(d);
    }
}

static void test_names(void **state)
{
    char want[100];

    (void)state;
    for (enum outcome o = 0; o < OUTCOMES; o++) {
        (void)snprintf(want, sizeof(want), "postern_stsd_resolutions_total{outcome=\"%s\"}", outcome_name(o));
        assert_string_equal(counters[COUNT_RESOLUTIONS + o].name, want);
    }
    for (enum dest_sts_failure f = DEST_STS_FETCH_ERROR; f <= DEST_STS_WEBPKI_INVALID; f++) {
        (void)snprintf(want, sizeof(want), "postern_stsd_policy_fetches_total{outcome=\"%s\"}",
                       dest_sts_failure_name(f));
        assert_string_equal(counters[COUNT_FETCHES + f].name, want);
    }
    assert_string_equal(counters[COUNT_FETCHES].name, "postern_stsd_policy_fetches_total{outcome=\"ok\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_outcomes), cmocka_unit_test(test_names)};

    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
