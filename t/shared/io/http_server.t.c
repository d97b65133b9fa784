/* http_server.t.c - answers at once, later, and to nobody, over a unix socket; what metrics.t.c does not ask for. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"

#define TURNS 50

struct env {
    char dir[64], address[120];
    struct event_base *base;
    struct http_server *server;
    struct http_call *waiting[4];
    size_t calls;
};

/* "/later" waits for the test; all else is answered with the host's name. */
static void on_request(void *ctx, struct http_call *call, const struct http_request *request)
{
    struct env *v = ctx;
    char host[DOMAIN_BUF];

    if (span_is(request->path, "/later")) {
        v->waiting[v->calls++] = call;
        return;
    }
    (void)http_host_name(host, request->host);
    http_answer_text(call, 200, host);
}

static int setup(void **state)
{
    struct env *v = calloc(1, sizeof(*v));
    const struct http_server_options options = {
        .address = v->address, .connections_max = 2, .fn = on_request, .ctx = v};
    struct err e = {""};

    (void)signal(SIGPIPE, SIG_IGN);
    snprintf(v->dir, sizeof(v->dir), "/tmp/http_server.t.XXXXXX");
    assert_non_null(mkdtemp(v->dir));
    snprintf(v->address, sizeof(v->address), "unix:%s/h", v->dir);
    v->base = event_base_new();
    v->server = http_server_new(v->base, &options, &e);
    assert_string_equal(e.text, "");
    *state = v;
    return 0;
}

static int teardown(void **state)
{
    struct env *v = *state;

    http_server_free(v->server);
    http_server_free(NULL);
    assert_return_code(rmdir(v->dir), errno);
    event_base_free(v->base);
    free(v);
    return 0;
}

static void turn(struct env *v)
{
    for (int i = 0; i < TURNS; i++)
        event_base_loop(v->base, EVLOOP_NONBLOCK);
}

static int ask(struct env *v, const char *request)
{
    struct address a;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(address_parse(&a, v->address, NULL), 0);
    assert_return_code(connect(fd, (const struct sockaddr *)&a.sa, a.len), errno);
    assert_return_code(fcntl(fd, F_SETFL, O_NONBLOCK), errno);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    turn(v);
    return fd;
}

static void expect(struct env *v, int fd, const char *begin, const char *end)
{
    char reply[4096];
    size_t len = 0;
    ssize_t n = -1;

    while (n != 0) {
        n = read(fd, reply + len, sizeof(reply) - 1 - len);
        assert_true(n >= 0 || errno == EAGAIN);
        if (n < 0)
            event_base_loop(v->base, EVLOOP_ONCE);
        len += n > 0 ? (size_t)n : 0;
    }
    reply[len] = '\0';
    assert_int_equal(strncmp(reply, begin, strlen(begin)), 0);
    assert_true(len > strlen(end));
    assert_string_equal(reply + len - strlen(end), end);
    close(fd);
    turn(v);
}

static void test_answers(void **state)
{
    struct env *v = *state;
    int first, second;

    expect(v, ask(v, "GET / HTTP/1.1\r\nHost: A.example:80\r\n\r\n"), "HTTP/1.1 200 OK\r\n", "\r\n\r\na.example");
    expect(v, ask(v, "HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n"), "HTTP/1.1 200 OK\r\n", "\r\n\r\n");
    expect(v, ask(v, "GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 ", "\n");
    first = ask(v, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    second = ask(v, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(v->calls, 2);
    http_answer_text(v->waiting[1], 503, "second\n");
    expect(v, second, "HTTP/1.1 503 ", "second\n");
    http_answer_text(v->waiting[0], 404, "first\n");
    expect(v, first, "HTTP/1.1 404 ", "first\n");
}

/* A body that nobody reads must not cost the answer. */
static void test_body(void **state)
{
    struct env *v = *state;
    char body[30001];
    int fd;

    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    fd = ask(v, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n");
    assert_int_equal(write(fd, body, strlen(body)), strlen(body));
    turn(v);
    expect(v, fd, "HTTP/1.1 405 ", "\n");
}

/* Those who connect and say nothing, or drip, keep nobody out; those who have asked are not given up. */
static void test_idle(void **state)
{
    struct env *v = *state;
    int idle[3], later;
    char octet;

    later = ask(v, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    for (size_t i = 0; i < 3; i++)
        idle[i] = ask(v, i == 0 ? "GET / HT" : "G");
    expect(v, ask(v, "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nb.example");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read(idle[i], &octet, 1), 0);
        close(idle[i]);
    }
    assert_int_equal(v->calls, 1);
    http_answer_text(v->waiting[0], 200, "late\n");
    expect(v, later, "HTTP/1.1 200 ", "late\n");
}

/* Who asked has gone, or is about to, when the answer comes; and the place is free again. */
static void test_gone(void **state)
{
    struct env *v = *state;

    for (int i = 0; i < 3; i++) {
        close(ask(v, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
        turn(v);
        assert_int_equal(v->calls, 1);
        http_answer_text(v->waiting[0], 200, "late\n");
        v->calls = 0;
        turn(v);
    }
    expect(v, ask(v, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), "HTTP/1.1 200 OK\r\n", "a.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
    };

    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
