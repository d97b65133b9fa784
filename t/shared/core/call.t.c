/* call.t.c - tests of call.c. */
#include "call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "netstring.h"

#define TEXT(s) (s), sizeof(s) - 1
#define VERB32  "abcdefghijklmnopqrstuvwxyz-abcde"

static const struct request_case {
    const char *name;
    const char *in;
    size_t len;
    int rc;
    uint32_t id;
    const char *verb;
    const char *arg;
    size_t arg_len;
} requests[] = {
    {"plain", TEXT("1 7 resolve example.com"), 0, 7, "resolve", TEXT("example.com")},
    {"no argument", TEXT("1 0 ping "), 0, 0, "ping", TEXT("")},
    {"largest id", TEXT("1 4294967295 cache-flush x"), 0, 4294967295U, "cache-flush", TEXT("x")},
    {"argument with blanks and any octets", TEXT("1 1 v  a\0\n b"), 0, 1, "v", TEXT(" a\0\n b")},
    {"longest verb", TEXT("1 1 " VERB32 " x"), 0, 1, VERB32, TEXT("x")},
    {"empty", TEXT(""), -1, 0, NULL, NULL, 0},
    {"version only", TEXT("1"), -1, 0, NULL, NULL, 0},
    {"version and blank", TEXT("1 "), -1, 0, NULL, NULL, 0},
    {"other version", TEXT("2 7 resolve example.com"), -1, 0, NULL, NULL, 0},
    {"version 10", TEXT("10 7 resolve example.com"), -1, 0, NULL, NULL, 0},
    {"no id", TEXT("1  resolve x"), -1, 0, NULL, NULL, 0},
    {"id ends it", TEXT("1 7"), -1, 0, NULL, NULL, 0},
    {"id 2^32", TEXT("1 4294967296 resolve x"), -1, 0, NULL, NULL, 0},
    {"id 2^64 and one", TEXT("1 18446744073709551617 resolve x"), -1, 0, NULL, NULL, 0},
    {"leading zero", TEXT("1 07 resolve x"), -1, 0, NULL, NULL, 0},
    {"negative id", TEXT("1 -7 resolve x"), -1, 0, NULL, NULL, 0},
    {"id with a letter", TEXT("1 7a resolve x"), -1, 0, NULL, NULL, 0},
    {"id with an octet below '0'", TEXT("1 7/ resolve x"), -1, 0, NULL, NULL, 0},
    {"no verb", TEXT("1 7 "), -1, 0, NULL, NULL, 0},
    {"empty verb", TEXT("1 7  x"), -1, 0, NULL, NULL, 0},
    {"no blank after the verb", TEXT("1 7 ping"), -1, 0, NULL, NULL, 0},
    {"upper case", TEXT("1 7 Ping "), -1, 0, NULL, NULL, 0},
    {"a digit in the verb", TEXT("1 7 ping2 "), -1, 0, NULL, NULL, 0},
    {"a NUL in the verb", TEXT("1 7 pi\0g "), -1, 0, NULL, NULL, 0},
    {"just below 'a'", TEXT("1 7 ` "), -1, 0, NULL, NULL, 0},
    {"just above 'z'", TEXT("1 7 { "), -1, 0, NULL, NULL, 0},
    {"verb too long", TEXT("1 1 x" VERB32 " x"), -1, 0, NULL, NULL, 0},
    {"TABs", TEXT("1\t7\tping\t"), -1, 0, NULL, NULL, 0},
};

static void parses_requests(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        const struct request_case *c = &requests[i];
        struct call_request req;
        struct err e = {""};
        int rc = call_request_parse(&req, c->in, c->len, &e);

        if (rc != c->rc)
            fail_msg("%s: %d, not %d (%s)", c->name, rc, c->rc, e.text);
        if (rc == 0) {
            assert_int_equal(req.id, c->id);
            assert_string_equal(req.verb, c->verb);
            assert_int_equal(req.arg_len, c->arg_len);
            assert_memory_equal(req.arg, c->arg, req.arg_len);
        } else {
            assert_string_not_equal(e.text, "");
        }
    }
    assert_int_equal(call_request_parse(&(struct call_request){0}, "", 0, NULL), -1);
}

static const struct reply_case {
    const char *name;
    const char *in;
    size_t len;
    int rc;
    uint32_t id;
    enum call_status status;
    const char *text;
} replies[] = {
    {"ok", TEXT("1 7 OK {\"v\":1}"), 0, 7, CALL_OK, "{\"v\":1}"},
    {"temporary", TEXT("1 4294967295 TEMP no answer"), 0, 4294967295U, CALL_TEMP, "no answer"},
    {"permanent", TEXT("1 0 PERM unknown verb"), 0, 0, CALL_PERM, "unknown verb"},
    {"no text", TEXT("1 7 OK "), 0, 7, CALL_OK, ""},
    {"a blank as text", TEXT("1 7 OK  "), 0, 7, CALL_OK, " "},
    {"no blank", TEXT("1 7 OK"), -1, 0, CALL_OK, NULL},
    {"lower case", TEXT("1 7 ok x"), -1, 0, CALL_OK, NULL},
    {"part of a word", TEXT("1 7 O x"), -1, 0, CALL_OK, NULL},
    {"a longer word", TEXT("1 7 OKAY x"), -1, 0, CALL_OK, NULL},
    {"a far longer word", TEXT("1 7 PERMANENT x"), -1, 0, CALL_OK, NULL},
    {"no status", TEXT("1 7  x"), -1, 0, CALL_OK, NULL},
    {"status missing", TEXT("1 7 "), -1, 0, CALL_OK, NULL},
    {"another word", TEXT("1 7 NOTFOUND "), -1, 0, CALL_OK, NULL},
    {"bad id", TEXT("1 x OK "), -1, 0, CALL_OK, NULL},
    {"other version", TEXT("2 7 OK "), -1, 0, CALL_OK, NULL},
    {"empty", TEXT(""), -1, 0, CALL_OK, NULL},
};

static void parses_replies(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        const struct reply_case *c = &replies[i];
        struct call_reply rep;
        struct err e = {""};
        int rc = call_reply_parse(&rep, c->in, c->len, &e);

        if (rc != c->rc)
            fail_msg("%s: %d, not %d (%s)", c->name, rc, c->rc, e.text);
        if (rc == 0) {
            assert_int_equal(rep.id, c->id);
            assert_int_equal(rep.status, c->status);
            assert_int_equal(rep.text_len, strlen(c->text));
            assert_memory_equal(rep.text, c->text, rep.text_len);
        } else {
            assert_string_not_equal(e.text, "");
        }
    }
}

static void writes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    call_request_write(&b, 7, "resolve", TEXT("example.com"));
    call_request_write(&b, 4294967295U, "ping", NULL, 0);
    call_reply_write(&b, 0, CALL_OK, TEXT("{}"));
    call_reply_write(&b, 12, CALL_TEMP, TEXT("later"));
    call_reply_write(&b, 12, CALL_PERM, NULL, 0);
    assert_true(buf_ok(&b));
    assert_string_equal(buf_text(&b), "23:1 7 resolve example.com,18:1 4294967295 ping ,9:1 0 OK {},"
                                      "15:1 12 TEMP later,10:1 12 PERM ,");
    buf_clear(&b);
}

static void write_refuses_what_is_no_verb(void **state)
{
    static const char *const verbs[] = {"", "Ping", "a b", "a1", "abcdefghijklmnopqrstuvwxyz-abcdef"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        struct buf b;
        buf_init(&b, 1000);
        call_request_write(&b, 7, verbs[i], "x", 1);
        assert_false(buf_ok(&b));
        assert_string_equal(buf_text(&b), "");
        buf_clear(&b);
    }
}

/* The largest message goes through writer, netstring and parser; one octet more stops at the writer. */
static void request_limit(void **state)
{
    static const char ok[] = "1 7 v ";
    const size_t fits = CALL_REQUEST_MAX - strlen("1 7 v ");
    char text[CALL_REQUEST_MAX + 1];
    struct call_request req;
    struct netstring ns;
    struct buf b;

    (void)state;
    memset(text, 'x', sizeof(text));
    buf_init(&b, CALL_REQUEST_MAX + 100);
    call_request_write(&b, 7, "v", text, fits);
    assert_true(buf_ok(&b));
    assert_int_equal(netstring_parse(&ns, b.data, b.len, CALL_REQUEST_MAX), 1);
    assert_int_equal(ns.len, CALL_REQUEST_MAX);
    assert_int_equal(call_request_parse(&req, ns.data, ns.len, NULL), 0);
    assert_int_equal(req.arg_len, fits);
    buf_reset(&b);
    call_request_write(&b, 7, "v", text, fits + 1);
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 0);
    memcpy(text, ok, sizeof(ok) - 1);
    assert_int_equal(call_request_parse(&req, text, CALL_REQUEST_MAX, NULL), 0);
    assert_int_equal(call_request_parse(&req, text, CALL_REQUEST_MAX + 1, NULL), -1);
    buf_clear(&b);
}

static void reply_limit(void **state)
{
    static const char ok[] = "1 7 OK ";
    const size_t fits = CALL_REPLY_MAX - strlen("1 4294967295 TEMP ");
    char *text = malloc(CALL_REPLY_MAX + 1);
    struct call_reply rep;
    struct netstring ns;
    struct buf b;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', CALL_REPLY_MAX + 1);
    assert_true(fits >= (size_t)1024 * 1024); /* a record as JSON (dest.h) fits whole */
    buf_init(&b, (size_t)CALL_REPLY_MAX * 2);
    call_reply_write(&b, 4294967295U, CALL_TEMP, text, fits);
    assert_true(buf_ok(&b));
    assert_int_equal(netstring_parse(&ns, b.data, b.len, CALL_REPLY_MAX), 1);
    assert_int_equal(call_reply_parse(&rep, ns.data, ns.len, NULL), 0);
    assert_int_equal(rep.text_len, fits);
    buf_reset(&b);
    call_reply_write(&b, 4294967295U, CALL_TEMP, text, fits + 1);
    assert_false(buf_ok(&b));
    buf_reset(&b);
    call_reply_write(&b, 1, CALL_OK, text, SIZE_MAX);
    assert_false(buf_ok(&b));
    memcpy(text, ok, sizeof(ok) - 1);
    assert_int_equal(call_reply_parse(&rep, text, CALL_REPLY_MAX, NULL), 0);
    assert_int_equal(call_reply_parse(&rep, text, CALL_REPLY_MAX + 1, NULL), -1);
    buf_clear(&b);
    free(text);
}

static void never_half_a_message(void **state)
{
    static const char whole[] = "10:1 7 OK yes,";
    size_t max;

    (void)state;
    for (max = 0; max <= sizeof(whole); max++) {
        struct buf b;
        buf_init(&b, max);
        call_reply_write(&b, 7, CALL_OK, TEXT("yes"));
        assert_int_equal(buf_ok(&b), max >= sizeof(whole) - 1);
        assert_string_equal(buf_text(&b), buf_ok(&b) ? whole : "");
        buf_clear(&b);
    }
}

static void names_statuses(void **state)
{
    (void)state;
    assert_string_equal(call_status_name(CALL_OK), "OK");
    assert_string_equal(call_status_name(CALL_TEMP), "TEMP");
    assert_string_equal(call_status_name(CALL_PERM), "PERM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_requests),
        cmocka_unit_test(parses_replies),
        cmocka_unit_test(writes),
        cmocka_unit_test(write_refuses_what_is_no_verb),
        cmocka_unit_test(request_limit),
        cmocka_unit_test(reply_limit),
        cmocka_unit_test(never_half_a_message),
        cmocka_unit_test(names_statuses),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
