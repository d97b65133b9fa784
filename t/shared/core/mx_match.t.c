/* mx_match.t.c - tests of mx_match.c: RFC 8461 4.1, check A6. */
#include "mx_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void matches(void **state)
{
    static const struct {
        const char *pattern, *host;
        bool want;
    } rows[] = {
        {"mx.example.net", "mx.example.net", true},
        {"mx.example.net", "mx2.example.net", false},
        {"mx.example.net", "a.mx.example.net", false},
        {"mx.example.net", "example.net", false},
        {"mx.example.net", "mx.example.ne", false},
        {"mx.example.net", "", false},
        {"*.example.net", "mx.example.net", true},
        {"*.example.net", "xn--mx-xka.example.net", true},
        {"*.example.net", "a.b.example.net", false}, /* exactly one label */
        {"*.example.net", "example.net", false},
        {"*.example.net", ".example.net", false},
        {"*.example.net", "mxexample.net", false},
        {"*.example.net", "mx.example.net.evil.example", false},
        {"*.example.net", "mx.example.org", false},
        {"*.example.net", "", false},
        {"*.net", "example.net", true},
        {"*.net", "net", false},
        {"net", "net", true},
        {"*.", "example.", false}, /* no pattern: never made by sts_pattern_normalise */
        {"*", "example", false},
        {"", "", false},
        {".example.net", "mx.example.net", false}, /* Postfix's form, not the RFC's */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("A6 %s %s\n", rows[i].pattern, rows[i].host);
        assert_int_equal(mx_match(rows[i].pattern, rows[i].host), rows[i].want);
    }
}

static void matches_any(void **state)
{
    char first[] = "mx.example.net", second[] = "*.example.org";
    char *const patterns[] = {first, second};

    (void)state;
    assert_true(mx_match_any(patterns, 2, "mx.example.net"));
    assert_true(mx_match_any(patterns, 2, "a.example.org"));
    assert_false(mx_match_any(patterns, 1, "a.example.org"));
    assert_false(mx_match_any(patterns, 2, "a.example.net"));
    assert_false(mx_match_any(NULL, 0, "mx.example.net"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(matches_any),
    };
    return cmocka_run_group_tests_name("mx_match", tests, NULL, NULL);
}
