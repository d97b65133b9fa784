/* lmtp_command.t.c - tests of lmtp_command.c and lmtp_parameter.c. */
#include "lmtp_command.h"
#include "orcpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S(s) (s), sizeof(s) - 1

static void expect_text(const char *name, const struct smtp_text *text, const char *want)
{
    if (want == NULL ? text->at != NULL : text->at == NULL)
        fail_msg("%s: is there, or is not", name);
    if (want != NULL && (text->len != strlen(want) || memcmp(text->at, want, text->len) != 0))
        fail_msg("%s: %.*s, not %s", name, (int)text->len, text->at, want);
}

static const struct {
    const char *line;
    enum lmtp_verb verb;
    const char *argument;
} plain[] = {
    {"LHLO mx.example.com", LMTP_LHLO, "mx.example.com"},
    {"lhlo [127.0.0.1]", LMTP_LHLO, "[127.0.0.1]"},
    {"LhLo  mx  ", LMTP_LHLO, "mx"},
    {"DATA", LMTP_DATA, ""},
    {"data \t ", LMTP_DATA, ""},
    {"RSET", LMTP_RSET, ""},
    {"NOOP", LMTP_NOOP, ""},
    {"NOOP any thing", LMTP_NOOP, "any thing"},
    {"QUIT", LMTP_QUIT, ""},
    {"VRFY b\303\274cher", LMTP_VRFY, "b\303\274cher"},
};

static void test_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        struct lmtp_command c;

        assert_int_equal(lmtp_command_parse(&c, plain[i].line, strlen(plain[i].line), NULL), 0);
        assert_int_equal(c.verb, plain[i].verb);
        expect_text(plain[i].line, &c.argument, plain[i].argument);
        assert_int_equal(strncasecmp(plain[i].line, lmtp_verb_name(c.verb), 4), 0);
    }
}

static const struct {
    const char *line, *path;
    struct lmtp_mail mail; /* envid and auth are below */
    const char *envid, *auth;
} mails[] = {
    {"MAIL FROM:<a@b.example>", "<a@b.example>", {0}, NULL, NULL},
    {"mail from:<>", "<>", {0}, NULL, NULL},
    {"MAIL FROM:<@r.example:\"a> b\\\"\"@b.example> SIZE=1",
     "<@r.example:\"a> b\\\"\"@b.example>",
     {.has_size = true, .size = 1},
     NULL,
     NULL},
    {"MAIL FROM:<postmaster>", "<postmaster>", {0}, NULL, NULL},
    {"MAIL FROM:<a@b>   SIZE=0  ", "<a@b>", {.has_size = true}, NULL, NULL},
    {"MAIL FROM:<a@b> SIZE=18446744073709551615", "<a@b>", {.has_size = true, .size = UINT64_MAX}, NULL, NULL},
    {"MAIL FROM:<a@b> SIZE=99999999999999999999", "<a@b>", {.has_size = true, .size = UINT64_MAX}, NULL, NULL},
    {"MAIL FROM:<a@b> body=7bit", "<a@b>", {.body = LMTP_BODY_7BIT}, NULL, NULL},
    {"MAIL FROM:<a@b> BODY=8BITMIME", "<a@b>", {.body = LMTP_BODY_8BITMIME}, NULL, NULL},
    {"MAIL FROM:<b\303\274@b> SMTPUTF8", "<b\303\274@b>", {.smtputf8 = true}, NULL, NULL},
    {"MAIL FROM:<a@b> RET=hdrs ENVID=q+3D1", "<a@b>", {.ret = LMTP_RET_HDRS}, "q+3D1", NULL},
    {"MAIL FROM:<a@b> RET=FULL", "<a@b>", {.ret = LMTP_RET_FULL}, NULL, NULL},
    {"MAIL FROM:<a@b> AUTH=<>", "<a@b>", {0}, NULL, "<>"},
    {"MAIL FROM:<a@b> AUTH=e+2Bf@g", "<a@b>", {0}, NULL, "e+2Bf@g"},
    {"MAIL FROM:<a@b> RequireTLS", "<a@b>", {.requiretls = true}, NULL, NULL}, /* R2 */
    {"MAIL FROM:<a@b> SIZE=7 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x AUTH=<> REQUIRETLS",
     "<a@b>",
     {true, 7, LMTP_BODY_8BITMIME, true, LMTP_RET_HDRS, {0}, {0}, true},
     "x",
     "<>"},
};

static void test_mail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
        const struct lmtp_mail *want = &mails[i].mail;
        struct smtp_refusal r = {0};
        struct lmtp_command c;

        if (lmtp_command_parse(&c, mails[i].line, strlen(mails[i].line), &r) != 0)
            fail_msg("%s: %u %s", mails[i].line, r.code, r.why.text);
        assert_int_equal(c.verb, LMTP_MAIL);
        expect_text(mails[i].line, &c.path, mails[i].path);
        expect_text(mails[i].line, &c.mail.envid, mails[i].envid);
        expect_text(mails[i].line, &c.mail.auth, mails[i].auth);
        if (c.mail.has_size != want->has_size || c.mail.size != want->size || c.mail.body != want->body ||
            c.mail.smtputf8 != want->smtputf8 || c.mail.ret != want->ret || c.mail.requiretls != want->requiretls)
            fail_msg("%s: another parameter", mails[i].line);
    }
}

static const struct {
    const char *line, *path, *domain, *notify, *orcpt;
} rcpts[] = {
    {"RCPT TO:<u+requiretls@d.example>", "<u+requiretls@d.example>", "d.example", NULL, NULL},
    {"rcpt to:<@r:u@d>", "<@r:u@d>", "d", NULL, NULL},
    {"RCPT TO:<\"u@x\\\"\"\\@y@d>", "<\"u@x\\\"\"\\@y@d>", "d", NULL, NULL},
    {"RCPT TO:<u@[192.0.2.1]>", "<u@[192.0.2.1]>", "[192.0.2.1]", NULL, NULL},
    {"RCPT TO:<u@d> NOTIFY=never", "<u@d>", "d", "never", NULL},
    {"RCPT TO:<u@d> NOTIFY=SUCCESS,delay,FAILURE", "<u@d>", "d", "SUCCESS,delay,FAILURE", NULL},
    {"RCPT TO:<u@d> ORCPT=rfc822;a+2Brequiretls@d NOTIFY=DELAY", "<u@d>", "d", "DELAY", "rfc822;a+2Brequiretls@d"},
    {"RCPT TO:<u@d> orcpt=X-400;a/b", "<u@d>", "d", NULL, "X-400;a/b"},
    {"RCPT TO:<u@d> ORCPT=utf-8;b\303\274@d", "<u@d>", "d", NULL, "utf-8;b\303\274@d"},
    {"RCPT TO:<u@d> ORCPT=UTF-8;b\\x{FC}@d", "<u@d>", "d", NULL, "UTF-8;b\\x{FC}@d"},
};

static void test_rcpt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rcpts) / sizeof(rcpts[0]); i++) {
        struct smtp_refusal r = {0};
        struct lmtp_command c;

        if (lmtp_command_parse(&c, rcpts[i].line, strlen(rcpts[i].line), &r) != 0)
            fail_msg("%s: %u %s", rcpts[i].line, r.code, r.why.text);
        assert_int_equal(c.verb, LMTP_RCPT);
        expect_text(rcpts[i].line, &c.path, rcpts[i].path);
        expect_text(rcpts[i].line, &(struct smtp_text){c.path.at + c.at.domain_at, c.at.domain_len}, rcpts[i].domain);
        expect_text(rcpts[i].line, &c.rcpt.notify, rcpts[i].notify);
        expect_text(rcpts[i].line, &c.rcpt.orcpt, rcpts[i].orcpt);
    }
}

static const struct {
    const char *line;
    size_t len;
    unsigned code;
    const char *status;
} refused[] = {
    {S(""), 500, "5.5.2"},
    {S("   "), 500, "5.5.2"},
    {S(" DATA"), 500, "5.5.2"},
    {S("DA\0TA"), 500, "5.5.2"},
    {S("NOOP \0"), 500, "5.5.2"},
    {S("NOOP a\tb"), 500, "5.5.2"},
    {S("NOOP \x7f"), 500, "5.5.2"},
    {S("MAIL FROM:<a@b>\nRCPT TO:<c@d>"), 500, "5.5.2"},
    {S("MAIL FROM:<a@b>\rRCPT TO:<c@d>"), 500, "5.5.2"},
    {S("DATA\r"), 500, "5.5.2"},
    {S("NOOP b\xfc"), 500, "5.5.2"},
    {S("HELO x"), 500, "5.5.1"},
    {S("ehlo x"), 500, "5.5.1"},
    {S("FOO"), 500, "5.5.1"},
    {S("MAI"), 500, "5.5.1"},
    {S("MAILFROM:<a@b>"), 500, "5.5.1"},
    {S("DATA\tx"), 500, "5.5.2"},
    {S("STARTTLS"), 502, "5.5.1"},
    {S("bdat 10 LAST"), 502, "5.5.1"},
    {S("LHLO"), 501, "5.5.4"},
    {S("LHLO a b"), 501, "5.5.4"},
    {S("VRFY "), 501, "5.5.4"},
    {S("DATA x"), 501, "5.5.4"},
    {S("RSET x"), 501, "5.5.4"},
    {S("QUIT now"), 501, "5.5.4"},
    {S("MAIL"), 501, "5.5.4"},
    {S("MAIL <a@b>"), 501, "5.5.4"},
    {S("MAIL TO:<a@b>"), 501, "5.5.4"},
    {S("RCPT FROM:<a@b>"), 501, "5.5.4"},
    {S("MAIL FROM:"), 501, "5.1.7"},
    {S("MAIL FROM: <a@b>"), 501, "5.1.7"},
    {S("MAIL FROM:a@b"), 501, "5.1.7"},
    {S("MAIL FROM:<a@b"), 501, "5.1.7"},
    {S("MAIL FROM:<a@b\\>"), 501, "5.1.7"},
    {S("MAIL FROM:<a@b>SIZE=1"), 501, "5.1.7"},
    {S("MAIL FROM:<a@b>> SIZE=1"), 501, "5.1.7"},
    {S("MAIL FROM:<a b@c>"), 501, "5.1.7"},
    {S("MAIL FROM:<a@>"), 501, "5.1.7"},
    {S("MAIL FROM:<@b>"), 501, "5.1.7"},
    {S("MAIL FROM:<@r:@\" b\"@d>"), 501, "5.1.7"},
    {S("RCPT TO:<a@b@d>"), 501, "5.1.3"},
    {S("RCPT TO:<>"), 501, "5.1.3"},
    {S("RCPT TO:<postmaster>"), 501, "5.1.3"},
    {S("RCPT TO:<\"a@d>"), 501, "5.1.3"},
    {S("MAIL FROM:<a@b> SIZE"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> SIZE="), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> SIZE=-1"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> SIZE=1x"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> SIZE=000000000000000000001"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> SIZE=1 size=1"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> RET=SOME"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> ENVID=a+2"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> ENVID=a=b"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> ENVID=\303\274"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> AUTH="), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> REQUIRETLS=yes"), 501, "5.5.4"}, /* R2 */
    {S("MAIL FROM:<a@b> REQUIRETLS="), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> REQUIRETLS REQUIRETLS"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> SMTPUTF8=1"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> BODY=BINARYMIME"), 504, "5.5.4"},
    {S("MAIL FROM:<a@b> BODY"), 501, "5.5.4"},
    {S("MAIL FROM:<a@b> HOLDFOR=10"), 555, "5.5.4"},
    {S("MAIL FROM:<a@b> =1"), 555, "5.5.4"},
    {S("MAIL FROM:<a@b> NOTIFY=NEVER"), 555, "5.5.4"},
    {S("MAIL FROM:<a@b> SIZ=1"), 555, "5.5.4"},
    {S("MAIL FROM:<b\303\274@b>"), 553, "5.6.7"},
    {S("RCPT TO:<a@b> SIZE=1"), 555, "5.5.4"},
    {S("RCPT TO:<a@b> REQUIRETLS"), 555, "5.5.4"},
    {S("RCPT TO:<a@b> NOTIFY=NEVER,SUCCESS"), 501, "5.5.4"},
    {S("RCPT TO:<a@b> NOTIFY=SUCCESS,"), 501, "5.5.4"},
    {S("RCPT TO:<a@b> NOTIFY=,SUCCESS"), 501, "5.5.4"},
    {S("RCPT TO:<a@b> NOTIFY=SOON"), 501, "5.5.4"},
    {S("RCPT TO:<a@b> NOTIFY="), 501, "5.5.4"},
    {S("RCPT TO:<a@b> ORCPT=a@b"), 501, "5.5.4"},
    {S("RCPT TO:<a@b> ORCPT=;a@b"), 501, "5.5.4"},
    {S("RCPT TO:<a@b> ORCPT=rfc822;"), 501, "5.5.4"},
    {S("RCPT TO:<a@b> ORCPT=rfc822;a+b"), 501, "5.5.4"},
    {S("RCPT TO:<a@b> ORCPT=rfc822;b\303\274@d"), 501, "5.5.4"},
    {S("RCPT TO:<a@b> ORCPT=r_c;a@d"), 501, "5.5.4"},
};

static void expect_refused(const char *line, size_t len, unsigned code, const char *status)
{
    char *copy = malloc(len + 1); /* no octet more, so that reading past the end is seen */
    struct smtp_refusal r = {0};
    struct lmtp_command c;
    int rc;

    assert_non_null(copy);
    memcpy(copy, line, len);
    rc = lmtp_command_parse(&c, copy, len, &r);
    free(copy);
    if (rc != -1 || r.code != code || strcmp(r.status, status) != 0 || r.why.text[0] == '\0')
        fail_msg("%.*s: %d %u %s %s", len > 80 ? 80 : (int)len, line, rc, r.code, r.status, r.why.text);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        expect_refused(refused[i].line, refused[i].len, refused[i].code, refused[i].status);
}

/* PREFIX, then so many 'x', then SUFFIX. */
static size_t fill(char out[8192], const char *prefix, size_t count, const char *suffix)
{
    size_t len = strlen(prefix);

    memcpy(out, prefix, len);
    memset(out + len, 'x', count);
    strcpy(out + len + count, suffix);
    return strlen(out);
}

static const struct {
    const char *prefix, *suffix;
    size_t most;
    unsigned code;
    const char *status;
} limits[] = {
    {"NOOP ", "", LMTP_LINE_MAX - 5, 500, "5.5.2"},
    {"LHLO ", "", LMTP_NAME_MAX, 501, "5.5.4"},
    {"MAIL FROM:<a@", ">", ADDRESS_TAG_MAX - 4, 501, "5.1.7"},
    {"RCPT TO:<", "@d>", ADDRESS_TAG_MAX - 4, 501, "5.1.3"},
};

static void test_limits(void **state)
{
    char line[8192];
    struct lmtp_command c;

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        size_t len = fill(line, limits[i].prefix, limits[i].most, limits[i].suffix);

        assert_int_equal(lmtp_command_parse(&c, line, len, NULL), 0);
        len = fill(line, limits[i].prefix, limits[i].most + 1, limits[i].suffix);
        expect_refused(line, len, limits[i].code, limits[i].status);
    }
}

/* The MTA may take longer ones than the next server (RFC 3461 4.2, 4.4): they are left out. */
static void test_too_long(void **state)
{
    char line[8192];
    struct lmtp_command c;

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        size_t len = fill(line, "MAIL FROM:<a@b> ENVID=", LMTP_ENVID_MAX + more, " BODY=8BITMIME");

        assert_int_equal(lmtp_command_parse(&c, line, len, NULL), 0);
        assert_int_equal(c.mail.envid.at == NULL, more);
        assert_int_equal(c.mail.body, LMTP_BODY_8BITMIME);
        len = fill(line, "RCPT TO:<a@b> ORCPT=rfc822;", ORCPT_MAX - 7 + more, " NOTIFY=NEVER");
        assert_int_equal(lmtp_command_parse(&c, line, len, NULL), 0);
        assert_int_equal(c.rcpt.orcpt.at == NULL, more);
        assert_int_equal(c.rcpt.notify.len, 5);
    }
}

static const struct {
    const char *octets;
    size_t len;
    int rc;
    size_t line, took;
} found[] = {
    {S(""), 0, 0, 0},         {S("DATA"), 0, 0, 0},         {S("DATA\r"), 0, 0, 0},           {S("DATA\n"), 0, 0, 0},
    {S("DATA\r\n"), 1, 4, 6}, {S("\r\nDATA\r\n"), 1, 0, 2}, {S("a\nb\rc\r\nd\r\n"), 1, 5, 7}, {S("a\r\r\n"), 1, 2, 4},
};

static void test_lines(void **state)
{
    char text[8192];
    size_t line = 0, took = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        line = took = 0;
        assert_int_equal(lmtp_line_find(&line, &took, found[i].octets, found[i].len), found[i].rc);
        assert_int_equal(line, found[i].line);
        assert_int_equal(took, found[i].took);
    }
    fill(text, "", LMTP_LINE_MAX, "\r\n");
    assert_int_equal(lmtp_line_find(&line, &took, text, LMTP_LINE_MAX), 0);
    assert_int_equal(lmtp_line_find(&line, &took, text, LMTP_LINE_MAX + 1), 0);
    assert_int_equal(lmtp_line_find(&line, &took, text, LMTP_LINE_MAX + 2), 1);
    assert_int_equal(line, LMTP_LINE_MAX);
    fill(text, "", LMTP_LINE_MAX, "\rx\r\n");
    assert_int_equal(lmtp_line_find(&line, &took, text, LMTP_LINE_MAX + 1), 0);
    assert_int_equal(lmtp_line_find(&line, &took, text, LMTP_LINE_MAX + 2), -1);
    fill(text, "", LMTP_LINE_MAX + 1, "\r\n");
    assert_int_equal(lmtp_line_find(&line, &took, text, LMTP_LINE_MAX), 0);
    assert_int_equal(lmtp_line_find(&line, &took, text, LMTP_LINE_MAX + 1), -1);
    assert_int_equal(lmtp_line_find(&line, &took, text, LMTP_LINE_MAX + 3), -1);
}

static const struct {
    struct lmtp_progress p;
    const char *line;
    unsigned code; /* 0: it may come */
} order[] = {
    {{0}, "LHLO x", 0},
    {{0}, "NOOP", 0},
    {{0}, "QUIT", 0},
    {{0}, "RSET", 0},
    {{0}, "VRFY x", 0},
    {{0}, "MAIL FROM:<>", 503},
    {{0}, "RCPT TO:<a@b>", 503},
    {{0}, "DATA", 503},
    {{.greeted = true}, "LHLO x", 0},
    {{.greeted = true}, "MAIL FROM:<>", 0},
    {{.greeted = true}, "RCPT TO:<a@b>", 503},
    {{.greeted = true}, "DATA", 503},
    {{.greeted = true, .mail = true}, "MAIL FROM:<>", 503},
    {{.greeted = true, .mail = true}, "LHLO x", 0},
    {{.greeted = true, .mail = true}, "RSET", 0},
    {{.greeted = true, .mail = true}, "RCPT TO:<a@b>", 0},
    {{.greeted = true, .mail = true}, "RCPT TO:<\303\274@b>", 553},
    {{.greeted = true, .mail = true, .smtputf8 = true}, "RCPT TO:<\303\274@b>", 0},
    {{.greeted = true, .mail = true}, "DATA", 503}, /* RFC 2033 4.2 */
    {{.greeted = true, .mail = true, .taken = 1}, "DATA", 0},
    {{.greeted = true, .mail = true, .taken = 1}, "RCPT TO:<a@b>", 0},
};

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        struct smtp_refusal r = {0};
        struct lmtp_command c;

        assert_int_equal(lmtp_command_parse(&c, order[i].line, strlen(order[i].line), NULL), 0);
        assert_int_equal(lmtp_command_in_order(&order[i].p, &c, &r), order[i].code == 0 ? 0 : -1);
        if (r.code != order[i].code)
            fail_msg("%zu %s: %u %s", i, order[i].line, r.code, r.why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),   cmocka_unit_test(test_mail),   cmocka_unit_test(test_rcpt),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_limits), cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_lines),   cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests_name("lmtp_command", tests, NULL, NULL);
}
