/* counters.t.c - tests of counters.c: the names of what is counted by reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counters.h"

#include <stdio.h>
#include <string.h>

static void assert_counts(enum counter which, const char *family, const char *kind)
{
    char want[100];

    (void)snprintf(want, sizeof(want), "postern_milter_%s=\"%s\"}", family, kind);
    assert_string_equal(counters[which].name, want);
}

static void test_names(void **state)
{
    (void)state;
    for (enum counter i = 0; i < COUNTERS; i++) {
        assert_non_null(counters[i].name);
        assert_true((counters[i].help == NULL) == (counters[i].type == NULL));
        assert_true(strchr(counters[i].name, '{') != NULL || counters[i].help != NULL);
    }
    for (enum list_id list = 0; list < LISTS; list++) {
        assert_counts(GAUGE_LISTS + list, "list_entries{list", list_name(list));
        assert_counts(GAUGE_LISTS + LISTS + list, "list_bad_entries{list", list_name(list));
    }
}

static void test_reasons(void **state)
{
    (void)state;
    for (enum flag_why why = FLAG_BY_TAG; why <= FLAG_BY_RULE; why++) {
        enum counter which = COUNT_REQUIRED + why - FLAG_BY_TAG;

        count_required(why);
        assert_int_equal(counters[which].value, 1);
        assert_counts(which, "requiretls_messages_total{reason", flag_why_name(why));
    }
    for (enum flag_why why = FLAG_BY_RULE; why <= FLAG_BY_HEADER; why++) {
        enum counter which = COUNT_OPTIONAL + why - FLAG_BY_RULE;

        count_optional(why);
        assert_int_equal(counters[which].value, 1);
        assert_counts(which, "tls_optional_messages_total{reason", flag_why_name(why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_reasons)};

    return cmocka_run_group_tests_name("milter counters", tests, NULL, NULL);
}
