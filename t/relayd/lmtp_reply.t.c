/* lmtp_reply.t.c - tests of lmtp_reply.c, smtp_refusal.c and smtp_text.c. */
#include "lmtp_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct {
    unsigned code;
    const char *status, *text, *said;
} written[] = {
    {250, "2.0.0", "taken", "250 2.0.0 taken\r\n"},
    {220, "", "relay.example LMTP", "220 relay.example LMTP\r\n"},
    {354, "", "go on", "354 go on\r\n"},
    {250, "2.0.0", "", "250 2.0.0\r\n"},
    {550, "5.7.30", "a\r\n250 b\tc\303\274\x7f  ", "550 5.7.30 a??250 b c???\r\n"},
};

static void test_written(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 2000);
    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        buf_reset(&out);
        lmtp_reply_write(&out, written[i].code, written[i].status, written[i].text);
        assert_string_equal(buf_text(&out), written[i].said);
    }
    buf_clear(&out);
}

static void test_cut(void **state)
{
    char text[1000];
    struct buf out;

    (void)state;
    buf_init(&out, 2000);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    lmtp_reply_write(&out, 550, "5.7.30", text);
    assert_int_equal(out.len, LMTP_REPLY_MAX);
    assert_memory_equal(out.data + LMTP_REPLY_MAX - 3, "x\r\n", 3);
    buf_reset(&out);
    text[LMTP_REPLY_MAX - 2 - strlen("550 5.7.30 ")] = '\0';
    lmtp_reply_write(&out, 550, "5.7.30", text);
    assert_int_equal(out.len, LMTP_REPLY_MAX);
    buf_clear(&out);
}

/* A reply that has no room is not there at all, and sticks. */
static void test_no_room(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, LMTP_REPLY_MAX - 1);
    lmtp_reply_write(&out, 250, "2.0.0", "x");
    assert_false(buf_ok(&out));
    assert_int_equal(out.len, 0);
    buf_clear(&out);
    buf_init(&out, 3 * LMTP_REPLY_MAX);
    lmtp_reply_lhlo(&out, "relay.example", 0);
    assert_false(buf_ok(&out));
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void test_refused(void **state)
{
    struct smtp_refusal r;
    struct buf out;

    (void)state;
    buf_init(&out, 2000);
    assert_int_equal(smtp_refuse(&r, 501, "5.5.4", "%s has no value, %d", "REQUIRETLS", 7), -1);
    lmtp_reply_refuse(&out, &r);
    assert_int_equal(smtp_refuse(&r, 500, "5.5.2", "a%cb\303\274", '\n'), -1);
    lmtp_reply_refuse(&out, &r);
    assert_int_equal(smtp_refuse(NULL, 500, "5.5.2", "x"), -1);
    assert_string_equal(buf_text(&out), "501 5.5.4 REQUIRETLS has no value, 7\r\n500 5.5.2 a?b??\r\n");
    buf_clear(&out);
}

static void test_lhlo(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 8000);
    lmtp_reply_lhlo(&out, "relay.example", 50000000);
    assert_string_equal(buf_text(&out), "250-relay.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                                        "250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 50000000\r\n");
    buf_clear(&out);
}

static const struct {
    const char *reply, *said;
    bool rcpt;
} passed[] = {
    {"552 5.5.3 too many\r\n", "452 4.5.3 host mx.example said: 552 5.5.3 too many\r\n", true},
    {"552 full\r\n", "452 4.0.0 host mx.example said: 552 full\r\n", true},
    {"550 5.1.1 No\r\n", "550 5.1.1 host mx.example said: 550 5.1.1 No\r\n", true},
    {"452 4.5.3 too many\r\n", "452 4.5.3 host mx.example said: 452 4.5.3 too many\r\n", true},
    {"550 5.1.1 No such user\r\n", "550 5.1.1 host mx.example said: 550 5.1.1 No such user\r\n", false},
    {"550-5.1.1 No\r\n550 5.1.1 such\r\n", "550 5.1.1 host mx.example said: 550 5.1.1 No such\r\n", false},
    {"550 no\r\n", "550 5.0.0 host mx.example said: 550 no\r\n", false},
    {"552 5.2.2 full\r\n", "552 5.2.2 host mx.example said: 552 5.2.2 full\r\n", false},
    {"450 4.7.1 later\r\n", "450 4.7.1 host mx.example said: 450 4.7.1 later\r\n", false},
    {"451\r\n", "451 4.0.0 host mx.example said: 451\r\n", false},
    {"421 4.3.2 bye\r\n", "451 4.3.2 host mx.example said: 421 4.3.2 bye\r\n", false},
    {"421 bye\r\n", "451 4.0.0 host mx.example said: 421 bye\r\n", false},
    {"250 2.0.0 queued as 1\r\n", "250 2.0.0 host mx.example said: 250 2.0.0 queued as 1\r\n", false},
    {"251 forwarded\r\n", "250 2.0.0 host mx.example said: 251 forwarded\r\n", false},
    {"354 what\r\n", "451 4.5.0 host mx.example said: 354 what\r\n", false},
    {"550 5.1.1 b\303\274\033[0m\r\n", "550 5.1.1 host mx.example said: 550 5.1.1 b???[0m\r\n", false},
};

static void test_passed(void **state)
{
    struct smtp_reply reply;
    struct buf out;

    (void)state;
    smtp_reply_init(&reply);
    buf_init(&out, 2000);
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        size_t took;

        buf_reset(&out);
        assert_int_equal(smtp_reply_read(&took, &reply, passed[i].reply, strlen(passed[i].reply), NULL), 1);
        lmtp_reply_pass(&out, "mx.example", &reply, passed[i].rcpt);
        assert_string_equal(buf_text(&out), passed[i].said);
    }
    buf_clear(&out);
    smtp_reply_clear(&reply);
}

/* The longest reply that a server may send is one line of ours. */
static void test_passed_long(void **state)
{
    struct smtp_reply reply;
    struct buf out;
    char line[251];
    size_t took;

    (void)state;
    memset(line, 'x', sizeof(line));
    memcpy(line, "550-", 4);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    smtp_reply_init(&reply);
    buf_init(&out, 2000);
    for (size_t i = 1; i < SMTP_REPLY_LINES_MAX; i++)
        assert_int_equal(smtp_reply_read(&took, &reply, line, sizeof(line), NULL), 0);
    assert_int_equal(smtp_reply_read(&took, &reply, "550 end\r\n", 9, NULL), 1);
    lmtp_reply_pass(&out, "mx.example", &reply, false);
    assert_int_equal(out.len, LMTP_REPLY_MAX);
    buf_clear(&out);
    smtp_reply_clear(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),     cmocka_unit_test(test_cut),  cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_lhlo), cmocka_unit_test(test_passed),
        cmocka_unit_test(test_passed_long),
    };

    return cmocka_run_group_tests_name("lmtp_reply", tests, NULL, NULL);
}
