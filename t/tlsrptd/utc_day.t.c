/* utc_day.t.c - tests of utc_day.c. */
#include "utc_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

static const struct {
    const char *text;
    int32_t day; /* -1: none */
} cases[] = {
    {"1970-01-01", 0},           {"1970-01-02", 1},     {"2000-02-29", 11016},
    {"2024-02-29", 19782},       {"2026-11-22", 20779}, {"2100-03-01", 47541},
    {"9999-12-31", UTC_DAY_MAX}, {"1969-12-31", -1},    {"2026-02-29", -1},
    {"2100-02-29", -1},          {"2026-11-31", -1},    {"2026-00-01", -1},
    {"2026-13-01", -1},          {"2026-01-00", -1},    {"0000-01-01", -1},
    {"2026-1-01", -1},           {"2026-11-22 ", -1},   {" 2026-11-22", -1},
    {"2026-11-2", -1},           {"2026/11/22", -1},    {"", -1},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[UTC_DAY_BUF];
        int32_t day = -1;

        print_message("%s\n", cases[i].text);
        assert_int_equal(utc_day_parse(&day, cases[i].text), cases[i].day >= 0);
        if (cases[i].day < 0)
            continue;
        assert_int_equal(day, cases[i].day);
        utc_day_text(text, day);
        assert_string_equal(text, cases[i].text);
    }
}

/* Each day that there is, as the C library has it. */
static void test_every_day(void **state)
{
    (void)state;
    for (int32_t day = 0; day <= UTC_DAY_MAX; day++) {
        time_t at = (time_t)utc_day_begins(day);
        char text[UTC_DAY_BUF], want[32];
        struct tm tm;
        int32_t again;

        assert_true(strftime(want, sizeof(want), "%Y-%m-%d", gmtime_r(&at, &tm)) > 0);
        utc_day_text(text, day);
        if (strcmp(text, want) != 0 || !utc_day_parse(&again, text) || again != day)
            fail_msg("day %d: %s, not %s", day, text, want);
    }
}

/* W1, D7: the second decides. */
static void test_edges(void **state)
{
    (void)state;
    assert_int_equal(utc_day(-1), 0);
    assert_int_equal(utc_day(0), 0);
    assert_int_equal(utc_day(86399), 0);
    assert_int_equal(utc_day(86400), 1);
    assert_int_equal(utc_day_begins(20779), 1795305600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
