/* mime_charset.t.c - tests of mime_charset.c. */
#include "mime_charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S(s)   s, sizeof(s) - 1
#define BEYOND "\357\277\275" /* U+FFFD */

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(mime_charset_find(S("UTF-8")), MIME_CHARSET_UTF8);
    assert_int_equal(mime_charset_find(S("us-ascii")), MIME_CHARSET_UTF8);
    assert_int_equal(mime_charset_find(S("ISO-8859-1")), MIME_CHARSET_WINDOWS_1252);
    assert_int_equal(mime_charset_find(S("Windows-1252")), MIME_CHARSET_WINDOWS_1252);
    assert_int_equal(mime_charset_find(S("iso-8859-15")), MIME_CHARSET_ISO_8859_15);
    assert_int_equal(mime_charset_find(S("unknown-8bit")), MIME_CHARSET_UTF8);
    assert_int_equal(mime_charset_find(S("utf-16")), MIME_CHARSET_UNKNOWN);
    assert_int_equal(mime_charset_find(S("")), MIME_CHARSET_UNKNOWN);
}

static const struct {
    enum mime_charset charset;
    const char *octets;
    size_t len;
    const char *want;
} rows[] = {
    {MIME_CHARSET_UTF8, S(""), ""},
    {MIME_CHARSET_UTF8, S("a\303\274\342\202\254\360\237\230\200z"), "a\303\274\342\202\254\360\237\230\200z"},
    {MIME_CHARSET_UTF8, S("a\0b"), "a" BEYOND "b"},
    {MIME_CHARSET_UTF8, S("a\r\nb\r\r\n\rc\r"), "a\nb\r\n\rc\r"},
    {MIME_CHARSET_UTF8, S("gr\374n"), "gr\303\274n"},
    {MIME_CHARSET_UTF8, S("\300\257"), "\303\200\302\257"},
    {MIME_CHARSET_UTF8, S("\355\240\200"), "\303\255\302\240\342\202\254"},
    {MIME_CHARSET_UTF8, S("\303"), "\303\203"},
    {MIME_CHARSET_UNKNOWN, S("\303\274\374"), "\303\274\303\274"},
    {MIME_CHARSET_WINDOWS_1252, S("\303\274"), "\303\203\302\274"},
    {MIME_CHARSET_WINDOWS_1252, S("\200\201\237\240\377"), "\342\202\254" BEYOND "\305\270\302\240\303\277"},
    {MIME_CHARSET_WINDOWS_1252, S("\0\r\n"), BEYOND "\n"},
    {MIME_CHARSET_ISO_8859_15, S("\244\246\250\264\270\274\275\276\245"),
     "\342\202\254\305\240\305\241\305\275\305\276\305\222\305\223\305\270\302\245"},
    {MIME_CHARSET_ISO_8859_15, S("\200a"), BEYOND "a"},
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t want = strlen(rows[i].want);
        char *copy = malloc(rows[i].len + 1);
        struct buf out;

        assert_non_null(copy);
        memcpy(copy, rows[i].octets, rows[i].len);
        print_message("%zu: %s\n", i, rows[i].want);
        buf_init(&out, want);
        mime_charset_to_utf8(&out, rows[i].charset, copy, rows[i].len);
        assert_true(buf_ok(&out));
        assert_string_equal(buf_text(&out), rows[i].want);
        buf_clear(&out);
        free(copy);
    }
}

/* At every limit, whole characters. */
static void test_full(void **state)
{
    static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

    (void)state;
    for (size_t max = 0; max < sizeof(kept) / sizeof(kept[0]); max++) {
        struct buf out;

        buf_init(&out, max);
        mime_charset_to_utf8(&out, MIME_CHARSET_UTF8, S("a\303\274\342\202\254\360\237\230\200z"));
        assert_int_equal(out.len, kept[max]);
        assert_int_equal(buf_ok(&out), max == 11);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_text),
                                       cmocka_unit_test(test_full)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
