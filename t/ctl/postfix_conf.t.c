/* postfix_conf.t.c - what postconf prints, whole and hostile. */
#include "postfix_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct postfix_printed printed(const char *text)
{
    return (struct postfix_printed){text, strlen(text)};
}

static int read_conf(struct postfix_conf *c, const char *parameters, const char *services, const char *overrides)
{
    struct err e = {""};
    int rc = postfix_conf_read(c, printed(parameters), printed(services), printed(overrides), &e);

    assert_int_equal(rc == 0, e.text[0] == '\0');
    return rc;
}

static void test_values(void **state)
{
    struct postfix_conf c;
    const struct postfix_service *in, *again;

    (void)state;
    assert_int_equal(read_conf(&c, "a = 1\nempty =\nb = x = y\n",
                               "smtp       inet  n       -       y       -       -       smtpd\n"
                               "127.0.0.1:10026 inet n  - -  -  5  smtpd -o a=2 -o {b=c d}\n"
                               "requiretls unix - - n - 200 lmtp",
                               "127.0.0.1:10026/inet/a = 2\n127.0.0.1:10026/inet/empty = full\n"),
                     0);
    in = postfix_program(&c, NULL, "smtpd");
    again = postfix_program(&c, in, "smtpd");
    assert_string_equal(in->id, "smtp/inet");
    assert_string_equal(again->name, "127.0.0.1:10026");
    assert_string_equal(again->maxproc, "5");
    assert_null(postfix_program(&c, again, "smtpd"));
    assert_null(postfix_transport(&c, "smtp"));
    assert_string_equal(postfix_transport(&c, "requiretls")->command, "lmtp");
    assert_string_equal(postfix_value(&c, NULL, "a"), "1");
    assert_string_equal(postfix_value(&c, in, "a"), "1");
    assert_string_equal(postfix_value(&c, again, "a"), "2");
    assert_string_equal(postfix_value(&c, NULL, "empty"), "");
    assert_string_equal(postfix_value(&c, again, "empty"), "full");
    assert_string_equal(postfix_value(&c, again, "b"), "x = y");
    assert_string_equal(postfix_value(&c, again, "none"), "");
    assert_true(postfix_in_chroot(&c, in));
    assert_false(postfix_in_chroot(&c, again));
    postfix_conf_free(&c);
}

static void test_hostile(void **state)
{
    static const char *const bad[][3] = {
        {"no equals sign\n", "", ""},
        {"", "smtp inet n\n", ""},
        {"", "", "no-slash = 1\n"},
        {"", "", "service/inet/name\n"},
    };
    struct postfix_printed nul = {"a = b\0c\n", 8};
    struct postfix_printed empty = {NULL, 0};
    struct postfix_printed big = {"", POSTFIX_TEXT_MAX + 1};
    struct postfix_conf c;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(read_conf(&c, bad[i][0], bad[i][1], bad[i][2]), -1);
    assert_int_equal(postfix_conf_read(&c, nul, empty, empty, NULL), -1);
    assert_int_equal(postfix_conf_read(&c, empty, nul, empty, NULL), -1);
    assert_int_equal(postfix_conf_read(&c, big, empty, empty, NULL), -1);
    assert_int_equal(postfix_conf_read(&c, empty, empty, empty, NULL), 0);
    postfix_conf_free(&c);
}

static void test_words(void **state)
{
    static const char *const words[] = {"a:b", "regexp:{ {/a, b/ c}, {x} }", "c{", NULL};
    const char *at = " a:b,, regexp:{ {/a, b/ c}, {x} }\tc{", *word;
    size_t len, i;

    (void)state;
    for (i = 0; postfix_word(&at, &word, &len); i++)
        assert_true(words[i] != NULL && strlen(words[i]) == len && strncmp(words[i], word, len) == 0);
    assert_null(words[i]);
    assert_true(postfix_list_has("a, No_Milters b", "no_milters"));
    assert_false(postfix_list_has("a, no_milters2", "no_milters"));
    assert_false(postfix_list_has("", "no_milters"));
}

static void test_seconds(void **state)
{
    static const struct {
        const char *text;
        long long seconds;
    } cases[] = {{"600s", 600}, {"10m", 600}, {"1h", 3600}, {"2d", 172800}, {"1w", 604800}, {"7", 7},
                 {"", -1},      {"s", -1},    {"1x", -1},   {"1mm", -1},    {"-1", -1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(postfix_seconds(cases[i].text), cases[i].seconds);
    assert_true(postfix_seconds("99999999999999999999w") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
