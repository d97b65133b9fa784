/* tls_required.t.c - tests of tls_required.c: RFC 8689 5, checks R4, R5, M7, M8. */
#include "tls_required.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *check, *value;
    enum tls_required want;
} values[] = {
    {"R4", "No", TLS_REQUIRED_NO},
    {"R4", " No", TLS_REQUIRED_NO},
    {"R5", "no", TLS_REQUIRED_NO},
    {"R5, M8", " NO ", TLS_REQUIRED_NO},
    {"M8, folded", "\r\n no", TLS_REQUIRED_NO},
    {"M8, folded", "\n\tNo\r\n", TLS_REQUIRED_NO},
    {"M8, folded twice", "\r\n \r\n nO \r\n ", TLS_REQUIRED_NO},
    {"M8, a comment", " (not for this one) No", TLS_REQUIRED_NO},
    {"M8, a comment behind", " No (c)", TLS_REQUIRED_NO},
    {"M8, comments without blanks", "(a)no(b(c))", TLS_REQUIRED_NO},
    {"M8, a folded comment", " (a\r\n b)\r\n No", TLS_REQUIRED_NO},
    {"M8, a quoted pair in a comment", "(\\))No", TLS_REQUIRED_NO},
    {"R5, empty", "", TLS_REQUIRED_INVALID},
    {"R5, blanks", " \r\n ", TLS_REQUIRED_INVALID},
    {"R5, yes", "Yes", TLS_REQUIRED_INVALID},
    {"R5, more", "No way", TLS_REQUIRED_INVALID},
    {"R5, more", "Not", TLS_REQUIRED_INVALID},
    {"R5, a list", "No, No", TLS_REQUIRED_INVALID},
    {"R5, a parameter", "No; x", TLS_REQUIRED_INVALID},
    {"R5, less", "N", TLS_REQUIRED_INVALID},
    {"R5, quoted", "\"No\"", TLS_REQUIRED_INVALID},
    {"R5, in a comment", "(No)", TLS_REQUIRED_INVALID},
    {"R5, a comment inside", "N(x)o", TLS_REQUIRED_INVALID},
    {"R5, a comment without its end", "No (x", TLS_REQUIRED_INVALID},
    {"R5, the end of a comment", "No)", TLS_REQUIRED_INVALID},
    {"R5, an encoded word", "=?us-ascii?q?No?=", TLS_REQUIRED_INVALID},
    {"R5, folded within", "N\r\n o", TLS_REQUIRED_INVALID},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        print_message("%s: %s\n", values[i].check, values[i].value);
        assert_int_equal(tls_required_read(values[i].value, strlen(values[i].value)), values[i].want);
    }
    assert_int_equal(tls_required_read("No\0", 3), TLS_REQUIRED_NO); /* as a blank */
    assert_int_equal(tls_required_read("N\0o", 3), TLS_REQUIRED_INVALID);
}

/* M7, R5: N only where all say it. */
static void test_join(void **state)
{
    static const enum tls_required none = TLS_REQUIRED_NONE, no = TLS_REQUIRED_NO, invalid = TLS_REQUIRED_INVALID;
    const enum tls_required rows[][3] = {
        {none, none, none},       {none, no, no},         {none, invalid, invalid},
        {no, none, no},           {no, no, no},           {no, invalid, invalid},
        {invalid, none, invalid}, {invalid, no, invalid}, {invalid, invalid, invalid},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(tls_required_join(rows[i][0], rows[i][1]), rows[i][2]);
    assert_string_equal(tls_required_name(none), "none");
    assert_string_equal(tls_required_name(no), "no");
    assert_string_equal(tls_required_name(invalid), "invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_join)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
