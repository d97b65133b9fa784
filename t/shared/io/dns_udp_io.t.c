/* dns_udp_io.t.c - sockets of DNS queries: each query has a port of its own, also on a socket that was another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dns_udp_io.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS        50
#define GUARD_SECONDS 60

struct heard {
    struct event_base *base;
    char text[32]; /* an octet for each datagram, '!' for an error */
    int error;
    bool more;
};

static bool on_reply(void *ctx, const uint8_t *reply, size_t len, int error)
{
    struct heard *h = ctx;
    size_t used = strlen(h->text);

    assert_true(used < sizeof(h->text) - 1);
    h->text[used] = reply == NULL || len == 0 ? '!' : (char)reply[0];
    h->error = error;
    event_base_loopbreak(h->base);
    return h->more;
}

static void run(struct heard *h)
{
    const struct timeval guard = {.tv_sec = GUARD_SECONDS};

    event_base_loopexit(h->base, &guard);
    event_base_dispatch(h->base);
}

static int server_open(struct address *at)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    memset(at, 0, sizeof(*at));
    memcpy(&at->sa, &sa, sizeof(sa));
    at->len = sizeof(sa);
    return fd;
}

/*
 * A port where nobody listens, and nobody else will: a query's own socket might get a free one, and would hear itself.
 * The socket there hears only one who never speaks.
 */
static int nobody_open(struct address *at)
{
    const struct sockaddr_in mute = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(1)};
    int fd = server_open(at);

    assert_int_equal(connect(fd, (const struct sockaddr *)&mute, sizeof(mute)), 0);
    return fd;
}

static struct dns_udp *ask(struct dns_udp_pool *pool, const struct address *at, struct heard *h)
{
    struct dns_udp *u = dns_udp_start(pool, at, (const uint8_t *)"q", 1, on_reply, h);

    assert_non_null(u);
    memset(h->text, 0, sizeof(h->text));
    return u;
}

/* The query, and from where it came. */
static struct sockaddr_in server_take(int fd)
{
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    char octet;

    assert_int_equal(recvfrom(fd, &octet, 1, 0, (struct sockaddr *)&from, &len), 1);
    return from;
}

static void server_say(int fd, const struct sockaddr_in *to, const char *octet)
{
    assert_int_equal(sendto(fd, octet, 1, 0, (const struct sockaddr *)to, sizeof(*to)), 1);
}

static unsigned descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/*
 * One after the other. What is said to an old port, before or after, is not heard by the next. (The kernel may give the
 * same port again, once in 28,000 times: then it is no old one.) A socket is kept, unless more had come than was asked
 * for.
 */
static void test_again(void **state)
{
    struct heard h = {.base = event_base_new()};
    struct dns_udp_pool *pool = dns_udp_pool_new(h.base);
    struct address at;
    int server = server_open(&at);
    struct sockaddr_in from, before = {0};
    unsigned same = 0, open = descriptors();

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct dns_udp *u = ask(pool, &at, &h);
        bool twice = i % 5 == 4;

        from = server_take(server);
        same += from.sin_port == before.sin_port;
        if (i > 0 && from.sin_port != before.sin_port)
            server_say(server, &before, "l");
        server_say(server, &from, "a");
        if (twice)
            server_say(server, &from, "b");
        run(&h);
        assert_string_equal(h.text, "a");
        dns_udp_free(u);
        assert_int_equal(descriptors(), twice ? open : open + 1);
        before = from;
    }
    assert_true(same < ROUNDS / 2);
    dns_udp_pool_free(pool);
    assert_int_equal(descriptors(), open);
    close(server);
    event_base_free(h.base);
}

/* Nobody listens: that error is not the next query's. */
static void test_refused(void **state)
{
    struct heard h = {.base = event_base_new()};
    struct dns_udp_pool *pool = dns_udp_pool_new(h.base);
    struct address at, nobody;
    int server = server_open(&at), deaf = nobody_open(&nobody);
    struct dns_udp *u;
    struct sockaddr_in from;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        u = ask(pool, &nobody, &h);
        if (i % 2 == 0) {
            run(&h);
            assert_string_equal(h.text, "!");
            assert_int_equal(h.error, ECONNREFUSED);
        }
        dns_udp_free(u); /* with the error read, or not */
        u = ask(pool, &at, &h);
        from = server_take(server);
        server_say(server, &from, "a");
        run(&h);
        assert_string_equal(h.text, "a");
        dns_udp_free(u);
    }
    dns_udp_pool_free(pool);
    dns_udp_pool_free(NULL);
    dns_udp_free(NULL);
    close(deaf);
    close(server);
    event_base_free(h.base);
}

/* This machine can send there: it may have no IPv6. */
static bool reached(const struct address *at)
{
    int fd = socket(at->sa.ss_family, SOCK_DGRAM, 0);
    bool there = fd >= 0 && connect(fd, (const struct sockaddr *)&at->sa, at->len) == 0;

    if (fd >= 0)
        close(fd);
    return there;
}

/* Many at once, of which a few sockets are kept; and a resolver of the other family. */
static void test_many(void **state)
{
    struct heard h = {.base = event_base_new()};
    struct dns_udp_pool *pool = dns_udp_pool_new(h.base);
    struct address at;
    struct address six = {.len = sizeof(struct sockaddr_in6)};
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(9)};
    struct dns_udp *u[ROUNDS * 3];
    int server = server_open(&at);
    unsigned before = descriptors();

    (void)state;
    for (size_t i = 0; i < ROUNDS * 3; i++)
        u[i] = ask(pool, &at, &h);
    for (size_t i = 0; i < ROUNDS * 3; i++)
        dns_udp_free(u[i]);
    assert_true(descriptors() - before < ROUNDS * 2); /* most were closed */
    memcpy(&six.sa, &loopback, sizeof(loopback));
    if (reached(&six))
        dns_udp_free(ask(pool, &six, &h));
    dns_udp_free(ask(pool, &at, &h));
    dns_udp_pool_free(pool);
    assert_int_equal(descriptors(), before);
    close(server);
    event_base_free(h.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests_name("dns_udp_io", tests, NULL, NULL);
}
