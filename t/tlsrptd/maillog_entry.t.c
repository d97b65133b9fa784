/* maillog_entry.t.c - tests of maillog_entry.c and maillog_time.c: lines of log files, and their times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "maillog.h"

#define P " mta postfix/smtp[4711]: text"

static const struct row {
    const char *zone;
    int64_t now;
    const char *line;
    int64_t want; /* -1: no line that matters */
} rows[] = {
    /* RFC 3339 */
    {"UTC", 0, "2026-11-22T15:04:05+00:00" P, 1795359845},
    {"Asia/Tokyo", 0, "2026-11-22T15:04:05.123456+01:00" P, 1795356245},
    {"UTC", 0, "2026-11-22T15:04:05.9-05:30" P, 1795379645},
    {"UTC", 0, "2026-11-22T15:04:05Z" P, 1795359845},
    {"UTC", 0, "2028-02-29T00:00:00Z" P, 1835395200},
    {"UTC", 0, "2026-12-31T23:59:60Z" P, 1798761600},
    {"UTC", 0, "2026-13-22T15:04:05Z" P, -1},
    {"UTC", 0, "2026-00-22T15:04:05Z" P, -1},
    {"UTC", 0, "2026-11-32T15:04:05Z" P, -1},
    {"UTC", 0, "2026-11-22T24:04:05Z" P, -1},
    {"UTC", 0, "2026-11-22T15:60:05Z" P, -1},
    {"UTC", 0, "2026-11-22T15:04:05" P, -1},
    {"UTC", 0, "2026-11-22T15:04:05+1:00" P, -1},
    {"UTC", 0, "2026-11-22 15:04:05Z" P, -1},
    {"UTC", 0, "2026-11-22T15:04:05Zx" P, -1},
    {"UTC", 0, "1969-11-22T15:04:05Z" P, -1},
    /* traditional: local, and the nearest year */
    {"UTC", 1795359845, "Nov 22 15:04:05" P, 1795359845},
    {"UTC", 1795359845, "Nov  2 15:04:05" P, 1793631845},
    {"UTC", 1795359845, "Nov 02 15:04:05" P, 1793631845},
    {"Europe/Berlin", 1795359845, "Nov 22 16:04:05" P, 1795359845},
    {"America/New_York", 1795359845, "Nov 22 10:04:05" P, 1795359845},
    {"UTC", 1798761600, "Dec 31 23:59:59" P, 1798761599}, /* 2027-01-01 00:00:00 */
    {"UTC", 1798761599, "Jan  1 00:00:01" P, 1798761601}, /* a clock that is ahead */
    {"UTC", 1798761600, "Jan  1 00:00:00" P, 1798761600},
    {"UTC", 1835481600, "Feb 29 12:00:00" P, 1835438400}, /* 2028-03-01 */
    {"UTC", 1867190400, "Feb 29 12:00:00" P, 1835438400}, /* 2029-03-03: the leap day of the year before */
    {"UTC", 1803902400, "Feb 29 12:00:00" P, 1835438400}, /* 2027-03-01: that of the year to come */
    {"UTC", 1772366400, "Feb 29 12:00:00" P, -1},         /* 2026-03-01: no leap day near */
    {"UTC", 1795359845, "Feb 30 12:00:00" P, -1},
    {"UTC", 1795359845, "Apr 31 12:00:00" P, -1},
    {"UTC", 1795359845, "Nov 0 15:04:05" P, -1},
    {"UTC", 1795359845, "Nov 22 15:04:5" P, -1},
    {"UTC", 1795359845, "Nix 22 15:04:05" P, -1},
    {"UTC", 1795359845, "Nov 22 25:04:05" P, -1},
    {"UTC", 1795359845, "Nov 22 15:04:05x mta postfix/smtp[4711]: text", -1},
    {"Europe/Berlin", 1806220800, "Mar 28 01:59:59" P, 1806195599}, /* 2027: the clocks go from 2 to 3 */
    {"Europe/Berlin", 1806220800, "Mar 28 03:00:00" P, 1806195600},
    {"Europe/Berlin", 1824364800, "Oct 31 01:59:59" P, 1824940799}, /* 2027: and back from 3 to 2 */
    {"Europe/Berlin", 1824364800, "Oct 31 03:00:00" P, 1824948000},
    /* what is no line of a program that matters */
    {"UTC", 1795359845, "Nov 22 15:04:05 mta postfix/smtpd[4711]: text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta postfix/qmgr[4711]: text", 1795359845},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta postfix/relay/smtp[4711]: text", 1795359845},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta smtp[4711]: text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta /smtp[4711]: text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta kernel: postfix/smtp[4711]: text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta postfix/smtp: text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta postfix/smtp[]: text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta postfix/smtp[47x1]: text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta postfix/smtp[99999999]: text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta postfix/smtp[4711] text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05  postfix/smtp[4711]: text", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05 mta", -1},
    {"UTC", 1795359845, "Nov 22 15:04:05", -1},
    {"UTC", 1795359845, "2026", -1},
    {"UTC", 1795359845, "", -1},
};

static void test_lines(void **state)
{
    struct maillog_entry entry;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].line);
        char *line = malloc(len == 0 ? 1 : len); /* no octet more, so that reading past the end is seen */
        bool read;

        assert_non_null(line);
        memcpy(line, rows[i].line, len);
        setenv("TZ", rows[i].zone, 1);
        tzset();
        read = maillog_entry_read(&entry, line, len, rows[i].now);
        if (read != (rows[i].want >= 0) || (read && entry.at != rows[i].want))
            fail_msg("%s in %s: %s, %lld", rows[i].line, rows[i].zone, read ? "read" : "not read",
                     read ? (long long)entry.at : 0);
        if (read) {
            assert_memory_equal(entry.text, "text", entry.text_len);
            assert_int_equal(entry.text_len, 4);
            assert_int_equal(entry.pid, 4711);
            assert_memory_equal(entry.ident, "postfix/", 8);
        }
        free(line);
    }
}

/* Each minute of a year in a zone that changes its clocks is read as that minute, or the one that has the same name. */
static void test_a_year_of_local_time(void **state)
{
    struct maillog_entry entry;
    char line[100];
    struct tm t;

    (void)state;
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    for (time_t at = 1798761600; at < 1798761600 + 366 * 86400; at += 3540) {
        assert_non_null(localtime_r(&at, &t));
        assert_true(strftime(line, sizeof(line), "%b %e %H:%M:%S" P, &t) > 0);
        assert_true(maillog_entry_read(&entry, line, strlen(line), at + 3600));
        assert_true(entry.at == at || llabs(entry.at - at) == 3600);
    }
}

static void test_idents(void **state)
{
    (void)state;
    assert_true(maillog_ident_wanted("postfix/smtp", 12));
    assert_true(maillog_ident_wanted("postfix/qmgr", 12));
    assert_true(maillog_ident_wanted("postfix/bounce", 14)); /* W11 */
    assert_false(maillog_ident_wanted("postfix/smtpd", 13));
    assert_false(maillog_ident_wanted("/smtp", 5));
    assert_false(maillog_ident_wanted("smtp", 4));
    assert_false(maillog_ident_wanted("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_a_year_of_local_time),
        cmocka_unit_test(test_idents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
