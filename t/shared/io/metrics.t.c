/* metrics.t.c - tables that processes share, and requests over a unix socket. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"
#include "http_message.h"

static const struct metric sample[] = {
    {"a_requests_total{map=\"postfix\"}", "Requests.", "counter", 3},
    {"a_requests_total{map=\"QUERY\"}", NULL, NULL, 0},
    {"a_entries", "Answers in memory.", "gauge", UINT64_MAX},
};

/* Two processes count; one of them ends. */
static void test_rows(void **state)
{
    static const struct metric names[] = {
        {"b_total", "Counted.", "counter", 0}, {"b_now{of=\"x\"}", "At present.", "gauge", 0},
        {"b_now{of=\"y\"}", NULL, NULL, 0},    {"c_total{of=\"x\"}", "Counted.", "counter", 0},
        {"c_total{of=\"y\"}", NULL, NULL, 0},
    };
    static const uint64_t before[] = {2, 20, 40, 60, 80}, after[] = {2, 10, 20, 60, 80};
    struct metric *rows = metrics_share(names, 5, 2);
    int status;
    pid_t pid = fork();

    (void)state;
    for (size_t i = 0; i < 5; i++)
        rows[(pid == 0 ? 5 : 0) + i].value += i == 0 ? 1 : i * 10;
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(metrics_sum(rows, 5, 2, i), before[i]);
    metrics_clear_gauges(rows + 5, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(metrics_sum(rows, 5, 2, i), after[i]);
    munmap(rows, 2 * sizeof(names));
}

struct env {
    char dir[64];
    char address[120];
    struct event_base *base;
    struct metric metrics[3];
};

static int setup(void **state)
{
    struct env *v = calloc(1, sizeof(*v));

    snprintf(v->dir, sizeof(v->dir), "/tmp/metrics.t.XXXXXX");
    assert_non_null(mkdtemp(v->dir));
    snprintf(v->address, sizeof(v->address), "unix:%s/m", v->dir);
    v->base = event_base_new();
    memcpy(v->metrics, sample, sizeof(sample));
    *state = v;
    return 0;
}

static int teardown(void **state)
{
    struct env *v = *state;

    assert_return_code(rmdir(v->dir), errno);
    event_base_free(v->base);
    free(v);
    return 0;
}

static void count_update(void *ctx)
{
    struct env *v = ctx;

    v->metrics[1].value++; /* so many pages were asked for */
}

static int connected(const struct env *v)
{
    struct address a;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(address_parse(&a, v->address, NULL), 0);
    assert_return_code(connect(fd, (const struct sockaddr *)&a.sa, a.len), errno);
    assert_return_code(fcntl(fd, F_SETFL, O_NONBLOCK), errno);
    return fd;
}

/* What comes until the server closes, with the server on the same loop. */
static void read_reply(struct env *v, int fd, char *reply, size_t cap)
{
    size_t len = 0;
    ssize_t n = -1;

    while (n != 0) {
        n = read(fd, reply + len, cap - 1 - len);
        assert_true(n >= 0 || errno == EAGAIN);
        if (n < 0)
            event_base_loop(v->base, EVLOOP_ONCE);
        len += n > 0 ? (size_t)n : 0;
    }
    reply[len] = '\0';
    close(fd);
}

/* One request on one connection. */
static void ask(struct env *v, const char *request, char *reply, size_t cap)
{
    int fd = connected(v);

    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    read_reply(v, fd, reply, cap);
}

static struct metrics_server *serve(struct env *v)
{
    struct err e = {""};
    struct metrics_server *s = metrics_serve(v->base, v->address, v->metrics, 3, 1, count_update, v, &e);

    assert_string_equal(e.text, "");
    assert_non_null(s);
    return s;
}

static void test_serve(void **state)
{
    struct env *v = *state;
    struct metrics_server *s = serve(v);
    char reply[4096], head[4096];
    char *body;

    ask(v, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(reply, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(reply, "\r\n\r\n# HELP postern_build_info "));
    assert_non_null(strstr(reply, "\n# HELP a_requests_total Requests.\n"));
    assert_non_null(strstr(reply, "\na_requests_total{map=\"QUERY\"} 1\n"));
    body = strstr(reply, "\r\n\r\n") + 4;
    assert_int_equal(atoi(strstr(reply, "Content-Length: ") + 16), strlen(body));
    *body = '\0';
    ask(v, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", head, sizeof(head));
    memset(strstr(head, "\r\nDate: ") + 8, '-', HTTP_DATE_BUF - 1); /* a second may lie between them */
    memset(strstr(reply, "\r\nDate: ") + 8, '-', HTTP_DATE_BUF - 1);
    assert_string_equal(head, reply);
    ask(v, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 404 ", 13), 0);
    ask(v, "DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 405 ", 13), 0);
    assert_int_equal(v->metrics[1].value, 2);
    metrics_server_free(s);
    metrics_server_free(NULL);
}

/* More connections than are taken at a time: the last one has its answer, and a silent one goes for it. */
static void test_crowd(void **state)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    struct env *v = *state;
    struct metrics_server *s = serve(v);
    int fd[METRICS_CONNECTIONS_MAX], last;
    char reply[4096];

    for (size_t i = 0; i < METRICS_CONNECTIONS_MAX; i++)
        fd[i] = connected(v);
    event_base_loop(v->base, EVLOOP_NONBLOCK);
    last = connected(v);
    assert_int_equal(write(last, request, strlen(request)), strlen(request));
    read_reply(v, last, reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_int_equal(read(fd[0], reply, sizeof(reply)), 0);
    for (size_t i = 0; i < METRICS_CONNECTIONS_MAX; i++)
        close(fd[i]);
    metrics_server_free(s);
}

static void test_too_long(void **state)
{
    struct env *v = *state;
    struct metrics_server *s = serve(v);
    char request[HTTP_REQUEST_MAX + 1] = "GET /metrics HTTP/1.1\r\n", reply[4096];

    memset(request + strlen(request), 'x', HTTP_REQUEST_MAX - strlen(request));
    ask(v, request, reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 400 ", 13), 0);
    metrics_server_free(s);
}

static void test_bad_address(void **state)
{
    struct env *v = *state;
    struct err e = {""};

    assert_null(metrics_serve(v->base, "9461", v->metrics, 3, 1, NULL, NULL, &e));
    assert_non_null(strstr(e.text, "no address"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test_setup_teardown(test_serve, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crowd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_address, setup, teardown),
    };

    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
