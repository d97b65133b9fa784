/* err.t.c - tests of err.c. */
#include "err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void sets_and_returns_minus_one(void **state)
{
    struct err e = {""};

    (void)state;
    assert_int_equal(err_set(&e, "line %d: %s", 7, "odd"), -1);
    assert_string_equal(e.text, "line 7: odd");
    assert_int_equal(err_set(NULL, "nobody listens %d", 1), -1);
    assert_int_equal(err_prefix(NULL, "nobody"), -1);
}

static void cuts_long_sentences(void **state)
{
    char foreign[ERR_MAX * 2];
    struct err e;

    (void)state;
    memset(foreign, 'x', sizeof(foreign) - 1);
    foreign[sizeof(foreign) - 1] = '\0';
    assert_int_equal(err_set(&e, "%s", foreign), -1);
    assert_int_equal(strlen(e.text), ERR_MAX - 1);
    assert_int_equal(err_prefix(&e, "file"), -1);
    assert_int_equal(strlen(e.text), ERR_MAX - 1);
    assert_memory_equal(e.text, "file: xxx", 9);
    assert_int_equal(err_prefix(&e, "%s", foreign), -1);
    assert_int_equal(strlen(e.text), ERR_MAX - 1);
}

static void masks_controls(void **state)
{
    struct err e;

    (void)state;
    err_set(&e, "got %s", "a\nb\r\tc\033[1m\177\001");
    assert_string_equal(e.text, "got a?b??c?[1m??");
    err_prefix(&e, "%s", "p\n");
    assert_string_equal(e.text, "p?: got a?b??c?[1m??");
    err_set(&e, "%s",
            "b\xc3\xbc"
            "cher");
    assert_string_equal(e.text, "b\xc3\xbc"
                                "cher");
}

static void prefixes(void **state)
{
    struct err e = {""};

    (void)state;
    assert_int_equal(err_prefix(&e, "%s", "postern.conf"), -1);
    assert_string_equal(e.text, "postern.conf");
    err_set(&e, "unknown key");
    assert_int_equal(err_prefix(&e, "%s:%d", "postern.conf", 3), -1);
    assert_string_equal(e.text, "postern.conf:3: unknown key");
}

/* The old sentence may be part of the new one. */
static void takes_its_own_text(void **state)
{
    struct err e;

    (void)state;
    err_set(&e, "inner");
    err_set(&e, "outer (%s)", e.text);
    assert_string_equal(e.text, "outer (inner)");
    err_prefix(&e, "again %s", e.text);
    assert_string_equal(e.text, "again outer (inner): outer (inner)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_and_returns_minus_one),
        cmocka_unit_test(cuts_long_sentences),
        cmocka_unit_test(masks_controls),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(takes_its_own_text),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
