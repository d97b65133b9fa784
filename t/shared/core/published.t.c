/* published.t.c - tests of published.c: RFC 8461 3.2, check A5, on what this side publishes. */
#include "published.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TAIL     ",\"id\":\"a1\",\"changed\":5,\"since\":4,\"by\":\"root\"}"
#define MXLESS   "{\"v\":1,\"mode\":\"none\",\"max_age\":86400,\"mx\":[]"
#define ENFORCE  "{\"v\":1,\"mode\":\"enforce\",\"max_age\":604800,\"mx\":[\"mx.example.com\",\"*.example.net\"]"

/* What is taken is written again as it was, and served so. */
static void test_round_trip(void **state)
{
    static const struct {
        const char *json, *body;
    } rows[] = {
        {ENFORCE TAIL, "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmx: *.example.net\r\n"
                       "max_age: 604800\r\n"},
        {MXLESS TAIL, "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"},
        {MXLESS ",\"id\":\"a\",\"changed\":5,\"since\":4,\"held\":9,\"by\":\"r\"}",
         "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"},
        {"{\"v\":1,\"mode\":\"testing\",\"max_age\":0,\"mx\":[\"a.b\"],\"id\":\"z\",\"changed\":0,\"since\":0,\"by\":"
         "\"J\xc3\xa4ger \\\"x\\\\\"}",
         "version: STSv1\r\nmode: testing\r\nmx: a.b\r\nmax_age: 0\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct published p;
        struct err e = {""};
        struct buf out;

        buf_init(&out, PUBLISHED_JSON_MAX);
        assert_int_equal(published_read(&p, "example.com", rows[i].json, strlen(rows[i].json), &e), 0);
        assert_string_equal(p.domain, "example.com");
        published_write(&out, &p);
        assert_string_equal(buf_text(&out), rows[i].json);
        buf_reset(&out);
        published_body(&out, &p.policy);
        assert_string_equal(buf_text(&out), rows[i].body);
        buf_clear(&out);
        published_clear(&p);
        published_clear(&p);
    }
    published_clear(NULL);
}

static void test_members(void **state)
{
    struct published p;

    (void)state;
    assert_int_equal(published_read(&p, "example.com", ENFORCE TAIL, strlen(ENFORCE TAIL), NULL), 0);
    assert_int_equal(p.policy.mode, STS_MODE_ENFORCE);
    assert_int_equal(p.policy.max_age, 604800);
    assert_int_equal(p.policy.mx_count, 2);
    assert_string_equal(p.policy.mx[1], "*.example.net");
    assert_string_equal(p.id, "a1");
    assert_string_equal(p.by, "root");
    assert_int_equal(p.changed, 5);
    assert_int_equal(p.since, 4);
    published_clear(&p);
    assert_null(p.policy.mx);
}

#define ONE(mx) "{\"v\":1,\"mode\":\"enforce\",\"max_age\":1,\"mx\":[" mx "]" TAIL

static void test_refused(void **state)
{
    static const struct {
        const char *domain, *json, *why;
    } rows[] = {
        {"Example.com", ENFORCE TAIL, "the domain must be written example.com"},
        {"example.com.", ENFORCE TAIL, "the domain must be written example.com"},
        {"", ENFORCE TAIL, ""},
        {"a", "", "no JSON"},
        {"a", "[]", "not a JSON object"},
        {"a", "{\"v\":2}", "v: version 2, not 1"},
        {"a", "{}", "v: not a number"},
        {"a", ENFORCE ",\"id\":\"a-1\",\"changed\":5,\"since\":4,\"by\":\"r\"}", "id: not 1 to 32"},
        {"a", ENFORCE ",\"id\":\"\",\"changed\":5,\"since\":4,\"by\":\"r\"}", "id: not 1 to 32"},
        {"a", ENFORCE ",\"id\":\"123456789012345678901234567890123\",\"changed\":5,\"since\":4,\"by\":\"r\"}", "id: n"},
        {"a", ENFORCE ",\"changed\":5,\"since\":4,\"by\":\"r\"}", "id: missing"},
        {"a", ENFORCE ",\"id\":\"a\",\"changed\":-5,\"since\":4,\"by\":\"r\"}", "changed: not"},
        {"a", ENFORCE ",\"id\":\"a\",\"changed\":5,\"since\":\"4\",\"by\":\"r\"}", "since: not"},
        {"a", ENFORCE ",\"id\":\"a\",\"changed\":5,\"since\":4,\"by\":\"r\\n\"}", "by: not printable"},
        {"a", ENFORCE ",\"id\":\"a\",\"changed\":5,\"since\":4,\"held\":-1,\"by\":\"r\"}", "held: not"},
        {"a", ENFORCE ",\"id\":\"a\",\"changed\":5,\"since\":4,\"by\":7}", "by: not a string"},
        {"a", ENFORCE ",\"id\":\"a\",\"id\":\"b\",\"changed\":5,\"since\":4,\"by\":\"r\"}", "no JSON"},
        {"a", ONE(""), "there is no mx line"},
        {"a", ONE("1"), "mx: not an array of strings"},
        {"a", ONE("\"MX.example.com\""), "mx: the pattern must be written mx.example.com"},
        {"a", ONE("\"mx.example.com\\r\\nmode: none\""), "mx pattern"},
        {"a", ONE("\"mx.example.com\\u0000\""), "no JSON"},
        {"a", ONE("\"mx.a\",\"mx.a\""), "mx: a pattern is there twice"},
        {"a", ONE("\"192.0.2.1\""), "is an address"},
        {"a", ONE("\"m_x.example.com\""), "cannot have '_'"},
        {"a", "{\"v\":1,\"mode\":\"Enforce\",\"max_age\":1,\"mx\":[\"a\"]" TAIL, "mode: not"},
        {"a", "{\"v\":1,\"mode\":\"none\",\"max_age\":1}" TAIL, "no JSON"},
        {"a", "{\"v\":1,\"mode\":\"none\",\"max_age\":1" TAIL, "mx: not an array"},
        {"a", "{\"v\":1,\"mode\":\"none\",\"max_age\":31557601,\"mx\":[]" TAIL, "max_age: not"},
        {"a", "{\"v\":1,\"mode\":\"none\",\"max_age\":1.5,\"mx\":[]" TAIL, "max_age: not"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct published p;
        struct err e = {""};

        assert_int_equal(published_read(&p, rows[i].domain, rows[i].json, strlen(rows[i].json), &e), -1);
        if (strstr(e.text, rows[i].why) == NULL || e.text[0] == '\0')
            fail_msg("%s: \"%s\" in place of \"%s\"", rows[i].json, e.text, rows[i].why);
        assert_null(p.policy.mx);
        assert_string_equal(p.domain, "");
    }
}

/* Long names fill a policy file before a thousand patterns do. */
static void test_too_long(void **state)
{
    struct published p;
    struct err e = {""};
    struct buf json;

    (void)state;
    buf_init(&json, 1 << 20);
    buf_str(&json, "{\"v\":1,\"mode\":\"enforce\",\"max_age\":1,\"mx\":[");
    for (int i = 0; i < 1001; i++)
        buf_printf(&json, "%s\"m%d.example.com\"", i == 0 ? "" : ",", i);
    buf_str(&json, "]" TAIL);
    assert_int_equal(published_read(&p, "a", json.data, json.len, &e), -1);
    assert_non_null(strstr(e.text, "more than 1000 mx lines"));
    for (size_t i = json.len; i <= PUBLISHED_JSON_MAX; i++)
        buf_char(&json, ' ');
    assert_int_equal(published_read(&p, "a", json.data, json.len, &e), -1);
    assert_non_null(strstr(e.text, "longer than"));
    buf_clear(&json);
}

static void test_id(void **state)
{
    static const struct {
        int64_t now;
        const char *before, *id;
    } rows[] = {
        {1795342500, NULL, "20261122T101500Z"},
        {1795342500, "", "20261122T101500Z"},
        {1795342500, "20261122T101459Z", "20261122T101500Z"},
        {1795342500, "20261122T101500Z", "20261122T101500Z2"},
        {1795342500, "20261122T101500Z2", "20261122T101500Z3"},
        {1795342500, "20261122T101500Zx", "20261122T101500Z2"},
        {1795342500, "20261122T101500Z9999999999999999", "20261122T101500Z1000000000"},
        {-1, "x", "19700101T000000Z"},
        {INT64_MAX, "x", "99991231T235959Z"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char id[STS_ID_MAX + 1];

        published_id(id, rows[i].now, rows[i].before);
        assert_string_equal(id, rows[i].id);
        assert_true(rows[i].before == NULL || strcmp(id, rows[i].before) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_members),
                                       cmocka_unit_test(test_refused), cmocka_unit_test(test_too_long),
                                       cmocka_unit_test(test_id)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
