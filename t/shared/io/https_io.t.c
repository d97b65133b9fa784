/* https_io.t.c - many HTTPS GETs: addresses, the queue, deadlines, cancelling, freeing. */
#include "https_client.h"

/* Let everything that is pending happen. */
static void run_ms(struct event_base *base, int ms)
{
    const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_base_loopexit(base, &tv);
    event_base_dispatch(base);
}

/* Nobody listens; then the same with an address after it where somebody does; then without any address. */
static void test_addresses(void **state)
{
    static const char *const dead[] = {"127.0.0.2"};
    static const char *const both[] = {"::1", "127.0.0.2", "127.0.0.1"};
    struct https_server server;
    struct event_base *base;
    struct got got = {.wanted = 1};
    struct https *h;

    (void)state;
    server_start(&server, &pki, CERT_GOOD, SEND, OK_REPLY);
    base = got.base = event_base_new();
    h = client_new(base, server.port, LONG_MS, 5);
    https_start(h, HOST, PATH, dead, 1, on_done, &got);
    run(base);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.outcome, HTTPS_FAILED);
    assert_non_null(strstr(got.why, "connect"));

    got = (struct got){.base = base, .wanted = 1};
    https_start(h, HOST, PATH, both, 3, on_done, &got);
    run(base);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.outcome, HTTPS_ANSWERED);

    got = (struct got){.base = base, .wanted = 1};
    https_start(h, HOST, PATH, both, 0, on_done, &got);
    assert_int_equal(got.calls, 0);
    run(base);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.outcome, HTTPS_FAILED);
    assert_string_equal(got.why, "no address");
    https_free(h);
    event_base_free(base);
    server_stop(&server);
}

/* Two at a time from a server that hangs: the third never gets its turn, and its deadline runs all the same. */
static void test_concurrency(void **state)
{
    struct https_server server;
    struct event_base *base;
    struct got got[4] = {{.wanted = 9}, {.wanted = 9}, {.wanted = 9}, {.wanted = 9}};
    struct https_get *handle[4];
    struct https *h;
    size_t i;

    (void)state;
    server_start(&server, &pki, CERT_GOOD, HANG_ACCEPTED, "");
    base = event_base_new();
    h = client_new(base, server.port, SHORT_MS, 2);
    for (i = 0; i < 4; i++)
        handle[i] = start(h, &got[i]);
    assert_int_equal(https_outstanding(h), 4);
    run_ms(base, 30);
    https_cancel(handle[2]);
    assert_int_equal(https_outstanding(h), 3);
    for (i = 0; i < (size_t)GUARD_SECONDS * 10 && https_outstanding(h) > 0; i++)
        run_ms(base, 100);
    assert_int_equal(got[0].calls, 1);
    assert_int_equal(got[1].calls, 1);
    assert_int_equal(got[2].calls, 0);
    assert_int_equal(got[3].calls, 1);
    assert_string_equal(got[0].why, "time-out after 600 ms, in the TLS handshake");
    assert_string_equal(got[1].why, "time-out after 600 ms, in the TLS handshake");
    https_free(h);
    event_base_free(base);
    server_stop(&server);
}

/* All of many are answered, whatever the limit. */
static void test_many(void **state)
{
    struct https_server server;
    struct event_base *base;
    struct got got = {.wanted = 30};
    struct https *h;
    int i;

    (void)state;
    server_start(&server, &pki, CERT_GOOD, SEND, OK_REPLY);
    base = got.base = event_base_new();
    h = client_new(base, server.port, LONG_MS, 3);
    for (i = 0; i < 30; i++)
        start(h, &got);
    run(base);
    assert_int_equal(got.calls, 30);
    assert_int_equal(got.outcome, HTTPS_ANSWERED);
    https_free(h);
    event_base_free(base);
    server_stop(&server);
}

struct again {
    struct event_base *base;
    struct https *h;
    struct https_get *other;
    struct got *second;
    unsigned calls;
};

static void cancel_and_start(void *ctx, const struct https_result *r)
{
    struct again *a = ctx;

    (void)r;
    a->calls++;
    https_cancel(a->other);
    start(a->h, a->second);
    assert_int_equal(a->second->calls, 0);
}

static void free_all(void *ctx, const struct https_result *r)
{
    struct again *a = ctx;

    https_free(a->h);
    a->calls++;
    assert_string_equal(r->body, "hello");
    assert_string_equal(r->content_type, "text/plain");
    event_base_loopbreak(a->base);
}

/* Starting, cancelling and freeing within a callback. */
static void test_reentrant(void **state)
{
    static const char *const loopback[] = {"127.0.0.1"};
    struct https_server server;
    struct got never = {.wanted = 9}, second = {.wanted = 1};
    struct again a = {.second = &second};

    (void)state;
    server_start(&server, &pki, CERT_GOOD, SEND, OK_REPLY);
    a.base = second.base = never.base = event_base_new();
    a.h = client_new(a.base, server.port, LONG_MS, 1);
    https_start(a.h, HOST, PATH, loopback, 1, cancel_and_start, &a);
    a.other = start(a.h, &never);
    run(a.base);
    assert_int_equal(a.calls, 1);
    assert_int_equal(second.calls, 1);
    assert_int_equal(never.calls, 0);
    https_free(a.h);

    a.calls = 0;
    a.h = client_new(a.base, server.port, LONG_MS, 3);
    https_start(a.h, HOST, PATH, loopback, 1, free_all, &a);
    https_start(a.h, HOST, PATH, loopback, 1, free_all, &a);
    https_start(a.h, HOST, PATH, loopback, 0, on_done, &never);
    https_cancel(start(a.h, &never));
    run(a.base);
    event_base_free(a.base);
    assert_int_equal(a.calls, 1);
    server_stop(&server);
}

/* Cancelled and freed while running: no callback, no leak (AddressSanitizer sees to it). */
static void test_cancel(void **state)
{
    struct https_server server;
    struct event_base *base;
    struct got never = {.wanted = 9};
    struct https_get *g;
    struct https *h;

    (void)state;
    server_start(&server, &pki, CERT_GOOD, HANG_SECURED, "");
    base = event_base_new();
    h = client_new(base, server.port, LONG_MS, 2);
    g = start(h, &never);
    start(h, &never);
    start(h, &never);
    run_ms(base, 100);
    https_cancel(g);
    run_ms(base, 50);
    https_free(h);
    https_free(NULL);
    run_ms(base, 50);
    assert_int_equal(never.calls, 0);
    event_base_free(base);
    server_stop(&server);
}

static void test_ca_file(void **state)
{
    const struct https_options o = {.ca_file = "/nonexistent/ca.pem", .port = 443, .timeout_ms = 1, .concurrency = 1};
    struct event_base *base = event_base_new();
    struct err e = {.text = ""};

    (void)state;
    assert_null(https_new(base, &o, &e));
    assert_string_equal(
        e.text, "/nonexistent/ca.pem: No such file or directory; certificates of policy hosts cannot be checked");
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_concurrency), cmocka_unit_test(test_many),
        cmocka_unit_test(test_reentrant), cmocka_unit_test(test_cancel),      cmocka_unit_test(test_ca_file),
    };

    return cmocka_run_group_tests_name("https_io", tests, setup, teardown);
}
