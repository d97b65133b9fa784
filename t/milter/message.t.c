/* message.t.c - tests of message.c: what is kept of a message that comes piece by piece. */
#include "message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct message_wants all = {.fields = true, .body_octets = 10, .record_header = "X-Postern"};
static const struct message_wants least = {.fields = false, .body_octets = 0, .record_header = ""};

static void sender(struct message *m, const char *address, const char *parameter)
{
    char own[100], more[100];

    snprintf(own, sizeof(own), "%s", address);
    snprintf(more, sizeof(more), "%s", parameter == NULL ? "" : parameter);
    message_sender(m, (char *[]){own, parameter == NULL ? NULL : more, NULL});
}

static void recipient(struct message *m, const char *address, const char *parameter)
{
    char own[100], more[100];

    snprintf(own, sizeof(own), "%s", address);
    snprintf(more, sizeof(more), "%s", parameter == NULL ? "" : parameter);
    message_recipient(m, (char *[]){own, parameter == NULL ? NULL : more, NULL});
}

static void test_pieces(void **state)
{
    struct message *m = message_new();
    struct message_view v;

    (void)state;
    message_begin(m, &all);
    sender(m, "<a@x.example>", "RET=FULL");
    recipient(m, "<u@y.example>", "NOTIFY=NEVER");
    recipient(m, "<v@y.example>", NULL);
    message_field(m, "Subject", " hi");
    message_field(m, "x-postern", " forged");
    message_field(m, "X-Postern", " again");
    message_field(m, "TLS-required", " no");
    assert_true(message_body(m, "12345", 5));
    assert_false(message_body(m, "67890abc", 8));
    message_see(&v, m);
    assert_true(message_ok(m));
    assert_string_equal(v.sender, "<a@x.example>");
    assert_false(v.requiretls);
    assert_int_equal(v.recipients, 2);
    assert_string_equal(v.recipient[0].address, "<u@y.example>");
    assert_string_equal(v.recipient[0].parameters[0], "NOTIFY=NEVER");
    assert_null(v.recipient[0].parameters[1]);
    assert_string_equal(v.recipient[1].address, "<v@y.example>");
    assert_null(v.recipient[1].parameters[0]);
    assert_int_equal(v.no, TLS_REQUIRED_NO);
    assert_int_equal(v.no_fields, 1);
    assert_int_equal(v.record_fields, 2);
    assert_int_equal(v.fields, 4);
    assert_true(header_field_is(&v.field[0], "subject"));
    assert_memory_equal(v.field[0].value, " hi", 3);
    assert_int_equal(v.body_len, 10);
    assert_memory_equal(v.body, "1234567890", 10);
    assert_true(v.body_more);
    assert_int_equal(v.size, 2 + (7 + 1 + 3 + 2) + (9 + 1 + 7 + 2) + (9 + 1 + 6 + 2) + (12 + 1 + 3 + 2) + 13);
    message_free(m);
}

/* Nothing of one message is in the next. */
static void test_next(void **state)
{
    struct message *m = message_new();
    struct message_view v;

    (void)state;
    message_begin(m, &all);
    sender(m, "<a@x.example>", "requiretls");
    recipient(m, "<u@y.example>", "NOTIFY=NEVER");
    message_field(m, "TLS-Required", "bogus");
    message_field(m, "X-Postern", "");
    message_body(m, "1234567890a", 11);
    message_see(&v, m);
    assert_true(v.requiretls);
    assert_int_equal(v.no, TLS_REQUIRED_INVALID);
    message_begin(m, &least);
    sender(m, "<>", NULL);
    message_see(&v, m);
    assert_string_equal(v.sender, "<>");
    assert_false(v.requiretls || v.body_more || v.fields_left_out);
    assert_true(v.recipients == 0 && v.fields == 0 && v.body_len == 0 && v.no_fields == 0 && v.record_fields == 0);
    assert_int_equal(v.no, TLS_REQUIRED_NONE);
    message_free(m);
}

/* R2: the parameter has no value. */
static void test_requiretls(void **state)
{
    static const struct {
        const char *parameter;
        bool want;
    } rows[] = {
        {"REQUIRETLS", true}, {"RequireTLS", true}, {"REQUIRETLS=yes", false}, {"REQUIRETL", false}, {NULL, false},
    };
    struct message *m = message_new();
    struct message_view v;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        message_begin(m, &least);
        sender(m, "<REQUIRETLS@x.example>", rows[i].parameter);
        message_see(&v, m);
        assert_int_equal(v.requiretls, rows[i].want);
    }
    message_free(m);
}

/* What the milter itself goes by is seen, though no rule wants header fields, and though there are too many of them. */
static void test_least(void **state)
{
    struct message *m = message_new();
    struct message_view v;

    (void)state;
    message_begin(m, &least);
    sender(m, "<a@x.example>", NULL);
    message_field(m, "Subject", "hi");
    message_field(m, "TLS-Required", "No");
    assert_false(message_body(m, "body", 4));
    message_see(&v, m);
    assert_true(v.fields == 0 && v.body_len == 0 && v.no == TLS_REQUIRED_NO);
    message_free(m);
}

static void test_too_many_fields(void **state)
{
    struct message *m = message_new();
    struct message_view v;

    (void)state;
    message_begin(m, &all);
    sender(m, "<a@x.example>", NULL);
    for (size_t i = 0; i < MESSAGE_FIELDS_MAX; i++)
        message_field(m, "A", "b");
    message_see(&v, m);
    assert_false(v.fields_left_out);
    message_field(m, "TLS-Required", "No");
    message_field(m, "X-Postern", "forged");
    message_see(&v, m);
    assert_true(message_ok(m) && v.fields_left_out && v.fields == MESSAGE_FIELDS_MAX);
    assert_true(v.no == TLS_REQUIRED_NO && v.record_fields == 1);
    message_free(m);
}

static void test_long_fields(void **state)
{
    char *value = calloc(1, MESSAGE_HEADER_MAX + 1);
    struct message *m = message_new();
    struct message_view v;

    (void)state;
    assert_non_null(value);
    memset(value, 'x', MESSAGE_HEADER_MAX);
    message_begin(m, &all);
    sender(m, "<a@x.example>", NULL);
    message_field(m, "", value);
    message_see(&v, m);
    assert_true(v.fields == 1 && !v.fields_left_out && v.field[0].value_len == MESSAGE_HEADER_MAX);
    message_field(m, "", "y");
    message_field(m, "", "");
    message_see(&v, m);
    assert_true(message_ok(m) && v.fields == 1 && v.fields_left_out);
    message_free(m);
    free(value);
}

/* The blocks move while they grow, and all addresses stay right. */
static void test_many_recipients(void **state)
{
    struct message *m = message_new();
    struct message_view v;
    char address[40];

    (void)state;
    for (size_t round = 0; round < 2; round++) {
        message_begin(m, &all);
        sender(m, "<>", NULL);
        for (int i = 0; i < 50000; i++) {
            snprintf(address, sizeof(address), "<u%d@y.example>", i);
            recipient(m, address, i % 3 == 0 ? "NOTIFY=FAILURE" : NULL);
        }
        message_see(&v, m);
        assert_int_equal(v.recipients, 50000);
        for (int i = 0; i < 50000; i++) {
            snprintf(address, sizeof(address), "<u%d@y.example>", i);
            assert_string_equal(v.recipient[i].address, address);
            assert_int_equal(v.recipient[i].parameters[0] != NULL, i % 3 == 0);
        }
    }
    message_free(m);
}

/* An envelope beyond its limit is a failure, which the next message does not inherit. */
static void test_envelope_limit(void **state)
{
    const size_t len = 1 << 20;
    char *address = calloc(1, len + 1);
    struct message *m = message_new();
    struct message_view v;

    (void)state;
    assert_non_null(address);
    memset(address, 'a', len);
    message_begin(m, &all);
    sender(m, "<>", NULL);
    for (size_t i = 0; i < MESSAGE_ENVELOPE_MAX / len; i++)
        message_recipient(m, (char *[]){address, NULL});
    message_see(&v, m);
    assert_false(message_ok(m));
    assert_int_equal(v.recipients, 0);
    message_begin(m, &all);
    sender(m, "<>", NULL);
    message_see(&v, m);
    assert_true(message_ok(m));
    message_free(m);
    free(address);
}

static void feed(struct message *m, const char *text, size_t piece)
{
    for (size_t at = 0, len = strlen(text); at < len; at += piece)
        assert_true(message_body(m, text + at, len - at < piece ? len - at : piece));
}

static const struct message_wants shape = {.body_octets = 10, .shape = true, .record_header = ""};

/* What stands behind the first ten octets, and what is kept of it. */
static const struct {
    const char *text, *kept;
    bool left_out;
} shapes[] = {
    {"line\r\n\r\ntext\r\nmore -- text\r\n", "line\r\n\r\n", false},
    {"line\r\n\r\ntext\r\n--b\r\nA: b\r\n c\r\n\r\ntext\r\n--b--\r\n", "line\r\n\r\n--b\r\nA: b\r\n c\r\n\r\n--b--\r\n",
     false},
    {"line\n\ntext\n--b\nA: b\n\ntext\n--b--", "line\n\n--b\nA: b\n\n--b--", false},
    {"\r\n\r\n-text\r\n-\r\n--\r\n", "\r\n\r\n--\r\n", false},
    {"\r\n\r\n\r\n\r\n--b\r\n\r\n--c\r\n", "\r\n\r\n--b\r\n\r\n--c\r\n", false},
    {"\r\nA: b\r\r\n\r\ntext", "\r\nA: b\r\r\n\r\n", false},
    {"\r\n--b\r\n--c\r\n\r\ntext", "\r\n--b\r\n--c\r\n\r\n", false},
};

static void test_shape(void **state)
{
    struct message *m = message_new();
    struct message_view v;
    char want[200];

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (size_t piece = 1; piece < 20; piece++) {
            message_begin(m, &shape);
            sender(m, "<>", NULL);
            feed(m, "0123456789", piece);
            feed(m, shapes[i].text, piece);
            message_see(&v, m);
            snprintf(want, sizeof(want), "0123456789%s", shapes[i].kept);
            assert_string_equal(v.body, want);
            assert_true(v.body_more && v.shape_left_out == shapes[i].left_out);
        }
    }
    message_free(m);
}

/* Text without an empty line is no header for ever; but a header that is too long may have hidden something. */
static void test_shape_limits(void **state)
{
    struct message *m = message_new();
    struct message_view v;

    (void)state;
    for (size_t part = 0; part < 2; part++) {
        message_begin(m, &shape);
        sender(m, "<>", NULL);
        feed(m, part == 0 ? "0123456789\n" : "0123456789\n\n--b\n", 5);
        for (size_t i = 0; i < MESSAGE_PART_MAX; i++)
            feed(m, "seven7\n", 7);
        feed(m, "--b\nA: b\n\ntext\n", 5);
        message_see(&v, m);
        assert_true(v.body_len > MESSAGE_PART_MAX && v.body_len < MESSAGE_PART_MAX + 100);
        assert_string_equal(v.body + v.body_len - 11, "\n--b\nA: b\n\n");
        assert_int_equal(v.shape_left_out, part == 1);
    }
    message_begin(m, &shape);
    sender(m, "<>", NULL);
    feed(m, "0123456789\n\n", 5);
    for (size_t i = 0; i < MESSAGE_SHAPE_MAX; i++)
        feed(m, "--b\n\n", 5);
    message_see(&v, m);
    assert_true(message_ok(m) && v.shape_left_out && v.body_len == 10 + MESSAGE_SHAPE_MAX);
    message_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),          cmocka_unit_test(test_next),
        cmocka_unit_test(test_requiretls),      cmocka_unit_test(test_least),
        cmocka_unit_test(test_too_many_fields), cmocka_unit_test(test_long_fields),
        cmocka_unit_test(test_many_recipients), cmocka_unit_test(test_envelope_limit),
        cmocka_unit_test(test_shape),           cmocka_unit_test(test_shape_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
