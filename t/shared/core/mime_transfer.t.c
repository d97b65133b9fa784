/* mime_transfer.t.c - tests of mime_transfer.c: RFC 2045 6, RFC 2047 4. */
#include "mime_transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S(s) s, sizeof(s) - 1

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(mime_transfer_find(S("")), MIME_TRANSFER_NONE);
    assert_int_equal(mime_transfer_find(S("7BIT")), MIME_TRANSFER_NONE);
    assert_int_equal(mime_transfer_find(S("8bit")), MIME_TRANSFER_NONE);
    assert_int_equal(mime_transfer_find(S("Binary")), MIME_TRANSFER_NONE);
    assert_int_equal(mime_transfer_find(S("Base64")), MIME_TRANSFER_BASE64);
    assert_int_equal(mime_transfer_find(S("Quoted-Printable")), MIME_TRANSFER_QUOTED);
    assert_int_equal(mime_transfer_find(S("x-uuencode")), MIME_TRANSFER_UNKNOWN);
    assert_int_equal(mime_transfer_find(S("base64x")), MIME_TRANSFER_UNKNOWN);
}

static const struct {
    enum mime_transfer transfer;
    const char *text;
    size_t len;
    const char *want;
    size_t want_len;
} rows[] = {
    {MIME_TRANSFER_NONE, S("a=20"), S("a=20")},
    {MIME_TRANSFER_UNKNOWN, S("a=20"), S("a=20")},
    {MIME_TRANSFER_BASE64, S(""), S("")},
    {MIME_TRANSFER_BASE64, S("Zg=="), S("f")},
    {MIME_TRANSFER_BASE64, S("Zm8="), S("fo")},
    {MIME_TRANSFER_BASE64, S("Zm9v"), S("foo")},
    {MIME_TRANSFER_BASE64, S("Zm9vYg=="), S("foob")},
    {MIME_TRANSFER_BASE64, S("Zm\r\n9v\r\n"), S("foo")},
    {MIME_TRANSFER_BASE64, S("Z!m-9_v"), S("foo")},
    {MIME_TRANSFER_BASE64, S("Zg"), S("f")},
    {MIME_TRANSFER_BASE64, S("Zm8"), S("fo")},
    {MIME_TRANSFER_BASE64, S("Zm9vY"), S("foo")},
    {MIME_TRANSFER_BASE64, S("Zg==Zm8=Zm9v"), S("ffofoo")},
    {MIME_TRANSFER_BASE64, S("===="), S("")},
    {MIME_TRANSFER_BASE64, S("/+8A"), S("\377\357\0")},
    {MIME_TRANSFER_QUOTED, S("a=3Db"), S("a=b")},
    {MIME_TRANSFER_QUOTED, S("a=3db=00"), S("a=b\0")},
    {MIME_TRANSFER_QUOTED, S("a=\r\nb=\nc"), S("abc")},
    {MIME_TRANSFER_QUOTED, S("a= \t\r\nb"), S("ab")},
    {MIME_TRANSFER_QUOTED, S("a \t\r\nb c \n"), S("a\r\nb c\n")},
    {MIME_TRANSFER_QUOTED, S("a  "), S("a")},
    {MIME_TRANSFER_QUOTED, S("a="), S("a")},
    {MIME_TRANSFER_QUOTED, S("a= "), S("a")},
    {MIME_TRANSFER_QUOTED, S("a=3"), S("a=3")},
    {MIME_TRANSFER_QUOTED, S("a=XYb="), S("a=XYb")},
    {MIME_TRANSFER_QUOTED, S("a= b"), S("a= b")},
    {MIME_TRANSFER_QUOTED, S("a_b"), S("a_b")},
    {MIME_TRANSFER_Q, S("a_b=5F"), S("a b_")},
    {MIME_TRANSFER_Q, S("a "), S("a ")},
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *copy = malloc(rows[i].len + (rows[i].len == 0));
        struct buf out;

        assert_non_null(copy);
        memcpy(copy, rows[i].text, rows[i].len);
        print_message("%zu: %s\n", i, rows[i].text);
        buf_init(&out, rows[i].len);
        mime_transfer_decode(&out, rows[i].transfer, copy, rows[i].len);
        assert_true(buf_ok(&out));
        assert_int_equal(out.len, rows[i].want_len);
        assert_memory_equal(buf_text(&out), rows[i].want, rows[i].want_len);
        buf_clear(&out);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_text)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
