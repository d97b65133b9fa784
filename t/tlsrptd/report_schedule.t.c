/* report_schedule.t.c - when reports are due and tried again (checks W1, W2, W9). */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "report_schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "utc_day.h"

#define DAY   20779 /* 2026-11-22 */
#define ENDS  (INT64_C(86400) * (DAY + 1))
#define HOUR  3600
#define DELAY (4 * HOUR)
#define RETRY (24 * HOUR)

#define CONTACT "tls@example.org"

/* W1: the last second of the day is of it, the next is not; whatever zone the host is in. */
static void test_days(void **state)
{
    static const char *const zones[] = {"UTC", "Pacific/Kiritimati", "America/Los_Angeles"};

    (void)state;
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        setenv("TZ", zones[i], 1);
        tzset();
        assert_int_equal(utc_day(ENDS - 1), DAY);
        assert_int_equal(utc_day(ENDS), DAY + 1);
        assert_true(report_due(DAY, "example.com", CONTACT, 0) == ENDS + REPORT_AFTER_DAY);
    }
    unsetenv("TZ");
}

static const struct open_row {
    int64_t now;
    bool open;
} opens[] = {
    {0, false},
    {ENDS - 1, false},
    {ENDS, false}, /* the last counts still come in */
    {ENDS + REPORT_AFTER_DAY - 1, false},
    {ENDS + REPORT_AFTER_DAY, true},
    {ENDS + REPORT_AFTER_DAY + DELAY, true},
    {ENDS + REPORT_AFTER_DAY + DELAY + REPORT_LATE_MAX + RETRY - 1, true},
    {ENDS + REPORT_AFTER_DAY + DELAY + REPORT_LATE_MAX + RETRY, false},
};

static void test_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++)
        assert_int_equal(report_day_is_open(DAY, opens[i].now, DELAY, RETRY), opens[i].open);
}

/* W2: spread over the delay, the same each time, another one each day. */
static void test_spread(void **state)
{
    unsigned hours[4] = {0}, same = 0;

    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        char domain[32];
        int64_t due;

        (void)snprintf(domain, sizeof(domain), "d%u.example", i);
        due = report_due(DAY, domain, CONTACT, DELAY) - ENDS - REPORT_AFTER_DAY;
        assert_in_range(due, 0, DELAY);
        assert_true(due == report_due(DAY, domain, CONTACT, DELAY) - ENDS - REPORT_AFTER_DAY);
        hours[due == DELAY ? 3 : due / HOUR]++;
        same += report_due(DAY + 1, domain, CONTACT, DELAY) - INT64_C(86400) == report_due(DAY, domain, CONTACT, DELAY);
    }
    for (int i = 0; i < 4; i++)
        assert_in_range(hours[i], 800, 1200);
    assert_in_range(same, 0, 20);
}

/* W2: senders all over the world do not come to one domain at one time, and not at that of each other's retries. */
static void test_senders(void **state)
{
    unsigned hours[4] = {0}, tenths[10] = {0};

    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        char contact[32];
        int64_t due, next;

        (void)snprintf(contact, sizeof(contact), "tls@s%u.example", i);
        due = report_due(DAY, "example.com", contact, DELAY) - ENDS - REPORT_AFTER_DAY;
        next = report_next_try(DAY, "example.com", contact, 4, ENDS, ENDS, RETRY, ENDS + 2 * RETRY) - ENDS - 2400;
        assert_in_range(due, 0, DELAY);
        assert_in_range(next, 0, 600);
        hours[due == DELAY ? 3 : due / HOUR]++;
        tenths[next == 600 ? 9 : next / 60]++;
    }
    for (int i = 0; i < 4; i++)
        assert_in_range(hours[i], 800, 1200);
    for (int i = 0; i < 10; i++)
        assert_in_range(tenths[i], 300, 500);
}

/* W9: waits grow up to a limit, and end after the retry time with a last try. */
static void test_retries(void **state)
{
    int64_t closes = report_day_closes(DAY, DELAY, RETRY);
    int64_t first = ENDS + REPORT_AFTER_DAY, now = first, wait = REPORT_RETRY_FIRST;
    unsigned tries = 1;

    (void)state;
    for (;; tries++) {
        int64_t next = report_next_try(DAY, "example.com", CONTACT, tries, first, now, RETRY, closes);

        if (next == 0)
            break;
        assert_true(next > now);
        assert_true(next <= first + RETRY);
        if (next < first + RETRY)
            assert_in_range(next - now, wait, wait + wait / 4);
        wait = wait * 2 < REPORT_RETRY_MOST ? wait * 2 : REPORT_RETRY_MOST;
        now = next;
    }
    assert_true(now == first + RETRY);
    assert_in_range(tries, 8, 16);
}

static const struct {
    unsigned tries;
    int64_t first, now, retry;
    bool ends;
} ends[] = {
    {1, ENDS, ENDS, 0, true},                                         /* no retries wanted */
    {1, ENDS, ENDS, 1, false},                                        /* a last one */
    {1000000, ENDS, ENDS, RETRY, false},                              /* no overflow */
    {0, ENDS, ENDS, RETRY, false},                                    /* not tried at all */
    {1, ENDS, ENDS + RETRY - 1, RETRY, false},                        /* the last second */
    {1, ENDS, ENDS + RETRY, RETRY, true},                             /* over */
    {1, ENDS + 52 * HOUR, ENDS + 52 * HOUR, RETRY, true},             /* the day closes */
    {1, ENDS + 100 * 24 * HOUR, ENDS + 100 * 24 * HOUR, RETRY, true}, /* has closed: by hand */
};

static void test_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        int64_t next = report_next_try(DAY, "example.com", CONTACT, ends[i].tries, ends[i].first, ends[i].now,
                                       ends[i].retry, report_day_closes(DAY, DELAY, RETRY));

        assert_int_equal(next == 0, ends[i].ends);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),    cmocka_unit_test(test_open),    cmocka_unit_test(test_spread),
        cmocka_unit_test(test_senders), cmocka_unit_test(test_retries), cmocka_unit_test(test_ends),
    };

    return cmocka_run_group_tests_name("report_schedule", tests, NULL, NULL);
}
