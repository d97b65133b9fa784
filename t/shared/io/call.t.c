/* call.t.c - call_client.c and call_server.c against each other, and each against a peer that behaves badly. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "call_client.h"
#include "call_server.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "listener.h"

#define HELD_MAX     20000
#define LIMIT_MS     60000 /* a test that waits longer has failed */
#define PATIENT_MS   120000
#define IMPATIENT_MS 30

struct got {
    int count;
    int reached;
    int turn;
    enum call_status status;
    size_t len;
    struct call_client *free_me; /* within the callback */
    struct call_sent *cancel_me;
    char text[200];
};

struct env {
    char dir[64];
    char address[120];
    struct event_base *base;
    struct call_server *server;
    struct call_client *client;
    struct call *held[HELD_MAX];
    size_t held_count;
    char last_verb[40];
    char last_arg[2100];
    bool free_in_handler;
    struct listener *raw; /* a server of no manners */
    const char *raw_says;
    int raw_fd;
};

static int order;

/* "echo": answer at once; "hold": later; "big": a large answer; "huge": one that is too large. */
static void on_call(void *ctx, struct call *call, const char *verb, const char *arg, size_t len)
{
    static char big[CALL_REPLY_MAX + 1];
    struct env *v = ctx;

    snprintf(v->last_verb, sizeof(v->last_verb), "%s", verb);
    snprintf(v->last_arg, sizeof(v->last_arg), "%.*s", (int)len, arg);
    if (v->free_in_handler) {
        call_server_free(v->server);
        v->server = NULL;
    }
    if (strcmp(verb, "echo") == 0) {
        call_answer(call, CALL_OK, arg, len);
    } else if (strcmp(verb, "hold") == 0) {
        assert_in_range(v->held_count, 0, HELD_MAX - 1);
        v->held[v->held_count++] = call;
    } else if (strcmp(verb, "big") == 0) {
        memset(big, 'b', sizeof(big));
        call_answer(call, CALL_OK, big, CALL_REPLY_MAX - 30);
    } else if (strcmp(verb, "huge") == 0) {
        call_answer(call, CALL_OK, big, sizeof(big));
    } else {
        call_answerf(call, CALL_PERM, "no verb %s", verb);
    }
}

static void on_reply(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    struct got *g = ctx;

    g->count++;
    g->turn = ++order;
    g->status = status;
    g->reached = reached;
    g->len = len;
    assert_int_equal(text[len], '\0');
    snprintf(g->text, sizeof(g->text), "%s", text);
    if (g->cancel_me != NULL) {
        call_cancel(g->cancel_me);
        g->cancel_me = NULL;
    }
    if (g->free_me != NULL) {
        call_client_free(g->free_me);
        g->free_me = NULL;
    }
}

static void server_up(struct env *v)
{
    struct err e = {""};

    v->server = call_server_open(v->base, v->address, 0600, on_call, v, &e);
    assert_string_equal(e.text, "");
    assert_non_null(v->server);
}

static int setup(void **state)
{
    struct env *v = calloc(1, sizeof(*v));

    signal(SIGPIPE, SIG_IGN);
    snprintf(v->dir, sizeof(v->dir), "/tmp/call.t.XXXXXX");
    assert_non_null(mkdtemp(v->dir));
    snprintf(v->address, sizeof(v->address), "unix:%s/c", v->dir);
    v->base = event_base_new();
    v->client = call_client_new(v->base, v->address, NULL);
    v->raw_fd = -1;
    assert_non_null(v->client);
    server_up(v);
    *state = v;
    return 0;
}

static int teardown(void **state)
{
    struct env *v = *state;
    size_t i;

    call_client_free(v->client);
    call_server_free(v->server);
    for (i = 0; i < v->held_count; i++)
        call_answer(v->held[i], CALL_OK, "", 0);
    listener_free(v->raw);
    if (v->raw_fd >= 0)
        close(v->raw_fd);
    assert_return_code(rmdir(v->dir), errno);
    event_base_free(v->base);
    free(v);
    return 0;
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* Turn the loop until *value is at least wanted. */
#define UNTIL(v, value, wanted) loop_until((v)->base, &(value), sizeof(value), (wanted), __LINE__)

static void loop_until(struct event_base *base, const void *value, size_t size, size_t wanted, int line)
{
    const struct timeval limit = {LIMIT_MS / 1000, 0};
    bool late = false;
    struct event *timer = evtimer_new(base, on_limit, &late);

    evtimer_add(timer, &limit);
    while ((size == sizeof(int) ? (size_t) * (const int *)value : *(const size_t *)value) < wanted) {
        event_base_loop(base, EVLOOP_ONCE);
        if (late)
            fail_msg("line %d: waited too long", line);
    }
    event_free(timer);
}

static void idle(struct env *v)
{
    int i;

    for (i = 0; i < 20; i++)
        event_base_loop(v->base, EVLOOP_NONBLOCK);
}

static struct call_sent *ask(struct env *v, const char *verb, const char *arg, struct got *g)
{
    return call_send(v->client, verb, arg, strlen(arg), PATIENT_MS, on_reply, g);
}

static void check(const struct got *g, enum call_status status, const char *text, int reached)
{
    assert_int_equal(g->count, 1);
    assert_int_equal(g->status, status);
    assert_string_equal(g->text, text);
    assert_int_equal(g->reached, reached);
}

static void test_echo(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};
    struct got c = {0};

    assert_non_null(ask(v, "echo", "some text, with: 3:abc,", &a));
    assert_non_null(ask(v, "echo", "", &b));
    assert_non_null(ask(v, "unheard-of", "", &c));
    assert_int_equal(a.count, 0); /* never from within call_send */
    UNTIL(v, c.count, 1);
    check(&a, CALL_OK, "some text, with: 3:abc,", 1);
    check(&b, CALL_OK, "", 1);
    check(&c, CALL_PERM, "no verb unheard-of", 1);
    assert_string_equal(v->last_verb, "unheard-of");
    assert_int_equal(call_server_outstanding(v->server), 0);
}

static void test_out_of_order(void **state)
{
    struct env *v = *state;
    struct got g[5] = {{0}};
    int i;

    for (i = 0; i < 5; i++) {
        char arg[2] = {(char)('0' + i), '\0'};

        assert_non_null(ask(v, "hold", arg, &g[i]));
    }
    UNTIL(v, v->held_count, 5);
    assert_int_equal(call_server_outstanding(v->server), 5);
    for (i = 4; i >= 0; i--)
        call_answerf(v->held[i], i == 3 ? CALL_TEMP : CALL_OK, "answer %d", i);
    v->held_count = 0;
    UNTIL(v, g[0].count, 1);
    for (i = 0; i < 5; i++) {
        char want[20];

        snprintf(want, sizeof(want), "answer %d", i);
        check(&g[i], i == 3 ? CALL_TEMP : CALL_OK, want, 1);
        assert_true(i == 0 || g[i].turn < g[i - 1].turn);
    }
}

static void test_sizes(void **state)
{
    struct env *v = *state;
    static char arg[CALL_REQUEST_MAX + 1];
    struct got a = {0};
    struct got b = {0};
    struct got c = {0};

    memset(arg, 'a', sizeof(arg));
    assert_null(call_send(v->client, "echo", arg, sizeof(arg), PATIENT_MS, on_reply, &a));
    assert_null(call_send(v->client, "NO VERB", arg, 1, PATIENT_MS, on_reply, &a));
    assert_non_null(call_send(v->client, "echo", arg, CALL_REQUEST_MAX - 20, PATIENT_MS, on_reply, &a));
    assert_non_null(ask(v, "big", "", &b));
    assert_non_null(ask(v, "huge", "", &c));
    UNTIL(v, c.count, 1);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.len, CALL_REQUEST_MAX - 20);
    assert_int_equal(b.count, 1);
    assert_int_equal(b.len, CALL_REPLY_MAX - 30);
    check(&c, CALL_TEMP, "the answer is too long", 1);
}

static void test_server_away(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};
    int64_t begun = now_ms();
    int i;

    call_server_free(v->server);
    v->server = NULL;
    assert_non_null(ask(v, "echo", "x", &a));
    assert_int_equal(a.count, 0);
    UNTIL(v, a.count, 1);
    assert_int_equal(a.status, CALL_TEMP);
    assert_int_equal(a.reached, 0);
    assert_non_null(strstr(a.text, v->address));
    assert_non_null(strstr(a.text, "No such file"));
    /* It comes back: sooner or later an attempt is made. */
    server_up(v);
    for (i = 0; i < 1000 && !b.reached; i++) {
        memset(&b, 0, sizeof(b));
        assert_non_null(ask(v, "echo", "x", &b));
        UNTIL(v, b.count, 1);
        usleep(5000);
    }
    check(&b, CALL_OK, "x", 1);
    assert_true(now_ms() - begun >= 200); /* until then they failed fast */
}

static void test_server_dies(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};

    assert_non_null(ask(v, "hold", "x", &a));
    assert_non_null(ask(v, "hold", "y", &b));
    UNTIL(v, v->held_count, 2);
    call_server_free(v->server);
    v->server = NULL;
    UNTIL(v, b.count, 1);
    UNTIL(v, a.count, 1);
    assert_int_equal(a.status, CALL_TEMP);
    assert_int_equal(a.reached, 0);
    assert_non_null(strstr(a.text, "the server closed the connection"));
    /* The calls are still to be answered, into nothing. */
    call_answer(v->held[0], CALL_OK, "late", 4);
    call_answerf(v->held[1], CALL_OK, "late");
    v->held_count = 0;
    idle(v);
    assert_int_equal(a.count + b.count, 2);
}

static void test_server_freed_in_handler(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};

    v->free_in_handler = true;
    assert_non_null(ask(v, "echo", "x", &a));
    assert_non_null(ask(v, "echo", "y", &b));
    UNTIL(v, a.count, 1);
    UNTIL(v, b.count, 1);
    assert_int_equal(a.reached + b.reached, 0);
}

static void test_too_slow(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};

    assert_non_null(call_send(v->client, "hold", "x", 1, IMPATIENT_MS, on_reply, &a));
    UNTIL(v, a.count, 1);
    assert_int_equal(a.status, CALL_TEMP);
    assert_int_equal(a.reached, 0);
    assert_non_null(strstr(a.text, "no answer within 30 ms"));
    /* The late answer is passed over, the connection goes on. */
    UNTIL(v, v->held_count, 1);
    call_answer(v->held[0], CALL_OK, "late", 4);
    v->held_count = 0;
    assert_non_null(ask(v, "echo", "y", &b));
    UNTIL(v, b.count, 1);
    check(&b, CALL_OK, "y", 1);
    assert_int_equal(a.count, 1);
}

static void test_cancel(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};
    struct got c = {0};
    struct call_sent *s = ask(v, "echo", "x", &a);

    assert_non_null(s);
    call_cancel(s);
    assert_non_null(ask(v, "echo", "y", &b));
    b.cancel_me = ask(v, "echo", "z", &c);
    UNTIL(v, b.count, 1);
    idle(v);
    assert_int_equal(a.count, 0);
    assert_int_equal(c.count, 0);
}

/* A callback of a lost connection cancels another one of it, whose failure is on its way too. */
static void test_cancel_failing(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};
    struct call_sent *sa;
    struct call_sent *sb;

    call_server_free(v->server);
    v->server = NULL;
    sa = ask(v, "echo", "x", &a);
    sb = ask(v, "echo", "y", &b);
    assert_non_null(sa);
    assert_non_null(sb);
    a.cancel_me = sb;
    UNTIL(v, a.count, 1);
    idle(v);
    assert_int_equal(a.count, 1);
    assert_int_equal(b.count, 0);
}

static void test_free_in_callback(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};

    a.free_me = v->client;
    assert_non_null(ask(v, "echo", "x", &a));
    assert_non_null(ask(v, "echo", "y", &b));
    v->client = NULL;
    UNTIL(v, a.count, 1);
    idle(v);
    assert_int_equal(b.count, 0);
}

/* A server that says one thing to whoever connects. */
static void on_raw(void *ctx, int fd)
{
    struct env *v = ctx;

    if (v->raw_fd >= 0)
        close(v->raw_fd);
    v->raw_fd = fd;
    assert_int_equal(write(fd, v->raw_says, strlen(v->raw_says)), strlen(v->raw_says));
}

static const char *const server_garbage[] = {
    "HTTP/1.1 400 Bad Request\r\n",
    "9:1 0 OK x!;",
    "7:1 0 OK ;",
    "10:1 0 FINE x,",
    "8:2 0 OK x,",
    "11:1 -1 OK x y,",
    "9999999999:",
    "00:,",
    "0:,",
};

static void test_garbage_from_server(void **state)
{
    struct env *v = *state;
    size_t i;

    call_server_free(v->server);
    v->server = NULL;
    v->raw = listener_open(v->base, v->address, 0600, on_raw, v, NULL);
    for (i = 0; i < sizeof(server_garbage) / sizeof(server_garbage[0]); i++) {
        struct got a = {0};
        struct got b = {0};

        v->raw_says = server_garbage[i];
        call_client_free(v->client);
        v->client = call_client_new(v->base, v->address, NULL);
        assert_non_null(ask(v, "echo", "x", &a));
        assert_non_null(ask(v, "echo", "y", &b));
        UNTIL(v, a.count, 1);
        UNTIL(v, b.count, 1);
        assert_int_equal(a.status, CALL_TEMP);
        assert_int_equal(a.reached + b.reached, 0);
        if (strstr(a.text, "does not speak the call protocol") == NULL)
            fail_msg("%s: %s", server_garbage[i], a.text);
    }
}

/* A reply to a request that was never made, or to one that has its reply already. */
static void test_reply_to_nobody(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};

    call_server_free(v->server);
    v->server = NULL;
    v->raw = listener_open(v->base, v->address, 0600, on_raw, v, NULL);
    v->raw_says = "9:1 77 OK x,8:1 0 OK x,8:1 0 OK y,10:1 1 TEMP z,";
    assert_non_null(ask(v, "echo", "x", &a));
    assert_non_null(ask(v, "echo", "x", &b));
    UNTIL(v, b.count, 1);
    check(&a, CALL_OK, "x", 1);
    check(&b, CALL_TEMP, "z", 1);
}

static int raw_client(struct env *v)
{
    struct address a;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(address_parse(&a, v->address, NULL), 0);
    assert_return_code(connect(fd, (const struct sockaddr *)&a.sa, a.len), errno);
    assert_return_code(fcntl(fd, F_SETFL, O_NONBLOCK), errno);
    return fd;
}

/* Read to the end of file, the loop turning. */
static size_t read_to_end(struct env *v, int fd, char *out, size_t cap)
{
    size_t len = 0;
    int turns = 0;
    ssize_t n = -1;

    while (n != 0 && turns < 100000) {
        n = read(fd, out + len, cap - 1 - len);
        if (n < 0) {
            assert_int_equal(errno, EAGAIN);
            event_base_loop(v->base, EVLOOP_NONBLOCK);
            turns++;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(n, 0);
    out[len] = '\0';
    return len;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static const char *const client_garbage[] = {
    "GET / HTTP/1.1\r\n\r\n", "3:abc,", "9:2 0 echo ,", "9:1 0 echo x", "9:1 x echo ,", "9:1 0 ECHO ,", "41025:", "0:,",
};

static void test_garbage_from_client(void **state)
{
    struct env *v = *state;
    size_t i;
    char text[100];

    for (i = 0; i < sizeof(client_garbage) / sizeof(client_garbage[0]); i++) {
        struct got g = {0};
        int fd = raw_client(v);

        say(fd, "11:1 7 echo ab,");
        say(fd, client_garbage[i]);
        read_to_end(v, fd, text, sizeof(text));
        close(fd);
        /* Others do not notice. */
        assert_non_null(ask(v, "echo", "x", &g));
        UNTIL(v, g.count, 1);
        check(&g, CALL_OK, "x", 1);
    }
}

static void test_half_close(void **state)
{
    struct env *v = *state;
    int fd = raw_client(v);
    char text[100];

    say(fd, "11:1 7 hold ab,11:1 8 echo cd,5:1 9 h");
    assert_return_code(shutdown(fd, SHUT_WR), errno);
    UNTIL(v, v->held_count, 1);
    idle(v);
    call_answer(v->held[0], CALL_OK, "held", 4);
    v->held_count = 0;
    read_to_end(v, fd, text, sizeof(text));
    assert_string_equal(text, "9:1 8 OK cd,11:1 7 OK held,");
    close(fd);
}

static void test_byte_by_byte(void **state)
{
    struct env *v = *state;
    const char request[] = "11:1 7 echo ab,";
    int fd = raw_client(v);
    char text[100];
    size_t i;

    for (i = 0; i < sizeof(request) - 1; i++) {
        assert_int_equal(write(fd, request + i, 1), 1);
        event_base_loop(v->base, EVLOOP_NONBLOCK);
    }
    assert_return_code(shutdown(fd, SHUT_WR), errno);
    read_to_end(v, fd, text, sizeof(text));
    assert_string_equal(text, "9:1 7 OK ab,");
    close(fd);
}

static void test_client_gone(void **state)
{
    struct env *v = *state;
    struct got g = {0};

    assert_non_null(ask(v, "hold", "x", &g));
    UNTIL(v, v->held_count, 1);
    call_client_free(v->client);
    v->client = NULL;
    idle(v);
    call_answer(v->held[0], CALL_OK, "x", 1);
    v->held_count = 0;
    idle(v);
    assert_int_equal(g.count, 0);
    assert_int_equal(call_server_outstanding(v->server), 0);
}

/* A client that leaves its answers unread is not read either; the others go on. */
static void test_client_reads_late(void **state)
{
    struct env *v = *state;
    static char text[33 * 1048576];
    struct got g = {0};
    const size_t bigs = (size_t)30 * (CALL_REPLY_MAX - 30);
    int fd = raw_client(v);
    int i;

    for (i = 0; i < 30; i++)
        say(fd, "8:1 7 big ,");
    say(fd, "12:1 8 echo end,");
    v->last_arg[0] = '\0';
    idle(v);
    assert_string_not_equal(v->last_arg, "end");
    assert_non_null(ask(v, "echo", "x", &g));
    UNTIL(v, g.count, 1);
    assert_return_code(shutdown(fd, SHUT_WR), errno);
    assert_true(read_to_end(v, fd, text, sizeof(text)) > bigs);
    assert_non_null(strstr(text + bigs, ",10:1 8 OK end,"));
    close(fd);
}

/* One that was owed many and reads none is closed, before its answers eat the memory. */
static void test_client_never_reads(void **state)
{
    struct env *v = *state;
    static char big[1000000];
    static char text[9 * 1048576];
    int fd = raw_client(v);
    int i;

    for (i = 0; i < 30; i++)
        say(fd, "9:1 7 hold ,");
    UNTIL(v, v->held_count, 30);
    for (i = 0; i < 30; i++) {
        call_answer(v->held[i], CALL_OK, big, sizeof(big));
        assert_true(i < 8 || call_server_outstanding(v->server) == 0);
    }
    v->held_count = 0;
    read_to_end(v, fd, text, sizeof(text));
    close(fd);
}

/* No more than so many requests of one connection are taken at one time. */
static void test_outstanding_max(void **state)
{
    struct env *v = *state;
    int fd = raw_client(v);
    const char request[] = "9:1 7 hold ,";
    int i;

    for (i = 0; i < CALL_OUTSTANDING_MAX + 100; i++) {
        while (write(fd, request, sizeof(request) - 1) < 0) {
            assert_int_equal(errno, EAGAIN);
            event_base_loop(v->base, EVLOOP_NONBLOCK);
        }
    }
    UNTIL(v, v->held_count, CALL_OUTSTANDING_MAX);
    idle(v);
    assert_int_equal(v->held_count, CALL_OUTSTANDING_MAX);
    for (i = 0; i < 50; i++) {
        call_answer(v->held[i], CALL_OK, "", 0);
        v->held[i] = NULL;
    }
    UNTIL(v, v->held_count, CALL_OUTSTANDING_MAX + 50);
    idle(v);
    assert_int_equal(v->held_count, CALL_OUTSTANDING_MAX + 50);
    /* What was read already is taken also when the client has gone in the meantime. */
    close(fd);
    for (i = 50; i < CALL_OUTSTANDING_MAX + 50; i++)
        call_answer(v->held[i], CALL_OK, "", 0);
    for (i = 0; (size_t)i + CALL_OUTSTANDING_MAX + 50 < v->held_count; i++)
        v->held[i] = v->held[i + CALL_OUTSTANDING_MAX + 50];
    v->held_count = (size_t)i;
    idle(v);
}

static void test_drain(void **state)
{
    struct env *v = *state;
    struct got a = {0};
    struct got b = {0};
    struct got c = {0};
    int other = raw_client(v);
    char text[100];

    assert_non_null(ask(v, "hold", "x", &a));
    UNTIL(v, v->held_count, 1);
    call_server_drain(v->server);
    assert_non_null(ask(v, "echo", "too late", &b));
    idle(v);
    assert_int_equal(read_to_end(v, other, text, sizeof(text)), 0); /* idle ones are closed */
    close(other);
    assert_int_equal(call_server_outstanding(v->server), 1);
    call_answer(v->held[0], CALL_OK, "held", 4);
    v->held_count = 0;
    assert_int_equal(call_server_outstanding(v->server), 1); /* until it is sent */
    UNTIL(v, a.count, 1);
    UNTIL(v, b.count, 1);
    check(&a, CALL_OK, "held", 1);
    assert_int_equal(b.reached, 0);
    assert_int_equal(call_server_outstanding(v->server), 0);
    assert_non_null(ask(v, "echo", "no one", &c));
    UNTIL(v, c.count, 1);
    assert_int_equal(c.reached, 0);
}

static void test_many(void **state)
{
    enum { MANY = 5000 };
    struct env *v = *state;
    struct got *g = calloc(MANY, sizeof(*g));
    int i;

    for (i = 0; i < MANY; i++)
        assert_non_null(ask(v, "echo", "x", &g[i]));
    for (i = 0; i < MANY; i++) {
        UNTIL(v, g[i].count, 1);
        assert_int_equal(g[i].status, CALL_OK);
    }
    free(g);
}

/* Clients that say nothing, one that said half a request, do not keep others out: who was idle longest goes. */
static void test_idle_make_room(void **state)
{
    struct env *v = *state;
    static int idlers[CALL_CONNECTIONS_MAX];
    struct got first = {0};
    struct got g = {0};
    char text[100];
    int i;

    assert_non_null(ask(v, "hold", "x", &first)); /* the oldest, and busy */
    UNTIL(v, v->held_count, 1);
    for (i = 0; i < CALL_CONNECTIONS_MAX; i++) {
        idlers[i] = raw_client(v);
        idle(v);
    }
    read_to_end(v, idlers[0], text, sizeof(text)); /* one too many has come by now */
    say(idlers[1], "12:1 8 echo use,");
    say(idlers[2], "12:1 8 echo ");
    idle(v);
    assert_int_equal(read(idlers[1], text, sizeof(text)), 14);
    close(idlers[0]);
    idlers[0] = raw_client(v);
    read_to_end(v, idlers[2], text, sizeof(text));
    assert_int_equal(read(idlers[1], text, sizeof(text)), -1); /* still there */
    assert_int_equal(read(idlers[3], text, sizeof(text)), -1);
    call_answer(v->held[0], CALL_OK, "held", 4);
    v->held_count = 0;
    UNTIL(v, first.count, 1);
    check(&first, CALL_OK, "held", 1);
    assert_non_null(ask(v, "echo", "x", &g));
    UNTIL(v, g.count, 1);
    check(&g, CALL_OK, "x", 1);
    for (i = 0; i < CALL_CONNECTIONS_MAX; i++)
        close(idlers[i]);
}

/* When all have something to wait for, the next one waits in the queue until one has its reply. */
static void test_all_busy(void **state)
{
    struct env *v = *state;
    static int busy[CALL_CONNECTIONS_MAX + 1];
    struct got g = {0};
    char text[100];
    int i;

    for (i = 0; i <= CALL_CONNECTIONS_MAX; i++) { /* the last one that comes in is one more than the limit */
        busy[i] = raw_client(v);
        say(busy[i], "10:1 8 hold x,");
        UNTIL(v, v->held_count, (size_t)i + 1);
    }
    assert_non_null(ask(v, "echo", "x", &g));
    idle(v);
    assert_int_equal(g.count, 0);
    call_answer(v->held[7], CALL_OK, "held", 4);
    v->held[7] = v->held[--v->held_count];
    UNTIL(v, g.count, 1);
    check(&g, CALL_OK, "x", 1);
    assert_int_equal(read_to_end(v, busy[7], text, sizeof(text)), 15);
    for (i = 0; i <= CALL_CONNECTIONS_MAX; i++)
        close(busy[i]);
}

/* Over TCP a refusal comes later than the attempt. */
static void test_tcp_refused(void **state)
{
    struct env *v = *state;
    struct call_client *c = call_client_new(v->base, "inet:127.0.0.1:1", NULL);
    struct got a = {0};
    struct got b = {0};

    assert_non_null(call_send(c, "echo", "x", 1, PATIENT_MS, on_reply, &a));
    assert_non_null(call_send(c, "echo", "x", 1, PATIENT_MS, on_reply, &b));
    UNTIL(v, a.count, 1);
    UNTIL(v, b.count, 1);
    check(&a, CALL_TEMP, "inet:127.0.0.1:1: Connection refused", 0);
    check(&b, CALL_TEMP, "inet:127.0.0.1:1: Connection refused", 0);
    call_client_free(c);
}

static void test_bad_address(void **state)
{
    struct env *v = *state;
    struct err e = {""};

    assert_null(call_client_new(v->base, "stsd.sock", &e));
    assert_non_null(strstr(e.text, "no address"));
    assert_null(call_server_open(v->base, "stsd.sock", 0600, on_call, v, &e));
    call_client_free(NULL);
    call_server_free(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_echo),
        T(test_out_of_order),
        T(test_sizes),
        T(test_server_away),
        T(test_server_dies),
        T(test_server_freed_in_handler),
        T(test_too_slow),
        T(test_cancel),
        T(test_cancel_failing),
        T(test_free_in_callback),
        T(test_garbage_from_server),
        T(test_reply_to_nobody),
        T(test_garbage_from_client),
        T(test_half_close),
        T(test_byte_by_byte),
        T(test_client_gone),
        T(test_client_reads_late),
        T(test_client_never_reads),
        T(test_outstanding_max),
        T(test_drain),
        T(test_many),
        T(test_idle_make_room),
        T(test_all_busy),
        T(test_tcp_refused),
        T(test_bad_address),
    };

    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
