/*
 * Tests of policyd/conn_exim_io.c on a real socket that takes little at a time: an answer that goes in many pieces is
 * whole, and then comes the end, whatever the client does with its side meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NAMES     900
#define TURNS_MAX 100000
#define ROOM      200000

static char body[ROOM / 2], wanted[ROOM];

/* An enforced policy with so many names, in memory. */
static void remember(struct memory *m)
{
    struct decide_options options = decide_options_default();
    int64_t now = (int64_t)time(NULL);
    struct dest *d = dest_new("a.test");
    size_t len, names;
    struct decision decision;
    struct answer *a;

    len = (size_t)snprintf(body, sizeof(body), "version: STSv1\nmode: enforce\nmax_age: 604800\n");
    names = (size_t)snprintf(wanted, sizeof(wanted), "status=ok level=secure mx=");
    for (unsigned i = 0; i < NAMES; i++) {
        len += (size_t)snprintf(body + len, sizeof(body) - len, "mx: mx%u.one-of-many.a.test\n", i);
        names +=
            (size_t)snprintf(wanted + names, sizeof(wanted) - names, "%smx%u.one-of-many.a.test", i == 0 ? "" : ":", i);
    }
    snprintf(wanted + names, sizeof(wanted) - names, " sni=hostname transport=smtp\n");
    assert_non_null(d);
    d->mx = DEST_MX_LIST;
    d->resolved = now;
    d->valid_until = now + 3600;
    assert_non_null(dest_add_host(d, "mx1.a.test", 10));
    d->sts.record = DEST_STS_FOUND;
    strcpy(d->sts.id, "1");
    assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, len, now, NULL), 0);
    decide(&decision, d, DECIDE_FRESH, &options, now);
    a = answer_new(&decision, d, &options);
    assert_non_null(a);
    assert_int_equal(memory_put(m, "a.test", 6, a), 0);
    dest_free(d);
}

static const struct {
    const char *what, *request;
    size_t half_closed_at; /* octets of the answer after which the client shuts its side down */
    size_t behind;         /* octets that it sends behind the request, as it reads */
} rows[] = {
    {"half-closed at once", "policy a.test\n", 0, 0},
    {"ended by the end of input", "policy a.test", 0, 0},
    {"half-closed in the middle", "policy a.test\n", 5000, 0},
    {"half-closed in the middle, more behind the request", "policy a.test\npolicy b.test\n", 5000, 3000},
    {"half-closed when all is there", "policy a.test\n", ROOM, 0},
    {"half-closed when all is there, more behind the request", "policy a.test\nx", ROOM, 3000},
};

static void turn(struct event_base *base)
{
    assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

/* Read a little each turn, to the end. */
static void talk(struct event_base *base, int fd, size_t row)
{
    static char got[ROOM];
    size_t len = 0, behind = 0;
    bool shut = false;
    ssize_t more = -1;

    assert_int_equal(write(fd, rows[row].request, strlen(rows[row].request)), strlen(rows[row].request));
    for (unsigned i = 0; i < TURNS_MAX && more != 0; i++) {
        if (!shut && len >= rows[row].half_closed_at)
            shut = shutdown(fd, SHUT_WR) == 0;
        if (!shut && behind < rows[row].behind)
            behind += send(fd, "x", 1, MSG_NOSIGNAL) == 1;
        turn(base);
        more = read(fd, got + len, len + 100 < sizeof(got) ? 100 : 0);
        len += more > 0 ? (size_t)more : 0;
    }
    if (more != 0 || len != strlen(wanted) || memcmp(got, wanted, len) != 0)
        fail_msg("%s: %zu octets, then %zd; not %zu: %.*s", rows[row].what, len, more, strlen(wanted), 60, got);
}

static void test_pieces(void **state)
{
    static const uint8_t secret[16] = {1};
    static struct conns conns;
    struct event_base *base = event_base_new();
    struct memory memory;
    int fd[2], small = 1;

    (void)state;
    assert_non_null(base);
    assert_int_equal(memory_init(&memory, 10, secret), 0);
    remember(&memory);
    conns_init(&conns, base);
    conns.memory = &memory;
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
        assert_int_equal(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
        conn_open(&conns, fd[0], &conn_exim);
        talk(base, fd[1], row);
        shutdown(fd[1], SHUT_WR);
        for (unsigned i = 0; i < 10; i++)
            turn(base);
        if (conns.count != 0)
            fail_msg("%s: the connection is still there", rows[row].what);
        close(fd[1]);
    }
    conns_clear(&conns);
    memory_clear(&memory);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
    };

    return cmocka_run_group_tests_name("conn_exim", tests, NULL, NULL);
}
