/* header_field.t.c - tests of header_field.c: RFC 5322, RFC 2047. */
#include "header_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S(s) s, sizeof(s) - 1

/* What a function appends, for octets that end where memory does. */
static void check(void (*f)(struct buf *, const char *, size_t), const char *value, size_t len, const char *want)
{
    char *copy = malloc(len + (len == 0));
    struct buf out;

    assert_non_null(copy);
    memcpy(copy, value, len);
    buf_init(&out, 1000);
    buf_str(&out, "x");
    print_message("%s\n", value);
    f(&out, copy, len);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out) + 1, want);
    assert_int_equal(out.len, strlen(want) + 1);
    buf_clear(&out);
    free(copy);
}

static const struct {
    const char *block;
    size_t len;
    const char *fields; /* NAME=VALUE| of each */
    size_t end;
} blocks[] = {
    {S(""), "", 0},
    {S("\r\n"), "", 2},
    {S("\n"), "", 1},
    {S("A: b\r\n\r\nbody"), "A= b|", 8},
    {S("A: b\nB:c\n\nbody"), "A= b|B=c|", 10},
    {S("A: b"), "A= b|", 4},
    {S("A: b\r"), "A= b|", 5},
    {S("A:\r\n b\r\n\tc\r\nB: d\r\n"), "A=\r\n b\r\n\tc|B= d|", 18},
    {S("A: b\r\n \r\nB: c\r\n"), "A= b\r\n |B= c|", 15},
    {S("A : b\r\n"), "A= b|", 7},
    {S("A:\r\n"), "A=|", 4},
    {S("A:"), "A=|", 2},
    {S("A: b\r\nno field\r\n"), "A= b|", 6},
    {S("A: b\r\n: c\r\n"), "A= b|", 6},
    {S(" A: b\r\n"), "", 0},
    {S("A\0: b\r\n"), "", 0},
    {S("\r"), "", 0},
};

static void test_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        char *copy = malloc(blocks[i].len + 1);
        struct header_field f;
        struct buf all;
        size_t pos = 0;

        assert_non_null(copy);
        memcpy(copy, blocks[i].block, blocks[i].len);
        buf_init(&all, 100);
        print_message("%s\n", blocks[i].block);
        while (header_field_next(&f, &pos, copy, blocks[i].len) == 1)
            buf_printf(&all, "%.*s=%.*s|", (int)f.name_len, f.name, (int)f.value_len, f.value);
        assert_string_equal(buf_text(&all), blocks[i].fields);
        assert_int_equal(pos, blocks[i].end);
        buf_clear(&all);
        free(copy);
    }
}

static void test_name(void **state)
{
    struct header_field f = {"subject", 7, "", 0};

    (void)state;
    assert_true(header_field_is(&f, "Subject"));
    assert_false(header_field_is(&f, "Subjec"));
    assert_false(header_field_is(&f, "Subjects"));
}

static const struct {
    const char *value;
    size_t len;
    const char *want;
} unfolded[] = {
    {S(""), ""},
    {S("a"), "a"},
    {S("  a b\t"), "a b"},
    {S(" a\r\n b\n\tc"), "a b\tc"},
    {S("\r\n \r\n a"), "a"},
    {S("a\r\n"), "a"},
    {S("a\nb"), "a b"},
    {S("a\r\r\r\nb"), "a b"},
    {S("a\rb\r c"), "a b c"},
    {S("a\0b"), "a b"},
    {S("\0\0"), ""},
};

static void test_unfold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(unfolded) / sizeof(unfolded[0]); i++)
        check(header_unfold, unfolded[i].value, unfolded[i].len, unfolded[i].want);
}

static const struct {
    const char *value, *want; /* NULL: refused */
} uncommented[] = {
    {"No", "No"},
    {" (a) No (b)", "No"},
    {"(a)(b)No(c(d)e)", "No"},
    {"a(x)b", "a b"},
    {"a (x) b", "a   b"},
    {"(a\r\n b) No", "No"},
    {"(a\\) b) No", "No"},
    {"(a \"b) No", "No"},
    {"\"(a)\"", "\"(a)\""},
    {"\"a\\\"(b)\"", "\"a\\\"(b)\""},
    {"a)", "a)"},
    {"a\\(b)", "a\\"},
    {"(a", NULL},
    {"a ((b)", NULL},
    {"\"a", NULL},
    {"\"a\\\"", NULL},
};

static void test_uncomment(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(uncommented) / sizeof(uncommented[0]); i++) {
        const char *value = uncommented[i].value, *want = uncommented[i].want;
        struct buf out;

        print_message("%s\n", value);
        buf_init(&out, 100);
        buf_str(&out, "x ");
        assert_int_equal(header_uncomment(&out, value, strlen(value)), want == NULL ? -1 : 0);
        assert_string_equal(buf_text(&out) + 2, want == NULL ? "" : want);
        buf_clear(&out);
    }
}

static const struct {
    const char *value;
    size_t len;
    const char *want;
} decoded[] = {
    {S("plain"), "plain"},
    {S("=?utf-8?Q?Gr=C3=BC=C3=9Fe?="), "Gr\303\274\303\237e"},
    {S("=?UTF-8?b?R3LDvMOfZQ==?="), "Gr\303\274\303\237e"},
    {S("=?iso-8859-1?q?a_b=3F=5F?= c"), "a b?_ c"},
    {S("=?iso-8859-15*de?q?=A4?="), "\342\202\254"},
    {S("=?windows-1252?q?=80?="), "\342\202\254"},
    {S("=?us-ascii?q?a?= =?us-ascii?q?b?="), "ab"},
    {S("=?us-ascii?q?a?=\r\n =?iso-8859-1?q?=FC?=\t\r\n =?utf-8?q?c?="), "a\303\274c"},
    {S("=?us-ascii?q?a?= b =?us-ascii?q?c?="), "a b c"},
    {S("=?us-ascii?q?a?= =?us-ascii?q?b"), "a =?us-ascii?q?b"},
    {S("=?utf-8?b?w7w=?=x=?utf-8?b?w7w=?="), "\303\274x\303\274"},
    {S("=?utf-8?b?ww==?= =?utf-8?b?vA==?="), "\303\274"},            /* a character cut in two */
    {S("=?iso-8859-1?q?=C3?= =?utf-8?q?=BC?="), "\303\203\302\274"}, /* two charsets: no character */
    {S("Re: [=?utf-8?q?x?=] (=?utf-8?q?y?=)"), "Re: [x] (y)"},
    {S("=?utf-8?q?a b?="), "a b"},
    {S("=?utf-8?q?\?="), ""},
    {S("=?utf-8?q?a=00b?="), "a\357\277\275b"},
    {S("=?koi8-r?q?a=C1?="), "a\303\201"}, /* unknown: the ASCII in it is there */
    {S("=?\?q?a?="), "=?\?q?a?="},
    {S("=?utf-8?x?a?="), "=?utf-8?x?a?="},
    {S("=?utf-8?q?a?"), "=?utf-8?q?a?"},
    {S("=?utf-8?q?a"), "=?utf-8?q?a"},
    {S("=?utf-8?q?"), "=?utf-8?q?"},
    {S("=?utf-8?"), "=?utf-8?"},
    {S("=?"), "=?"},
    {S("="), "="},
    {S("=?=?utf-8?q?a?="), "=?a"},
    {S("=?=?=?=?"), "=?=?=?=?"},
    {S("a\0b"), "a b"},
    {S("gr\303\274n"), "gr\303\274n"},
    {S("gr\374n"), "gr\303\274n"},
};

static void decode_alone(struct buf *out, const char *value, size_t len)
{
    header_decode(out, value, len, NULL);
}

static void test_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(decoded) / sizeof(decoded[0]); i++)
        check(decode_alone, decoded[i].value, decoded[i].len, decoded[i].want);
}

/* Knows charsets that begin with "x", and shows what it was asked; "xx" it doubts. */
static unsigned convert(struct buf *out, const char *charset, size_t charset_len, const char *octets, size_t len)
{
    if (charset[0] != 'x')
        return MIME_DOUBT_CHARSET;
    buf_printf(out, "<%.*s>", (int)len, octets);
    return charset_len == 2 && charset[1] == 'x' ? MIME_DOUBT_OCTETS : 0;
}

static void test_converter(void **state)
{
    static const struct {
        const char *value;
        struct mime_converter converter;
        const char *want;
        int rc;
    } cases[] = {
        {"=?x?q?a?=", {convert, 1}, "<a>", 0},
        {"=?x?q?a?= b", {NULL, 1}, "a b", -1},
        {"=?x?q?a?= b =?x?q?c?=", {convert, 1}, "<a> b c", -1}, /* one too many */
        {"=?x?q?a?= b =?x?q?c?=", {convert, 2}, "<a> b <c>", 0},
        {"=?xx?q?a?= =?x?q?c?=", {convert, 2}, "<a><c>", -1},
        {"=?y?q?a?= =?x?q?c?=", {convert, 2}, "a<c>", -1},
        {"=?utf-8?q?a?= =?x?q?\?= =?utf8?q?c?= d", {convert, 0}, "ac d", 0},
        {"=?X?q?a?= =?x*en?q?b?= =?xy?q?c?=", {convert, 2}, "<ab><c>", 0}, /* a character may go on */
        {"=?x?q?=1Ba?= =?x?q?b?=", {convert, 2}, "<\033a><b>", 0},         /* a shift ends with its word */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mime_converter converter = cases[i].converter;
        struct buf out;

        print_message("%s\n", cases[i].value);
        buf_init(&out, 1000);
        assert_int_equal(header_decode(&out, cases[i].value, strlen(cases[i].value), &converter), cases[i].rc);
        assert_string_equal(buf_text(&out), cases[i].want);
        buf_clear(&out);
    }
}

static void test_full(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4);
    header_decode(&out, S("abc\303\274"), NULL);
    assert_false(buf_ok(&out));
    assert_string_equal(buf_text(&out), "abc");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),    cmocka_unit_test(test_name),   cmocka_unit_test(test_unfold),
        cmocka_unit_test(test_uncomment), cmocka_unit_test(test_decode), cmocka_unit_test(test_full),
        cmocka_unit_test(test_converter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
