/* list_pattern.t.c - tests of list_pattern.c. */
#include "list_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct {
    const char *text;
    const char *normal;
    enum list_form form;
    unsigned prefix;
} good[] = {
    {"example.com", "example.com", LIST_NAME, 0},
    {"EXAMPLE.Com.", "example.com", LIST_NAME, 0},
    {"b\303\274cher.example", "xn--bcher-kva.example", LIST_NAME, 0},
    {".example.com", ".example.com", LIST_BELOW, 0},
    {".B\303\234CHER.example", ".xn--bcher-kva.example", LIST_BELOW, 0},
    {".com", ".com", LIST_BELOW, 0},
    {"[Host.example.com]", "[host.example.com]", LIST_NEXTHOP, 0},
    {"[192.0.2.1]", "[192.0.2.1]", LIST_NEXTHOP, 0},
    {"[IPv6:2001:DB8:0::1]", "[2001:db8::1]", LIST_NEXTHOP, 0},
    {"192.0.2.0/24", "192.0.2.0/24", LIST_NETWORK, 24},
    {"192.0.2.1", "192.0.2.1", LIST_NETWORK, 32},
    {"192.0.2.1/32", "192.0.2.1", LIST_NETWORK, 32},
    {"192.0.2.128/25", "192.0.2.128/25", LIST_NETWORK, 25},
    {"0.0.0.0/0", "0.0.0.0/0", LIST_NETWORK, 0},
    {"2001:DB8::/32", "2001:db8::/32", LIST_NETWORK, 32},
    {"2001:db8::1", "2001:db8::1", LIST_NETWORK, 128},
    {"2001:db8::1/128", "2001:db8::1", LIST_NETWORK, 128},
    {"::/0", "::/0", LIST_NETWORK, 0},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct list_pattern p;
        struct err e = {""};

        if (list_pattern_parse(&p, good[i].text, strlen(good[i].text), &e) != 0)
            fail_msg("%s: %s", good[i].text, e.text);
        assert_string_equal(p.text, good[i].normal);
        assert_int_equal(p.form, good[i].form);
        assert_int_equal(p.prefix, good[i].prefix);
        /* the one form stays what it is */
        assert_int_equal(list_pattern_parse(&p, good[i].normal, strlen(good[i].normal), &e), 0);
        assert_string_equal(p.text, good[i].normal);
    }
}

static const struct {
    const char *text;
    const char *why; /* somewhere in the sentence */
} bad[] = {
    {"", "empty"},
    {"*.example.com", "write .example.com"},
    {"mail.*.example.com", "\"*\" is no part"},
    {"user@example.com", "write example.com"},
    {"192.0.2.1/24", "write 192.0.2.0/24, or 192.0.2.1 "},
    {"2001:db8::1/32", "write 2001:db8::/32"},
    {"192.0.2.0/33", "0 to 32"},
    {"192.0.2.0/", "0 to 32"},
    {"192.0.2.0/-1", "0 to 32"},
    {"192.0.2.0/0024", "0 to 32"},
    {"2001:db8::/129", "0 to 128"},
    {"example.com/24", "no address"},
    {"192.0.2/24", "no address"},
    {"[host.example.com", "brackets"},
    {"[host.example.com]:25", "without a port"},
    {"example.com:25", "goes for all ports: write example.com"},
    {"192.0.2.1:25", "goes for all ports: write 192.0.2.1"},
    {"example.com:", ""},
    {":25", ""},
    {"2001:1", ""},
    {"[]", "empty"},
    {"[", "brackets"},
    {".", "empty"},
    {"..example.com", "label"},
    {"exa mple.com", ""},
    {"example.com:25", ""},
    {"192.0.2.256", ""},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct list_pattern p;
        struct err e = {""};

        if (list_pattern_parse(&p, bad[i].text, strlen(bad[i].text), &e) == 0)
            fail_msg("%s was taken", bad[i].text);
        assert_string_not_equal(e.text, "");
        if (strstr(e.text, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].text, e.text);
    }
}

static void test_not_terminated(void **state)
{
    struct list_pattern p;

    (void)state;
    assert_int_equal(list_pattern_parse(&p, "192.0.2.0/24garbage", 12, NULL), 0);
    assert_string_equal(p.text, "192.0.2.0/24");
    assert_int_equal(list_pattern_parse(&p, "a.example\0b", 11, NULL), -1);
}

static void test_mask(void **state)
{
    struct list_address a;

    (void)state;
    assert_int_equal(list_address_parse(&a, "255.255.255.255"), 1);
    assert_int_equal(list_address_mask(&a, 32), 0);
    assert_int_equal(list_address_mask(&a, 19), 1);
    assert_memory_equal(a.octet, "\xff\xff\xe0\x00", 4);
    assert_int_equal(list_address_mask(&a, 0), 1);
    assert_memory_equal(a.octet, "\0\0\0\0", 4);
    assert_int_equal(list_address_parse(&a, "no address"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_not_terminated),
        cmocka_unit_test(test_mask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
