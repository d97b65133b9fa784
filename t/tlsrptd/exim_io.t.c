/* exim_io.t.c - the door for Exim: real connections, with attempts that are only counted. */
#include "exim_io.h"

#include "exim_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TLS   "attempt event=\"smtp:ehlo\" id=1 domain=a.test host=mx.a.test cipher=x verified=1\n"
#define CLEAR "attempt event=\"msg:delivery\" id=1 domain=a.test host=mx.a.test cipher=\"\"\n"
#define OTHER "attempt event=\"msg:delivery\" id=2 domain=a.test host=mx.a.test cipher=\"\"\n"

static struct {
    struct event_base *base;
    struct exim_door *door;
    char dir[40], path[60];
    int added;
    bool full;
    struct tls_attempt last;
} world;

void attempts_add(struct attempts *a, const struct tls_attempt *attempt)
{
    (void)a;
    world.added++;
    world.last = *attempt;
}

bool attempts_full(const struct attempts *a)
{
    (void)a;
    return world.full;
}

static int setup(void **state)
{
    char address[80];
    struct err e = {""};

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    memset(&world, 0, sizeof(world));
    (void)snprintf(world.dir, sizeof(world.dir), "/tmp/postern-exim-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    (void)snprintf(world.path, sizeof(world.path), "%s/sock", world.dir);
    (void)snprintf(address, sizeof(address), "unix:%s", world.path);
    world.base = event_base_new();
    world.door = exim_door_open(world.base, address, 0600, &e);
    assert_string_equal(e.text, "");
    exim_door_run(world.door, (struct attempts *)&world, 1000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    exim_door_close(world.door);
    event_base_free(world.base);
    (void)rmdir(world.dir);
    return 0;
}

static int dial(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(sa.sun_path, world.path, strlen(world.path) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

static void turn(int ms)
{
    const struct timeval tv = {.tv_usec = (suseconds_t)ms * 1000};

    event_base_loopexit(world.base, &tv);
    event_base_dispatch(world.base);
}

/* What comes until it is closed. */
static void hear(int fd, char *out, size_t size)
{
    size_t len = 0;

    for (int i = 0; i < 6000; i++) {
        ssize_t n = recv(fd, out + len, size - len - 1, MSG_DONTWAIT);

        if (n > 0)
            len += (size_t)n;
        if (n == 0 || (n < 0 && errno != EAGAIN))
            break;
        turn(10);
    }
    out[len] = '\0';
    close(fd);
}

static void answer_is(const char *line, size_t len, bool half_closed, const char *want)
{
    char said[400];
    int fd = dial();

    assert_int_equal(send(fd, line, len, MSG_NOSIGNAL), (ssize_t)len);
    if (half_closed)
        shutdown(fd, SHUT_WR);
    hear(fd, said, sizeof(said));
    if (strncmp(said, want, strlen(want)) != 0)
        fail_msg("%s, not %s", said, want);
}

#define SAY(line, want) answer_is(line, strlen(line), false, want)

static void lines(void **state)
{
    (void)state;
    SAY(TLS, "ok\n");
    assert_int_equal(world.added, 1);
    assert_string_equal(world.last.host, "mx.a.test");
    assert_true(world.last.at > 1700001000);
    answer_is(TLS, strlen(TLS), true, "ok\n");
    answer_is(TLS, strlen(TLS) - 1, true, "ok\n"); /* half-closed instead of a line end */
    SAY("attempt event=\"smtp:ehlo\" id=1 domain=a.test host=mx.a.test cipher=x verified=1\r\n", "ok\n");
    assert_int_equal(world.added, 4);
    SAY("attempt event=\"tcp:close\"\n", "ok\n");
    SAY("GET / HTTP/1.0\r\n\r\n", "error: the line does not begin");
    assert_int_equal(world.added, 4);
    assert_int_equal(exim_door_stats(world.door).unreadable, 1);
    world.full = true;
    SAY(TLS, "error: no more can wait now\n");
    assert_int_equal(world.added, 4);
    assert_int_equal(exim_door_stats(world.door).refused, 1);
}

/* J12: sessions, not recipients. */
static void sessions(void **state)
{
    (void)state;
    SAY(OTHER, "ok\n");
    SAY(OTHER, "ok\n");
    assert_int_equal(world.added, 1);
    SAY(TLS, "ok\n");
    SAY(CLEAR, "ok\n"); /* in clear after TLS had failed, or so */
    assert_int_equal(world.added, 2);
    SAY(TLS, "ok\n");
    assert_int_equal(world.added, 3);
}

static void strangers(void **state)
{
    char large[EXIM_LINE_MAX + 100];
    int fd[EXIM_CONNECTIONS_MAX + 20];
    size_t count = sizeof(fd) / sizeof(fd[0]);

    (void)state;
    memset(large, 'x', sizeof(large));
    answer_is(large, sizeof(large), false, "error: the line is longer than");
    answer_is("", 0, true, "");
    for (size_t i = 0; i < count; i++) { /* who says nothing keeps others waiting for a while only */
        fd[i] = dial();
        turn(1);
    }
    SAY(TLS, "ok\n");
    assert_int_equal(world.added, 1);
    for (size_t i = 0; i < count; i++)
        close(fd[i]);
    for (size_t i = 0; i < 3; i++)
        assert_true(dial() >= 0); /* closed by the end of the door */
    turn(10);
}

/* At the end: who has come is answered, who comes then is not. */
static void the_end(void **state)
{
    char said[400];
    int early = dial(), late;

    (void)state;
    turn(10);
    assert_int_equal(exim_door_callers(world.door), 1);
    exim_door_drain(world.door);
    late = dial();
    assert_int_equal(send(late, TLS, strlen(TLS), MSG_NOSIGNAL), (ssize_t)strlen(TLS));
    turn(50);
    assert_int_equal(exim_door_callers(world.door), 1);
    assert_int_equal(send(early, TLS, strlen(TLS), MSG_NOSIGNAL), (ssize_t)strlen(TLS));
    hear(early, said, sizeof(said));
    assert_string_equal(said, "ok\n");
    assert_int_equal(exim_door_callers(world.door), 0);
    assert_int_equal(world.added, 1);
    close(late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines, setup, teardown),
        cmocka_unit_test_setup_teardown(sessions, setup, teardown),
        cmocka_unit_test_setup_teardown(strangers, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
