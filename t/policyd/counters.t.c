/* counters.t.c - tests of counters.c: the names of what is counted by kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counters.h"

#include <stdio.h>
#include <string.h>

static void assert_name(enum counter which, const char *family, const char *kind)
{
    char want[100];

    (void)snprintf(want, sizeof(want), "postern_policyd_%s=\"%s\"}", family, kind);
    assert_string_equal(counters[which].name, want);
}

static void test_names(void **state)
{
    (void)state;
    for (enum counter i = 0; i < COUNTERS; i++) {
        if (i > HISTOGRAM_LOOKUP && i <= HISTOGRAM_LOOKUP_LAST)
            continue;
        assert_non_null(counters[i].name);
        assert_true((counters[i].help == NULL) == (counters[i].type == NULL));
        assert_true(strchr(counters[i].name, '{') != NULL || counters[i].help != NULL);
    }
    for (enum tls_level level = LEVEL_DEFAULT; level <= LEVEL_DANE_ONLY; level++)
        assert_name(COUNT_LEVEL + level, "answers_total{level", tls_level_name(level));
    assert_name(COUNT_LEVEL_TEMP, "answers_total{level", "temp");
    for (enum decide_by by = 0; by < DECIDE_BYS; by++)
        assert_name(COUNT_BY + by, "decisions_total{reason", decide_by_name(by));
    for (enum list_id list = 0; list < LISTS; list++) {
        assert_name(GAUGE_LISTS + list, "list_entries{list", list_name(list));
        assert_name(GAUGE_LISTS + LISTS + list, "list_bad_entries{list", list_name(list));
    }
}

static void test_answers(void **state)
{
    const struct answer secure = {.level = LEVEL_SECURE, .by = DECIDE_BY_STS};
    const struct answer temp = {.level = LEVEL_DEFAULT, .by = DECIDE_TEMP_MX};

    (void)state;
    count_answer(&secure);
    count_answer(&secure);
    count_answer(&temp);
    assert_int_equal(counters[COUNT_LEVEL + LEVEL_SECURE].value, 2);
    assert_int_equal(counters[COUNT_BY + DECIDE_BY_STS].value, 2);
    assert_int_equal(counters[COUNT_LEVEL + LEVEL_DEFAULT].value, 0);
    assert_int_equal(counters[COUNT_LEVEL_TEMP].value, 1);
    assert_int_equal(counters[COUNT_BY + DECIDE_TEMP_MX].value, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_answers)};

    return cmocka_run_group_tests_name("policyd counters", tests, NULL, NULL);
}
