/* http_message.t.c - tests of http_message.c: RFC 9112 2 and 3, RFC 9110 5.6.7. */
#include "http_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define H        "Host: x\r\n"

static void test_requests(void **state)
{
    static const struct {
        const char *text;
        enum http_read want;
        enum http_method method;
        const char *path, *host;
    } rows[] = {
        {"GET /a HTTP/1.1\r\n" H "\r\n", HTTP_REQUEST, HTTP_GET, "/a", "x"},
        {"HEAD /a HTTP/1.1\n" H "\n", HTTP_REQUEST, HTTP_HEAD, "/a", "x"},
        {"GET /a?b?c HTTP/1.1\r\nhOST:\t y.example:80 \r\nA: b\r\n\r\nmore", HTTP_REQUEST, HTTP_GET, "/a",
         "y.example:80"},
        {"GET / HTTP/1.0\r\n\r\n", HTTP_REQUEST, HTTP_GET, "/", ""},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", HTTP_REQUEST, HTTP_GET, "/", ""},
        {"GET HTTP://Z:8080/a?b HTTP/1.1\r\n" H "\r\n", HTTP_REQUEST, HTTP_GET, "/a", "Z:8080"},
        {"GET http://z HTTP/1.1\r\n" H "\r\n", HTTP_REQUEST, HTTP_GET, "/", "z"},
        {"GET /%2e HTTP/1.1\r\n" H "\r\n", HTTP_REQUEST, HTTP_GET, "/%2e", "x"},
        {"POST /a HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", HTTP_REQUEST, HTTP_OTHER, "/a", "x"},
        {"get /a HTTP/1.1\r\n" H "\r\n", HTTP_REQUEST, HTTP_OTHER, "/a", "x"},
        {"CONNECT a:25 HTTP/1.1\r\n" H "\r\n", HTTP_REQUEST, HTTP_OTHER, "a:25", "x"},

        {"", HTTP_MORE, HTTP_OTHER, NULL, NULL},
        {"G", HTTP_MORE, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\n", HTTP_MORE, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\n" H, HTTP_MORE, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\n" H "\r", HTTP_MORE, HTTP_OTHER, NULL, NULL},

        {"GET / HTTP/1.1\r\n\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\n" H H "\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.0\r\n" H H "\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\nHost: x y\r\n\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\n Host: x\r\n\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\n" H " folded\r\n\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.1\r\nno field\r\n\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET /a b HTTP/1.1\r\n" H "\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET a HTTP/1.1\r\n" H "\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET  HTTP/1.1\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/2\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET / HTTP/1.10\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"GET /metrics\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {" / HTTP/1.1\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"\r\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
        {"\x16\x03\x01\n", HTTP_BAD, HTTP_OTHER, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request r;

        if (http_request_read(&r, rows[i].text, strlen(rows[i].text)) != rows[i].want)
            fail_msg("%s", rows[i].text);
        if (rows[i].want == HTTP_REQUEST &&
            (r.method != rows[i].method || !span_is(r.path, rows[i].path) || !span_is(r.host, rows[i].host)))
            fail_msg("%s: %.*s %.*s", rows[i].text, (int)r.path.len, r.path.at, (int)r.host.len, r.host.at);
    }
}

static void test_longest(void **state)
{
    static char longest[HTTP_REQUEST_MAX + 1];
    struct http_request r;

    (void)state;
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(http_request_read(&r, longest, HTTP_REQUEST_MAX - 1), HTTP_MORE);
    assert_int_equal(http_request_read(&r, longest, HTTP_REQUEST_MAX), HTTP_BAD);
    memcpy(longest, "GET / HTTP/1.1\r\n", 16);
    assert_int_equal(http_request_read(&r, longest, HTTP_REQUEST_MAX - 1), HTTP_MORE);
    assert_int_equal(http_request_read(&r, longest, HTTP_REQUEST_MAX), HTTP_BAD);
    assert_int_equal(http_request_read(&r, longest, HTTP_REQUEST_MAX + 1), HTTP_BAD);
}

static void test_host_names(void **state)
{
    static const struct {
        const char *host, *name;
    } rows[] = {
        {"mta-sts.example.com", "mta-sts.example.com"},
        {"MTA-STS.Example.COM", "mta-sts.example.com"},
        {"example.com:80", "example.com"},
        {"example.com.:443", "example.com"},
        {"example.com.", "example.com"},
        {"example.com:", "example.com"},
        {"a1", "a1"},
        {"", ""},
        {":80", ""},
        {"80", ""},
        {"example.com:80:80", ""},
        {"example.com:x", ""},
        {"[::1]:80", ""},
        {"192.0.2.1", ""},
        {"a..b", ""},
        {"b\xc3\xbc"
         "cher.example",
         ""},
        {"a/b", ""},
        {"a b", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[DOMAIN_BUF];

        assert_int_equal(http_host_name(name, span_of(rows[i].host)), rows[i].name[0] == '\0' ? -1 : 0);
        assert_string_equal(name, rows[i].name);
    }
}

static void test_answers(void **state)
{
    struct http_answer answer = {.status = 200, .type = "text/plain", .body = SPAN("twelve")};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    http_answer_head(&b, &answer, 784111777);
    assert_string_equal(buf_text(&b), "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: "
                                      "text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\n");
    buf_reset(&b);
    answer.status = 405;
    answer.fields = "A: b\r\n";
    http_answer_head(&b, &answer, 0);
    assert_string_equal(buf_text(&b), "HTTP/1.1 405 Method Not Allowed\r\nDate: Thu, 01 Jan 1970 00:00:00 "
                                      "GMT\r\nAllow: GET, HEAD\r\nContent-Type: text/plain\r\nContent-Length: "
                                      "6\r\nA: b\r\nConnection: close\r\n\r\n");
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_requests), cmocka_unit_test(test_longest),
                                       cmocka_unit_test(test_host_names), cmocka_unit_test(test_answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
