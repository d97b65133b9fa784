/* acme_mail.t.c - the mail to the operator: what an authority says goes no further than the text. */
#include "acme_mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct acme_mail mail(const char *text)
{
    return (struct acme_mail){.from = "a@example.com",
                              .to = "b@example.com",
                              .host = "mx.example.com",
                              .name = "mx",
                              .state = "is not renewed",
                              .text = text,
                              .unique = "0123",
                              .now = 1795305600};
}

static void test_mail(void **state)
{
    struct acme_mail m = mail("first\nsecond \xc3\xa4\r\n.\n");
    struct buf out;

    (void)state;
    buf_init(&out, ACME_MAIL_MAX);
    assert_int_equal(acme_mail_build(&out, &m, NULL), 0);
    assert_string_equal(buf_text(&out), "From: a@example.com\r\nTo: b@example.com\r\n"
                                        "Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n"
                                        "Subject: Postern on mx.example.com: certificate mx is not renewed\r\n"
                                        "Message-ID: <0123@mx.example.com>\r\nAuto-Submitted: auto-generated\r\n"
                                        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
                                        "first\r\nsecond ???\r\n.\r\n");
    buf_clear(&out);
}

/* No line is longer than a server takes, and no field can be added. */
static void test_lines(void **state)
{
    char text[5000];
    struct acme_mail m = mail(text);
    struct buf out;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    m.host = "a\r\nBcc: c@example.com";
    buf_init(&out, ACME_MAIL_MAX);
    assert_int_equal(acme_mail_build(&out, &m, NULL), 0);
    assert_null(strstr(buf_text(&out), "\nBcc"));
    for (const char *at = buf_text(&out); *at != '\0';) {
        size_t len = strcspn(at, "\r\n");

        assert_true(len <= 998);
        assert_memory_equal(at + len, "\r\n", 2);
        at += len + 2;
    }
    buf_clear(&out);
    buf_init(&out, 100);
    assert_int_equal(acme_mail_build(&out, &m, NULL), -1);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mail), cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests_name("ctl/acme_mail", tests, NULL, NULL);
}
