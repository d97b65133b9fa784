/* list_value.t.c - tests of list_value.c. */
#include "list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct {
    enum list_id list;
    const char *text;
    struct list_value value;
} good[] = {
    {LIST_EXCLUDE, "", {.level = LEVEL_DEFAULT}},
    {LIST_REQUIRE, "encrypt", {.level = LEVEL_ENCRYPT}},
    {LIST_REQUIRE, "verify", {.level = LEVEL_VERIFY}},
    {LIST_REQUIRE, "secure", {.level = LEVEL_SECURE}},
    {LIST_REQUIRE, "dane-only", {.level = LEVEL_DANE_ONLY}},
    {LIST_PROTOCOLS, ">=TLSv1.2", {.protocols = ">=TLSv1.2"}},
    {LIST_PROTOCOLS, "TLSv1.2", {.protocols = "TLSv1.2"}},
    {LIST_PROTOCOLS, "TLSv1.2:TLSv1.3", {.protocols = "TLSv1.2:TLSv1.3"}},
    {LIST_PROTOCOLS, "!TLSv1:!TLSv1.1", {.protocols = "!TLSv1:!TLSv1.1"}},
    {LIST_PROTOCOLS, ">=TLSv1.2:<=TLSv1.2 ciphers=high", {.protocols = ">=TLSv1.2:<=TLSv1.2", .ciphers = "high"}},
    {LIST_PROTOCOLS, "ciphers=medium", {.ciphers = "medium"}},
    {LIST_PROTOCOLS, "!SSLv2:!SSLv3", {.protocols = "!SSLv2:!SSLv3"}},
    {LIST_PROTOCOLS, ">=SSLv3", {.protocols = ">=SSLv3"}},
    {LIST_FALLBACK, "hold", {.mode = FALLBACK_HOLD}},
    {LIST_FALLBACK, "plain", {.mode = FALLBACK_PLAIN}},
    {LIST_FALLBACK, "alternate", {.mode = FALLBACK_ALTERNATE}},
    {LIST_FALLBACK, "alternate-any", {.mode = FALLBACK_ALTERNATE_ANY}},
    {LIST_FALLBACK, "plain-for 90s", {.mode = FALLBACK_PLAIN_FOR, .seconds = 90}},
    {LIST_FALLBACK, "plain-for 1h", {.mode = FALLBACK_PLAIN_FOR, .seconds = 3600}},
    {LIST_FALLBACK, "plain-for 7d", {.mode = FALLBACK_PLAIN_FOR, .seconds = 604800}},
    {LIST_FALLBACK, "plain-for 30d", {.mode = FALLBACK_PLAIN_FOR, .seconds = FALLBACK_STATE_TTL}},
    {LIST_REQUIRETLS, "enforce", {.level = LEVEL_DEFAULT}},
    {LIST_REQUIRETLS, "opportunistic+starttls", {.level = LEVEL_DEFAULT}},
    {LIST_REQUIRETLS, "opportunistic", {.level = LEVEL_DEFAULT}},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct list_value v;
        struct err e = {""};

        if (list_value_parse(&v, good[i].list, good[i].text, &e) != 0)
            fail_msg("%s %s: %s", list_name(good[i].list), good[i].text, e.text);
        assert_int_equal(v.level, good[i].value.level);
        assert_int_equal(v.mode, good[i].value.mode);
        assert_int_equal(v.seconds, good[i].value.seconds);
        assert_string_equal(v.protocols, good[i].value.protocols);
        assert_string_equal(v.ciphers, good[i].value.ciphers);
    }
}

static const struct {
    enum list_id list;
    const char *text;
    const char *why;
} bad[] = {
    {LIST_EXCLUDE, "x", "have no value"},
    {LIST_LOCAL, "secure", "have no value"},
    {LIST_REQUIRE, "", "a value is missing"},
    {LIST_REQUIRETLS, "", "a value is missing: enforce"},
    {LIST_REQUIRETLS, "disable", "is not what Postfix does"},
    {LIST_REQUIRETLS, "Enforce", "is not what Postfix does"},
    {LIST_REQUIRETLS, "opportunistic enforce", "is not what Postfix does"},
    {LIST_REQUIRE, "may", "no level"},
    {LIST_REQUIRE, "dane", "no level"},
    {LIST_REQUIRE, "none", "no level"},
    {LIST_REQUIRE, "SECURE", "no level"},
    {LIST_PROTOCOLS, "", "a value is missing"},
    {LIST_PROTOCOLS, "TLSv9", "no TLS version"},
    {LIST_PROTOCOLS, "tlsv1.2", "no TLS version"},
    {LIST_PROTOCOLS, ">TLSv1.2", "no TLS version"},
    {LIST_PROTOCOLS, "TLSv1.2:", "no TLS version"},
    {LIST_PROTOCOLS, ":TLSv1.2", "no TLS version"},
    {LIST_PROTOCOLS, "TLSv1.2,TLSv1.3", "no TLS version"},
    {LIST_PROTOCOLS, ">=TLSv1.3:<=TLSv1.2", "leaves no TLS version"},
    {LIST_PROTOCOLS, ">=SSLv2", "no TLS version"}, /* Postfix 3.7 has no such bound */
    {LIST_PROTOCOLS, "<=SSLv2:TLSv1.2", "no TLS version"},
    {LIST_PROTOCOLS, "SSLv2", "leaves no TLS version"},
    {LIST_PROTOCOLS, "TLSv1.2:!TLSv1.2", "leaves no TLS version"},
    {LIST_PROTOCOLS, ">=TLSv1.2 ciphers=best", "ciphers=medium or ciphers=high"},
    {LIST_PROTOCOLS, ">=TLSv1.2 match=x", "ciphers=medium or ciphers=high"},
    {LIST_PROTOCOLS, "!TLSv1:!TLSv1:!TLSv1:!TLSv1:!TLSv1:!TLSv1:!TLSv1:!TLSv1:!TLSv1:!TLSv1:!TLSv1:!TLSv1", "longer"},
    {LIST_FALLBACK, "", "a value is missing"},
    {LIST_FALLBACK, "plain-for", "no fallback mode"},
    {LIST_FALLBACK, "plain-for ", "no time"},
    {LIST_FALLBACK, "plain-for 0s", "no time"},
    {LIST_FALLBACK, "plain-for 1", "no time"},
    {LIST_FALLBACK, "plain-for 1w", "no time"},
    {LIST_FALLBACK, "plain-for 1hh", "no time"},
    {LIST_FALLBACK, "plain-for -1h", "no time"},
    {LIST_FALLBACK, "plain-for 31d", "no time from 1s to 30d"},
    {LIST_FALLBACK, "plain-for 999999999d", "no time"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct list_value v;
        struct err e = {""};

        if (list_value_parse(&v, bad[i].list, bad[i].text, &e) == 0)
            fail_msg("%s: \"%s\" was taken", list_name(bad[i].list), bad[i].text);
        if (strstr(e.text, bad[i].why) == NULL)
            fail_msg("\"%s\": %s", bad[i].text, e.text);
    }
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < LISTS; i++) {
        enum list_id id;

        assert_int_equal(list_by_name(&id, list_name((enum list_id)i), NULL), 0);
        assert_int_equal(id, i);
    }
}

static void test_no_such_list(void **state)
{
    enum list_id id;
    struct err e = {""};

    (void)state;
    assert_int_equal(list_by_name(&id, "excluded", &e), -1);
    assert_non_null(strstr(e.text, "exclude, only, require"));
    assert_non_null(strstr(e.text, "fallback"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_no_such_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
