/* cert_about.t.c - tests of cert_about.c. */
#include "cert_store_io.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

static const struct {
    const char *text, *says; /* NULL: taken */
} cases[] = {
    {"{}", NULL},
    {"{\"title\": \"A \\u00fc\", \"unknown\": [1]}", NULL},
    {"{\"created\": 1800000000, \"use\": [\"postfix:/etc/postfix\"], \"host\": [\"a.example\", \"*.b.example\"]}",
     NULL},
    {"", "is not an object"},
    {"[]", "is not an object"},
    {"{} x", "is not an object"},
    {"{\"title\": \"a\\u0000b\"}", "is not an object"},
    {"{\"title\": \"a\", \"title\": \"b\"}", "is not an object"},
    {"{\"title\": 1}", "title: is not a string"},
    {"{\"created\": -1}", "created: is no time"},
    {"{\"tried\": 9000000000000000000}", "tried: is no time"},
    {"{\"told\": \"1\"}", "told: is no time"},
    {"{\"use\": \"x\"}", "use: is not an array"},
    {"{\"use\": [1]}", "use[0]: is not a text"},
    {"{\"use\": [\"\"]}", "use[0]: is not a text"},
    {"{\"use\": [\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}", "use: is not an array of 8"},
    {"{\"host\": [\"a.example\", \"a b\"]}", "host[1]"},
    {"{\"host\": [\"A.example\"]}", "host[0]: is not in its one form"},
    {"{\"host\": [\"*.*.example\"]}", "host[0]"},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cert_about a;
        struct err e = {""};
        int rc = cert_about_read(&a, cases[i].text, strlen(cases[i].text), &e);

        if ((rc == 0) != (cases[i].says == NULL) || (rc != 0 && strstr(e.text, cases[i].says) == NULL))
            fail_msg("%s: %d %s", cases[i].text, rc, e.text);
        assert_true(rc != 0 || (a.title != NULL && a.source != NULL && a.challenge != NULL && a.key_type != NULL &&
                                a.trouble != NULL && a.refused != NULL));
        cert_about_clear(&a);
        cert_about_clear(&a);
    }
    cert_about_clear(NULL);
}

static void writes_what_it_reads(void **state)
{
    struct cert_about a, b;
    struct buf one, two;

    (void)state;
    assert_int_equal(cert_about_read(&a, "{}", 2, NULL), 0);
    assert_int_equal(cert_about_set(&a.title, "line\nfeed \"quoted\" \xff"), 0);
    assert_int_equal(cert_about_set(&a.trouble, "refused"), 0);
    assert_int_equal(cert_about_set(&a.refused, "too many"), 0);
    assert_int_equal(cert_about_set(&a.use[0], "exim:/etc/exim4"), 0);
    assert_int_equal(cert_about_set(&a.host[0], "*.example.com"), 0);
    a.uses = a.host_count = 1;
    a.tlsa_seen = 5;
    a.spare_told = 6;
    buf_init(&one, 65536);
    buf_init(&two, 65536);
    cert_about_write(&one, &a);
    assert_int_equal(cert_about_read(&b, buf_text(&one), one.len, NULL), 0);
    assert_string_equal(b.title, "line\nfeed \"quoted\" ?");
    assert_string_equal(b.use[0], "exim:/etc/exim4");
    assert_string_equal(b.host[0], "*.example.com");
    assert_int_equal(b.tlsa_seen, 5);
    assert_int_equal(b.spare_told, 6);
    assert_string_equal(b.refused, "too many");
    cert_about_write(&two, &b);
    assert_string_equal(buf_text(&one), buf_text(&two));
    buf_clear(&one);
    buf_clear(&two);
    cert_about_clear(&a);
    cert_about_clear(&b);
}

static void refuses_what_is_long(void **state)
{
    static char text[65537];
    struct cert_about a;

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, "{}", 2);
    assert_int_equal(cert_about_read(&a, text, 65536, NULL), 0);
    cert_about_clear(&a);
    assert_int_equal(cert_about_read(&a, text, 65537, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(refuses_what_is_long),
    };
    return cmocka_run_group_tests_name("cert_about", tests, NULL, NULL);
}
