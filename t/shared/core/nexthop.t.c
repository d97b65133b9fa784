/* nexthop.t.c - tests of nexthop.c: the keys that were seen to arrive, and those that nobody should send. */
#include "nexthop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(s) (s), sizeof(s) - 1
#define L63     "abcdefghijklmnopqrstuvwxyz0123456789-bcdefghijklmnopqrstuvwxyz0"
#define N253                \
    L63 "." L63 "." L63 "." \
        "abcdefghijklmnopqrstuvwxyz0123456789-bcdefghijklmnopqrstuvwxy"

static const struct good_case {
    const char *key;
    size_t len;
    const char *name;
    enum nexthop_kind kind;
    unsigned port;
} good[] = {
    /* seen from Postfix 3.7 and 3.12 */
    {TEXT("sub.good.example"), "sub.good.example", NEXTHOP_DOMAIN, 0},
    {TEXT(".good.example"), "good.example", NEXTHOP_PARENT, 0},
    {TEXT(".example"), "example", NEXTHOP_PARENT, 0},
    {TEXT("NoRPT.Example"), "norpt.example", NEXTHOP_DOMAIN, 0},
    {TEXT(".Example"), "example", NEXTHOP_PARENT, 0},
    {TEXT("[mx.good.example]"), "mx.good.example", NEXTHOP_HOST, 0}, /* A10 */
    {TEXT("[mx.good.example]:25"), "mx.good.example", NEXTHOP_HOST, 25},
    {TEXT("good.example:25"), "good.example", NEXTHOP_DOMAIN, 25},
    {TEXT("[192.0.2.11]"), "192.0.2.11", NEXTHOP_ADDRESS, 0},
    {TEXT("[mx.smtps.example]:465"), "mx.smtps.example", NEXTHOP_HOST, 465},
    {TEXT("127.0.0.1:2424"), "127.0.0.1", NEXTHOP_ADDRESS, 2424},
    /* names */
    {TEXT("example.com."), "example.com", NEXTHOP_DOMAIN, 0},
    {TEXT("example.com.:587"), "example.com", NEXTHOP_DOMAIN, 587},
    {TEXT("[MX.Good.Example.]"), "mx.good.example", NEXTHOP_HOST, 0},
    {TEXT(".good.example."), "good.example", NEXTHOP_PARENT, 0},
    {TEXT("localhost"), "localhost", NEXTHOP_DOMAIN, 0},
    {TEXT("b\303\274cher.example"), "xn--bcher-kva.example", NEXTHOP_DOMAIN, 0},
    {TEXT("[b\303\274cher.example]:25"), "xn--bcher-kva.example", NEXTHOP_HOST, 25},
    {TEXT(".b\303\274cher.example"), "xn--bcher-kva.example", NEXTHOP_PARENT, 0},
    {TEXT("good\343\200\202example"), "good.example", NEXTHOP_DOMAIN, 0},
    {TEXT(N253), N253, NEXTHOP_DOMAIN, 0},
    {TEXT("[" N253 ".]:65535"), N253, NEXTHOP_HOST, 65535},
    {TEXT("." N253), N253, NEXTHOP_PARENT, 0},
    /* addresses */
    {TEXT("192.0.2.11"), "192.0.2.11", NEXTHOP_ADDRESS, 0},
    {TEXT("[192.0.2.11]:26"), "192.0.2.11", NEXTHOP_ADDRESS, 26},
    {TEXT("[IPv6:2001:DB8::1]"), "2001:db8::1", NEXTHOP_ADDRESS, 0},
    {TEXT("[IPv6:2001:db8:0:0::1]:25"), "2001:db8::1", NEXTHOP_ADDRESS, 25},
    {TEXT("[ipv6:::1]"), "::1", NEXTHOP_ADDRESS, 0},
    {TEXT("[2001:db8::1]"), "2001:db8::1", NEXTHOP_ADDRESS, 0},
    {TEXT("[2001:db8::1]:25"), "2001:db8::1", NEXTHOP_ADDRESS, 25},
    {TEXT("2001:db8::1"), "2001:db8::1", NEXTHOP_ADDRESS, 0},
    {TEXT("2001:db8::1:25"), "2001:db8::1:25", NEXTHOP_ADDRESS, 0},
    /* ports */
    {TEXT("example.com:1"), "example.com", NEXTHOP_DOMAIN, 1},
    {TEXT("example.com:65535"), "example.com", NEXTHOP_DOMAIN, 65535},
    {TEXT("example.com:00025"), "example.com", NEXTHOP_DOMAIN, 25},
    {TEXT("example.com:smtp"), "example.com", NEXTHOP_DOMAIN, 25},
    {TEXT("example.com:submission"), "example.com", NEXTHOP_DOMAIN, 587},
    {TEXT("[example.com]:smtps"), "example.com", NEXTHOP_HOST, 465},
    {TEXT("[example.com]:Submissions"), "example.com", NEXTHOP_HOST, 465},
};

static const struct bad_case {
    const char *name;
    const char *key;
    size_t len;
} bad[] = {
    {"empty", TEXT("")},
    {"dot", TEXT(".")},
    {"two dots", TEXT("..")},
    {"hyphen", TEXT("-")},
    {"empty label", TEXT("good..loc")},
    {"empty label in a parent", TEXT("..good.loc")},
    {"NUL inside", TEXT("good.example\0")},
    {"NUL in the middle", TEXT("good.example\0.evil.example")},
    {"NUL in brackets", TEXT("[good.example\0]")},
    {"NUL in an address", TEXT("[192.0.2.1\0]")},
    {"NUL in the port", TEXT("good.example:25\0")},
    {"name of 254", TEXT("x" N253)},
    {"host of 254", TEXT("[x" N253 "]")},
    {"parent of 254", TEXT(".x" N253)},
    {"label of 64", TEXT("x" L63 ".example")},
    {"U-label of more than 63", TEXT("\303\274" L63 ".example")},
    {"'['", TEXT("[")},
    {"']'", TEXT("]")},
    {"'[]'", TEXT("[]")},
    {"'[]' and port", TEXT("[]:25")},
    {"not closed", TEXT("[mx.good.example")},
    {"not opened", TEXT("mx.good.example]")},
    {"not opened, port", TEXT("mx.good.example]:25")},
    {"after ']'", TEXT("[a]b")},
    {"port without ':' after ']'", TEXT("[good.example]25")},
    {"another octet for ':' after ']'", TEXT("[good.example];25")},
    {"dot after ']'", TEXT("[a].")},
    {"two pairs", TEXT("[[a]]")},
    {"pairs in a row", TEXT("[a][b]")},
    {"parent in brackets", TEXT("[.example]")},
    {"brackets in a parent", TEXT(".[example]")},
    {"parent with port", TEXT(".example.com:25")},
    {"port 0", TEXT("good.example:0")},
    {"port 00000", TEXT("good.example:00000")},
    {"port 65536", TEXT("good.example:65536")},
    {"port of six digits", TEXT("good.example:000025")},
    {"port 2^32 + 25", TEXT("good.example:4294967321")},
    {"port abc", TEXT("good.example:abc")},
    {"port 25x", TEXT("good.example:25x")},
    {"port -1", TEXT("good.example:-1")},
    {"port +25", TEXT("good.example:+25")},
    {"port with a blank", TEXT("good.example: 25")},
    {"port, part of a service name", TEXT("good.example:smt")},
    {"port, unknown service", TEXT("good.example:http")},
    {"no port", TEXT("good.example:")},
    {"no port after ']'", TEXT("[good.example]:")},
    {"port 0 after ']'", TEXT("[good.example]:0")},
    {"port 65536 after ']'", TEXT("[good.example]:65536")},
    {"port abc after ']'", TEXT("[good.example]:abc")},
    {"two ports after ']'", TEXT("[good.example]:25:25")},
    {"port only", TEXT(":25")},
    {"colon only", TEXT(":")},
    {"two colons", TEXT("a:b:c")},
    {"IPv6 of eight groups without brackets, and port", TEXT("2001:db8:1:2:3:4:5:6:25")},
    {"two colons in brackets", TEXT("[a:b:c]")},
    {"port in brackets", TEXT("[good.example:25]")},
    {"port in and after brackets", TEXT("[good.example:25]:25")},
    {"IPv6 with a name", TEXT("[IPv6:good.example]")},
    {"IPv6 with IPv4", TEXT("[IPv6:192.0.2.1]")},
    {"IPv6 with nothing", TEXT("[IPv6:]")},
    {"IPv6 with too much", TEXT("[IPv6:1:2:3:4:5:6:7:8:9]")},
    {"IPv6 with a zone", TEXT("[fe80::1%eth0]")},
    {"IPv4 of three parts", TEXT("[192.0.2]")},
    {"IPv4 above 255", TEXT("[192.0.2.256]")},
    {"IPv4 with a final dot", TEXT("192.0.2.1.")},
    {"parent of an address", TEXT(".0.2.1")},
    {"blank first", TEXT(" good.example")},
    {"blank last", TEXT("good.example ")},
    {"blank inside", TEXT("good example")},
    {"blank only", TEXT(" ")},
    {"blank in brackets", TEXT("[ good.example]")},
    {"blank before ':'", TEXT("good.example :25")},
    {"TAB", TEXT("good.example\t")},
    {"line feed", TEXT("good.example\n")},
    {"no-break space", TEXT("good\302\240example")},
    {"ideographic full stops only", TEXT("\343\200\202")},
    {"ideographic full stop first", TEXT("\343\200\202example")},
    {"fullwidth brackets", TEXT("\357\274\273good.example\357\274\275")},
    {"fullwidth colon", TEXT("good.example\357\274\23225")},
    {"invalid UTF-8", TEXT("good\377.example")},
    {"mail address", TEXT("user@good.example")},
    {"path", TEXT("/run/dovecot/lmtp")},
    {"trivial-rewrite's star", TEXT("*")},
    {"network", TEXT("[2001:db8::/32]")},
};

/* The key in memory of exactly its size, so that a look beyond the end is seen. */
static int parse_exact(struct nexthop *out, const char *key, size_t len, struct err *e)
{
    char *exact = malloc(len > 0 ? len : 1);
    int rc;

    assert_non_null(exact);
    memcpy(exact, key, len);
    rc = nexthop_parse(out, exact, len, e);
    free(exact);
    return rc;
}

static void reads_good_keys(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const struct good_case *c = &good[i];
        struct nexthop nh = {.port = 77};
        struct err e = {""};

        if (parse_exact(&nh, c->key, c->len, &e) != 0)
            fail_msg("%s: %s", c->key, e.text);
        if (nh.kind != c->kind || strcmp(nh.name, c->name) != 0 || nh.port != c->port)
            fail_msg("%s: %s %s %u", c->key, nexthop_kind_name(nh.kind), nh.name, nh.port);
    }
}

static void refuses_bad_keys(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct bad_case *c = &bad[i];
        struct nexthop nh;
        struct err e = {""};
        int rc = parse_exact(&nh, c->key, c->len, &e);

        if (rc != -1)
            fail_msg("%s: taken as %s %s %u", c->name, nexthop_kind_name(nh.kind), nh.name, nh.port);
        assert_string_not_equal(e.text, "");
        assert_null(strstr(e.text, "good")); /* the key is not in the text */
        assert_int_equal(nexthop_parse(&nh, c->key, c->len, NULL), -1);
    }
}

static void reads_every_port(void **state)
{
    unsigned port;

    (void)state;
    for (port = 0; port < 70000; port++) {
        char key[32];
        struct nexthop nh;
        int n = snprintf(key, sizeof(key), "[a.example]:%u", port);
        int rc = nexthop_parse(&nh, key, (size_t)n, NULL);

        assert_int_equal(rc, port >= 1 && port <= 65535 ? 0 : -1);
        if (rc == 0)
            assert_int_equal(nh.port, port);
    }
}

static void names_kinds(void **state)
{
    (void)state;
    assert_string_equal(nexthop_kind_name(NEXTHOP_DOMAIN), "domain");
    assert_string_equal(nexthop_kind_name(NEXTHOP_HOST), "host");
    assert_string_equal(nexthop_kind_name(NEXTHOP_ADDRESS), "address");
    assert_string_equal(nexthop_kind_name(NEXTHOP_PARENT), "parent");
}

static void test_text(void **state)
{
    static const char *const rows[][2] = {
        {"Example.com:587", "example.com"}, {"[MX.example.com]:25", "[mx.example.com]"},
        {"127.0.0.1:2424", "[127.0.0.1]"},  {"[IPv6:2001:DB8::1]", "[2001:db8::1]"},
        {".example.com", ".example.com"},   {"[" N253 "]", "[" N253 "]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct nexthop hop;
        char text[NEXTHOP_BUF];

        assert_int_equal(nexthop_parse(&hop, rows[i][0], strlen(rows[i][0]), NULL), 0);
        nexthop_text(text, &hop);
        assert_string_equal(text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),        cmocka_unit_test(reads_good_keys), cmocka_unit_test(refuses_bad_keys),
        cmocka_unit_test(reads_every_port), cmocka_unit_test(names_kinds),
    };
    return cmocka_run_group_tests_name("nexthop", tests, NULL, NULL);
}
