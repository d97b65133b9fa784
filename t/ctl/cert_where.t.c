/* cert_where.t.c - where a mail server listens, by what Postfix and Exim print of themselves. */
#include "cert_use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct postfix_printed printed(const char *text)
{
    return (struct postfix_printed){text, strlen(text)};
}

static const struct postfix_at {
    const char *parameters, *services, *overrides, *host, *port;
} postfix_ats[] = {
    {"inet_interfaces = all\ninet_protocols = all\n", "smtp inet n - y - - smtpd\n", "", "127.0.0.1", "smtp"},
    {"inet_interfaces = loopback-only\ninet_protocols = ipv6\n", "25 inet n - y - - smtpd\n", "", "::1", "25"},
    {"inet_interfaces = 192.0.2.1, 127.0.0.1\n", "smtp inet n - y - 1 postscreen\n", "", "192.0.2.1", "smtp"},
    {"inet_interfaces = [2001:db8::1]\n", "smtp inet n - y - - smtpd\n", "", "2001:db8::1", "smtp"},
    {"", "127.0.0.1:2525 inet n - y - - smtpd\n", "", "127.0.0.1", "2525"},
    {"", "[::1]:smtp inet n - y - - smtpd\n", "", "::1", "smtp"},
    {"", "submission inet n - y - - smtpd\nsmtp inet n - y - - smtpd\n", "", "127.0.0.1", "smtp"},
    {"", "465 inet n - y - - smtpd\n587 inet n - y - - smtpd\n", "465/inet/smtpd_tls_wrappermode = yes\n", "127.0.0.1",
     "587"},
    {"", "submission inet n - y - - smtpd\n10.0.0.1:25 inet n - y - - smtpd\n", "", "10.0.0.1", "25"},
    {"inet_interfaces = 192.0.2.1, all\n", "smtp inet n - y - - smtpd\n", "", "127.0.0.1", "smtp"},
    {"inet_interfaces = mx.example\n", "smtp inet n - y - - smtpd\n", "", "mx.example", "smtp"},
    {"smtpd_tls_wrappermode = yes\n", "smtp inet n - y - - smtpd\n", "", "", ""},
    {"", "smtp inet n - y - - proxymap\n", "", "", ""},
    {"", "[]:25 inet n - y - - smtpd\n", "", "127.0.0.1", "25"},
    {"", "smtp unix - - y - - smtp\npass unix - - y - - smtpd\n", "", "", ""},
};

static void test_postfix_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(postfix_ats) / sizeof(postfix_ats[0]); i++) {
        const struct postfix_at *a = &postfix_ats[i];
        struct postfix_conf c;
        const struct postfix_service *service = NULL;
        struct cert_where at;
        struct err e = {""};

        if (postfix_conf_read(&c, printed(a->parameters), printed(a->services), printed(a->overrides), &e) != 0)
            fail_msg("%s", e.text);
        cert_where_postfix(&at, &c, &service);
        assert_int_equal(service != NULL, a->port[0] != '\0');
        if (strcmp(at.host, a->host) != 0 || strcmp(at.port, a->port) != 0)
            fail_msg("%zu: %s port %s", i, at.host, at.port);
        postfix_conf_free(&c);
    }
}

static const struct exim_at {
    const char *interfaces, *ports, *host, *port;
} exim_ats[] = {
    {"", "", "127.0.0.1", "smtp"},
    {"<; ::0 ; 0.0.0.0", "smtp", "::1", "smtp"},
    {"<; 0.0.0.0.25 ; 0.0.0.0.587", "smtp", "127.0.0.1", "25"},
    {"127.0.0.1.2526", "smtp", "127.0.0.1", "2526"},
    {"127.0.0.1 : ::::1", "25 : 587", "127.0.0.1", "25"},
    {"::::1 : 127.0.0.1", "smtp", "::1", "smtp"},
    {"<; [2001:db8::1]:26", "smtp", "2001:db8::1", "26"},
    {"$local", "26", "127.0.0.1", "26"},
    {"[", "25", "127.0.0.1", "25"},
    {"<; [::1", "25", "::1", "25"},
    {"<; [::1]x", "25", "::1", "25"},
    {"", "<, 2525 , 25", "127.0.0.1", "2525"},
    {"<", "<", "127.0.0.1", "<"},
    {"192.0.2.1 :", " 25 ", "192.0.2.1", "25"},
    {"192.0.2.1.x", "25", "192.0.2.1", "x"},
    {"1.2.3.4.5.6", "25", "127.0.0.1", "25"},
};

static void test_exim_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(exim_ats) / sizeof(exim_ats[0]); i++) {
        struct cert_where at;

        cert_where_exim(&at, exim_ats[i].interfaces, exim_ats[i].ports);
        if (strcmp(at.host, exim_ats[i].host) != 0 || strcmp(at.port, exim_ats[i].port) != 0)
            fail_msg("%s: %s port %s", exim_ats[i].interfaces, at.host, at.port);
    }
}

/* What is too long is cut, and writes nowhere else. */
static void test_long(void **state)
{
    struct cert_where at;
    char list[2000];

    (void)state;
    memset(list, 'a', sizeof(list) - 1);
    list[sizeof(list) - 1] = '\0';
    cert_where_exim(&at, list, list);
    assert_string_equal(at.host, "127.0.0.1");
    assert_int_equal(strlen(at.port), sizeof(at.port) - 1);
    list[0] = '[';
    memcpy(list + 200, "]:", 2);
    cert_where_exim(&at, list, "25");
    assert_string_equal(at.host, "127.0.0.1");
    assert_true(strlen(at.port) < sizeof(at.port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_postfix_where),
        cmocka_unit_test(test_exim_where),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
