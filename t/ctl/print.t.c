/* print.t.c - foreign text, widths, times. */
#include "print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DAY INT64_C(86400)

struct text_case {
    const char *name, *in;
    size_t len;
    const char *out;
    size_t width;
};

#define TEXT(name, in, out, width)           \
    {                                        \
        name, in, sizeof(in) - 1, out, width \
    }

static const struct text_case texts[] = {
    TEXT("empty", "", "", 0),
    TEXT("plain", "v=STSv1; id=1\\x", "v=STSv1; id=1\\x", 15),
    TEXT("escape sequence", "\033[2J", "\\x1b[2J", 7),
    TEXT("line ends and TAB", "a\r\n\tb", "a\\x0d\\x0a\\x09b", 14),
    TEXT("NUL and DEL", "a\0b\177", "a\\x00b\\x7f", 10),
    TEXT("two octets",
         "b\xc3\xbc"
         "cher",
         "b\xc3\xbc"
         "cher",
         6),
    TEXT("combining mark", "u\xcc\x88", "u\xcc\x88", 1),
    TEXT("wide", "\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac", 4),
    TEXT("four octets", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 2),
    TEXT("C1 control in UTF-8",
         "\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m", 11),
    TEXT("C1 control alone",
         "\x9b"
         "31m",
         "\\x9b31m", 7),
    TEXT("cut short", "a\xe6\x97", "a\\xe6\\x97", 9),
    TEXT("overlong", "\xc0\xaf", "\\xc0\\xaf", 8),
    TEXT("surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80", 12),
    TEXT("right-to-left override",
         "a\xe2\x80\xae"
         "b",
         "a\\xe2\\x80\\xae"
         "b",
         14),
    TEXT("line separator", "\xe2\x80\xa8", "\\xe2\\x80\\xa8", 12),
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct text_case *c = &texts[i];
        struct buf out;

        print_message("%s\n", c->name);
        buf_init(&out, 1000);
        print_text(&out, c->in, c->len);
        assert_true(buf_ok(&out));
        assert_string_equal(buf_text(&out), c->out);
        assert_int_equal(print_width(buf_text(&out), out.len), c->width);
        buf_clear(&out);
    }
}

/* Whatever the octets, what comes out is of the allowed set and stays as it is a second time. */
static void test_text_any_pair(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 65536; pair++) {
        char in[2] = {(char)(pair >> 8), (char)(pair & 0xff)};
        struct buf once, twice;

        buf_init(&once, 100);
        buf_init(&twice, 100);
        print_text(&once, in, 2);
        print_text(&twice, buf_text(&once), once.len);
        assert_string_equal(buf_text(&once), buf_text(&twice));
        for (size_t i = 0; i < once.len; i++)
            assert_true((unsigned char)once.data[i] >= 0x20 && once.data[i] != 0x7f);
        buf_clear(&once);
        buf_clear(&twice);
    }
}

static void test_text_limit_sticks(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 5);
    print_text(&out, "ab\001", 3);
    assert_false(buf_ok(&out));
    buf_clear(&out);
}

static const struct {
    int64_t seconds;
    const char *out;
} spans[] = {
    {-5, "0 s"},           {0, "0 s"},
    {59, "59 s"},          {60, "1 m"},
    {3599, "59 m"},        {3600, "1 h"},
    {2 * DAY - 1, "47 h"}, {2 * DAY, "2 d"},
    {31557600, "365 d"},   {INT64_MAX, "106751991167300 d"},
};

static void test_span(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        struct buf out;

        buf_init(&out, 100);
        print_span(&out, spans[i].seconds);
        assert_string_equal(buf_text(&out), spans[i].out);
        buf_clear(&out);
    }
}

static const struct {
    int64_t when, now;
    const char *out;
} times[] = {
    {1763748000, 1763748000, "2025-11-21T18:00:00Z (now)"},
    {1763748000, 1763747100, "2025-11-21T18:00:00Z (in 15 m)"},
    {1763748000, 1763758800, "2025-11-21T18:00:00Z (3 h ago)"},
    {0, 1, "1970-01-01T00:00:00Z (1 s ago)"},
    {INT64_C(253402300799), 0, "9999-12-31T23:59:59Z (in 2932896 d)"},
    {INT64_C(253402300800), 0, "253402300800 (in 2932897 d)"},
    {-1, 0, "-1 (1 s ago)"},
    {INT64_MAX, INT64_MIN, "9223372036854775807 (in 106751991167300 d)"},
    {INT64_MIN, INT64_MAX, "-9223372036854775808 (106751991167300 d ago)"},
};

static void test_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct buf out;

        buf_init(&out, 100);
        print_time(&out, times[i].when, times[i].now);
        assert_string_equal(buf_text(&out), times[i].out);
        buf_clear(&out);
    }
}

static void test_tint(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    print_tinted(&out, "a", TINT_BAD, false);
    print_tinted(&out, "b", TINT_NONE, true);
    print_tinted(&out, "c", TINT_GOOD, true);
    assert_string_equal(buf_text(&out), "ab\033[32mc\033[0m");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text), cmocka_unit_test(test_text_any_pair), cmocka_unit_test(test_text_limit_sticks),
        cmocka_unit_test(test_span), cmocka_unit_test(test_time),          cmocka_unit_test(test_tint),
    };
    return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
