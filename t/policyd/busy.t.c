/* busy.t.c - the most asked names: exact while few, right about the large ones when many, and only of lately. */
#include "busy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void ask(struct busy *b, const char *name, size_t times, bool missed, int64_t now)
{
    for (size_t i = 0; i < times; i++)
        busy_add(b, name, strlen(name), missed, now);
}

/* "name asked/missed ..." */
static void expect(struct busy *b, size_t max, int64_t now, const char *want, int64_t want_seconds)
{
    struct busy_name top[2 * BUSY_NAMES];
    char text[2000] = "";
    int64_t seconds = 0;
    size_t count = busy_top(b, top, max, now, &seconds);

    for (size_t i = 0; i < count; i++) {
        char one[400];

        snprintf(one, sizeof(one), "%s%s %d/%d", i > 0 ? ", " : "", top[i].name, (int)top[i].asked, (int)top[i].missed);
        strncat(text, one, sizeof(text) - strlen(text) - 1);
    }
    assert_string_equal(text, want);
    assert_int_equal(seconds, want_seconds);
}

static void test_few(void **state)
{
    struct busy *b = busy_new();

    (void)state;
    expect(b, 10, 1000, "", 1);
    ask(b, "b.test", 1, true, 1000);
    ask(b, "a.test", 3, false, 1001);
    ask(b, "b.test", 2, false, 1004);
    ask(b, "c.test", 1, false, 1004);
    expect(b, 10, 1004, "a.test 3/0, b.test 3/1, c.test 1/0", 4);
    expect(b, 1, 1004, "a.test 3/0", 4);
    expect(b, 10, 1004, "a.test 3/0, b.test 3/1, c.test 1/0", 4); /* a look changes nothing */
    busy_free(b);
}

static void test_windows(void **state)
{
    struct busy *b = busy_new();

    (void)state;
    ask(b, "old.test", 5, false, 1000);
    ask(b, "both.test", 2, false, 1000);
    ask(b, "both.test", 2, true, 1010); /* the next window; the one before counts as well */
    expect(b, 10, 1015, "old.test 5/0, both.test 4/2", 15);
    expect(b, 10, 1020, "both.test 2/2", 10); /* and then no longer */
    expect(b, 10, 1040, "", 1);               /* nobody asks any more */
    ask(b, "x.test", 1, false, 900);          /* the clock was set back */
    expect(b, 10, 901, "x.test 1/0", 1);
    busy_free(b);
}

/* More names than there is room for: those asked for often stay, and none has more than it was asked for. */
static void test_many(void **state)
{
    struct busy *b = busy_new();
    struct busy_name top[10];
    int64_t seconds;
    size_t count;

    (void)state;
    for (size_t i = 0; i < 900; i++) {
        char name[40];

        snprintf(name, sizeof(name), "n%zu.test", i);
        ask(b, name, 1, true, 1000);
        if (i % 9 == 0)
            ask(b, "large.test", 1, false, 1000);
    }
    count = busy_top(b, top, 10, 1001, &seconds);
    assert_int_equal(count, 10);
    assert_string_equal(top[0].name, "large.test");
    assert_in_range(top[0].asked, 90, 100);
    assert_in_range(top[1].asked, 0, 1);
    busy_free(b);
}

/* Beyond BUSY_EXACT in a second it is an estimate, of the right size; and the next second is exact again. */
static void test_fast(void **state)
{
    struct busy *b = busy_new();
    struct busy_name top[2];
    int64_t seconds;

    (void)state;
    ask(b, "a.test", 100000, false, 1000);
    ask(b, "b.test", 10, false, 1001);
    assert_int_equal(busy_top(b, top, 2, 1002, &seconds), 2);
    assert_in_range(top[0].asked, 99000, 101000);
    assert_int_equal(top[1].asked, 10);
    busy_free(b);
}

static void test_long_name(void **state)
{
    struct busy *b = busy_new();
    char name[BUSY_NAME + 1] = "", want[BUSY_NAME + 8];

    (void)state;
    memset(name, 'a', BUSY_NAME);
    ask(b, name, 1, false, 1000); /* has no room */
    expect(b, 10, 1000, "", 1);
    name[BUSY_NAME - 1] = '\0';
    ask(b, name, 1, false, 1000);
    snprintf(want, sizeof(want), "%s 1/0", name);
    expect(b, 10, 1000, want, 1);
    busy_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few),  cmocka_unit_test(test_windows),   cmocka_unit_test(test_many),
        cmocka_unit_test(test_fast), cmocka_unit_test(test_long_name),
    };

    return cmocka_run_group_tests_name("busy", tests, NULL, NULL);
}
