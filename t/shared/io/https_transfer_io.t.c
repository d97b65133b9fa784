/*
 * https_transfer_io.t.c - HTTPS GETs from real TLS servers that do right or wrong, see https_server.h (RFC 8461 3.3;
 * check A3).
 */
#include "https_client.h"

#define TEN        "0123456789"
#define HUNDRED    TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define SECURED_MS 3000 /* leaves time for a handshake, also under valgrind */
#define THOUSAND   HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
struct row {
    const char *name;
    enum cert_kind cert;
    enum conduct conduct;
    const char *text;
    int timeout_ms;
    enum https_outcome outcome;
    long status;
    const char *body;
    const char *why; /* part of it */
};

static const struct row rows[] = {
    {"A3 good", CERT_GOOD, SEND, OK_REPLY, LONG_MS, HTTPS_ANSWERED, 200, "hello", ""},
    {"A3 good wildcard", CERT_WILDCARD, SEND, OK_REPLY, LONG_MS, HTTPS_ANSWERED, 200, "hello", ""},
    {"A3 wildcard over two labels", CERT_WIDE, SEND, OK_REPLY, LONG_MS, HTTPS_UNTRUSTED, 0, "", "mismatch"},
    {"A3 wildcard in part of a label", CERT_PARTIAL, SEND, OK_REPLY, LONG_MS, HTTPS_UNTRUSTED, 0, "", "mismatch"},
    {"A3 name only in the CN", CERT_CN_ONLY, SEND, OK_REPLY, LONG_MS, HTTPS_UNTRUSTED, 0, "", "mismatch"},
    {"A3 expired", CERT_EXPIRED, SEND, OK_REPLY, LONG_MS, HTTPS_UNTRUSTED, 0, "", "expired"},
    {"A3 not yet valid", CERT_EARLY, SEND, OK_REPLY, LONG_MS, HTTPS_UNTRUSTED, 0, "", "not yet valid"},
    {"A3 another name, ours in the CN", CERT_OTHER, SEND, OK_REPLY, LONG_MS, HTTPS_UNTRUSTED, 0, "", "mismatch"},
    {"A3 self-signed", CERT_SELF, SEND, OK_REPLY, LONG_MS, HTTPS_UNTRUSTED, 0, "", "self-signed"},
    {"A3 redirect is not followed", CERT_GOOD, SEND,
     "HTTP/1.1 302 Found\r\nLocation: https://mta-sts.example.com/x\r\nContent-Length: 0\r\n\r\n", LONG_MS,
     HTTPS_ANSWERED, 302, "", ""},
    {"A3 404", CERT_GOOD, SEND, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", LONG_MS, HTTPS_ANSWERED, 404,
     "none", ""},
    {"chunked", CERT_GOOD, SEND, HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", LONG_MS,
     HTTPS_ANSWERED, 200, "hello", ""},
    {"100 Continue first", CERT_GOOD, SEND, "HTTP/1.1 100 Continue\r\n\r\n" OK_REPLY, LONG_MS, HTTPS_ANSWERED, 200,
     "hello", ""},
    {"to the end of the connection", CERT_GOOD, SEND, HEAD "\r\nhello", LONG_MS, HTTPS_ANSWERED, 200, "hello", ""},
    {"empty body", CERT_GOOD, SEND, HEAD "Content-Length: 0\r\n\r\n", LONG_MS, HTTPS_ANSWERED, 200, "", ""},
    {"A3 as large as allowed", CERT_GOOD, SEND, HEAD "Content-Length: 1000\r\n\r\n" THOUSAND, LONG_MS, HTTPS_ANSWERED,
     200, THOUSAND, ""},
    {"A3 one octet more, announced", CERT_GOOD, SEND, HEAD "Content-Length: 1001\r\n\r\n" THOUSAND "x", LONG_MS,
     HTTPS_FAILED, 0, "", "larger than 1000 octets"},
    {"A3 one octet more, not announced", CERT_GOOD, SEND, HEAD "\r\n" THOUSAND "x", LONG_MS, HTTPS_FAILED, 0, "",
     "larger than 1000 octets"},
    {"A3 one octet more, chunked", CERT_GOOD, SEND,
     HEAD "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" THOUSAND "x\r\n0\r\n\r\n", LONG_MS, HTTPS_FAILED, 0, "",
     "larger than 1000 octets"},
    {"A3 endless body", CERT_GOOD, REPEAT, HEAD "\r\n\f" HUNDRED, LONG_MS, HTTPS_FAILED, 0, "",
     "larger than 1000 octets"},
    {"endless headers", CERT_GOOD, REPEAT, HEAD "\fX-Filler: " HUNDRED "\r\n", LONG_MS, HTTPS_FAILED, 0, "",
     "headers larger than 65536 octets"},
    {"an endless header", CERT_GOOD, REPEAT, HEAD "X: \f" HUNDRED, LONG_MS, HTTPS_FAILED, 0, "",
     "headers larger than 65536 octets"},
    {"an endless status line", CERT_GOOD, REPEAT, "HTTP/1.1 200 \f" HUNDRED, LONG_MS, HTTPS_FAILED, 0, "",
     "headers larger than 65536 octets"},
    {"endless 100 Continue", CERT_GOOD, REPEAT, "\fHTTP/1.1 100 Continue\r\n\r\n", LONG_MS, HTTPS_FAILED, 0, "",
     "headers larger than 65536 octets"},
    {"an endless chunk extension", CERT_GOOD, REPEAT, HEAD "Transfer-Encoding: chunked\r\n\r\n5;\f" HUNDRED, LONG_MS,
     HTTPS_FAILED, 0, "", "more than "},
    {"endless trailers", CERT_GOOD, REPEAT, HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\fX: " HUNDRED "\r\n", LONG_MS,
     HTTPS_FAILED, 0, "", "headers larger than 65536 octets"},
    {"an endless trailer", CERT_GOOD, REPEAT, HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nX: \f" HUNDRED, LONG_MS,
     HTTPS_FAILED, 0, "", "the line of a trailer is too long"},
    {"another handshake is refused", CERT_GOOD, RENEGOTIATE, OK_REPLY, LONG_MS, HTTPS_FAILED, 0, "", "SSL"},
    {"HTTP/2 though not offered", CERT_GOOD, H2, OK_REPLY, LONG_MS, HTTPS_FAILED, 0, "", "SSL"},
    {"cut short", CERT_GOOD, SEND, HEAD "Content-Length: 10\r\n\r\nhello", LONG_MS, HTTPS_FAILED, 0, "", "5"},
    {"cut in the headers", CERT_GOOD, SEND, HEAD "Content-Le", LONG_MS, HTTPS_FAILED, 0, "",
     "the answer ended within its headers"},
    {"cut in the headers of the answer after 100", CERT_GOOD, SEND, "HTTP/1.1 100 Continue\r\n\r\n" HEAD, LONG_MS,
     HTTPS_FAILED, 0, "", "the answer ended within its headers"},
    {"the line cut, not TLS ended", CERT_GOOD, SEND_CUT, HEAD "\r\nhel", LONG_MS, HTTPS_FAILED, 0, "",
     "the connection was cut"},
    {"no answer at all", CERT_GOOD, SEND, "", LONG_MS, HTTPS_FAILED, 0, "", "Empty reply"},
    {"HTTP/0.9", CERT_GOOD, SEND, "version: STSv1\r\n", LONG_MS, HTTPS_FAILED, 0, "", "HTTP/0.9"},
    {"A3 TLS 1.1", CERT_GOOD, OLD_TLS, OK_REPLY, LONG_MS, HTTPS_FAILED, 0, "", "protocol"},
    {"no TLS", CERT_GOOD, PLAIN, OK_REPLY, LONG_MS, HTTPS_FAILED, 0, "", "SSL"},
    {"closed before the handshake", CERT_GOOD, CLOSE_ACCEPTED, "", LONG_MS, HTTPS_FAILED, 0, "", "onnect"},
    {"A3 hangs before the handshake", CERT_GOOD, HANG_ACCEPTED, "", SHORT_MS, HTTPS_FAILED, 0, "",
     "time-out after 1500 ms, in the TLS handshake"},
    {"A3 hangs after the handshake", CERT_GOOD, HANG_SECURED, "", SECURED_MS, HTTPS_FAILED, 0, "",
     "time-out after 3000 ms, waiting for the answer"},
    {"A3 hangs within the body", CERT_GOOD, SEND_HANG, HEAD "Content-Length: 10\r\n\r\nhello", SECURED_MS, HTTPS_FAILED,
     0, "", "time-out after 3000 ms, receiving the answer"},
    {"A3 drips", CERT_GOOD, SEND_DRIP, HEAD "\r\n", SECURED_MS, HTTPS_FAILED, 0, "",
     "time-out after 3000 ms, receiving the answer"},
};

static void row_check(const struct row *r)
{
    struct https_server server;
    struct event_base *base;
    struct got got = {.wanted = 1};
    struct https *h;

    server_start(&server, &pki, r->cert, r->conduct, r->text);
    base = got.base = event_base_new();
    h = client_new(base, server.port, r->timeout_ms, 5);
    start(h, &got);
    assert_int_equal(got.calls, 0);
    assert_int_equal(https_outstanding(h), 1);
    run(base);
    assert_int_equal(got.calls, 1);
    assert_int_equal(https_outstanding(h), 0);
    print_message("    %s\n", got.why);
    assert_int_equal(got.outcome, r->outcome);
    assert_int_equal(got.status, r->status);
    assert_string_equal(got.body, r->body);
    assert_int_equal(got.why[0] == '\0', r->outcome == HTTPS_ANSWERED);
    assert_non_null(strstr(got.why, r->why));
    assert_string_equal(got.type,
                        strstr(r->text, "text/plain") != NULL && r->outcome == HTTPS_ANSWERED ? "text/plain" : "-");
    https_free(h);
    event_base_free(base);
    server_stop(&server);
}

static void test_servers(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("  %s\n", rows[i].name);
        row_check(&rows[i]);
    }
}

/* What the server sees: SNI, no resumption on the second visit, no compression wanted, nothing of the environment's
 * proxy. */
static void test_request(void **state)
{
    struct https_server server;
    struct event_base *base;
    struct got got = {.wanted = 1};
    struct https *h;
    char expected[512];
    int i;

    (void)state;
    server_start(&server, &pki, CERT_GOOD, ECHO, "");
    base = got.base = event_base_new();
    h = client_new(base, server.port, LONG_MS, 5);
    (void)snprintf(expected, sizeof(expected),
                   "SNI: " HOST " full\r\nGET " PATH " HTTP/1.1\r\nHost: " HOST ":%d\r\nUser-Agent: postern-test\r\n"
                   "Accept: */*\r\n\r\n",
                   server.port);
    for (i = 0; i < 2; i++) {
        got.calls = 0;
        start(h, &got);
        run(base);
        assert_int_equal(got.calls, 1);
        assert_string_equal(got.body, expected);
        assert_string_equal(got.type, "text/plain; charset=utf-8");
    }
    https_free(h);
    event_base_free(base);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_request),
    };

    return cmocka_run_group_tests_name("https_transfer_io", tests, setup, teardown);
}
