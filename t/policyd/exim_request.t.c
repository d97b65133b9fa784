/* Tests of policyd/exim_request.c: lines of Exim, limits, and the tag of a recipient. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exim_request.h"

#include <stdlib.h>
#include <string.h>

/* --- requests --- */

static const struct {
    const char *line;
    enum exim_verb verb;
    const char *first;  /* the domain, the list, or the address */
    const char *second; /* the MX host, the key, or the domain of the address */
} good[] = {
    {"policy example.com", EXIM_POLICY, "example.com", ""},
    {"policy Example.COM.", EXIM_POLICY, "example.com", ""},
    {"policy b\303\274cher.example", EXIM_POLICY, "xn--bcher-kva.example", ""},
    {"policy a_b.example", EXIM_POLICY, "a_b.example", ""},
    {"policy localhost", EXIM_POLICY, "localhost", ""},
    {"mx example.com mx1.example.com", EXIM_MX, "example.com", "mx1.example.com"},
    {"mx Example.com. MX1.example.COM.", EXIM_MX, "example.com", "mx1.example.com"},
    {"list require example.com", EXIM_LIST, "require", "example.com"},
    {"list inbound-exclude 192.0.2.1", EXIM_LIST, "inbound-exclude", "192.0.2.1"},
    {"list local [192.0.2.1]", EXIM_LIST, "local", "[192.0.2.1]"},
    {"list local a b", EXIM_LIST, "local", "a b"},
    {"route u@example.com", EXIM_ROUTE, "u@example.com", "example.com"},
    {"route <u@example.com>", EXIM_ROUTE, "<u@example.com>", "example.com"},
    {"route a b@Example.com", EXIM_ROUTE, "a b@Example.com", "Example.com"},
    {"route \"a@b\"@example.com", EXIM_ROUTE, "\"a@b\"@example.com", "example.com"},
    {"route u@[IPv6:2001:db8::1]", EXIM_ROUTE, "u@[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"},
};

static void same(const char *what, const char *at, size_t len, const char *want)
{
    if (len != strlen(want) || memcmp(at, want, len) != 0)
        fail_msg("%s: %.*s, not %s", what, (int)len, at, want);
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const char *line = good[i].line;
        struct exim_request req;
        struct err e = {""};

        if (exim_request_parse(&req, line, strlen(line), &e) != 0)
            fail_msg("%s: %s", line, e.text);
        assert_int_equal(req.verb, good[i].verb);
        if (req.verb == EXIM_POLICY || req.verb == EXIM_MX) {
            assert_string_equal(req.hop.name, good[i].first);
            assert_int_equal(req.hop.kind, NEXTHOP_DOMAIN);
            assert_int_equal(req.hop.port, 0);
            assert_string_equal(req.host, good[i].second);
        } else if (req.verb == EXIM_LIST) {
            assert_string_equal(list_name(req.list), good[i].first);
            same(line, req.key, req.key_len, good[i].second);
        } else {
            same(line, req.key, req.key_len, good[i].first);
            same(line, req.domain, req.domain_len, good[i].second);
        }
    }
}

static const struct {
    const char *line;
    const char *why;
} bad[] = {
    {"", "begins with policy, mx, list or route"},
    {" ", "begins with"},
    {" policy a.test", "begins with"},
    {"POLICY a.test", "begins with"},
    {"policya.test", "begins with"},
    {"19:postfix example.com,", "begins with"},
    {"status=ok level=none", "begins with"},
    {"policy", "the domain: "},
    {"policy ", "the domain: "},
    {"policy a.test b.test", "one word"},
    {"policy  a.test", "one word"},
    {"policy a.test ", "one word"},
    {"policy .a.test", "a parent"},
    {"policy a.test:25", "a port"},
    {"policy a.test:smtp", "a port"},
    {"policy [a.test]", "in brackets"},
    {"policy [192.0.2.1]", "an address"},
    {"policy 192.0.2.1", "an address"},
    {"policy 2001:db8::1", "the domain"},
    {"policy a..test", "the domain: "},
    {"policy -a.test", "the domain: "},
    {"policy a.123", "the domain: "},
    {"policy a\"b.test", "the domain: "},
    {"policy a\tb.test", "control octet"},
    {"policy a.test\r", "control octet"},
    {"policy a.test\177", "control octet"},
    {"policy \377.test", "the domain: "},
    {"mx", "two words"},
    {"mx a.test", "two words"},
    {"mx a.test ", "two words"},
    {"mx a.test b.test c.test", "two words"},
    {"mx  b.test", "the domain: "},
    {"mx [a.test] b.test", "in brackets"},
    {"mx a.test [192.0.2.1]", "the MX host: "},
    {"mx a.test 192.0.2.1", "the MX host: "},
    {"mx a.test *.b.test", "the MX host: "},
    {"list", "two words"},
    {"list require", "two words"},
    {"list require ", "two words"},
    {"list require  a.test", "two words"},
    {"list require a.test ", "two words"},
    {"list  a.test", "there is no list"},
    {"list Require a.test", "there is no list"},
    {"list xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx a.test", "there is no list"},
    {"route", "local part and domain"},
    {"route u", "local part and domain"},
    {"route u+requiretls", "local part and domain"},
    {"route @a.test", "local part and domain"},
    {"route u@", "local part and domain"},
};

static void test_bad(void **state)
{
    static const char nul[] = "policy a\0.test";
    struct exim_request req;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        e.text[0] = '\0';
        if (exim_request_parse(&req, bad[i].line, strlen(bad[i].line), &e) != -1)
            fail_msg("\"%s\" was taken", bad[i].line);
        if (strstr(e.text, bad[i].why) == NULL)
            fail_msg("\"%s\": %s", bad[i].line, e.text);
    }
    assert_int_equal(exim_request_parse(&req, nul, sizeof(nul) - 1, &e), -1);
    assert_non_null(strstr(e.text, "control octet"));
}

/* --- the line --- */

/* In memory of its own, so that the sanitizers see an octet too many. */
static ssize_t find_line(size_t len, size_t lf_at, const char *why)
{
    char *data = malloc(len + (len == 0));
    struct err e = {""};
    ssize_t found;

    assert_non_null(data);
    memset(data, 'x', len);
    if (lf_at < len)
        data[lf_at] = '\n';
    found = exim_request_line(data, len, &e);
    free(data);
    assert_string_equal(e.text, why);
    return found;
}

static void test_line(void **state)
{
    static const char too_long[] = "a request is longer than 1024 octets";

    (void)state;
    assert_int_equal(find_line(0, 0, ""), 0);
    assert_int_equal(find_line(1, 0, ""), 1);
    assert_int_equal(find_line(100, 100, ""), 0);
    assert_int_equal(find_line(100, 50, ""), 51);
    assert_int_equal(find_line(EXIM_REQUEST_MAX, EXIM_REQUEST_MAX, ""), 0);
    assert_int_equal(find_line(EXIM_REQUEST_MAX + 1, EXIM_REQUEST_MAX, ""), EXIM_REQUEST_MAX + 1);
    assert_int_equal(find_line(EXIM_REQUEST_MAX + 1, EXIM_REQUEST_MAX + 1, too_long), -1);
    assert_int_equal(find_line(EXIM_REQUEST_MAX + 2, EXIM_REQUEST_MAX + 1, too_long), -1);
}

/* --- the tag --- */

static const struct {
    const char *address;
    enum exim_route route;
} routes[] = {
    {"u@a.test", EXIM_ROUTE_NONE},
    {"u+requiretls@a.test", EXIM_ROUTE_REQUIRETLS},
    {"u+RequireTLS@a.test", EXIM_ROUTE_REQUIRETLS},
    {"u+x+requiretls@a.test", EXIM_ROUTE_REQUIRETLS},
    {"u+tlsoptional@a.test", EXIM_ROUTE_RELAXED},
    {"u+requiretls+tlsoptional@a.test", EXIM_ROUTE_REQUIRETLS},
    {"u+tlsoptional+requiretls@a.test", EXIM_ROUTE_REQUIRETLS},
    {"u+tlsoptional+tlsoptional@a.test", EXIM_ROUTE_RELAXED},
    {"u+requiretls+x@a.test", EXIM_ROUTE_NONE},
    {"u+requiretls+x+tlsoptional@a.test", EXIM_ROUTE_RELAXED},
    {"+requiretls@a.test", EXIM_ROUTE_NONE},
    {"requiretls@a.test", EXIM_ROUTE_NONE},
    {"u-requiretls@a.test", EXIM_ROUTE_NONE},
    {"u@a.test+requiretls", EXIM_ROUTE_NONE},
    {"u+requiretls@[192.0.2.1]", EXIM_ROUTE_REQUIRETLS},
    /* as Exim says quoted local parts: without the quotes */
    {"a b+requiretls@a.test", EXIM_ROUTE_REQUIRETLS},
    {"a@b+requiretls@a.test", EXIM_ROUTE_REQUIRETLS},
    {"a\"b+requiretls@a.test", EXIM_ROUTE_REQUIRETLS},
    {"a\\+tlsoptional@a.test", EXIM_ROUTE_RELAXED},
    {"<a+requiretls@a.test", EXIM_ROUTE_REQUIRETLS},
    /* as a message has them */
    {"<u+requiretls@a.test>", EXIM_ROUTE_REQUIRETLS},
    {"<@x.test:u+tlsoptional@a.test>", EXIM_ROUTE_RELAXED},
    {"@x@:u+tlsoptional", EXIM_ROUTE_RELAXED},
    {"\"a b+requiretls\"@a.test", EXIM_ROUTE_REQUIRETLS},
    {"\"a b+requiretls+tlsoptional\"@a.test", EXIM_ROUTE_REQUIRETLS},
    {"\"a b+tlsoptional\"@a.test", EXIM_ROUTE_RELAXED},
    {"u+require\"tls\"@a.test", EXIM_ROUTE_REQUIRETLS},
    {"u+requ\\iretls@a.test", EXIM_ROUTE_REQUIRETLS},
    {"\"a b+requiretls\"+x@a.test", EXIM_ROUTE_NONE},
};

static enum exim_route route_of(const char *address, const struct address_tag *requiretls,
                                const struct address_tag *optional)
{
    struct exim_request req;
    struct err e = {""};
    char line[EXIM_REQUEST_MAX + 1];

    assert_true(strlen(address) < sizeof(line) - strlen("route "));
    strcpy(line, "route ");
    strcat(line, address);
    if (exim_request_parse(&req, line, strlen(line), &e) != 0)
        fail_msg("%s: %s", line, e.text);
    return exim_request_route(&req, requiretls, optional);
}

static void test_route(void **state)
{
    static const struct address_tag requiretls = {'+', "requiretls"}, optional = {'+', "tlsoptional"};

    (void)state;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
        if (route_of(routes[i].address, &requiretls, &optional) != routes[i].route)
            fail_msg("%s", routes[i].address);
    assert_int_equal(route_of("u-tls-only@a", &(struct address_tag){'-', "tls-only"}, &optional),
                     EXIM_ROUTE_REQUIRETLS);
    assert_int_equal(route_of("u+requiretls@a", &(struct address_tag){'-', "tls-only"}, &optional), EXIM_ROUTE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_route),
    };

    return cmocka_run_group_tests_name("exim_request", tests, NULL, NULL);
}
