/* counts.t.c - tests of counts.c. */
#include "counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccc"
#define F(n, v)                            \
    {                                      \
        n, v, sizeof(n) - 1, sizeof(v) - 1 \
    }
#define FIELDS(f) f, sizeof(f) / sizeof((f)[0])

static const struct counts_field good[] = {
    F("failed " A, "5"),
    F("failure " A " {\"result-type\": \"certificate-expired\",\"receiving-ip\": \"192.0.2.1\"}", "4"),
    F("failure " A " {\"result-type\": \"strange\"}", "1"),
    F("policies", "3"),
    F("details", "2"),
    F("left-out", "9"),
    F("policy " B, "{\"record\":\"r2\",\"policy-type\":\"sts\",\"policy-domain\":\"b\",\"policy-string\":[\"x\",\"y\"],"
                   "\"mx-host\":[\"*.b\"]}"),
    F("policy " A, "{\"record\":\"r2\",\"policy-type\":\"sts\",\"policy-domain\":\"a\"}"),
    F("policy " C, "{\"record\":\"r1\",\"policy-type\":\"no-policy-found\",\"policy-domain\":\"c\"}"),
    F("successful " C, "9007199254740992"),
    F("successful " C, "9007199254740992"), /* as a scan may give it twice */
    F("failure " A " {\"result-type\": \"strange\"}", "1"),
};

static void test_good(void **state)
{
    struct counts c;

    (void)state;
    assert_int_equal(counts_read(&c, 5, "a.test", FIELDS(good)), 0);
    assert_int_equal(c.day, 5);
    assert_string_equal(c.domain, "a.test");
    assert_int_equal(c.policies, 3);
    assert_int_equal(c.broken, 0);
    assert_int_equal(c.left_out, 9);
    assert_string_equal(c.policy[0].record, "r1");
    assert_int_equal(c.policy[0].successful, UINT64_C(9007199254740992));
    assert_string_equal(c.policy[1].policy.domain, "a");
    assert_int_equal(c.policy[1].failed, 5);
    assert_int_equal(c.policy[1].failures, 2);
    assert_int_equal(c.policy[1].failure[0].sessions, 4);
    assert_string_equal(c.policy[1].failure[0].failure.receiving_ip, "192.0.2.1");
    assert_null(c.policy[1].failure[0].failure.reason);
    assert_int_equal(c.policy[1].failure[1].failure.result, TLSRPT_VALIDATION_FAILURE);
    assert_string_equal(c.policy[1].failure[1].failure.reason, "strange");
    assert_int_equal(c.policy[2].policy.strings, 2);
    assert_string_equal(c.policy[2].policy.string[1], "y");
    assert_string_equal(c.policy[2].policy.mx[0], "*.b");
    counts_clear(&c);
    assert_int_equal(counts_read(&c, 5, "a.test", NULL, 0), 0);
    assert_int_equal(c.policies, 0);
    counts_clear(&c);
}

static const struct counts_field broken[] = {
    F("", ""),
    F("policy " A, "{"),
    F("policy " B, "{\"record\":\"r\",\"policy-type\":\"other\"}"),
    F("policy " C, "{\"record\":\"r\",\"policy-type\":\"sts\",\"mx-host\":[1]}"),
    F("policy xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "{}"),
    F("policy " A "x", "{}"),
    F("successful " A, "1"),
    F("successful", "1"),
    F("failure " A, "1"),
    F("failure " A " {}", "1"),
    F("failed " A, "-1"),
    F("left-out", "99999999999999999"),
    F("something", "1"),
    F("failure " A " {\"result-type\":\"a\\u0000\"}", "1"),
};

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        const struct counts_field field[] = {
            broken[i], F("policy cccccccccccccccccccccccccccccccd", "{\"record\":\"r\",\"policy-type\":\"sts\"}")};
        struct counts c;

        print_message("%s\n", broken[i].name);
        assert_int_equal(counts_read(&c, 5, "a.test", FIELDS(field)), 0);
        assert_int_equal(c.broken, 1);
        assert_int_equal(c.policies, 1);
        counts_clear(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_broken)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
