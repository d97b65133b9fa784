/* socketmap.t.c - tests of socketmap.c. */
#include "socketmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "netstring.h"

#define TEXT(s) (s), sizeof(s) - 1

static const struct request_case {
    const char *name;
    const char *in;
    size_t len;
    int rc;
    const char *map;
    const char *key;
    size_t key_len;
} requests[] = {
    {"a domain", TEXT("postfix example.com"), 0, "postfix", TEXT("example.com")},
    {"a parent", TEXT("postfix .example.com"), 0, "postfix", TEXT(".example.com")},
    {"the first blank splits", TEXT("QUERY a b  c "), 0, "QUERY", TEXT("a b  c ")},
    {"a blank as key", TEXT("QUERY  "), 0, "QUERY", TEXT(" ")},
    {"any octets", TEXT("m \0\xff\n"), 0, "m", TEXT("\0\xff\n")},
    {"Exim", TEXT("postfix NoRPT.Example"), 0, "postfix", TEXT("NoRPT.Example")},
    {"empty", TEXT(""), -1, NULL, NULL, 0},
    {"no blank", TEXT("postfix"), -1, NULL, NULL, 0},
    {"a TAB is no blank", TEXT("postfix\texample.com"), -1, NULL, NULL, 0},
    {"no key", TEXT("postfix "), -1, NULL, NULL, 0},
    {"no map", TEXT(" example.com"), -1, NULL, NULL, 0},
    {"a blank only", TEXT(" "), -1, NULL, NULL, 0},
    {"two blanks only", TEXT("  "), -1, NULL, NULL, 0},
};

static void parses_requests(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        const struct request_case *c = &requests[i];
        struct socketmap_request req;
        int rc = socketmap_request_parse(&req, c->in, c->len);

        if (rc != c->rc)
            fail_msg("%s: %d, not %d", c->name, rc, c->rc);
        if (rc == 0) {
            assert_int_equal(req.map_len, strlen(c->map));
            assert_memory_equal(req.map, c->map, req.map_len);
            assert_int_equal(req.key_len, c->key_len);
            assert_memory_equal(req.key, c->key, req.key_len);
            assert_true(socketmap_is_map(&req, c->map));
        }
    }
}

static void compares_map_names(void **state)
{
    struct socketmap_request req;

    (void)state;
    assert_int_equal(socketmap_request_parse(&req, TEXT("QUERYwithTLSRPT x")), 0);
    assert_true(socketmap_is_map(&req, "QUERYwithTLSRPT"));
    assert_false(socketmap_is_map(&req, "QUERY"));
    assert_false(socketmap_is_map(&req, "QUERYwithTLSRPT2"));
    assert_false(socketmap_is_map(&req, "querywithtlsrpt"));
    assert_false(socketmap_is_map(&req, ""));
    assert_int_equal(socketmap_request_parse(&req, TEXT("post\0fix x")), 0);
    assert_false(socketmap_is_map(&req, "post"));
}

static const struct reply_case {
    enum socketmap_status status;
    const char *text;
    size_t len;
    const char *out;
} replies[] = {
    {SOCKETMAP_OK, TEXT("dane-only"), "12:OK dane-only,"},
    {SOCKETMAP_NOTFOUND, TEXT(""), "9:NOTFOUND ,"},
    {SOCKETMAP_NOTFOUND, NULL, 0, "9:NOTFOUND ,"},
    {SOCKETMAP_TEMP, TEXT("DNS: no answer"), "19:TEMP DNS: no answer,"},
    {SOCKETMAP_PERM, TEXT("no such map"), "16:PERM no such map,"},
    {SOCKETMAP_TEMP, TEXT("a\nb\0c\rd\te\177f"), "16:TEMP a b c d e f,"},
    {SOCKETMAP_OK, TEXT("secure match=b\xc3\xbc"), "19:OK secure match=b\xc3\xbc,"},
};

static void writes_replies(void **state)
{
    struct buf all;
    struct buf want;
    size_t i;

    (void)state;
    buf_init(&all, 1000);
    buf_init(&want, 1000);
    for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct buf b;
        buf_init(&b, 100);
        socketmap_reply(&b, replies[i].status, replies[i].text, replies[i].len);
        assert_true(buf_ok(&b));
        assert_string_equal(buf_text(&b), replies[i].out);
        buf_clear(&b);
        socketmap_reply(&all, replies[i].status, replies[i].text, replies[i].len);
        buf_str(&want, replies[i].out);
    }
    assert_string_equal(buf_text(&all), buf_text(&want)); /* one after the other, earlier ones untouched */
    buf_clear(&all);
    buf_clear(&want);
}

/* What Postfix would not read is not sent: the limit counts the word and the blank. */
static void long_answers(void **state)
{
    const size_t fits = SOCKETMAP_REPLY_MAX - 3;
    char *text = malloc(fits + 1);
    struct netstring ns;
    struct buf b;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', fits + 1);
    buf_init(&b, SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD);
    socketmap_reply(&b, SOCKETMAP_OK, text, fits);
    assert_true(buf_ok(&b));
    assert_int_equal(netstring_parse(&ns, b.data, b.len, SOCKETMAP_REPLY_MAX), 1);
    assert_int_equal(ns.len, SOCKETMAP_REPLY_MAX);
    buf_reset(&b);
    socketmap_reply(&b, SOCKETMAP_OK, text, fits + 1);
    assert_string_equal(buf_text(&b), "20:TEMP answer too long,");
    buf_reset(&b);
    socketmap_reply(&b, SOCKETMAP_NOTFOUND, text, fits);
    assert_string_equal(buf_text(&b), "20:TEMP answer too long,");
    buf_reset(&b);
    socketmap_reply(&b, SOCKETMAP_OK, text, SIZE_MAX);
    assert_string_equal(buf_text(&b), "20:TEMP answer too long,");
    buf_clear(&b);
    free(text);
}

static void never_half_a_reply(void **state)
{
    static const char whole[] = "12:OK dane-only,";
    size_t max;

    (void)state;
    for (max = 0; max <= sizeof(whole); max++) {
        struct buf b;
        buf_init(&b, max);
        socketmap_reply(&b, SOCKETMAP_OK, TEXT("dane-only"));
        assert_int_equal(buf_ok(&b), max >= sizeof(whole) - 1);
        assert_string_equal(buf_text(&b), buf_ok(&b) ? whole : "");
        buf_clear(&b);
    }
}

static void names_statuses(void **state)
{
    (void)state;
    assert_string_equal(socketmap_status_name(SOCKETMAP_OK), "OK");
    assert_string_equal(socketmap_status_name(SOCKETMAP_NOTFOUND), "NOTFOUND");
    assert_string_equal(socketmap_status_name(SOCKETMAP_TEMP), "TEMP");
    assert_string_equal(socketmap_status_name(SOCKETMAP_PERM), "PERM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_requests), cmocka_unit_test(compares_map_names), cmocka_unit_test(writes_replies),
        cmocka_unit_test(long_answers),    cmocka_unit_test(never_half_a_reply), cmocka_unit_test(names_statuses),
    };
    return cmocka_run_group_tests_name("socketmap", tests, NULL, NULL);
}
