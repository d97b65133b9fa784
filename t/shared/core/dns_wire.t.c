/* Tests of dns_wire.c: names as labels, and foreign labels as names. */
#include "dns_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define S63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define S61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

static void test_from_name(void **state)
{
    static const struct {
        const char *what, *name;
        int len;
    } rows[] = {
        {"plain", "example.com", 13},
        {"one label", "com", 5},
        {"under-scores", "_25._tcp.mx.example.com", 25},
        {"label of 63", S63 ".com", 69},
        {"253 octets are 255 in labels", S63 "." S63 "." S63 "." S61, 255},
        {"254 octets", S63 "." S63 "." S63 "." S61 "x", -1},
        {"label of 64", S63 "x.com", -1},
        {"empty", "", -1},
        {"only a dot", ".", -1},
        {"empty label within", "a..b", -1},
        {"empty label at the start", ".a", -1},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t wire[DNS_WIRE_MAX];
        struct err e = {""};

        print_message("%s\n", rows[i].what);
        assert_int_equal(dns_wire_from_name(wire, rows[i].name, &e), rows[i].len);
        assert_int_equal(e.text[0] == '\0', rows[i].len > 0);
    }
}

static void test_from_name_octets(void **state)
{
    uint8_t wire[DNS_WIRE_MAX];
    (void)state;

    assert_int_equal(dns_wire_from_name(wire, "mx1.Example", NULL), 13);
    assert_memory_equal(wire, "\3mx1\7Example", 13);
}

static void test_to_name(void **state)
{
    static const struct {
        const char *what, *wire;
        size_t len;
        const char *name; /* NULL: refused */
    } rows[] = {
        {"plain", "\2mx\7example", 12, "mx.example"},
        {"upper case", "\2MX\7eXAMPLE", 12, "mx.example"},
        {"root", "", 1, ""},
        {"no octets", "", 0, NULL},
        {"length over the end", "\2mx\77example", 12, NULL},
        {"root missing", "\2mx\7example", 11, NULL},
        {"compression left over", "\2mx\300\14", 6, NULL},
        {"dot in a label", "\2mx\7exa.ple", 12, NULL},
        {"blank", "\2mx\7exa ple", 12, NULL},
        {"NUL in a label", "\2mx\7exa\0ple", 12, NULL},
        {"UTF-8 is not its A-label", "\2mx\7b\303\274cher", 12, NULL},
        {"wild card", "\1*\7example", 11, NULL},
        {"numeric last label",
         "\3192\1"
         "0\1"
         "2\1"
         "1",
         11, NULL},
        {"under-score", "\4_dmx\7example", 14, "_dmx.example"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[DOMAIN_BUF];

        print_message("%s\n", rows[i].what);
        assert_int_equal(dns_wire_to_name(name, (const uint8_t *)rows[i].wire, rows[i].len, NULL),
                         rows[i].name == NULL ? -1 : 0);
        if (rows[i].name != NULL)
            assert_string_equal(name, rows[i].name);
    }
}

static void test_round_trip_at_the_limit(void **state)
{
    const char *longest = S63 "." S63 "." S63 "." S61;
    uint8_t wire[DNS_WIRE_MAX];
    char name[DOMAIN_BUF];
    (void)state;

    assert_int_equal(dns_wire_from_name(wire, longest, NULL), DNS_WIRE_MAX);
    assert_int_equal(dns_wire_to_name(name, wire, DNS_WIRE_MAX, NULL), 0);
    assert_string_equal(name, longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_name),
        cmocka_unit_test(test_from_name_octets),
        cmocka_unit_test(test_to_name),
        cmocka_unit_test(test_round_trip_at_the_limit),
    };

    return cmocka_run_group_tests_name("dns_wire", tests, NULL, NULL);
}
