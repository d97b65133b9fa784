/* report_time.t.c - the date-times of reports (check J3). */
#include "report_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define AT INT64_C(1795305600) /* 2026-11-22T00:00:00Z */

static const struct {
    const char *text;
    int64_t at;
    bool zone;
} good[] = {
    {"2026-11-22T00:00:00Z", AT, true},         {"2026-11-22t23:59:59z", AT + 86399, true},
    {"2026-11-22 01:02:03", AT + 3723, false},  {"2026-11-22T00:00:00.999999Z", AT, true},
    {"2026-11-22T00:00:00.5", AT, false},       {"2026-11-22T00:00:00+00:00", AT, true},
    {"2026-11-22T02:30:00+02:30", AT, true},    {"2026-11-21T16:15:00-07:45", AT, true},
    {"2026-11-22T23:59:60Z", AT + 86399, true}, {"1970-01-01T00:00:00Z", 0, true},
    {"1970-01-01T00:00:00+01:00", -3600, true},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t at = 0;
        bool zone = false;

        if (report_time(&at, &zone, good[i].text) != 0 || at != good[i].at || zone != good[i].zone)
            fail_msg("%s: %lld", good[i].text, (long long)at);
    }
}

static const char *const bad[] = {
    "",
    "2026-11-22",
    "2026-11-22T",
    "2026-11-22T00:00Z",
    "2026-11-22T00:00:0",
    "2026-11-22T00:00:00.Z",
    "2026-11-22T00:00:00ZZ",
    "2026-11-22T00:00:00Z ",
    "2026-11-22T24:00:00Z",
    "2026-11-22T00:60:00Z",
    "2026-11-22T00:00:61Z",
    "2026-11-22T00:00:00+1:00",
    "2026-11-22T00:00:00+0100",
    "2026-11-22T00:00:00+24:00",
    "2026-11-22T00:00:00+01:60",
    "2026-11-22T00:00:00 UTC",
    "2026-02-29T00:00:00Z",
    "26-11-22T00:00:00Z",
    "1795305600",
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t at = 0;
        bool zone = false;

        if (report_time(&at, &zone, bad[i]) == 0)
            fail_msg("%s: %lld", bad[i], (long long)at);
    }
}

static void test_text(void **state)
{
    static const struct {
        int64_t at;
        const char *text;
    } rows[] = {{0, "1970-01-01T00:00:00Z"},
                {AT + 3723, "2026-11-22T01:02:03Z"},
                {INT64_C(253402300799), "9999-12-31T23:59:59Z"},
                {INT64_C(253402300800), ""},
                {-1, ""},
                {INT64_MAX, ""},
                {INT64_MIN, ""}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[REPORT_TIME_BUF];

        report_time_text(text, rows[i].at);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                                       cmocka_unit_test(test_text)};

    return cmocka_run_group_tests_name("report_time", tests, NULL, NULL);
}
