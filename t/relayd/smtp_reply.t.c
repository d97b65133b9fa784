/* smtp_reply.t.c - tests of smtp_reply.c. */
#include "smtp_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S(s) (s), sizeof(s) - 1

static const struct reply_case {
    const char *octets;
    size_t len;
    unsigned code;
    const char *status;
    size_t lines;
    const char *first, *last, *shown;
} whole[] = {
    {S("250 ok\r\n"), 250, "", 1, "ok", "ok", "250 ok"},
    {S("250\r\n"), 250, "", 1, "", "", "250"},
    {S("250 \r\n"), 250, "", 1, "", "", "250"},
    {S("250-a\r\n250-b\r\n250 c\r\n"), 250, "", 3, "a", "c", "250 a b c"},
    {S("250-a\r\n250\r\n"), 250, "", 2, "a", "", "250 a"},
    {S("250-\r\n250 c\r\n"), 250, "", 2, "", "c", "250 c"},
    {S("550 5.1.1 No such user\r\n"), 550, "5.1.1", 1, "5.1.1 No such user", "5.1.1 No such user",
     "550 5.1.1 No such user"},
    {S("550-5.1.1 No\r\n550 5.1.1 such\r\n"), 550, "5.1.1", 2, "5.1.1 No", "5.1.1 such", "550 5.1.1 No such"},
    {S("550-No\r\n550 5.7.1 no\r\n"), 550, "5.7.1", 2, "No", "5.7.1 no", "550 5.7.1 No no"},
    {S("550-5.1.1 No\r\n550 5.1.2 such\r\n"), 550, "5.1.1", 2, "5.1.1 No", "5.1.2 such", "550 5.1.1 No 5.1.2 such"},
    {S("451 4.7.500\r\n"), 451, "4.7.500", 1, "4.7.500", "4.7.500", "451 4.7.500"},
    {S("550 4.1.1 no\r\n"), 550, "", 1, "4.1.1 no", "4.1.1 no", "550 4.1.1 no"},
    {S("550 5.1 no\r\n"), 550, "", 1, "5.1 no", "5.1 no", "550 5.1 no"},
    {S("550 5.1.1.1 no\r\n"), 550, "", 1, "5.1.1.1 no", "5.1.1.1 no", "550 5.1.1.1 no"},
    {S("550 5.1.1x\r\n"), 550, "", 1, "5.1.1x", "5.1.1x", "550 5.1.1x"},
    {S("550 5.1234.1 x\r\n"), 550, "", 1, "5.1234.1 x", "5.1234.1 x", "550 5.1234.1 x"},
    {S("550 5.123.123 x\r\n"), 550, "5.123.123", 1, "5.123.123 x", "5.123.123 x", "550 5.123.123 x"},
    {S("550 5..1 x\r\n"), 550, "", 1, "5..1 x", "5..1 x", "550 5..1 x"},
    {S("354 3.0.0 go\r\n"), 354, "", 1, "3.0.0 go", "3.0.0 go", "354 3.0.0 go"},
    {S("299 x\r\n"), 299, "", 1, "x", "x", "299 x"},
    {S("599 x\r\n"), 599, "", 1, "x", "x", "599 x"},
    {S("220 b\303\274\t\033[1m \r\n"), 220, "", 1, "b\303\274\t\033[1m ", "b\303\274\t\033[1m ", "220 b?? ?[1m"},
};

static void expect_line(const struct smtp_reply *reply, size_t n, const char *want)
{
    struct smtp_text line = smtp_reply_line(reply, n);

    assert_non_null(line.at);
    assert_int_equal(line.len, strlen(want));
    assert_memory_equal(line.at, want, line.len);
}

static void expect_reply(const struct smtp_reply *reply, const struct reply_case *c)
{
    struct buf shown;

    assert_true(reply->whole);
    assert_int_equal(reply->code, c->code);
    assert_string_equal(reply->status, c->status);
    assert_int_equal(reply->lines, c->lines);
    expect_line(reply, 0, c->first);
    expect_line(reply, c->lines - 1, c->last);
    assert_null(smtp_reply_line(reply, c->lines).at);
    buf_init(&shown, SMTP_REPLY_OCTETS_MAX);
    smtp_reply_show(&shown, reply);
    assert_string_equal(buf_text(&shown), c->shown);
    buf_clear(&shown);
}

static void test_whole(void **state)
{
    struct smtp_reply reply;

    (void)state;
    smtp_reply_init(&reply);
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        struct err e = {""};
        size_t took;

        if (smtp_reply_read(&took, &reply, whole[i].octets, whole[i].len, &e) != 1)
            fail_msg("%s: %s", whole[i].octets, e.text);
        assert_int_equal(took, whole[i].len);
        expect_reply(&reply, &whole[i]);
    }
    smtp_reply_clear(&reply);
}

/* Cut in two anywhere, and octet by octet; with another reply behind it. */
static void test_pieces(void **state)
{
    struct smtp_reply reply;
    size_t took;

    (void)state;
    smtp_reply_init(&reply);
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        const struct reply_case *c = &whole[i];
        char both[200];

        for (size_t cut = 0; cut < c->len; cut++) {
            assert_int_equal(smtp_reply_read(&took, &reply, c->octets, cut, NULL), 0);
            assert_int_equal(took, cut);
            memcpy(both, c->octets + cut, c->len - cut);
            memcpy(both + c->len - cut, "250 next\r\n", 10);
            assert_int_equal(smtp_reply_read(&took, &reply, both, c->len - cut + 10, NULL), 1);
            assert_int_equal(took, c->len - cut);
            expect_reply(&reply, c);
        }
        for (size_t n = 0; n < c->len; n++)
            assert_int_equal(smtp_reply_read(&took, &reply, c->octets + n, 1, NULL), n + 1 == c->len);
        expect_reply(&reply, c);
    }
    smtp_reply_clear(&reply);
}

static const struct {
    const char *octets;
    size_t len;
    const char *why; /* a part of the sentence */
} broken[] = {
    {S("\r\n"), "code"},
    {S("ok\r\n"), "code"},
    {S("25"
       "x"),
     "code"},
    {S("150 x"), "code"},
    {S("650 x"), "code"},
    {S("050 x"), "code"},
    {S(" 250 x"), "code"},
    {S("25\r\n"), "code"},
    {S("-250 x"), "code"},
    {S("SSH-2.0-x\r\n"), "code"},
    {S("2500 x"), "behind the code 250"},
    {S("250\tx"), "behind the code 250"},
    {S("250_x"), "behind the code 250"},
    {S("250-x\r\n251 x"), "changes"},
    {S("250-x\r\n550 x"), "changes"},
    {S("250-x\r\n2x0 x"), "code"},
    {S("250-x\r\n\r\n"), "code"},
    {S("250 x\n"), "LF without CR"},
    {S("250\n"), "LF without CR"},
    {S("250-x\n250 y\r\n"), "LF without CR"},
    {S("250 x\ry"), "CR without LF"},
    {S("250 x\r\r\n"), "CR without LF"},
    {S("250 x\0y\r\n"), "NUL"},
    {S("\0"), "NUL"},
};

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct smtp_reply reply;
        struct err e = {""};
        size_t took;

        smtp_reply_init(&reply);
        assert_int_equal(smtp_reply_read(&took, &reply, broken[i].octets, broken[i].len, &e), -1);
        if (strstr(e.text, broken[i].why) == NULL)
            fail_msg("%s: %s", broken[i].octets, e.text);
        assert_false(reply.whole);
        assert_int_equal(smtp_reply_read(&took, &reply, S("250 ok\r\n"), &e), -1); /* it stays so */
        smtp_reply_clear(&reply);
        assert_int_equal(smtp_reply_read(&took, &reply, S("250 ok\r\n"), &e), 1);
        smtp_reply_clear(&reply);
    }
}

/* So many lines "250-" and so many octets each, without an end. Returns what came of it. */
static int read_lines(size_t lines, size_t octets, struct err *e)
{
    struct smtp_reply reply;
    char *line = malloc(octets);
    size_t took;
    int rc = 0;

    assert_non_null(line);
    memset(line, 'x', octets);
    memcpy(line, "250-", 4);
    memcpy(line + octets - 2, "\r\n", 2);
    smtp_reply_init(&reply);
    for (size_t i = 0; i < lines && rc == 0; i++)
        rc = smtp_reply_read(&took, &reply, line, octets, e);
    assert_true(reply.text.cap <= SMTP_REPLY_OCTETS_MAX + 1);
    smtp_reply_clear(&reply);
    free(line);
    return rc;
}

static void test_limits(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(read_lines(1, SMTP_REPLY_LINE_MAX, &e), 0);
    assert_int_equal(read_lines(1, SMTP_REPLY_LINE_MAX + 1, &e), -1);
    assert_non_null(strstr(e.text, "a line of the reply is longer"));
    assert_int_equal(read_lines(1, 1 << 20, &e), -1);
    assert_non_null(strstr(e.text, "a line of the reply is longer"));
    assert_int_equal(read_lines(SMTP_REPLY_LINES_MAX, 10, &e), 0);
    assert_int_equal(read_lines(SMTP_REPLY_LINES_MAX + 1, 10, &e), -1);
    assert_non_null(strstr(e.text, "more than 128 lines"));
    assert_int_equal(read_lines(SMTP_REPLY_OCTETS_MAX / 1024, 1024, &e), 0);
    assert_int_equal(read_lines(SMTP_REPLY_OCTETS_MAX / 1024 + 1, 1024, &e), -1);
    assert_non_null(strstr(e.text, "the reply is longer"));
}

/* S9: what came in clear does not count as said under TLS */
static void test_injection(void **state)
{
    static const char octets[] = "220 go ahead\r\n250 evil\r\n";
    struct smtp_reply reply;
    struct err e = {""};
    size_t took;

    (void)state;
    smtp_reply_init(&reply);
    assert_int_equal(smtp_reply_read(&took, &reply, S(octets), NULL), 1);
    assert_int_equal(took, 14);
    assert_int_equal(smtp_reply_ends_clear(took, took, &e), 0);
    assert_int_equal(smtp_reply_ends_clear(took, sizeof(octets) - 1, &e), -1);
    assert_non_null(strstr(e.text, "10 octets in clear"));
    smtp_reply_clear(&reply);
}

/* What a server calls itself; a buffer of 8. */
static void test_host(void **state)
{
    static const struct {
        const char *octets, *host;
    } rows[] = {
        {"220 mx.test ESMTP\r\n", "mx.test"},
        {"220 mx\r\n", "mx"},
        {"250-mx\r\n250 STARTTLS\r\n", "mx"},
        {"220\r\n", ""},
        {"220  mx\r\n", ""},
        {"220-\r\n220 mx\r\n", ""},
        {"220 12345678\r\n", "1234567"},
        {"220 a\001\377 b\r\n", "a\001\377"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char host[8] = "before";
        struct smtp_reply reply;
        size_t took;

        smtp_reply_init(&reply);
        assert_int_equal(smtp_reply_read(&took, &reply, rows[i].octets, strlen(rows[i].octets), NULL), 1);
        smtp_reply_host(host, sizeof(host), &reply);
        assert_string_equal(host, rows[i].host);
        smtp_reply_clear(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),  cmocka_unit_test(test_pieces),    cmocka_unit_test(test_broken),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_injection), cmocka_unit_test(test_host),
    };

    return cmocka_run_group_tests_name("smtp_reply", tests, NULL, NULL);
}
