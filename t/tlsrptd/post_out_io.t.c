/* post_out_io.t.c - reports by POST to real HTTPS servers of https_server.h (checks H1 to H6, W12). */
#include "https_server.h" /* before cmocka.h */

#include "post_out_io.h"

#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <time.h>

#define BODY     "\x1f\x8b\0gzip"
#define BODY_LEN 7

static struct pki pki;
static struct event_base *base;
static struct curl_loop *loop;

struct told {
    int calls;
    bool taken;
    char why[500];
};

static void on_done(void *ctx, const char *why)
{
    struct told *t = ctx;

    t->calls++;
    t->taken = why == NULL;
    (void)snprintf(t->why, sizeof(t->why), "%s", why != NULL ? why : "");
    event_base_loopbreak(base);
}

static struct told post(const char *uri, bool anywhere, int timeout_ms)
{
    const struct timeval guard = {.tv_sec = 90};
    const struct post_out_options o = {
        .ca_file = pki.ca_file, .user_agent = "postern-test", .anywhere = anywhere, .timeout_ms = timeout_ms};
    struct told t = {0};

    assert_non_null(post_out_start(loop, &o, uri, BODY, BODY_LEN, on_done, &t));
    assert_int_equal(t.calls, 0);
    event_base_loopexit(base, &guard);
    event_base_dispatch(base);
    assert_int_equal(t.calls, 1);
    return t;
}

#define ANSWER(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

static const struct {
    const char *name;
    enum cert_kind cert;
    enum conduct conduct;
    const char *text;
    const char *why; /* "" when it was taken */
} rows[] = {
    {"H3 200", CERT_IP, SEND, ANSWER("200 OK"), ""},
    {"H3 201", CERT_IP, SEND, ANSWER("201 Created"), ""},
    {"H3 204", CERT_IP, SEND, "HTTP/1.1 204 No Content\r\n\r\n", ""},
    {"H3 500", CERT_IP, SEND, ANSWER("500 Oops"), "HTTP status 500"},
    {"H3 404", CERT_IP, SEND, ANSWER("404 Not Found"), "HTTP status 404"},
    {"H3 302", CERT_IP, SEND, "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
     "HTTP status 302, and redirects are not followed"},
    {"H3 307", CERT_IP, SEND, "HTTP/1.1 307 Moved\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
     "redirects are not followed"},
    {"H4 expired", CERT_EXPIRED, SEND, ANSWER("200 OK"), "certificate"},
    {"H4 own", CERT_SELF, SEND, ANSWER("200 OK"), "certificate"},
    {"H4 another name", CERT_OTHER, SEND, ANSWER("200 OK"), "certificate"},
    {"H4 old TLS", CERT_IP, OLD_TLS, ANSWER("200 OK"), "protocol"},
    {"H5 no handshake", CERT_IP, HANG_ACCEPTED, "", "timed out"},
    {"H5 no answer", CERT_IP, HANG_SECURED, "", "timed out"},
    {"H5 endless body", CERT_IP, REPEAT, "HTTP/1.1 200 OK\r\n\r\n\fxxxxxxxx", ""},
    {"H5 endless body of an error", CERT_IP, REPEAT, "HTTP/1.1 503 x\r\n\r\n\fxxxxxxxx", "HTTP status 503"},
    {"H5 endless headers", CERT_IP, REPEAT, "HTTP/1.1 200 OK\r\n\fA: bbbbbbbb\r\n", "eaders"},
    {"H5 endless 100", CERT_IP, REPEAT, "\fHTTP/1.1 100 Continue\r\n\r\n", "headers larger"},
    {"not HTTP", CERT_IP, SEND, "220 hello\r\n", "HTTP"},
    {"reset", CERT_IP, RESET_SECURED, "", " "}, /* in libcurl's words, which depend on when it comes */
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct https_server s;
        struct told t;
        char uri[64];

        server_start(&s, &pki, rows[i].cert, rows[i].conduct, rows[i].text);
        (void)snprintf(uri, sizeof(uri), "https://127.0.0.1:%d/tlsrpt", s.port);
        t = post(uri, true, strstr(rows[i].why, "timed out") != NULL ? 1000 : 20000);
        server_stop(&s);
        if (t.taken != (rows[i].why[0] == '\0') || strstr(t.why, rows[i].why) == NULL)
            fail_msg("%s: %s", rows[i].name, t.why);
    }
}

/* H5: not to this machine, by whatever name or form, unless that is wanted. */
static void test_closed(void **state)
{
    static const char *const hosts[] = {"127.0.0.1",  "localhost", "0.0.0.0", "[::1]",           "[::ffff:127.0.0.1]",
                                        "2130706433", "127.1",     "0x7f.1",  "169.254.169.254", "10.0.0.1"};
    struct https_server s;

    (void)state;
    server_start(&s, &pki, CERT_IP, SEND, ANSWER("200 OK"));
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char uri[80];
        struct told t;

        (void)snprintf(uri, sizeof(uri), "https://%s:%d/", hosts[i], s.port);
        t = post(uri, false, 20000);
        if (t.taken || strstr(t.why, "not a public one") == NULL)
            fail_msg("%s: %s", hosts[i], t.why);
    }
    server_stop(&s);
}

/* W12: no other protocol, whatever the text. */
static void test_schemes(void **state)
{
    static const char *const uris[] = {"file:///etc/passwd", "http://127.0.0.1/", "smtp://127.0.0.1:25/", "nonsense",
                                       "https://"};

    (void)state;
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
        assert_false(post(uris[i], true, 20000).taken);
}

/* A server that writes what it gets into a pipe, and answers 200. */
static pid_t serve_request(int *port, int *from)
{
    int fd = listen_any(port), end[2];
    pid_t pid;

    assert_int_equal(pipe(end), 0);
    pid = fork();
    if (pid == 0) {
        SSL_CTX *ctx = server_ctx(&pki, CERT_IP, SEND, HOST);
        SSL *ssl = SSL_new(ctx);
        char text[4096];
        int n, total = 0;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        SSL_set_fd(ssl, accept(fd, NULL, NULL));
        if (SSL_accept(ssl) != 1)
            _exit(1);
        while ((n = SSL_read(ssl, text + total, (int)sizeof(text) - total)) > 0) {
            const char *head = memmem(text, (size_t)(total += n), "\r\n\r\n", 4);

            if (head != NULL && text + total >= head + 4 + BODY_LEN)
                break;
        }
        (void)!write(end[1], text, (size_t)total);
        close(end[1]);
        (void)SSL_write(ssl, ANSWER("200 OK"), sizeof(ANSWER("200 OK")) - 1);
        SSL_shutdown(ssl);
        raise(SIGKILL); /* at another end memcheck would tell what is not freed */
        _exit(0);
    }
    close(fd);
    close(end[1]);
    *from = end[0];
    return pid;
}

/* H1, H2, H6: what is sent. */
static void test_request(void **state)
{
    char uri[100], text[4096] = "", host[64];
    const char *head;
    int port, from;
    pid_t pid = serve_request(&port, &from);
    ssize_t n;

    (void)state;
    (void)snprintf(uri, sizeof(uri), "https://127.0.0.1:%d/a/../b%%20c?q=1&r=%%2c#fragment", port);
    assert_string_equal(post(uri, true, 20000).why, "");
    n = read(from, text, sizeof(text) - 1);
    close(from);
    waitpid(pid, NULL, 0);
    assert_true(n > 0);
    head = strstr(text, "\r\n\r\n");
    assert_non_null(head);
    assert_int_equal(text + n - head - 4, BODY_LEN);
    assert_memory_equal(head + 4, BODY, BODY_LEN);
    assert_ptr_equal(strstr(text, "POST /a/../b%20c?q=1&r=%2c HTTP/1.1\r\n"), text);
    (void)snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", port);
    assert_non_null(strstr(text, host));
    assert_non_null(strstr(text, "\r\nContent-Type: application/tlsrpt+gzip\r\n"));
    assert_non_null(strstr(text, "\r\nUser-Agent: postern-test\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Length: 7\r\n"));
    assert_null(strstr(text, "Content-Encoding"));
    assert_null(strstr(text, "Expect"));
    assert_null(strstr(text, "Authorization"));
}

/* H1: name and password of the URI are for its host alone; they stand in no other place. */
static void test_userinfo(void **state)
{
    char uri[100], text[4096] = "", host[64];
    int port, from;
    pid_t pid = serve_request(&port, &from);
    ssize_t n;

    (void)state;
    (void)snprintf(uri, sizeof(uri), "https://user:p%%40ss@127.0.0.1:%d/x?y", port);
    assert_string_equal(post(uri, true, 20000).why, "");
    n = read(from, text, sizeof(text) - 1);
    close(from);
    waitpid(pid, NULL, 0);
    assert_true(n > 0);
    assert_ptr_equal(strstr(text, "POST /x?y HTTP/1.1\r\n"), text);
    (void)snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", port);
    assert_non_null(strstr(text, host));
    assert_non_null(strstr(text, "\r\nAuthorization: Basic dXNlcjpwQHNz\r\n"));
    assert_null(strstr(text, "user"));
    assert_null(strstr(text, "Referer"));
}

/* H1, H3: a redirect is not followed, not even to an HTTPS server that is there; and that one gets no password. */
static void test_redirects(void **state)
{
    static const int statuses[] = {301, 302, 303, 307, 308};
    int port, fd = listen_any(&port);
    char uri[100], answer[200], want[64];

    (void)state;
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct https_server s;
        struct told t;

        (void)snprintf(answer, sizeof(answer),
                       "HTTP/1.1 %d x\r\nLocation: https://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n", statuses[i],
                       port);
        server_start(&s, &pki, CERT_IP, SEND, answer);
        (void)snprintf(uri, sizeof(uri), "https://user:secret@127.0.0.1:%d/", s.port);
        t = post(uri, true, 20000);
        server_stop(&s);
        (void)snprintf(want, sizeof(want), "HTTP status %d, and redirects are not followed", statuses[i]);
        assert_string_equal(t.why, want);
        assert_int_equal(accept(fd, NULL, NULL), -1);
        assert_int_equal(errno, EAGAIN);
    }
    close(fd);
}

static void test_cancel(void **state)
{
    const struct post_out_options o = {.ca_file = pki.ca_file, .anywhere = true, .timeout_ms = 20000};
    const struct timeval shortly = {.tv_usec = 200000};
    struct told t = {0};
    struct https_server s;
    struct post_out *p;
    char uri[64];

    (void)state;
    server_start(&s, &pki, CERT_IP, HANG_SECURED, "");
    (void)snprintf(uri, sizeof(uri), "https://127.0.0.1:%d/", s.port);
    post_out_cancel(post_out_start(loop, &o, uri, BODY, BODY_LEN, on_done, &t));
    p = post_out_start(loop, &o, uri, BODY, BODY_LEN, on_done, &t);
    event_base_loopexit(base, &shortly);
    event_base_dispatch(base);
    post_out_cancel(p);
    server_stop(&s);
    assert_int_equal(t.calls, 0);
}

/* libcurl's threads call this one: a resolver that takes its time for one name. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (strcmp(name, "slow.test") == 0) {
        sleep(10);
        return EAI_AGAIN;
    }
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, out);
}

static int64_t steady_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* H5: DNS that is slower than the time-out does not hold up everybody else, nor does one that is cancelled. */
static void test_slow_dns(void **state)
{
    const struct post_out_options o = {.ca_file = pki.ca_file, .timeout_ms = 20000};
    int64_t begun = steady_ms();
    struct told t = post("https://slow.test/", true, 300);
    struct timeval soon = {.tv_usec = 200000};
    struct post_out *p;

    (void)state;
    assert_false(t.taken);
    assert_in_range(steady_ms() - begun, 0, 9000);
    begun = steady_ms();
    p = post_out_start(loop, &o, "https://slow.test/", BODY, BODY_LEN, on_done, &t);
    event_base_loopexit(base, &soon);
    event_base_dispatch(base);
    post_out_cancel(p);
    assert_in_range(steady_ms() - begun, 0, 9000);
}

static int setup(void **state)
{
    struct err e = {""};

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    setenv("https_proxy", "http://127.0.0.1:9", 1);
    setenv("all_proxy", "http://127.0.0.1:9", 1);
    pki_make(&pki);
    base = event_base_new();
    loop = curl_loop_new(base, &e);
    assert_non_null(loop);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    curl_loop_free(loop);
    event_base_free(base);
    pki_clear(&pki);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_closed),    cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_request),  cmocka_unit_test(test_cancel),    cmocka_unit_test(test_slow_dns),
        cmocka_unit_test(test_userinfo), cmocka_unit_test(test_redirects),
    };

    return cmocka_run_group_tests_name("post_out_io", tests, setup, teardown);
}
