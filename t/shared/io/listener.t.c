/* listener.t.c - sockets in a directory of its own: what is replaced, what stays, who may connect, what systemd hands
 * over. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct env {
    char dir[64];
    char path[100];
    char address[120];
    struct event_base *base;
    struct listener *listener; /* for the callbacks */
    int accepted;
    int free_after;
    int pause_after;
    bool nonblocking, cloexec;
};

static int setup(void **state)
{
    struct env *v = calloc(1, sizeof(*v));

    snprintf(v->dir, sizeof(v->dir), "/tmp/listener.t.XXXXXX");
    assert_non_null(mkdtemp(v->dir));
    snprintf(v->path, sizeof(v->path), "%s/s", v->dir);
    snprintf(v->address, sizeof(v->address), "unix:%s", v->path);
    v->base = event_base_new();
    *state = v;
    return 0;
}

static int teardown(void **state)
{
    struct env *v = *state;

    unlink(v->path);
    assert_return_code(rmdir(v->dir), errno); /* nothing else was left */
    event_base_free(v->base);
    free(v);
    return 0;
}

static void on_accept(void *ctx, int fd)
{
    struct env *v = ctx;

    v->accepted++;
    v->nonblocking = (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
    v->cloexec = (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
    close(fd);
    if (v->accepted == v->free_after) {
        listener_free(v->listener);
        v->listener = NULL;
    }
    if (v->accepted == v->pause_after)
        listener_pause(v->listener);
}

static struct listener *open_at(struct env *v, const char *address, struct err *e)
{
    v->listener = listener_open(v->base, address, 0640, on_accept, v, e);
    return v->listener;
}

static int connect_to(const char *address)
{
    struct address a;
    int fd;

    assert_int_equal(address_parse(&a, address, NULL), 0);
    fd = socket(a.sa.ss_family, SOCK_STREAM, 0);
    assert_return_code(fd, errno);
    if (connect(fd, (const struct sockaddr *)&a.sa, a.len) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void connect_and_loop(struct env *v, const char *address, int times)
{
    int fds[10];
    int i;

    for (i = 0; i < times; i++) {
        fds[i] = connect_to(address);
        assert_return_code(fds[i], errno);
    }
    event_base_loop(v->base, EVLOOP_NONBLOCK);
    for (i = 0; i < times; i++)
        close(fds[i]);
}

static bool exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static void test_unix(void **state)
{
    struct env *v = *state;
    struct err e = {""};
    struct listener *l = open_at(v, v->address, &e);
    struct stat st;

    assert_string_equal(e.text, "");
    assert_non_null(l);
    assert_string_equal(listener_address(l), v->address);
    assert_return_code(lstat(v->path, &st), errno);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0640);
    connect_and_loop(v, v->address, 3);
    assert_int_equal(v->accepted, 3);
    assert_true(v->nonblocking && v->cloexec);
    listener_free(l);
    assert_false(exists(v->path));
    listener_free(NULL);
}

static void test_umask_kept(void **state)
{
    struct env *v = *state;
    mode_t old = umask(027);

    listener_free(open_at(v, v->address, NULL));
    assert_int_equal(umask(old), 027);
}

/* What a killed daemon leaves behind is replaced. */
static void test_left_over(void **state)
{
    struct env *v = *state;
    struct address a;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(address_parse(&a, v->address, NULL), 0);
    assert_return_code(bind(fd, (const struct sockaddr *)&a.sa, a.len), errno);
    close(fd);
    assert_true(exists(v->path));
    assert_non_null(open_at(v, v->address, NULL));
    connect_and_loop(v, v->address, 1);
    assert_int_equal(v->accepted, 1);
    listener_free(v->listener);
}

static void test_in_use(void **state)
{
    struct env *v = *state;
    struct err e = {""};
    struct listener *first = open_at(v, v->address, NULL);
    char want[200];

    assert_null(open_at(v, v->address, &e));
    snprintf(want, sizeof(want), "%s: another process listens there", v->address);
    assert_string_equal(e.text, want);
    v->accepted = 0;
    connect_and_loop(v, v->address, 1);
    assert_in_range(v->accepted, 1, 2); /* the question whether someone listens was a connection too */
    listener_free(first);
}

/* A socket of another type that is in use. */
static void test_datagram_in_use(void **state)
{
    struct env *v = *state;
    struct err e = {""};
    struct address a;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    assert_int_equal(address_parse(&a, v->address, NULL), 0);
    assert_return_code(bind(fd, (const struct sockaddr *)&a.sa, a.len), errno);
    assert_null(open_at(v, v->address, &e));
    assert_non_null(strstr(e.text, "another process"));
    assert_true(exists(v->path));
    close(fd);
}

static void test_plain_file(void **state)
{
    struct env *v = *state;
    struct err e = {""};
    FILE *f = fopen(v->path, "w");
    char target[110];

    assert_non_null(f);
    fclose(f);
    assert_null(open_at(v, v->address, &e));
    assert_non_null(strstr(e.text, "no socket"));
    assert_true(exists(v->path));
    /* Nor is a link followed or replaced. */
    unlink(v->path);
    snprintf(target, sizeof(target), "%s/elsewhere", v->dir);
    assert_return_code(symlink(target, v->path), errno);
    assert_null(open_at(v, v->address, &e));
    assert_true(exists(v->path));
    assert_false(exists(target));
}

/* A socket that someone else has put there since is not removed. */
static void test_not_ours(void **state)
{
    struct env *v = *state;
    struct listener *l = open_at(v, v->address, NULL);
    FILE *f;

    unlink(v->path);
    f = fopen(v->path, "w");
    assert_non_null(f);
    fclose(f);
    listener_free(l);
    assert_true(exists(v->path));
}

/* A process forked from the one that made the socket closes it, and it stays. */
static void test_forked(void **state)
{
    struct env *v = *state;
    struct listener *l = open_at(v, v->address, NULL);
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        event_reinit(v->base);
        listener_free(l);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    connect_and_loop(v, v->address, 1);
    assert_int_equal(v->accepted, 1);
    listener_free(l);
    assert_false(exists(v->path));
}

static void test_errors(void **state)
{
    struct env *v = *state;
    struct err e = {""};

    assert_null(open_at(v, "unix:/nonexistent/dir/s", &e));
    assert_string_equal(e.text, "unix:/nonexistent/dir/s: No such file or directory");
    assert_null(open_at(v, "inet:nowhere:1", &e));
    assert_non_null(strstr(e.text, "no IP address"));
    assert_null(open_at(v, "inet:192.0.2.77:8461", &e)); /* of no machine */
    assert_non_null(strstr(e.text, "inet:192.0.2.77:8461: "));
}

static void test_pause(void **state)
{
    struct env *v = *state;
    struct listener *l = open_at(v, v->address, NULL);

    v->pause_after = 2;
    connect_and_loop(v, v->address, 3);
    assert_int_equal(v->accepted, 2);
    event_base_loop(v->base, EVLOOP_NONBLOCK);
    assert_int_equal(v->accepted, 2);
    listener_resume(l);
    event_base_loop(v->base, EVLOOP_NONBLOCK);
    assert_int_equal(v->accepted, 3);
    listener_free(l);
}

static void test_free_within(void **state)
{
    struct env *v = *state;

    open_at(v, v->address, NULL);
    v->free_after = 2;
    connect_and_loop(v, v->address, 4);
    assert_int_equal(v->accepted, 2);
    assert_false(exists(v->path));
}

/* A free port, as an address. */
static void free_port(char out[40], int family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
    int fd = socket(family, SOCK_STREAM, 0);

    assert_return_code(bind(fd, sa, len), errno);
    assert_return_code(getsockname(fd, sa, &len), errno);
    snprintf(out, 40, family == AF_INET ? "inet:127.0.0.1:%d" : "inet:[::1]:%d",
             ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port));
    close(fd);
}

static void check_inet(struct env *v, int family)
{
    char address[40];
    struct err e = {""};
    struct listener *l;

    free_port(address, family);
    l = open_at(v, address, &e);
    assert_string_equal(e.text, "");
    v->accepted = 0;
    connect_and_loop(v, address, 1);
    for (int i = 0; i < 60000 && v->accepted == 0; i++) { /* over TCP a connection may come after connect() is back */
        usleep(1000);
        event_base_loop(v->base, EVLOOP_NONBLOCK);
    }
    assert_int_equal(v->accepted, 1);
    assert_null(open_at(v, address, &e));
    assert_non_null(strstr(e.text, "in use"));
    listener_free(l);
}

static void test_inet(void **state)
{
    check_inet(*state, AF_INET);
    if (access("/proc/net/if_inet6", R_OK) == 0 && connect_to("inet:[::1]:1") == -1 && errno == ECONNREFUSED)
        check_inet(*state, AF_INET6);
}

/* As systemd does it: descriptor 3, LISTEN_FDS and LISTEN_PID. */
static void test_activation(void **state)
{
    struct env *v = *state;
    struct address a;
    char number[20];
    int fd;
    int saved;

    event_base_free(v->base); /* its own descriptor may be 3 */
    saved = fcntl(3, F_DUPFD_CLOEXEC, 10);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(address_parse(&a, v->address, NULL), 0);
    assert_return_code(bind(fd, (const struct sockaddr *)&a.sa, a.len), errno);
    assert_return_code(listen(fd, 5), errno);
    assert_int_equal(dup2(fd, 3), 3);
    v->base = event_base_new();
    snprintf(number, sizeof(number), "%d", (int)getpid());
    setenv("LISTEN_PID", number, 1);
    setenv("LISTEN_FDS", "1", 1);
    /* Twice, as a reload would do. */
    assert_non_null(open_at(v, v->address, NULL));
    listener_free(v->listener);
    assert_true(exists(v->path)); /* it is systemd's */
    assert_non_null(open_at(v, v->address, NULL));
    connect_and_loop(v, v->address, 1);
    assert_int_equal(v->accepted, 1);
    listener_free(v->listener);
    /* Another address is made as ever. */
    assert_null(open_at(v, "unix:/nonexistent/dir/s", NULL));
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    event_base_free(v->base);
    close(fd);
    close(3);
    if (saved >= 0) {
        dup2(saved, 3);
        close(saved);
    }
    v->base = event_base_new();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_unix),       T(test_umask_kept),      T(test_left_over), T(test_in_use),
        T(test_plain_file), T(test_datagram_in_use), T(test_not_ours),  T(test_errors),
        T(test_pause),      T(test_free_within),     T(test_inet),      T(test_activation),
        T(test_forked),
    };

    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
