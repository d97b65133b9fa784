/* report.t.c - tests of report.c and its parts that report.sh.t cannot show: records, sums, and what is too much. */
#include "report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "report_details.h"
#include "report_gzip.h"
#include "report_text.h"

#define S(s)     s, sizeof(s) - 1
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define DAY    20779
#define RECORD "v=TLSRPTv1; rua=mailto:a@example.com"

static const struct report_settings settings = {"", "tls@sender.example", "sender.example"};

static struct counts counts_of(struct counted_policy *policy, size_t count)
{
    struct counts c = {.day = DAY, .domain = "example.com", .policy = policy, .policies = count};

    return c;
}

static const struct {
    const char *in;
    size_t max;
    const char *want;
} texts[] = {
    {"", 10, ""},
    {"a\"\\\x01", 10, "a\"\\\x01"},
    {"\xff\xc3\xa9\xc3", 10, "?\xc3\xa9?"},
    {"\xc3\xa9\xc3\xa9", 3, "\xc3\xa9"},
    {"\x7f\xc2\x80\xc2\x9f\xc2\xa0", 10, "???\xc2\xa0"},
    {"\xef\xb7\x90\xef\xbf\xbe\xef\xbf\xbd", 10, "??\xef\xbf\xbd"}, /* U+FDD0, U+FFFE, U+FFFD */
    {"\xf0\x9f\xbf\xbf\xf4\x8f\xbf\xbf\xf0\x9f\x98\x80", 10, "??\xf0\x9f\x98\x80"},
    {"\xed\xa0\x80", 10, "???"},
    {"abc", 2, "ab"},
    {"abc", 0, ""},
};

static void text_is_mended_and_cut(void **state)
{
    struct buf out;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        buf_init(&out, 100);
        report_text(&out, texts[i].in, texts[i].max);
        assert_string_equal(buf_text(&out), texts[i].want);
        buf_clear(&out);
    }
}

static void records_are_told_apart(void **state)
{
    struct counted_policy policy[] = {{.record = "b"}, {.record = "a"}, {.record = "b"}, {.record = "c"}};
    struct counts c = counts_of(policy, 4), none = counts_of(NULL, 0);
    const char *const *record;

    (void)state;
    assert_int_equal(report_records(&record, &c), 3);
    assert_string_equal(record[0], "a");
    assert_string_equal(record[1], "b");
    assert_string_equal(record[2], "c");
    free((void *)record);
    assert_int_equal(report_records(&record, &none), 0);
    assert_null(record);
}

/* W7: each record has its own report, with its own policies only. */
static void report_is_of_one_record(void **state)
{
    struct counted_failure one = {{.result = TLSRPT_TLSA_INVALID}, 2};
    struct counted_policy policy[] = {
        {.record = "other", .policy = {.type = TLSRPT_POLICY_NONE}, .successful = 1000},
        {.record = RECORD,
         .policy = {.type = TLSRPT_POLICY_TLSA},
         .successful = 1,
         .failed = 2,
         .failure = &one,
         .failures = 1},
        {.record = RECORD, .policy = {.type = TLSRPT_POLICY_NONE}, .successful = UINT64_MAX},
    };
    struct counts c = counts_of(policy, 3);
    struct report r, other;
    struct err e = {""};

    (void)state;
    assert_int_equal(report_build(&r, &c, RECORD, &settings, &e), 0);
    assert_int_equal(report_build(&other, &c, "other", &settings, &e), 0);
    assert_true(r.successful == UINT64_MAX && r.failed == 2); /* the sum stays at the end of its range */
    assert_true(other.successful == 1000 && other.failed == 0);
    assert_null(strstr(buf_text(&r.json), "1000"));
    assert_non_null(strstr(buf_text(&r.json), "\"organization-name\":\"sender.example\""));
    assert_string_not_equal(r.id, other.id);
    assert_string_not_equal(r.file_name, other.file_name);
    report_clear(&r);
    report_clear(&r);
    report_clear(&other);
    report_clear(NULL);
}

/* J5 */
static void ids_differ_by_day_and_submitter(void **state)
{
    struct counted_policy policy = {.record = RECORD, .policy = {.type = TLSRPT_POLICY_NONE}};
    struct counts c = counts_of(&policy, 1), next = c;
    struct report_settings other = {"", "tls@other.example", "other.example"};
    struct report r[3];
    struct err e = {""};

    (void)state;
    next.day++;
    assert_int_equal(report_build(&r[0], &c, RECORD, &settings, &e), 0);
    assert_int_equal(report_build(&r[1], &next, RECORD, &settings, &e), 0);
    assert_int_equal(report_build(&r[2], &c, RECORD, &other, &e), 0);
    assert_string_not_equal(r[0].unique, r[1].unique);
    assert_string_not_equal(r[0].unique, r[2].unique);
    for (size_t i = 0; i < COUNT(r); i++)
        report_clear(&r[i]);
}

/* --- E13 --- */

#define KINDS 3000

static struct counted_failure *failures_make(char reason[KINDS][16])
{
    struct counted_failure *f = calloc(KINDS, sizeof(*f));

    assert_non_null(f);
    for (size_t i = 0; i < KINDS; i++) {
        snprintf(reason[i], 16, "reason %zu", i);
        f[i].failure.result = i % 2 == 0 ? TLSRPT_CERTIFICATE_EXPIRED : TLSRPT_TLSA_INVALID;
        f[i].failure.reason = reason[i];
        f[i].sessions = 1 + i;
    }
    return f;
}

static uint64_t sum_of(const struct report_details *d, enum tlsrpt_result result)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < d->count; i++)
        sum += d->detail[i].result == result ? d->detail[i].sessions : 0;
    return sum;
}

static size_t octets_of(const struct report_details *d)
{
    size_t octets = 0;

    for (size_t i = 0; i < d->count; i++)
        octets += strlen(d->detail[i].text) + strlen(",\"failed-session-count\":9007199254740991,");
    return octets;
}

static void details_fit_and_sums_stay(void **state)
{
    static char reason[KINDS][16];
    struct counted_policy policy = {.record = RECORD, .failure = failures_make(reason), .failures = KINDS};
    struct counts c = counts_of(&policy, 1);
    size_t before = 0;

    (void)state;
    for (size_t max = 0; max < 500000; max = max * 3 / 2 + 1) {
        struct report_details d;
        size_t left_out;
        int rc = report_details_make(&d, &left_out, &c, RECORD, max);

        assert_int_equal(rc, max < 256 ? 1 : 0); /* two kinds in one policy must have room */
        if (rc != 0)
            continue;
        assert_true(octets_of(&d) <= max);
        assert_true(d.count >= before);
        before = d.count;
        assert_true(left_out == KINDS - d.count + (left_out > 0 ? 2 : 0));
        assert_true(sum_of(&d, TLSRPT_CERTIFICATE_EXPIRED) == 2250000);
        assert_true(sum_of(&d, TLSRPT_TLSA_INVALID) == 2251500);
        report_details_clear(&d);
    }
    assert_int_equal(before, KINDS);
    free(policy.failure);
}

/* What was merged before it was counted counts as other, and is never left out. */
static void details_of_others_are_one(void **state)
{
    static char reason[KINDS][16];
    struct counted_failure *f = failures_make(reason);
    struct counted_policy policy = {.record = RECORD, .failure = f, .failures = KINDS};
    struct counts c = counts_of(&policy, 1);
    struct report_details d;
    size_t left_out;

    (void)state;
    f[0].failure.reason = "other";
    f[1].failure.reason = "other";
    assert_int_equal(report_details_make(&d, &left_out, &c, RECORD, 1000), 0);
    assert_int_equal(left_out, KINDS - 2 - (d.count - 2));
    assert_true(sum_of(&d, TLSRPT_TLSA_INVALID) == 2251500);
    report_details_clear(&d);
    free(f);
}

static void too_large_without_details_is_said(void **state)
{
    static char line[8001];
    const char *lines[1] = {line};
    struct counted_policy *policy = calloc(1000, sizeof(*policy));
    struct counts c = counts_of(policy, 1000);
    struct report r;
    struct err e = {""};

    (void)state;
    assert_non_null(policy);
    memset(line, 'x', sizeof(line) - 1);
    for (size_t i = 0; i < 1000; i++) {
        policy[i].record = RECORD;
        policy[i].policy.type = TLSRPT_POLICY_STS;
        policy[i].policy.string = lines;
        policy[i].policy.strings = 1;
    }
    assert_int_equal(report_build(&r, &c, RECORD, &settings, &e), -1);
    assert_string_equal(e.text, "the report of example.com is too large, also without details");
    free(policy);
}

static void gzip_knows_its_limit(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 20);
    assert_int_equal(report_gzip(&out, S("abcdefghijklmnopqrstuvwxyz")), -1);
    buf_clear(&out);
    buf_init(&out, 1000);
    assert_int_equal(report_gzip(&out, S("")), 0);
    assert_int_equal(out.len, 20);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_mended_and_cut),
        cmocka_unit_test(records_are_told_apart),
        cmocka_unit_test(report_is_of_one_record),
        cmocka_unit_test(ids_differ_by_day_and_submitter),
        cmocka_unit_test(details_fit_and_sums_stay),
        cmocka_unit_test(details_of_others_are_one),
        cmocka_unit_test(too_large_without_details_is_said),
        cmocka_unit_test(gzip_knows_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
