/* orcpt.t.c - tests of orcpt.c: RFC 3461 4, RFC 6533 3. */
#include "orcpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S(s) s, sizeof(s) - 1

static const struct {
    const char *plain;
    size_t len;
    const char *xtext;
} pairs[] = {
    {S(""), ""},
    {S("user@example.com"), "user@example.com"},
    {S("a+requiretls@d"), "a+2Brequiretls@d"},
    {S("a=b"), "a+3Db"},
    {S("\"a b\"@d"), "\"a+20b\"@d"},
    {S("\0\x7f\xff~!"), "+00+7F+FF~!"},
};

static void test_xtext(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        buf_reset(&out);
        xtext_encode(&out, pairs[i].plain, pairs[i].len);
        assert_string_equal(buf_text(&out), pairs[i].xtext);
        buf_reset(&out);
        assert_int_equal(xtext_decode(&out, pairs[i].xtext, strlen(pairs[i].xtext), NULL), 0);
        assert_int_equal(out.len, pairs[i].len);
        assert_memory_equal(buf_text(&out), pairs[i].plain, out.len);
    }
    buf_reset(&out);
    assert_int_equal(xtext_decode(&out, "a+2brequire", 11, NULL), 0);
    assert_string_equal(buf_text(&out), "a+require");
    buf_clear(&out);
}

static void test_xtext_bad(void **state)
{
    static const char *const bad[] = {"a b", "a=b", "a+", "a+2", "a+2G", "a+G2", "b\303\274", "a\nb"};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    buf_str(&out, "before");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = {""};

        assert_int_equal(xtext_decode(&out, bad[i], strlen(bad[i]), &e), -1);
        assert_string_not_equal(e.text, "");
        assert_string_equal(buf_text(&out), "before");
    }
    buf_clear(&out);
}

static const struct {
    const char *address, *orcpt, *read; /* read NULL: the address */
} made[] = {
    {"<u@good.example>", "rfc822;u@good.example", "u@good.example"},
    {"u+x=y@good.example", "rfc822;u+2Bx+3Dy@good.example", NULL},
    {"<@a,@b:\"a b\"@d>", "rfc822;\"a+20b\"@d", "\"a b\"@d"},
    {"postmaster", "rfc822;postmaster", NULL},
    {"<b\303\274cher@d>", "utf-8;b\\x{FC}cher@d", "b\303\274cher@d"},
    {"\"\342\202\254 +=\\\\\360\237\230\200\"@d", "utf-8;\"\\x{20AC}\\x{20}\\x{2B}\\x{3D}\\x{5C}\\x{5C}\\x{1F600}\"@d",
     NULL},
};

static void test_made(void **state)
{
    struct buf out, again;

    (void)state;
    buf_init(&out, 600);
    buf_init(&again, 600);
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        print_message("%s\n", made[i].address);
        buf_reset(&out);
        buf_reset(&again);
        assert_int_equal(orcpt_make(&out, made[i].address, strlen(made[i].address), NULL), 0);
        assert_string_equal(buf_text(&out), made[i].orcpt);
        assert_int_equal(orcpt_read(&again, buf_text(&out), out.len, NULL), 0);
        assert_string_equal(buf_text(&again), made[i].read == NULL ? made[i].address : made[i].read);
    }
    buf_clear(&out);
    buf_clear(&again);
}

static void test_make_bad(void **state)
{
    char *text = malloc(ORCPT_MAX);
    struct buf out;

    (void)state;
    buf_init(&out, 600);
    assert_int_equal(orcpt_make(&out, "<>", 2, NULL), -1);
    assert_int_equal(orcpt_make(&out, "b\xfc@d", 4, NULL), -1);
    assert_int_equal(out.len, 0);
    assert_non_null(text);
    memset(text, 'a', ORCPT_MAX);
    assert_int_equal(orcpt_make(&out, text, ORCPT_MAX - 7, NULL), 0);
    assert_int_equal(out.len, ORCPT_MAX);
    assert_int_equal(orcpt_make(&out, text, ORCPT_MAX - 6, NULL), -1);
    assert_int_equal(out.len, ORCPT_MAX);
    free(text);
    buf_clear(&out);
}

static const struct {
    const char *value, *address; /* NULL: refused */
} values[] = {
    {"RFC822;a+2Bb@d", "a+b@d"},
    {"utf-8;b\303\274cher@d", "b\303\274cher@d"},
    {"UTF-8;b\\x{fc}cher@d", "b\303\274cher@d"},
    {"rfc822;", NULL},
    {"rfc822", NULL},
    {"x400;abc", NULL},
    {"", NULL},
    {"rfc822;a+00b", NULL},
    {"rfc822;a b", NULL},
    {"utf-8;a b", NULL},
    {"utf-8;a+20", NULL},
    {"utf-8;\\x{}", NULL},
    {"utf-8;\\x{0}", NULL},
    {"utf-8;\\x{D800}", NULL},
    {"utf-8;\\x{110000}", NULL},
    {"utf-8;\\x{0000041}", NULL},
    {"utf-8;\\x{41", NULL},
    {"utf-8;\\x41", NULL},
    {"utf-8;a\\", NULL},
    {"utf-8;\xfc", NULL},
};

static void test_read(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        int want = values[i].address == NULL ? -1 : 0;
        struct err e = {""};

        print_message("%s\n", values[i].value);
        buf_reset(&out);
        assert_int_equal(orcpt_read(&out, values[i].value, strlen(values[i].value), &e), want);
        assert_int_equal(e.text[0] != '\0', want != 0);
        assert_string_equal(buf_text(&out), want == 0 ? values[i].address : "");
    }
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xtext),    cmocka_unit_test(test_xtext_bad), cmocka_unit_test(test_made),
        cmocka_unit_test(test_make_bad), cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
