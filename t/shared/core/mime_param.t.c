/* mime_param.t.c - tests of mime_param.c: RFC 2045 5.1, RFC 2183, RFC 2231. */
#include "mime_param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text, *word;
} words[] = {
    {"text/plain", "text/plain"},
    {"TEXT/Html; charset=x", "text/html"},
    {" attachment ;x", "attachment"},
    {"", ""},
    {";", ""},
    {"\"a;b\" c;d", "\"a;b\" c"},
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct buf out;

        buf_init(&out, 100);
        mime_value_word(&out, words[i].text, strlen(words[i].text));
        assert_string_equal(buf_text(&out), words[i].word);
        buf_clear(&out);
    }
}

static const struct {
    const char *text, *value; /* of "name"; NULL: there is none */
} rows[] = {
    {"x/y", NULL},
    {"x/y;", NULL},
    {"x/y; name", NULL},
    {"x/y; names=a", NULL},
    {"x/y; nam=a", NULL},
    {"name=a", NULL},
    {"x/y; name=a", "a"},
    {"x/y;NAME=a", "a"},
    {"x/y;; name = a ;b=c", "a"},
    {"x/y; name=", ""},
    {"x/y; name=\"\"", ""},
    {"x/y; name=\"a;b\"; c=d", "a;b"},
    {"x/y; c=\"; name=no\"; name=yes", "yes"},
    {"x/y; name=\"a\\\"b\\\\c\"", "a\"b\\c"},
    {"x/y; name=\"a", "a"},
    {"x/y; name=\"a\\", "a\\"},
    {"x/y; name=\"", ""},
    {"x/y; name=\"a\"b; c=d", "a"},
    {"x/y; name=my file.txt; c", "my file.txt"},
    {"x/y; name=a=b", "a=b"},
    {"x/y; name=a; name=b", "a"},
    {"x/y; name=gr\374n", "gr\303\274n"},
    {"x/y; name=\"=?utf-8?q?=E2=82=AC?= =?iso-8859-1?q?=FC?=.txt\"", "\342\202\254\303\274.txt"},
    /* RFC 2231 4: percent encoding */
    {"x/y; name*=utf-8'en'%e2%82%AC", "\342\202\254"},
    {"x/y; name*=iso-8859-15''%A4", "\342\202\254"},
    {"x/y; name*=''a%20b", "a b"},
    {"x/y; name*=a%20b", "a b"},
    {"x/y; name*=utf-8'a%20b", "utf-8'a b"},
    {"x/y; name*=utf-8''a%2", "a%2"},
    {"x/y; name*=utf-8''a%zz", "a%zz"},
    {"x/y; name*=utf-8''a%00b", "a\357\277\275b"},
    {"x/y; name*=utf-8''=?utf-8?q?a?=", "=?utf-8?q?a?="},
    {"x/y; name*=\"utf-8''a%20b\"", "a b"},
    {"x/y; name=a%20b", "a%20b"},
    /* RFC 2231 3: sections */
    {"x/y; name*0=a; name*1=b; name*2=c", "abc"},
    {"x/y; name*1=b; name*0=\"a \"", "a b"},
    {"x/y; name*0=a; name*2=c", "a"},
    {"x/y; name*1=b", NULL},
    {"x/y; name*0*=utf-8''%C3; name*1*=%BC; name*2=%20", "\303\274%20"},
    {"x/y; name*0=a'b'c; name*1*=%41", "a'b'cA"},
    {"x/y; name*0=a; name*0=b", "a"},
    {"x/y; name*00=a", "a"},
    {"x/y; name*100=a", NULL},
    {"x/y; name*x=a", NULL},
    {"x/y; name**=a", NULL},
    {"x/y; name*0x*=a", NULL},
    /* which one */
    {"x/y; name=plain; name*0=section; name*=utf-8''encoded", "encoded"},
    {"x/y; name=plain; name*0=section", "section"},
    {"x/y; name=plain; name*1=section", "plain"},
};

static void test_params(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].text);
        char *copy = malloc(len);
        struct buf out;

        assert_non_null(copy);
        memcpy(copy, rows[i].text, len);
        print_message("%s\n", rows[i].text);
        buf_init(&out, 100);
        assert_int_equal(mime_param(&out, copy, len, "name", NULL), rows[i].value != NULL);
        assert_string_equal(buf_text(&out), rows[i].value == NULL ? "" : rows[i].value);
        buf_clear(&out);
        free(copy);
    }
}

static unsigned convert(struct buf *out, const char *charset, size_t charset_len, const char *octets, size_t len)
{
    if (charset[0] != 'x')
        return MIME_DOUBT_CHARSET;
    buf_printf(out, "<%.*s>", (int)len, octets);
    return charset_len == 2 ? MIME_DOUBT_OCTETS : 0;
}

static void test_converter(void **state)
{
    static const struct {
        const char *text, *want;
        int rc;
    } cases[] = {
        {"x/y; name*=x''%41", "<A>", 1},
        {"x/y; name*=xx''%41", "<A>", 2},
        {"x/y; name*=y''%41", "A", 2},
        {"x/y; name*0*=x''%41; name*1*=%42", "<AB>", 1},
        {"x/y; name=\"=?x?q?a?= b\"", "<a> b", 1},
        {"x/y; name=\"=?y?q?a?= b\"", "a b", 2},
        {"x/y; c=\"=?y?q?a?= b\"", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mime_converter converter = {convert, 10};
        struct buf out;

        print_message("%s\n", cases[i].text);
        buf_init(&out, 1000);
        assert_int_equal(mime_param(&out, cases[i].text, strlen(cases[i].text), "name", &converter), cases[i].rc);
        assert_string_equal(buf_text(&out), cases[i].want);
        buf_clear(&out);
    }
}

static void test_octets(void **state)
{
    const char *text = "x/y; a=\"\374=?utf-8?q?a?=\"; b*=utf-8''%FC";
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_int_equal(mime_param_octets(&out, text, strlen(text), "a"), 1);
    assert_int_equal(mime_param_octets(&out, text, strlen(text), "b"), 1);
    assert_string_equal(buf_text(&out), "\374=?utf-8?q?a?=\374");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_params),
                                       cmocka_unit_test(test_octets), cmocka_unit_test(test_converter)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
