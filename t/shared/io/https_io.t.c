/* https_io.t.c - many HTTPS GETs: addresses, turns, deadlines, cancelling, freeing. */
#include "https_client.h"

#include <poll.h>

#include <arpa/inet.h>
#include <sys/resource.h>

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

/* A host that never accepts: the kernel takes connections, nobody answers. Returns the socket. */
static int hanging_host(const char *address, int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, address, &sa.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 50), 0);
    return fd;
}

static struct https_get *start_at(struct https *h, const char *address, struct got *g)
{
    return https_start(h, HOST, PATH, &address, 1, on_done, g);
}

/* Two of the twenty places for one host, and two may wait; the rest is not even tried, and no other host waits. */
static void test_share(void **state)
{
    struct https_server server;
    struct event_base *base;
    struct got hang[5], good = {.wanted = 1}, refused = {.wanted = 1};
    struct https_get *handle[5];
    struct https *h;
    int fd;

    (void)state;
    server_start(&server, &pki, CERT_GOOD, SEND, OK_REPLY);
    fd = hanging_host("127.0.0.2", server.port);
    good.base = refused.base = base = event_base_new();
    h = client_new(base, server.port, 10 * LONG_MS, 20); /* nobody has to give way */
    for (size_t i = 0; i < 4; i++) {
        hang[i] = (struct got){.base = base, .wanted = 9};
        handle[i] = start_at(h, "127.0.0.2", &hang[i]);
    }
    start_at(h, "127.0.0.2", &refused);
    assert_int_equal(refused.calls, 0);
    run(base);
    assert_int_equal(refused.calls, 1);
    assert_int_equal(refused.outcome, HTTPS_UNTRIED);
    assert_string_equal(refused.why, "too many fetches from 127.0.0.2 at once");
    start(h, &good);
    run(base);
    assert_int_equal(good.outcome, HTTPS_ANSWERED);
    assert_int_equal(https_outstanding(h), 4);
    assert_false(https_had_its_time(handle[0]));
    https_cancel(handle[2]);
    https_cancel(handle[0]);
    assert_int_equal(https_outstanding(h), 2);
    start_at(h, "127.0.0.2", &hang[4]);
    run_ms(base, 30);
    assert_int_equal(https_outstanding(h), 3);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(hang[i].calls, 0);
    https_free(h);
    event_base_free(base);
    close(fd);
    server_stop(&server);
}

/* One place: who hangs in it gives it to who waits, and has not failed; the last one has its whole time. */
static void test_give_way(void **state)
{
    struct https_server server;
    struct event_base *base;
    struct got hang[3], good = {.wanted = 1};
    struct https *h;
    int fd;

    (void)state;
    server_start(&server, &pki, CERT_GOOD, SEND, OK_REPLY);
    fd = hanging_host("127.0.0.2", server.port);
    good.base = base = event_base_new();
    h = client_new(base, server.port, 4 * SHORT_MS, 1);
    for (size_t i = 0; i < 3; i++)
        hang[i] = (struct got){.base = base, .wanted = i == 2 ? 1 : 9};
    start_at(h, "127.0.0.2", &hang[0]);
    start(h, &good);
    run(base);
    assert_int_equal(good.outcome, HTTPS_ANSWERED);
    for (int i = 0; i < LONG_MS && hang[0].calls == 0; i += 10) /* another lane tells of it */
        run_ms(base, 10);
    assert_int_equal(hang[0].calls, 1);
    assert_int_equal(hang[0].outcome, HTTPS_UNTRIED);
    assert_non_null(strstr(hang[0].why, "too many fetches at once: gave way after "));
    assert_non_null(strstr(hang[0].why, " ms, in the TLS handshake"));
    start_at(h, "127.0.0.2", &hang[1]);
    start_at(h, "127.0.0.2", &hang[2]);
    run(base);
    assert_int_equal(hang[1].outcome, HTTPS_UNTRIED);
    assert_int_equal(hang[2].outcome, HTTPS_FAILED);
    assert_string_equal(hang[2].why, "time-out after 6000 ms, in the TLS handshake");
    https_free(h);
    event_base_free(base);
    close(fd);
    server_stop(&server);
}

/* Three hundred hosts hang, and a good one is answered while they do. */
static void test_hanging_hosts(void **state)
{
    enum { HOSTS = 300 };
    struct https_server server;
    struct event_base *base;
    struct got never = {.wanted = 1}, good = {.wanted = 1};
    struct https *h;
    int fd[HOSTS];

    (void)state;
    server_start(&server, &pki, CERT_GOOD, SEND, OK_REPLY);
    good.base = never.base = base = event_base_new();
    h = client_new(base, server.port, 10 * LONG_MS, HOSTS + 1);
    for (int i = 0; i < HOSTS; i++) {
        char address[20];

        (void)snprintf(address, sizeof(address), "127.1.%d.%d", i / 200, i % 200 + 1);
        fd[i] = hanging_host(address, server.port);
        start_at(h, address, &never);
    }
    start(h, &good);
    run(base);
    assert_int_equal(good.outcome, HTTPS_ANSWERED);
    assert_int_equal(never.calls, 0);
    assert_int_equal(https_outstanding(h), HOSTS);
    https_free(h);
    event_base_free(base);
    for (int i = 0; i < HOSTS; i++)
        close(fd[i]);
    server_stop(&server);
}

/* All of many are answered, fifteen at a time. */
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
    h = client_new(base, server.port, LONG_MS, 150);
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

/* A fetch needs the program's loop to begin, and not to go on: what takes long there does not hold it up, nor it that.
 */
static void test_own_thread(void **state)
{
    struct pollfd peer = {.events = POLLIN}, listener = {.events = POLLIN};
    struct event_base *base;
    struct got never = {.wanted = 9};
    struct https *h;
    int port;

    (void)state;
    listener.fd = listen_any(&port);
    base = event_base_new();
    h = client_new(base, port, LONG_MS, 1);
    start(h, &never);
    assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
    assert_int_equal(poll(&listener, 1, GUARD_SECONDS * 1000), 1);
    peer.fd = accept(listener.fd, NULL, NULL);
    assert_true(peer.fd >= 0);
    assert_int_equal(poll(&peer, 1, GUARD_SECONDS * 1000), 1); /* the ClientHello */
    https_free(h);
    event_base_free(base);
    close(peer.fd);
    close(listener.fd);
    assert_int_equal(never.calls, 0);
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
    h = client_new(base, server.port, LONG_MS, 20);
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

/* Few descriptors are left: never the host's failure, and all is well again afterwards. */
static void test_descriptors(void **state)
{
    static const char *const addresses[] = {"::1", "127.0.0.2", "127.0.0.1"};
    struct https_server server;
    struct rlimit files, few;
    struct event_base *base;
    struct got got;
    struct https *h;
    int fd;

    (void)state;
    server_start(&server, &pki, CERT_GOOD, SEND, OK_REPLY);
    base = event_base_new();
    h = client_new(base, server.port, LONG_MS, 10);
    run_ms(base, 1);
    fd = dup(0);
    close(fd);
    getrlimit(RLIMIT_NOFILE, &files);
    for (unsigned left = 0; left < 5; left++) {
        got = (struct got){.base = base, .wanted = 1};
        few = files;
        few.rlim_cur = (rlim_t)fd + left;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        https_start(h, HOST, PATH, addresses, 3, on_done, &got);
        run(base);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
        print_message("  %u left: %s\n", left, got.why);
        assert_int_equal(got.calls, 1);
        assert_true(got.outcome == HTTPS_UNTRIED || (left > 0 && got.outcome == HTTPS_ANSWERED));
        if (left == 0)
            assert_string_equal(got.why, "no socket: Too many open files");
    }
    assert_int_equal(got.outcome, HTTPS_ANSWERED);
    https_free(h);
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
        cmocka_unit_test(test_addresses),     cmocka_unit_test(test_share),  cmocka_unit_test(test_give_way),
        cmocka_unit_test(test_hanging_hosts), cmocka_unit_test(test_many),   cmocka_unit_test(test_reentrant),
        cmocka_unit_test(test_own_thread),    cmocka_unit_test(test_cancel), cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_ca_file),
    };

    return cmocka_run_group_tests_name("https_io", tests, setup, teardown);
}
