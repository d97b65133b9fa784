/* datagram_io.t.c - tests of datagram_io.c on a real socket: order, refusals, what cannot be read, what is dropped, the
 * socket's file, the end. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "datagram_io.h"

#include "clock.h"
#include "log.h"
#include "tlsrpt_event_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 120000
#define MEMORY      ((size_t)64 << 20)
#define BURST       100000

struct env {
    char dir[64], path[100], address[120], bad[100];
    struct event_base *base;
    struct datagrams *datagrams;
    uint64_t counted, refuse, refused;
    bool refuse_all, in_order;
    int64_t at;
};

static bool count(void *ctx, const struct tlsrpt_event *event)
{
    struct env *v = ctx;
    uint64_t number = strtoull(event->domain + 1, NULL, 10);

    if (v->refuse_all || v->refuse > 0) {
        v->refuse -= v->refuse_all ? 0 : 1;
        v->refused++;
        return false;
    }
    v->in_order = v->in_order && number == v->counted;
    v->counted++;
    v->at = datagrams_at(v->datagrams);
    return true;
}

static struct datagrams *open_now(struct env *v, size_t memory, struct err *e)
{
    v->datagrams = datagrams_open(v->base, v->address, 0660, memory, v->bad, count, v, e);
    return v->datagrams;
}

static void run(struct env *v, size_t memory)
{
    struct err e = {""};

    assert_non_null(open_now(v, memory, &e));
    assert_int_equal(datagrams_run(v->datagrams, &e), 0);
}

static int setup(void **state)
{
    struct env *v = calloc(1, sizeof(*v));

    log_open("datagram_io.t", true, LOGLEVEL_ERROR);
    snprintf(v->dir, sizeof(v->dir), "/tmp/datagram_io.t.XXXXXX");
    assert_non_null(mkdtemp(v->dir));
    snprintf(v->path, sizeof(v->path), "%s/s", v->dir);
    snprintf(v->address, sizeof(v->address), "unix:%s", v->path);
    snprintf(v->bad, sizeof(v->bad), "%s/bad", v->dir);
    v->base = event_base_new();
    v->in_order = true;
    *state = v;
    return 0;
}

static int teardown(void **state)
{
    struct env *v = *state;

    unlink(v->path);
    unlink(v->bad);
    assert_return_code(rmdir(v->dir), errno); /* nothing else was left */
    event_base_free(v->base);
    free(v);
    return 0;
}

/* As libtlsrpt, but waiting for room. */
static void send_octets(const struct env *v, int fd, const void *octets, size_t len)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    memcpy(to.sun_path, v->path, strlen(v->path));
    assert_int_equal(sendto(fd, octets, len, 0, (const struct sockaddr *)&to, sizeof(to)), len);
}

static void send_event(const struct env *v, int fd, uint64_t number)
{
    char text[300];
    int len =
        snprintf(text, sizeof(text),
                 "{\"dpv\": \"1\",\"d\": \"d%llu.example\",\"pr\": \"v=TLSRPTv1\",\"policies\":[{\"policy-type\":9,"
                 "\"policy-domain\": \"d%llu.example\",\"t\":0,\"f\":0}]}",
                 (unsigned long long)number, (unsigned long long)number);

    send_octets(v, fd, text, (size_t)len);
}

static int socket_new(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), room = 4 << 20;

    assert_return_code(fd, errno);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    return fd;
}

static void loop_until(struct env *v, bool (*done)(const struct env *v))
{
    int64_t end = now_ms() + PATIENCE_MS;

    while (!done(v) && now_ms() < end) {
        event_base_loop(v->base, EVLOOP_NONBLOCK);
        usleep(500);
    }
    assert_true(done(v));
}

static bool all_counted(const struct env *v)
{
    return v->counted == BURST;
}

static bool one_counted(const struct env *v)
{
    return v->counted >= 1;
}

static bool ten_counted(const struct env *v)
{
    return v->counted == 10;
}

static bool twice_refused(const struct env *v)
{
    return v->refused >= 2;
}

/* D6, D7: none is lost, each is counted once, in order, and at the time at which it came. */
static void burst(void **state)
{
    struct env *v = *state;
    int64_t begun = now_seconds();
    pid_t child;
    int status;

    run(v, MEMORY);
    child = fork();
    if (child == 0) {
        int fd = socket_new();

        for (uint64_t i = 0; i < BURST; i++)
            send_event(v, fd, i);
        _exit(0);
    }
    loop_until(v, all_counted);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(v->in_order);
    assert_int_equal(datagrams_stats(v->datagrams).received, BURST);
    assert_int_equal(datagrams_stats(v->datagrams).dropped, 0);
    assert_in_range(v->at, begun, now_seconds());
    datagrams_close(v->datagrams);
}

static bool two_counted(const struct env *v)
{
    return v->counted == 2;
}

/* D7: the time is that at which it came, though the loop gets to it, and counts it, seconds later. */
static void time_of_arrival(void **state)
{
    struct env *v = *state;
    int fd = socket_new();
    int64_t sent = now_seconds(), came;

    run(v, MEMORY);
    send_event(v, fd, 0);
    while (datagrams_stats(v->datagrams).received < 1)
        usleep(1000);
    came = now_seconds();
    while (now_seconds() < came + 2)
        usleep(10000);
    loop_until(v, one_counted);
    assert_in_range(v->at, sent, came);
    send_event(v, fd, 1);
    loop_until(v, two_counted);
    assert_true(v->at >= came + 2);
    close(fd);
    datagrams_close(v->datagrams);
}

/* D6: equal ones count each. */
static void equal_ones(void **state)
{
    struct env *v = *state;
    int fd = socket_new();

    run(v, MEMORY);
    for (int i = 0; i < 10; i++)
        send_event(v, fd, 0);
    loop_until(v, ten_counted);
    close(fd);
    datagrams_close(v->datagrams);
}

/* One that could not be counted comes again, before the others. */
static void refused(void **state)
{
    struct env *v = *state;
    int fd = socket_new();

    v->refuse = 2;
    run(v, MEMORY);
    for (uint64_t i = 0; i < 10; i++)
        send_event(v, fd, i);
    loop_until(v, twice_refused);
    loop_until(v, ten_counted);
    assert_true(v->in_order);
    assert_int_equal(v->refused, 2);
    close(fd);
    datagrams_close(v->datagrams);
}

static size_t read_bad(const struct env *v, char *out, size_t cap)
{
    int fd = open(v->bad, O_RDONLY);
    ssize_t got;

    assert_return_code(fd, errno);
    got = read(fd, out, cap);
    close(fd);
    assert_true(got >= 0);
    return (size_t)got;
}

/* D5: counted as unreadable, the first is kept for the operator, and nothing through a link; those after it count. */
static void unreadable(void **state)
{
    struct env *v = *state;
    char *large = malloc(TLSRPT_READ_MAX + 100), got[64], other[100];
    int fd = socket_new();
    struct stat st;

    snprintf(other, sizeof(other), "%s/other", v->dir);
    assert_return_code(symlink(other, v->bad), errno);
    assert_non_null(large);
    memset(large, '[', TLSRPT_READ_MAX + 100);
    run(v, MEMORY);
    send_octets(v, fd, "first\0bad", 9);
    send_octets(v, fd, "", 0);
    send_octets(v, fd, large, 65536);
    send_octets(v, fd, large, 204800);
    send_octets(v, fd, large, TLSRPT_READ_MAX + 100);
    send_octets(v, fd, "{\"d\":1}", 7);
    send_event(v, fd, 0);
    loop_until(v, one_counted);
    assert_int_equal(datagrams_stats(v->datagrams).unreadable, 6);
    assert_int_equal(datagrams_stats(v->datagrams).received, 7);
    assert_int_equal(read_bad(v, got, sizeof(got)), 9);
    assert_memory_equal(got, "first\0bad", 9);
    assert_int_equal(lstat(other, &st), -1);
    assert_int_equal(lstat(v->bad, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 07, 0);
    close(fd);
    free(large);
    datagrams_close(v->datagrams);
}

/* While nothing can be counted memory fills, and what comes then is dropped and counted. At the end the rest is handed
 * over: none is counted twice, none is missing. */
static void full(void **state)
{
    struct env *v = *state;
    int fd = socket_new();
    struct datagrams_stats stats;

    v->refuse_all = true;
    run(v, 0);
    for (uint64_t i = 0; i < 20000; i++)
        send_event(v, fd, i);
    loop_until(v, twice_refused);
    while (datagrams_stats(v->datagrams).received < 20000)
        usleep(1000);
    assert_int_equal(v->counted, 0);
    v->refuse_all = false;
    datagrams_drain(v->datagrams);
    stats = datagrams_stats(v->datagrams);
    assert_true(v->in_order);
    assert_in_range(stats.dropped, 1, 19999);
    assert_int_equal(v->counted + stats.dropped, 20000);
    assert_int_equal(stats.waiting, 0);
    close(fd);
    datagrams_close(v->datagrams);
}

/* The end: what was sent is counted, also what is only in the kernel; then there is no socket. */
static void drained(void **state)
{
    struct env *v = *state;
    int fd = socket_new();

    run(v, MEMORY);
    for (uint64_t i = 0; i < 10; i++)
        send_event(v, fd, i);
    datagrams_drain(v->datagrams);
    assert_int_equal(v->counted, 10);
    assert_int_equal(access(v->path, F_OK), -1);
    datagrams_drain(v->datagrams);
    datagrams_close(v->datagrams);
    datagrams_close(NULL);
    close(fd);
}

static void drained_in_vain(void **state)
{
    struct env *v = *state;
    int fd = socket_new();

    v->refuse_all = true;
    run(v, MEMORY);
    for (uint64_t i = 0; i < 10; i++)
        send_event(v, fd, i);
    datagrams_drain(v->datagrams);
    assert_int_equal(datagrams_stats(v->datagrams).dropped, 10);
    datagrams_close(v->datagrams);
    close(fd);
}

static void leave(const struct env *v, int type)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);

    memcpy(at.sun_path, v->path, strlen(v->path));
    assert_return_code(bind(fd, (const struct sockaddr *)&at, sizeof(at)), errno);
    close(fd);
}

/* D8: what is left over of a socket is replaced; the new one has its mode. */
static void left_over(void **state)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    struct env *v = *state;
    struct err e = {""};
    struct stat st;

    for (size_t i = 0; i < 2; i++) {
        leave(v, types[i]);
        assert_non_null(open_now(v, MEMORY, &e));
        assert_int_equal(lstat(v->path, &st), 0);
        assert_int_equal(st.st_mode, S_IFSOCK | 0660);
        datagrams_close(v->datagrams); /* without having run */
        assert_int_equal(access(v->path, F_OK), -1);
    }
}

/* D8: a file, a link to one, a folder stay, and so does the socket of another that is alive. */
static void in_the_way(void **state)
{
    struct env *v = *state, other = *v;
    char inside[120];
    struct err e = {""};
    int fd = open(v->path, O_CREAT | O_WRONLY, 0600);

    close(fd);
    assert_null(open_now(v, MEMORY, &e));
    assert_non_null(strstr(e.text, "no socket"));
    assert_return_code(unlink(v->path), errno);
    assert_return_code(mkdir(v->path, 0700), errno);
    assert_null(open_now(v, MEMORY, &e));
    assert_return_code(rmdir(v->path), errno);
    snprintf(inside, sizeof(inside), "%s/nowhere", v->dir);
    assert_return_code(symlink(inside, v->path), errno);
    assert_null(open_now(v, MEMORY, &e));
    assert_int_equal(access(inside, F_OK), -1);
    assert_return_code(unlink(v->path), errno);
    assert_non_null(open_now(&other, MEMORY, &e));
    assert_null(open_now(v, MEMORY, &e));
    assert_non_null(strstr(e.text, "another process listens there"));
    assert_return_code(access(v->path, F_OK), errno);
    datagrams_close(other.datagrams);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(burst, setup, teardown),
        cmocka_unit_test_setup_teardown(time_of_arrival, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
        cmocka_unit_test_setup_teardown(unreadable, setup, teardown),
        cmocka_unit_test_setup_teardown(full, setup, teardown),
        cmocka_unit_test_setup_teardown(drained, setup, teardown),
        cmocka_unit_test_setup_teardown(drained_in_vain, setup, teardown),
        cmocka_unit_test_setup_teardown(left_over, setup, teardown),
        cmocka_unit_test_setup_teardown(in_the_way, setup, teardown),
    };
    return cmocka_run_group_tests_name("datagram_io", tests, NULL, NULL);
}
