/* log_position.t.c - tests of log_position.c. */
#include "log_position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const char *const good[] = {
    "",
    "file 1 0 0 0 0000000000000000 0",
    "file 1 2049 131 7340032 0123456789abcdef 1795305600123456789",
    "file 1 18446744073709551615 18446744073709551615 9223372036854775807 ffffffffffffffff 9223372036854775807",
    "journal 1 s=273c2181eb3c46b191e9611c8fe15a53;i=1;b=0123456789abcdef0123456789abcdef;m=f4240;t=60a24181e4000;x=65",
    "journal 1 x",
};

static const char *const bad[] = {
    " ",
    "file",
    "file 1",
    "file 1 ",
    "file 2 1 2 3 0123456789abcdef 4",
    "file 1 1 2 3 0123456789abcdef",
    "file 1 1 2 3 0123456789abcdef ",
    "file 1 1 2 3 0123456789abcdef 4 ",
    "file 1 1 2 3 0123456789abcdef 4 5",
    "file 1 1 2 3 0123456789abcdef 4\n",
    "file 1 1 2 3 0123456789abcde 4",
    "file 1 1 2 3 0123456789abcdefa 4",
    "file 1 1 2 3 0123456789abcdeg 4",
    "file 1 1 2 -3 0123456789abcdef 4",
    "file 1  1 2 3 0123456789abcdef 4",
    "file 1 1 2 9223372036854775808 0123456789abcdef 4",
    "file 1 18446744073709551616 2 3 0123456789abcdef 4",
    "file 1 1 2 3 0123456789abcdef 9223372036854775808",
    "file 1 1x 2 3 0123456789abcdef 4",
    "journal 1 ",
    "journal 1 a b",
    "journal 1 a\n",
    "journal 1 \303\244",
    "journal 2 x",
    "Journal 1 x",
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char text[LOG_POSITION_MAX + 1];
        struct log_position p;

        assert_int_equal(log_position_read(&p, good[i], NULL), 0);
        log_position_write(text, &p);
        assert_string_equal(text, good[i]);
    }
}

static void test_fields(void **state)
{
    struct log_position p;

    (void)state;
    assert_int_equal(log_position_read(&p, good[2], NULL), 0);
    assert_int_equal(p.kind, LOG_POSITION_FILE);
    assert_int_equal(p.device, 2049);
    assert_int_equal(p.inode, 131);
    assert_int_equal(p.offset, 7340032);
    assert_int_equal(p.fingerprint, 0x0123456789abcdef);
    assert_int_equal(p.changed, 1795305600123456789);
    assert_int_equal(log_position_read(&p, "journal 1 s=1;i=2", NULL), 0);
    assert_int_equal(p.kind, LOG_POSITION_JOURNAL);
    assert_string_equal(p.cursor, "s=1;i=2");
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct log_position p = {.offset = 77};
        struct err e = {""};

        assert_int_equal(log_position_read(&p, bad[i], &e), -1);
        assert_true(e.text[0] != '\0');
        assert_int_equal(p.offset, 77);
    }
}

static void test_longest_cursor(void **state)
{
    char text[LOG_POSITION_MAX + 1] = "journal 1 ", again[LOG_POSITION_MAX + 1];
    size_t len = strlen(text);
    struct log_position p;

    (void)state;
    memset(text + len, 'x', LOG_CURSOR_MAX);
    text[len + LOG_CURSOR_MAX] = '\0';
    assert_int_equal(log_position_read(&p, text, NULL), 0);
    log_position_write(again, &p);
    assert_string_equal(again, text);
    strcat(text, "x");
    assert_int_equal(log_position_read(&p, text, NULL), -1);
}

static void test_fingerprint(void **state)
{
    (void)state;
    assert_int_equal(log_fingerprint("abc", 3), log_fingerprint("abc", 3));
    assert_int_not_equal(log_fingerprint("abc", 3), log_fingerprint("abd", 3));
    assert_int_not_equal(log_fingerprint("abc", 3), log_fingerprint("abc", 2));
    assert_int_not_equal(log_fingerprint("", 0), log_fingerprint("\0", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),           cmocka_unit_test(test_fields),      cmocka_unit_test(test_bad),
        cmocka_unit_test(test_longest_cursor), cmocka_unit_test(test_fingerprint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
