/* smtp_envelope.t.c - tests of smtp_envelope.c. */
#include "smtp_envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const struct address_tag tag = {'+', "requiretls"};

static const struct smtp_ehlo all = {true, true, true, true, true, true, true, true, true, 1000};
static const struct smtp_ehlo least = {.starttls = true, .requiretls = true};
static const struct smtp_ehlo without = {true, false, true, true, true, true, true, true, true, 1000};
static const struct smtp_ehlo unlimited = {.requiretls = true, .size = true};
static const struct smtp_ehlo utf8 = {.requiretls = true, .smtputf8 = true};

static const struct {
    const char *line;
    const struct smtp_ehlo *next;
    const char *said; /* NULL: */
    unsigned code;
    const char *status;
} cases[] = {
    /* REQUIRETLS, said by the MTA or not (R2, S3, S7) */
    {"MAIL FROM:<a@b>", &least, "MAIL FROM:<a@b> REQUIRETLS", 0, NULL},
    {"mail from:<a@b> requiretls", &least, "MAIL FROM:<a@b> REQUIRETLS", 0, NULL},
    {"MAIL FROM:<a@b>", &without, NULL, 550, "5.7.30"},
    {"MAIL FROM:<a@b> REQUIRETLS", &without, NULL, 550, "5.7.30"},
    /* a bounce (B3) */
    {"MAIL FROM:<>", &least, "MAIL FROM:<> REQUIRETLS", 0, NULL},
    {"MAIL FROM:<>", &without, "MAIL FROM:<> RET=HDRS", 0, NULL},
    /* source routes */
    {"MAIL FROM:<@r.example,@s:\"a b\"@d>", &least, "MAIL FROM:<\"a b\"@d> REQUIRETLS", 0, NULL},
    {"MAIL FROM:<postmaster>", &least, "MAIL FROM:<postmaster> REQUIRETLS", 0, NULL},
    {"MAIL FROM:<a+requiretls@b>", &least, "MAIL FROM:<a+requiretls@b> REQUIRETLS", 0, NULL},
    /* SIZE */
    {"MAIL FROM:<a@b> SIZE=1000", &all, "MAIL FROM:<a@b> REQUIRETLS SIZE=1000 RET=HDRS", 0, NULL},
    {"MAIL FROM:<a@b> SIZE=1001", &all, NULL, 552, "5.3.4"},
    {"MAIL FROM:<a@b> SIZE=1001", &least, "MAIL FROM:<a@b> REQUIRETLS", 0, NULL},
    {"MAIL FROM:<a@b> SIZE=1001", &unlimited, "MAIL FROM:<a@b> REQUIRETLS SIZE=1001", 0, NULL},
    /* what the message needs */
    {"MAIL FROM:<a@b> BODY=8BITMIME", &all, "MAIL FROM:<a@b> REQUIRETLS BODY=8BITMIME RET=HDRS", 0, NULL},
    {"MAIL FROM:<a@b> BODY=8BITMIME", &least, NULL, 554, "5.6.3"},
    {"MAIL FROM:<a@b> BODY=7BIT", &all, "MAIL FROM:<a@b> REQUIRETLS RET=HDRS", 0, NULL},
    {"MAIL FROM:<a@b> BODY=7BIT", &least, "MAIL FROM:<a@b> REQUIRETLS", 0, NULL},
    {"MAIL FROM:<\303\274@b> SMTPUTF8", &utf8, "MAIL FROM:<\303\274@b> REQUIRETLS SMTPUTF8", 0, NULL},
    {"MAIL FROM:<a@b> SMTPUTF8", &least, NULL, 550, "5.6.7"},
    {"MAIL FROM:<> SMTPUTF8", &least, NULL, 550, "5.6.7"},
    /* DSN; of flagged mail no bounce has the body (B1, B4) */
    {"MAIL FROM:<a@b> RET=FULL ENVID=q+3D", &all, "MAIL FROM:<a@b> REQUIRETLS RET=HDRS ENVID=q+3D", 0, NULL},
    {"MAIL FROM:<a@b> RET=HDRS ENVID=q", &least, "MAIL FROM:<a@b> REQUIRETLS", 0, NULL},
    {"MAIL FROM:<a@b> AUTH=x@y", &all, "MAIL FROM:<a@b> REQUIRETLS RET=HDRS", 0, NULL},
    {"MAIL FROM:<\303\274@b> SIZE=7 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x AUTH=<> REQUIRETLS", &all,
     "MAIL FROM:<\303\274@b> REQUIRETLS SIZE=7 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x", 0, NULL},

    {"RCPT TO:<u@d>", &all, "RCPT TO:<u@d>", 0, NULL},
    {"RCPT TO:<u+requiretls@d.example>", &least, "RCPT TO:<u@d.example>", 0, NULL},
    {"RCPT TO:<u+x+RequireTLS@d>", &least, "RCPT TO:<u+x@d>", 0, NULL},
    {"RCPT TO:<\"u v+requiretls\"@d>", &least, "RCPT TO:<\"u v\"@d>", 0, NULL},
    {"RCPT TO:<@r:u+requiretls@d>", &least, "RCPT TO:<u@d>", 0, NULL},
    {"RCPT TO:<+requiretls@d>", &least, "RCPT TO:<+requiretls@d>", 0, NULL},
    {"RCPT TO:<b\303\274+requiretls@d>", &utf8, "RCPT TO:<b\303\274@d>", 0, NULL},
    {"RCPT TO:<b\303\274+requiretls@d>", &least, NULL, 550, "5.6.7"},
    {"RCPT TO:<u@d> NOTIFY=success,DELAY", &all, "RCPT TO:<u@d> NOTIFY=success,DELAY", 0, NULL},
    {"RCPT TO:<u@d> ORCPT=rfc822;v+2Bx@d NOTIFY=NEVER", &all, "RCPT TO:<u@d> NOTIFY=NEVER ORCPT=rfc822;v+2Bx@d", 0,
     NULL},
    {"RCPT TO:<u@d> ORCPT=rfc822;v@d NOTIFY=NEVER", &least, "RCPT TO:<u@d>", 0, NULL},
    {"RCPT TO:<u+requiretls@d> ORCPT=rfc822;u+2Brequiretls@d", &all, "RCPT TO:<u@d> ORCPT=rfc822;u@d", 0, NULL},
    {"RCPT TO:<u@d> ORCPT=RFC822;u+2bREQUIRETLS@d", &all, "RCPT TO:<u@d> ORCPT=rfc822;u@d", 0, NULL},
    {"RCPT TO:<u@d> ORCPT=x400;u+2Brequiretls@d", &all, "RCPT TO:<u@d> ORCPT=x400;u+2Brequiretls@d", 0, NULL},
    {"RCPT TO:<u@d> ORCPT=rfc822;no+20address+2Brequiretls", &all,
     "RCPT TO:<u@d> ORCPT=rfc822;no+20address+2Brequiretls", 0, NULL},
    {"RCPT TO:<u@d> ORCPT=utf-8;b\\x{FC}@d", &all, "RCPT TO:<u@d> ORCPT=utf-8;b\\x{FC}@d", 0, NULL},
    {"RCPT TO:<u@d> ORCPT=utf-8;b\\x{FC}\\x{2B}requiretls@d", &all, "RCPT TO:<u@d> ORCPT=utf-8;b\\x{FC}@d", 0, NULL},
    {"RCPT TO:<u@d> ORCPT=utf-8;b\303\274@d", &all, "RCPT TO:<u@d> ORCPT=utf-8;b\\x{FC}@d", 0, NULL},
    {"RCPT TO:<u@d> ORCPT=utf-8;b\303\274+@d", &all, "RCPT TO:<u@d>", 0, NULL},
};

static int write_one(struct buf *out, const char *line, const struct smtp_ehlo *next, struct smtp_refusal *r)
{
    struct lmtp_command c;

    assert_int_equal(lmtp_command_parse(&c, line, strlen(line), NULL), 0);
    return c.verb == LMTP_MAIL ? smtp_mail_write(out, &c, next, r) : smtp_rcpt_write(out, &c, next, &tag, r);
}

static void test_lines(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct smtp_refusal r = {0};
        char want[200];

        buf_reset(&out);
        (void)snprintf(want, sizeof(want), "before%s%s", cases[i].said == NULL ? "" : cases[i].said,
                       cases[i].said == NULL ? "" : "\r\n");
        buf_str(&out, "before");
        if (write_one(&out, cases[i].line, cases[i].next, &r) != (cases[i].said == NULL ? -1 : 0))
            fail_msg("%s: %s", cases[i].line, r.why.text);
        if (strcmp(buf_text(&out), want) != 0)
            fail_msg("%s: %s", cases[i].line, buf_text(&out));
        assert_int_equal(r.code, cases[i].code);
        if (r.code != 0)
            assert_string_equal(r.status, cases[i].status);
    }
    buf_clear(&out);
}

static void test_ehlo(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    smtp_ehlo_write(&out, "relay.example");
    assert_string_equal(buf_text(&out), "EHLO relay.example\r\n");
    buf_clear(&out);
}

static void test_no_room(void **state)
{
    struct smtp_refusal r = {0};
    struct buf out;

    (void)state;
    for (size_t max = 0; max < strlen("RCPT TO:<u@d>\r\n"); max++) {
        buf_init(&out, max);
        assert_int_equal(write_one(&out, "RCPT TO:<u@d>", &all, &r), -1);
        assert_int_equal(r.code, 451);
        assert_int_equal(out.len, 0);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_ehlo),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests_name("smtp_envelope", tests, NULL, NULL);
}
