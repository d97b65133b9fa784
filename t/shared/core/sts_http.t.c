/* sts_http.t.c - tests of sts_http.c: RFC 8461 3.3, checks A3 and A4. */
#include "sts_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void judges_answers(void **state)
{
    static const struct {
        long status;
        const char *type;
        const char *say; /* NULL: taken */
    } rows[] = {
        {200, "text/plain", NULL},
        {200, "text/plain; charset=utf-8", NULL},
        {200, "text/plain;charset=us-ascii", NULL},
        {200, "Text/PLAIN ; x=y", NULL},
        {200, " \ttext/plain \t", NULL},
        {200, NULL, "there is no content type, it must be text/plain"},
        {200, "", "content type is , not text/plain"},
        {200, "text/html", "content type is text/html, not text/plain"},
        {200, "text/html; x=text/plain", "content type is text/html; x=text/plain, not text/plain"},
        {200, "text/plainer", "content type is text/plainer, not text/plain"},
        {200, "text/plain, text/html", "content type is text/plain, text/html, not text/plain"},
        {200, "text/plain x", "content type is text/plain x, not text/plain"},
        {200, "text/plai", "content type is text/plai, not text/plain"},
        {200, "application/octet-stream", "content type is application/octet-stream, not text/plain"},
        {404, "text/plain", "HTTP status 404"},
        {301, "text/plain", "HTTP status 301"}, /* redirects are not followed */
        {201, "text/plain", "HTTP status 201"},
        {204, "text/plain", "HTTP status 204"},
        {206, "text/plain", "HTTP status 206"},
        {304, NULL, "HTTP status 304"},
        {500, NULL, "HTTP status 500"},
        {0, "text/plain", "HTTP status 0"},
        {-200, "text/plain", "HTTP status -200"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err e = {""};
        print_message("A3 A4 %ld %s\n", rows[i].status, rows[i].type == NULL ? "(none)" : rows[i].type);
        assert_int_equal(sts_http_check(rows[i].status, rows[i].type, &e), rows[i].say == NULL ? 0 : -1);
        assert_string_equal(e.text, rows[i].say == NULL ? "" : rows[i].say);
        assert_int_equal(sts_http_check(rows[i].status, rows[i].type, NULL), rows[i].say == NULL ? 0 : -1);
    }
}

static void joins_names(void **state)
{
    char out[DOMAIN_BUF];

    (void)state;
    assert_int_equal(sts_record_name(out, "example.net"), 0);
    assert_string_equal(out, "_mta-sts.example.net");
    assert_int_equal(sts_policy_host(out, "example.net"), 0);
    assert_string_equal(out, "mta-sts.example.net");
    assert_int_equal(tlsrpt_record_name(out, "example.net"), 0);
    assert_string_equal(out, "_smtp._tls.example.net");
    assert_int_equal(sts_record_name(out, ""), -1);
    assert_string_equal(out, "");
}

/* The longest domain that still fits, and one octet more. */
static void refuses_long_names(void **state)
{
    static const struct {
        int (*join)(char out[DOMAIN_BUF], const char *domain);
        size_t prefix;
    } rows[] = {{sts_record_name, 9}, {sts_policy_host, 8}, {tlsrpt_record_name, 11}};
    char out[DOMAIN_BUF], domain[DOMAIN_BUF];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(domain, 'a', sizeof domain);
        domain[DOMAIN_MAX - rows[i].prefix] = '\0';
        assert_int_equal(rows[i].join(out, domain), 0);
        assert_int_equal(strlen(out), DOMAIN_MAX);
        domain[DOMAIN_MAX - rows[i].prefix] = 'a';
        domain[DOMAIN_MAX - rows[i].prefix + 1] = '\0';
        assert_int_equal(rows[i].join(out, domain), -1);
        assert_string_equal(out, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_answers),
        cmocka_unit_test(joins_names),
        cmocka_unit_test(refuses_long_names),
    };
    return cmocka_run_group_tests_name("sts_http", tests, NULL, NULL);
}
