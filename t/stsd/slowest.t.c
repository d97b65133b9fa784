/* slowest.t.c - the slowest of lately: who gets a place, and for how long. */
#include "slowest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect(const struct slowest *s, int64_t now, const char *want)
{
    struct slow list[SLOWEST_MAX];
    size_t count = slowest_list(s, list, now);
    char text[8000] = "";

    for (size_t i = 0; i < count; i++) {
        char one[400];

        snprintf(one, sizeof(one), "%s%s %d %s", i > 0 ? ", " : "", list[i].domain, (int)list[i].ms, list[i].end);
        strncat(text, one, sizeof(text) - strlen(text) - 1);
    }
    assert_string_equal(text, want);
}

static void test_order(void **state)
{
    struct slowest s = {.count = 0};

    (void)state;
    expect(&s, 1000, "");
    slowest_add(&s, "b.test", 20, "found", 1000);
    slowest_add(&s, "a.test", 10, "found", 1000);
    slowest_add(&s, "c.test", 10, "bad\033[2J\xff", 1001);
    expect(&s, 1001, "b.test 20 found, a.test 10 found, c.test 10 bad?[2J?");
    slowest_add(&s, "a.test", 30, "slower", 1002); /* one place for a domain: its slowest */
    slowest_add(&s, "b.test", 5, "faster", 1002);
    expect(&s, 1002, "a.test 30 slower, b.test 20 found, c.test 10 bad?[2J?");
    expect(&s, 1000 + SLOWEST_KEEP, "a.test 30 slower, c.test 10 bad?[2J?");
    slowest_add(&s, "b.test", 5, "again", 1000 + SLOWEST_KEEP); /* the slower one is over */
    expect(&s, 1001 + SLOWEST_KEEP, "a.test 30 slower, b.test 5 again");
    expect(&s, 900, ""); /* the clock was set back */
}

static void test_full(void **state)
{
    struct slowest s = {.count = 0};
    struct slow list[SLOWEST_MAX];
    char name[40];

    (void)state;
    for (int i = 0; i < 3 * SLOWEST_MAX; i++) {
        snprintf(name, sizeof(name), "n%d.test", i);
        slowest_add(&s, name, i, "found", 1000);
    }
    slowest_add(&s, "fast.test", 1, "found", 1000);
    assert_int_equal(slowest_list(&s, list, 1000), SLOWEST_MAX);
    assert_int_equal(list[0].ms, 3 * SLOWEST_MAX - 1);
    assert_int_equal(list[SLOWEST_MAX - 1].ms, 2 * SLOWEST_MAX);
    slowest_add(&s, "late.test", 1, "found", 1000 + SLOWEST_KEEP); /* the others are over */
    expect(&s, 1000 + SLOWEST_KEEP, "late.test 1 found");
}

static void test_long_end(void **state)
{
    struct slowest s = {.count = 0};
    struct slow list[SLOWEST_MAX];
    char end[200] = "";

    (void)state;
    memset(end, 'x', sizeof(end) - 1);
    slowest_add(&s, "a.test", 1, end, 1000);
    assert_int_equal(slowest_list(&s, list, 1000), 1);
    assert_int_equal(strlen(list[0].end), SLOWEST_END - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_long_end),
    };

    return cmocka_run_group_tests_name("slowest", tests, NULL, NULL);
}
