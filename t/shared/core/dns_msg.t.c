/* Tests of dns_msg.c: queries octet by octet, and the keeping of answers. Replies are in dns_reply.t.c. */
#include "dns_msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S63  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define LONG S63 "." S63 "." S63 ".abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

/* RD and AD set; one question; an OPT record: 1232 octets, DO. */
static void test_query(void **state)
{
    static const uint8_t want[] = "\x12\x34\x01\x20\0\1\0\0\0\0\0\1" /* header */
                                  "\4_25_\2mx\7example\0\0\x34\0\1"  /* question: TLSA */
                                  "\0\0\x29\x04\xd0\0\0\x80\0\0";    /* OPT, and the literal's own NUL: no options */
    uint8_t out[DNS_QUERY_MAX];
    struct err e;
    (void)state;

    assert_int_equal(dns_query_build(out, sizeof(out), "_25_.mx.example", DNS_TLSA, 0x1234, &e), sizeof(want));
    assert_memory_equal(out, want, sizeof(want));
}

static void test_query_types(void **state)
{
    static const enum dns_type types[] = {DNS_A, DNS_CNAME, DNS_MX, DNS_TXT, DNS_AAAA, DNS_TLSA};
    (void)state;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        uint8_t out[DNS_QUERY_MAX];

        assert_int_equal(dns_query_build(out, sizeof(out), "a.b", types[i], 0xffff, NULL), 12 + 5 + 4 + 11);
        assert_int_equal(out[18], types[i]);
    }
}

static void test_query_refused(void **state)
{
    static const struct {
        const char *what, *name;
        size_t cap;
        bool good;
    } rows[] = {
        {"longest name", LONG, DNS_QUERY_MAX, true},
        {"too long by one", LONG "j", DNS_QUERY_MAX, false},
        {"empty", "", DNS_QUERY_MAX, false},
        {"empty label", "a..b", DNS_QUERY_MAX, false},
        {"just room", "a.b", 32, true},
        {"no room", "a.b", 31, false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t out[DNS_QUERY_MAX];
        struct err e = {""};
        int n = dns_query_build(out, rows[i].cap, rows[i].name, DNS_MX, 1, &e);

        print_message("%s\n", rows[i].what);
        assert_int_equal(n > 0, rows[i].good);
        assert_int_equal(e.text[0] == '\0', rows[i].good);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(dns_type_name(DNS_TLSA), "TLSA");
    assert_string_equal(dns_type_name(DNS_AAAA), "AAAA");
    assert_string_equal(dns_type_name((enum dns_type)99), "?");
    assert_string_equal(dns_status_name(DNS_FOUND), "found");
    assert_string_equal(dns_status_name(DNS_NODATA), "nodata");
    assert_string_equal(dns_status_name(DNS_NXDOMAIN), "nxdomain");
    assert_string_equal(dns_status_name(DNS_FAILED), "failed");
    assert_string_equal(dns_status_name((enum dns_status)9), "?");
}

static void test_fail_and_clear(void **state)
{
    struct dns_answer a;
    char longer[300];
    (void)state;

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    memset(&a, 0xff, sizeof(a));
    dns_answer_fail(&a, longer);
    assert_int_equal(a.status, DNS_FAILED);
    assert_false(a.secure);
    assert_int_equal(strlen(a.why), sizeof(a.why) - 1);
    dns_answer_clear(&a);
    dns_answer_clear(&a);
    dns_answer_clear(NULL);

    a.rr = calloc(2, sizeof(*a.rr));
    assert_non_null(a.rr);
    a.count = 2;
    a.rr[0].text = strdup("owned");
    a.rr[1].tlsa.data = malloc(4);
    dns_answer_clear(&a);
    assert_null(a.rr);
    assert_int_equal(a.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query), cmocka_unit_test(test_query_types),    cmocka_unit_test(test_query_refused),
        cmocka_unit_test(test_names), cmocka_unit_test(test_fail_and_clear),
    };

    return cmocka_run_group_tests_name("dns_msg", tests, NULL, NULL);
}
