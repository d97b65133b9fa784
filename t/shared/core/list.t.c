/* list.t.c - tests of list.c: which entry goes. */
#include "list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1000

static const uint8_t secret[16] = {7};

static void put(struct list *l, const char *pattern, int64_t expires)
{
    struct list_entry_in in = {.value = "", .author = "", .comment = "", .expires = expires};
    struct list_pattern p;
    struct list_entry *entry;

    assert_int_equal(list_pattern_parse(&p, pattern, strlen(pattern), NULL), 0);
    entry = list_entry_new(LIST_EXCLUDE, &p, &in, NULL);
    assert_non_null(entry);
    assert_int_equal(list_put(l, entry), 0);
}

static struct list *sample(void)
{
    static const struct {
        const char *pattern;
        int64_t expires;
    } entries[] = {
        {"example.com", 0},    {".example.com", 0},       {".com", 0},          {"old.example.net", NOW},
        {".example.net", 0},   {"[host.example.org]", 0}, {"[192.0.2.7]", 0},   {"192.0.2.0/24", 0},
        {"192.0.2.128/25", 0}, {"192.0.2.200", NOW + 1},  {"2001:db8::/32", 0}, {"2001:db8:1::/48", NOW - 1},
        {"2001:db8::5", 0},
    };
    struct list *l = list_new(secret);

    assert_non_null(l);
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        put(l, entries[i].pattern, entries[i].expires);
    return l;
}

enum how { NAME, NEXTHOP, ADDRESS };

static const struct {
    enum how how;
    const char *what;
    const char *pattern; /* NULL: none */
} looks[] = {
    {NAME, "example.com", "example.com"},
    {NAME, "mail.example.com", ".example.com"},
    {NAME, "a.b.example.com", ".example.com"},
    {NAME, "xexample.com", ".com"},
    {NAME, "com", NULL},
    {NAME, "example.net", NULL},
    {NAME, "old.example.net", ".example.net"}, /* its own entry has expired */
    {NAME, "host.example.org", NULL},          /* the next hop in brackets is another thing */
    {NAME, "192.0.2.7", NULL},
    {NEXTHOP, "host.example.org", "[host.example.org]"},
    {NEXTHOP, "example.com", NULL},
    {NEXTHOP, "192.0.2.7", "[192.0.2.7]"},
    {ADDRESS, "192.0.2.7", "192.0.2.0/24"},
    {ADDRESS, "192.0.2.129", "192.0.2.128/25"},
    {ADDRESS, "192.0.2.200", "192.0.2.200"},
    {ADDRESS, "192.0.3.1", NULL},
    {ADDRESS, "2001:db8::5", "2001:db8::5"},
    {ADDRESS, "2001:db8::6", "2001:db8::/32"},
    {ADDRESS, "2001:db8:1::1", "2001:db8::/32"}, /* the longer prefix has expired */
    {ADDRESS, "2001:db9::1", NULL},
    {ADDRESS, "::c000:207", NULL}, /* the same last octets as 192.0.2.7 */
};

static const struct list_entry *look(const struct list *l, enum how how, const char *what)
{
    struct list_address a;

    if (how == NAME)
        return list_match_name(l, what, NOW);
    if (how == NEXTHOP)
        return list_match_nexthop(l, what, NOW);
    assert_int_equal(list_address_parse(&a, what), 1);
    return list_match_address(l, &a, NOW);
}

static void test_looks(void **state)
{
    struct list *l = sample();

    (void)state;
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        const struct list_entry *entry = look(l, looks[i].how, looks[i].what);
        const char *got = entry == NULL ? "nothing" : entry->pattern;

        if (strcmp(got, looks[i].pattern == NULL ? "nothing" : looks[i].pattern) != 0)
            fail_msg("%s: %s", looks[i].what, got);
    }
    list_free(l);
}

static void test_empty(void **state)
{
    struct list *l = list_new(secret);

    (void)state;
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
        assert_null(look(l, looks[i].how, looks[i].what));
    assert_false(list_holds(l, NOW));
    list_free(l);
}

static void test_replaced(void **state)
{
    struct list *l = sample();
    size_t before = list_count(l);

    (void)state;
    put(l, "example.com", NOW);
    put(l, "192.0.2.0/24", NOW);
    assert_int_equal(list_count(l), before);
    assert_string_equal(list_match_name(l, "example.com", NOW)->pattern, ".com");
    assert_null(look(l, ADDRESS, "192.0.2.7"));
    list_free(l);
}

static void test_holds(void **state)
{
    struct list *l = list_new(secret);

    (void)state;
    put(l, "a.example", NOW);
    put(l, "b.example", NOW + 5);
    put(l, "c.example", NOW - 5);
    assert_true(list_holds(l, NOW + 4));
    assert_false(list_holds(l, NOW + 5));
    put(l, "192.0.2.0/24", 0);
    assert_true(list_holds(l, NOW + 5));
    list_free(l);
}

static void test_next_expiry(void **state)
{
    struct list *l = list_new(secret);
    char pattern[40];

    (void)state;
    put(l, "never.example", 0);
    assert_int_equal(list_next_expiry(l, NOW), INT64_MAX);
    for (int i = 0; i < 100; i++) {
        snprintf(pattern, sizeof(pattern), "n%d.example", i);
        put(l, pattern, NOW - 50 + (i * 37) % 100);
    }
    assert_int_equal(list_next_expiry(l, NOW - 51), NOW - 50);
    assert_int_equal(list_next_expiry(l, NOW), NOW + 1);
    assert_int_equal(list_next_expiry(l, NOW + 48), NOW + 49);
    assert_int_equal(list_next_expiry(l, NOW + 49), INT64_MAX);
    list_free(l);
}

static void test_shrink(void **state)
{
    struct list *l = sample();
    size_t before = list_count(l);

    (void)state;
    list_shrink(l, 2);
    assert_int_equal(list_count(l), before - 2);
    list_shrink(l, before);
    assert_int_equal(list_count(l), 0);
    list_free(l);
}

static void test_longest_name(void **state)
{
    struct list *l = sample();
    char name[DOMAIN_BUF];

    (void)state;
    for (size_t i = 0; i < DOMAIN_MAX; i++)
        name[i] = i % 2 == 0 ? 'a' : '.';
    name[DOMAIN_MAX] = '\0';
    assert_null(list_match_name(l, name, NOW));
    assert_null(list_match_nexthop(l, name, NOW));
    list_free(l);
}

/* Every network is found for the addresses in it and for no others, whatever else is in the list. */
static void test_networks_against_bits(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 50; round++) {
        struct list *l = list_new(secret);
        struct list_address net[20], a;
        unsigned prefix[20], best;

        for (size_t i = 0; i < 20; i++) {
            char text[64];

            seed = seed * 1664525 + 1013904223;
            prefix[i] = seed >> 27;
            net[i] =
                (struct list_address){.octet = {10, (uint8_t)(seed >> 20 & 3), (uint8_t)(seed >> 12), 0}, .bits = 32};
            list_address_mask(&net[i], prefix[i]);
            snprintf(text, sizeof(text), "%u.%u.%u.%u/%u", net[i].octet[0], net[i].octet[1], net[i].octet[2],
                     net[i].octet[3], prefix[i]);
            put(l, text, 0);
        }
        for (int k = 0; k < 100; k++) {
            const struct list_entry *entry;
            bool any = false;

            seed = seed * 1664525 + 1013904223;
            a = (struct list_address){.octet = {10, (uint8_t)(seed >> 20 & 3), (uint8_t)(seed >> 12), 1}, .bits = 32};
            best = 0;
            for (size_t i = 0; i < 20; i++) {
                struct list_address masked = a;

                list_address_mask(&masked, prefix[i]);
                if (memcmp(masked.octet, net[i].octet, 4) == 0 && (!any || prefix[i] > best)) {
                    any = true;
                    best = prefix[i];
                }
            }
            entry = list_match_address(l, &a, NOW);
            assert_int_equal(entry != NULL, any);
            if (entry != NULL) {
                struct list_pattern p;

                assert_int_equal(list_pattern_parse(&p, entry->pattern, strlen(entry->pattern), NULL), 0);
                assert_int_equal(p.prefix, best);
            }
        }
        list_free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks),        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_replaced),     cmocka_unit_test(test_holds),
        cmocka_unit_test(test_next_expiry),  cmocka_unit_test(test_shrink),
        cmocka_unit_test(test_longest_name), cmocka_unit_test(test_networks_against_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
