/* rule_pattern.t.c - tests of rule_pattern.c: what fits, what is refused, and that work stays within its bound. */
#include "rule_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *pattern;
    const char *text;
    int fits;
    size_t at;
    size_t len;
} finds[] = {
    {"\\b\\d{4}[ -]?\\d{4}\\b", "card 1234-5678.", 1, 5, 9},
    {"\\b\\d{4}[ -]?\\d{4}\\b", "card 123-5678.", 0, 0, 0},
    {"\\.p12$", "KEY.P12", 1, 3, 4},
    {"\\.p12$", "key.p12.txt", 0, 0, 0},
    {"secret", "top SECRET", 1, 4, 6},
    {"(?-i)secret", "top SECRET", 0, 0, 0},
    {"^two$", "one\r\ntwo\r\nthree", 1, 5, 3},
    {"^two$", "one\ntwo\nthree", 1, 4, 3},
    {"\\Atwo", "one\ntwo", 0, 0, 0},
    {"one.two", "one\ntwo", 0, 0, 0},
    {"(?s)one.two", "one\ntwo", 1, 0, 7},
    {"grÜße", "GRüßE", 1, 0, 7},
    {"ключ", "КЛЮЧ", 1, 0, 8},
    {"^.$", "ü", 1, 0, 2},
    {"\\x{fc}", "Ü", 1, 0, 2},
    {"\\x{2019}", "’", 1, 0, 3},
    {"\\{9999}", "{9999}", 1, 0, 6},
    {"^", "", 1, 0, 0},
    {"(?:x{255}){2}", "x", 0, 0, 0},
    {"a(?=b)", "ab", 1, 0, 1},
    {"(?<=a)b", "ab", 1, 1, 1},
};

static struct rule_pattern *compile(const char *text, size_t *at, struct err *e)
{
    return rule_pattern_new(text, strlen(text), at, e);
}

static void test_finds(void **state)
{
    struct rule_matcher *m = rule_matcher_new();

    (void)state;
    for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        size_t at = 0, len = 0;
        const char *why = NULL;
        struct err e = {""};
        struct rule_pattern *p = compile(finds[i].pattern, &at, &e);
        int rc;

        if (p == NULL)
            fail_msg("%s: %s", finds[i].pattern, e.text);
        at = 0;
        rule_matcher_message(m, strlen(finds[i].text));
        rule_matcher_condition(m, strlen(finds[i].text));
        rc = rule_pattern_find(p, m, finds[i].text, strlen(finds[i].text), &at, &len, &why);
        if (rc != finds[i].fits || at != finds[i].at || len != finds[i].len)
            fail_msg("%s: %d at %zu, %zu", finds[i].pattern, rc, at, len);
        rule_pattern_free(p);
    }
    rule_matcher_free(m);
}

static const struct {
    const char *pattern;
    size_t at;
    const char *why;
} refused[] = {
    {"a(b", 3, "missing closing parenthesis"},
    {"a)b", 1, "unmatched closing parenthesis"},
    {"[a", 2, "missing terminating ]"},
    {"*", 0, "quantifier does not follow"},
    {"x{256}", 1, "a count in {} above 255"},
    {"\\\\x{60000}", 3, "a count in {} above 255"},
    {"\\x{41}{ 999,}", 6, "a count in {} above 255"},
    {"\\d{99999999999999999999}", 2, "a count in {} above 255"},
    {"(a)\\1", 0, "back references"},
    {"(?<q>['\"]).*\\k<q>", 0, "back references"},
    {"(?<=.{250}.{250})a", 0, "a look behind of 500 characters"},
    {"(?:(?:x{255}){255}){255}", 24, "too large"},
    {"\\C", 2, "disabled"},
    {"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a", 51, "too deeply nested"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct err e = {""};
        size_t at = 99;

        assert_null(compile(refused[i].pattern, &at, &e));
        if (strstr(e.text, refused[i].why) == NULL || at != refused[i].at)
            fail_msg("%s: %zu %s", refused[i].pattern, at, e.text);
    }
}

/* Expressions and texts that take for ever, or the square of the length, when nobody counts. */
static const struct {
    const char *pattern;
    const char *unit; /* the text is this, over and over, */
    const char *last; /* and then this */
    const char *why;  /* NULL: it ends within the bound, and fits nothing */
} hostile[] = {
    {"(a+)+$", "a", "!", "too much"},
    {"(a|aa)+$", "a", "!", "too much"},
    {"(a*)*[bc]", "a", "", "too much"},
    {"a*[bc]", "a", "", "too much work"},
    {"(?:a*+)[bc]", "a", "", "too much work"},
    {".*.*.*=[bc]", "x=", "", "too much work"},
    {"\\w+q9z", "ab", "9z", "too much work"},
    {"(?:.|\\n)*[0-9]$", "ab\n", "", "too much"},
    {"(?=(?:a+)+[bc])", "a", "", "too much"},
    {"(?<!b)a+[cd]", "a", "", "too much work"},
    {"(a(?1)?[bc])", "a", "", "too much"},
    {"^(([a-z])+.)+[A-Z]([a-z])+$(?-i)", "aa", "", "too much"},
    {"[^x]{255}[yz]", "a", "", "too much work"},
    {"[^x]{20}[yz]", "a", "", NULL},
    {"a[cd]b", "ab", "", NULL},
    {"confidential", "confidentia", "", NULL},
};

static size_t fill(char *text, size_t len, const char *unit, const char *last)
{
    size_t n = 0;

    while (n + strlen(unit) + strlen(last) <= len) {
        memcpy(text + n, unit, strlen(unit));
        n += strlen(unit);
    }
    memcpy(text + n, last, strlen(last));
    return n + strlen(last);
}

#define LONG_TEXT 60000

static void test_hostile(void **state)
{
    struct rule_matcher *m = rule_matcher_new();
    char *text = malloc(LONG_TEXT);

    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        size_t len = fill(text, LONG_TEXT, hostile[i].unit, hostile[i].last), at, fit;
        const char *why = "";
        struct rule_pattern *p = compile(hostile[i].pattern, &at, NULL);
        int rc;

        assert_non_null(p);
        rule_matcher_message(m, len);
        rule_matcher_condition(m, len);
        rc = rule_pattern_find(p, m, text, len, &at, &fit, &why);
        if (rc != (hostile[i].why == NULL ? 0 : -1) || (hostile[i].why != NULL && strstr(why, hostile[i].why) == NULL))
            fail_msg("%s: %d %s", hostile[i].pattern, rc, why);
        rule_pattern_free(p);
    }
    free(text);
    rule_matcher_free(m);
}

/* A condition's work is its own; the message's is used up by all of them, and a new message begins anew. */
static void test_work(void **state)
{
    struct rule_matcher *m = rule_matcher_new();
    char text[2000];
    size_t len = fill(text, sizeof(text), "a", "!"), at, fit;
    struct rule_pattern *p = compile("(a+)+$", &at, NULL), *easy = compile("[!]", &at, NULL);
    const char *why = "";

    (void)state;
    for (int message = 0; message < 2; message++) {
        int conditions = 0;

        rule_matcher_message(m, len);
        for (; conditions < 100 && strstr(why, "all rules together") == NULL; conditions++) {
            rule_matcher_condition(m, len);
            assert_int_equal(rule_pattern_find(p, m, text, len, &at, &fit, &why), -1);
        }
        assert_in_range(conditions, 10, 20);
        rule_matcher_condition(m, len);
        assert_int_equal(rule_pattern_find(easy, m, text, len, &at, &fit, &why), -1);
        rule_matcher_message(m, len);
        rule_matcher_condition(m, len);
        assert_int_equal(rule_pattern_find(easy, m, text, len, &at, &fit, &why), 1);
        why = "";
    }
    rule_pattern_free(p);
    rule_pattern_free(easy);
    rule_matcher_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
