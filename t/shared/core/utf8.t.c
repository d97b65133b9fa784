/* utf8.t.c - tests of utf8.c: RFC 3629. */
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S(s) s, sizeof(s) - 1

static void measures(void **state)
{
    static const struct {
        const char *name;
        const char *s;
        size_t len, want;
    } rows[] = {
        {"ASCII", S("a"), 1},
        {"NUL", S("\0"), 1},
        {"DEL", S("\x7f"), 1},
        {"first of two", S("\xc2\x80"), 2},
        {"last of two", S("\xdf\xbf"), 2},
        {"overlong two, C0", S("\xc0\x80"), 0},
        {"overlong two, C1", S("\xc1\xbf"), 0},
        {"first of three", S("\xe0\xa0\x80"), 3},
        {"overlong three", S("\xe0\x9f\xbf"), 0},
        {"before the surrogates", S("\xed\x9f\xbf"), 3},
        {"first surrogate", S("\xed\xa0\x80"), 0},
        {"last surrogate", S("\xed\xbf\xbf"), 0},
        {"after the surrogates", S("\xee\x80\x80"), 3},
        {"last of three", S("\xef\xbf\xbf"), 3},
        {"first of four", S("\xf0\x90\x80\x80"), 4},
        {"overlong four", S("\xf0\x8f\xbf\xbf"), 0},
        {"last of four", S("\xf4\x8f\xbf\xbf"), 4},
        {"beyond the last", S("\xf4\x90\x80\x80"), 0},
        {"lead F5", S("\xf5\x80\x80\x80"), 0},
        {"lead FF", S("\xff\x80\x80\x80"), 0},
        {"continuation alone", S("\x80"), 0},
        {"two cut short", S("\xc3"), 0},
        {"three cut short", S("\xe2\x82"), 0},
        {"four cut short", S("\xf0\x9f\x98"), 0},
        {"two, then ASCII",
         S("\xc3"
           "a"),
         0},
        {"two, then another lead", S("\xc3\xc3"), 0},
        {"three, broken third",
         S("\xe2\x82"
           "a"),
         0},
        {"four, broken fourth", S("\xf0\x9f\x98\xc0"), 0},
        {"three with more after",
         S("\xe2\x82\xac"
           "abc"),
         3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *copy = malloc(rows[i].len);
        print_message("%s\n", rows[i].name);
        assert_non_null(copy);
        memcpy(copy, rows[i].s, rows[i].len);
        assert_int_equal(utf8_measure(copy, rows[i].len), rows[i].want);
        free(copy);
    }
}

static void codes(void **state)
{
    static const struct {
        uint32_t code;
        const char *text; /* "": none */
    } rows[] = {
        {0x41, "A"},
        {0x7f, "\x7f"},
        {0x80, "\xc2\x80"},
        {0x7ff, "\xdf\xbf"},
        {0x800, "\xe0\xa0\x80"},
        {0xd7ff, "\xed\x9f\xbf"},
        {0xd800, ""},
        {0xdfff, ""},
        {0xe000, "\xee\x80\x80"},
        {0xffff, "\xef\xbf\xbf"},
        {0x10000, "\xf0\x90\x80\x80"},
        {0x10ffff, "\xf4\x8f\xbf\xbf"},
        {0x110000, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].text);
        char out[UTF8_MAX];

        assert_int_equal(utf8_write(out, rows[i].code), len);
        assert_memory_equal(out, rows[i].text, len);
        if (len > 0)
            assert_int_equal(utf8_code(rows[i].text, len), rows[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(measures), cmocka_unit_test(codes)};
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
