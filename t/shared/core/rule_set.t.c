/* rule_set.t.c - tests of rule_set.c. */
#include "rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const char *const three = "# what the office wants\r\n"
                                 "\n"
                                 "secret: subject contains \"confidential\" -> requiretls\r\n"
                                 " \t \n"
                                 "  # tags\n"
                                 "  mark: client.tls -> tag \"X-Tls: yes\"\n"
                                 "big: size > 20M -> reject \"too large\"";

static void test_read(void **state)
{
    struct rule_set *set = rule_set_new();
    struct err e = {""};

    (void)state;
    assert_int_equal(rule_set_need(set), 0);
    assert_int_equal(rule_set_read(set, three, strlen(three), &e), 0);
    assert_int_equal(rule_set_count(set), 3);
    assert_string_equal(rule_set_at(set, 0)->name, "secret");
    assert_string_equal(rule_set_at(set, 1)->name, "mark");
    assert_string_equal(rule_set_at(set, 2)->text, "too large");
    assert_int_equal(rule_set_need(set), RULE_NEED_HEADER | RULE_NEED_CLIENT | RULE_NEED_SIZE);
    rule_set_free(set);
}

static const struct {
    const char *text;
    const char *why;
    size_t count; /* rules that are in the set nevertheless */
} bad[] = {
    {"a: client.tls -> none\n\nb: client.tls -> nun\n", "line 3: column 18: an action must follow", 1},
    {"a: client.tls -> none\na: client.tls -> none\n", "line 2: column 1: there is a rule a already", 1},
    {"a: client.tls -> none\nA: client.tls -> none\n\rb", "line 3: column 1: a control character", 2},
    {"x", "line 1: column 1: a rule begins with its name", 0},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rule_set *set = rule_set_new();
        struct err e = {""};

        assert_int_equal(rule_set_read(set, bad[i].text, strlen(bad[i].text), &e), -1);
        if (strncmp(e.text, bad[i].why, strlen(bad[i].why)) != 0 || rule_set_count(set) != bad[i].count)
            fail_msg("%s: %s", bad[i].text, e.text);
        rule_set_free(set);
    }
}

static void test_as_many(void **state)
{
    struct rule_set *set = rule_set_new();
    struct err e = {""};
    char text[64];

    (void)state;
    for (int i = 0; i <= RULES_MAX; i++) {
        int len = snprintf(text, sizeof(text), "r%d: client.tls -> none", i);

        assert_int_equal(rule_set_add(set, text, (size_t)len, &e), i < RULES_MAX ? 0 : -1);
    }
    assert_string_equal(e.text, "more than 500 rules");
    assert_int_equal(rule_set_count(set), RULES_MAX);
    rule_set_free(set);
}

/* Words are told apart by their names. */
static void test_names(void **state)
{
    (void)state;
    assert_string_equal(rule_field_name(RULE_ATTACHMENT_NAME), "attachment.name");
    assert_string_equal(rule_field_name(RULE_FIELDS), "?");
    assert_string_equal(rule_operator_name(RULE_IN_LIST), "in-list");
    assert_string_equal(rule_operator_name(RULE_OPERATORS), "?");
    assert_string_equal(rule_action_name(RULE_TLS_OPTIONAL), "tls-optional");
    assert_string_equal(rule_action_name(RULE_ACTIONS), "?");
    for (int i = 0; i < RULE_ACTIONS; i++)
        assert_int_equal(rule_action_is_strict((enum rule_action)i), i == RULE_REQUIRETLS || i == RULE_REJECT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_as_many),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
