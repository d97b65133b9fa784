/* redis_io.t.c - the connection for commands against a real redis-server, see redis_server.h. */
#include "redis_io.h"

#include "redis_client.h"
#include "redis_server.h"

#define COMMANDS_MAX 10000

static void on_reply(void *ctx, redisReply *reply)
{
    struct client *c = ctx;
    char word[32] = "?";
    int len = 0;

    if (reply == NULL) {
        c->nulls++;
        return;
    }
    c->replies++;
    if (reply->type == REDIS_REPLY_STATUS || reply->type == REDIS_REPLY_ERROR) {
        len = (int)strcspn(reply->str, " ");
        (void)snprintf(word, sizeof(word), "%c%.*s", reply->type == REDIS_REPLY_STATUS ? '+' : '-', len, reply->str);
    } else if (reply->type == REDIS_REPLY_STRING) {
        (void)snprintf(word, sizeof(word), "$%d", (int)reply->len);
    } else if (reply->type == REDIS_REPLY_NIL) {
        (void)snprintf(word, sizeof(word), "_");
    }
    len = (int)strlen(c->log);
    (void)snprintf(c->log + len, sizeof(c->log) - (size_t)len, "%s ", word);
}

/* n of them */
static void client_ping(struct client *c, int n)
{
    while (n-- > 0)
        assert_int_equal(redis_send(c->redis, on_reply, c, 1, (const char *const[]){"PING"}, NULL), 0);
}

static void test_up(void **state)
{
    static const char binary[] = {'a', 0, 'b'};
    static const char *const set[] = {"SET", "p:bin", binary};
    static const size_t lengths[] = {3, 5, 3};
    static const char *const get[] = {"GET", "p:bin"};
    static const char *const push[] = {"LPUSH", "p:bin", "x"};
    static const char *const missing[] = {"GET", "p:none"};
    struct client c;

    (void)state;
    client_open(&c, server.url, 5000);
    assert_false(redis_up(c.redis));
    assert_int_equal(redis_send(c.redis, on_reply, &c, 2, get, NULL), -1);
    client_wait_up(&c);
    assert_int_equal(redis_send(c.redis, on_reply, &c, 3, set, lengths), 0);
    assert_int_equal(redis_send(c.redis, NULL, NULL, 2, get, NULL), 0);
    assert_int_equal(redis_send(c.redis, on_reply, &c, 2, get, NULL), 0);
    assert_int_equal(redis_send(c.redis, on_reply, &c, 3, push, NULL), 0);
    assert_int_equal(redis_send(c.redis, on_reply, &c, 2, missing, NULL), 0);
    assert_int_equal(c.replies, 0);
    WAIT(&c, c.replies == 4);
    assert_string_equal(c.log, "+OK $3 -WRONGTYPE _ ");
    client_close(&c);
}

static void test_tcp(void **state)
{
    struct client c;

    (void)state;
    client_open(&c, server.tcp_url, 5000);
    client_wait_up(&c);
    client_ping(&c, 1);
    WAIT(&c, c.replies == 1);
    assert_string_equal(c.log, "+PONG ");
    client_close(&c);
}

static void away_at_start(const char *url, int run_before_ms)
{
    struct client c;

    redis_server_stop(&server);
    client_open(&c, url, 5000);
    client_run_ms(&c, run_before_ms);
    assert_false(redis_up(c.redis));
    assert_int_equal(c.ups, 0);
    redis_server_start(&server);
    client_wait_up(&c);
    assert_int_equal(c.downs, 0);
    client_close(&c);
}

static void test_away_at_start(void **state)
{
    (void)state;
    unlink(server.path);
    away_at_start(server.url, 100);     /* no socket there */
    away_at_start(server.url, 100);     /* a socket that nobody listens on */
    away_at_start(server.tcp_url, 100); /* refused */
}

/* The server dies with commands in flight: each is told once, then Redis comes back. */
static void test_dies(void **state)
{
    struct client c;

    (void)state;
    client_open(&c, server.url, 20000);
    client_wait_up(&c);
    kill(server.pid, SIGSTOP);
    client_ping(&c, 5);
    client_run_ms(&c, 20);
    redis_server_stop(&server);
    WAIT(&c, c.nulls == 5);
    assert_false(redis_up(c.redis));
    assert_int_equal(c.downs, 1);
    assert_int_equal(redis_send(c.redis, on_reply, &c, 1, (const char *const[]){"PING"}, NULL), -1);
    redis_server_start(&server);
    WAIT(&c, c.ups == 2);
    client_ping(&c, 1);
    WAIT(&c, c.replies == 1);
    assert_int_equal(c.nulls, 5);
    client_close(&c);
}

/* Slower than the deadline: all that wait are told, and the late replies belong to nobody. */
static void test_slow(void **state)
{
    static const char *const slow[] = {"DEBUG", "SLEEP", "3.5"};
    struct client c;

    (void)state;
    client_open(&c, server.url, 1000);
    client_wait_up(&c);
    assert_int_equal(redis_send(c.redis, on_reply, &c, 3, slow, NULL), 0);
    client_ping(&c, 2);
    WAIT(&c, c.nulls == 3);
    assert_int_equal(c.replies, 0);
    WAIT(&c, c.ups == 2);
    assert_int_equal(c.downs, 1);
    client_ping(&c, 1);
    WAIT(&c, c.replies == 1);
    assert_string_equal(c.log, "+PONG ");
    client_close(&c);
}

/* The deadline is each command's own: when that of one long answered comes, those sent later have time left. */
static void test_own_deadline(void **state)
{
    struct client c;

    (void)state;
    client_open(&c, server.url, 4000);
    client_wait_up(&c);
    client_ping(&c, 1);
    client_run_ms(&c, 2800);
    assert_int_equal(redis_send(c.redis, on_reply, &c, 3, (const char *const[]){"DEBUG", "SLEEP", "2"}, NULL), 0);
    WAIT(&c, c.replies == 2);
    assert_int_equal(c.nulls, 0);
    assert_int_equal(c.downs, 0);
    client_close(&c);
}

static void on_pause(evutil_socket_t fd, short what, void *ctx)
{
    struct client *c = ctx;

    (void)fd;
    (void)what;
    client_ping(c, 1);
    usleep(2000000);
}

/* Time that the program spends elsewhere, with the command unsent or the reply unread, is not the server's. */
static void test_own_pause(void **state)
{
    const struct timeval soon = {.tv_usec = 1000};
    struct event *pause;
    struct client c;

    (void)state;
    client_open(&c, server.url, 1000);
    client_wait_up(&c);
    pause = event_new(c.base, -1, 0, on_pause, &c);
    assert_non_null(pause);
    for (int turn = 1; turn <= 3; turn++) {
        assert_int_equal(event_add(pause, &soon), 0);
        client_run_ms(&c, 100);
    }
    WAIT(&c, c.replies + c.nulls == 3);
    assert_int_equal(c.nulls, 0);
    assert_int_equal(c.downs, 0);
    event_free(pause);
    client_close(&c);
}

static bool peer_taken(int fd, int *peer)
{
    if (*peer < 0)
        *peer = accept(fd, NULL, NULL);
    return *peer >= 0;
}

/* Accepts and never answers: the hello has a deadline too. */
static void test_hello_hangs(void **state)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char url[64];
    struct client c;
    int peer[3] = {-1, -1, -1};
    int i;

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    (void)snprintf(url, sizeof(url), "tcp:127.0.0.1:%d", ntohs(sa.sin_port));
    client_open(&c, url, 100);
    for (i = 0; i < 3; i++)
        WAIT(&c, peer_taken(fd, &peer[i]));
    assert_int_equal(c.ups, 0);
    client_close(&c);
    for (i = 0; i < 3; i++)
        close(peer[i]);
    close(fd);
}

static void login(const char *username, const char *password, int64_t database, bool good)
{
    struct client c;

    client_init(&c, server.url, 5000, username, password, database);
    if (good) {
        client_wait_up(&c);
        assert_int_equal(redis_send(c.redis, on_reply, &c, 3, (const char *const[]){"SET", "p:k", username}, NULL), 0);
        WAIT(&c, c.replies == 1);
        assert_string_equal(c.log, "+OK ");
    } else {
        client_run_ms(&c, 300);
        assert_int_equal(c.ups, 0);
    }
    client_close(&c);
}

static void test_login(void **state)
{
    (void)state;
    other_do(&server, "ACL SETUSER postern on >secret ~* &* +@all");
    login("postern", "secret", 3, true);
    assert_int_equal(other_do(&server, "EXISTS p:k"), 0);
    other_do(&server, "SELECT 3");
    assert_int_equal(other_do(&server, "EXISTS p:k"), 1);
    other_do(&server, "SELECT 0");
    other_do(&server, "CONFIG SET requirepass pass");
    login("", "pass", 0, true);
    assert_int_equal(other_do(&server, "EXISTS p:k"), 1);
    login("", "", 0, false);
    login("", "wrong", 0, false);
    login("postern", "wrong", 0, false);
    login("postern", "secret", 9999, false);
    other_do(&server, "CONFIG SET requirepass %s", "");
}

static void test_too_many(void **state)
{
    struct client c;
    int i;

    (void)state;
    client_open(&c, server.url, 20000);
    client_wait_up(&c);
    for (i = 0; i < COMMANDS_MAX; i++)
        assert_int_equal(redis_send(c.redis, on_reply, &c, 1, (const char *const[]){"PING"}, NULL), 0);
    assert_int_equal(redis_send(c.redis, on_reply, &c, 1, (const char *const[]){"PING"}, NULL), -1);
    WAIT(&c, c.replies == COMMANDS_MAX);
    assert_int_equal(redis_send(c.redis, on_reply, &c, 1, (const char *const[]){"PING"}, NULL), 0);
    WAIT(&c, c.replies == COMMANDS_MAX + 1);

    kill(server.pid, SIGSTOP);
    for (i = 0; i < COMMANDS_MAX; i++)
        redis_send(c.redis, on_reply, &c, 1, (const char *const[]){"PING"}, NULL);
    redis_server_stop(&server);
    WAIT(&c, c.nulls == COMMANDS_MAX);
    redis_server_start(&server);
    WAIT(&c, redis_up(c.redis));
    client_ping(&c, 1);
    WAIT(&c, c.replies == COMMANDS_MAX + 2);
    client_close(&c);
}

static void free_on_reply(void *ctx, redisReply *reply)
{
    struct client *c = ctx;

    (void)reply;
    c->freed++;
    redis_free(c->redis);
    c->redis = NULL;
}

/* Freed within each callback there is; commands outstanding are told so at once. */
static void test_free_within(void **state)
{
    struct client c;

    (void)state;
    client_open(&c, server.url, 5000);
    client_wait_up(&c);
    redis_send(c.redis, free_on_reply, &c, 1, (const char *const[]){"PING"}, NULL);
    client_ping(&c, 3);
    WAIT(&c, c.freed == 1);
    client_run_ms(&c, 50);
    assert_int_equal(c.replies, 0);
    assert_int_equal(c.nulls, 3);
    client_close(&c);

    client_open(&c, server.url, 100);
    client_wait_up(&c);
    redis_send(c.redis, free_on_reply, &c, 3, (const char *const[]){"DEBUG", "SLEEP", "0.3"}, NULL);
    client_ping(&c, 3);
    WAIT(&c, c.freed == 1);
    client_run_ms(&c, 50);
    assert_int_equal(c.nulls, 3);
    client_close(&c);
}

/* Freed at each stage of its life: who waits is told once, nothing leaks (AddressSanitizer sees to it). */
static void test_free_any_time(void **state)
{
    struct client c;
    int ms;

    (void)state;
    for (ms = 0; ms < 10; ms++) {
        int sent = 0;

        client_open(&c, ms % 2 == 0 ? server.url : server.tcp_url, 5000);
        client_run_ms(&c, ms);
        if (redis_up(c.redis))
            client_ping(&c, sent = 3);
        client_close(&c);
        assert_int_equal(c.nulls, sent);
    }
    redis_free(NULL);
}

static void test_no_redis(void **state)
{
    struct client c;
    char no_url[] = "redis.example:6379";
    struct conf_redis bad = {.url = no_url, .prefix = c.log, .username = c.log, .password = c.log};
    struct err e = {.text = ""};

    (void)state;
    client_open(&c, "", 5000);
    redis_track(c.redis, (const char *const[]){"dest", NULL}, NULL, NULL);
    client_run_ms(&c, 20);
    assert_false(redis_up(c.redis));
    assert_false(redis_tracking(c.redis));
    assert_int_equal(redis_send(c.redis, on_reply, &c, 1, (const char *const[]){"PING"}, NULL), -1);
    assert_int_equal(c.ups + c.downs, 0);
    assert_null(redis_new(c.base, &bad, &e));
    assert_string_not_equal(e.text, "");
    client_close(&c);
}

static void test_key(void **state)
{
    struct client c;
    char key[32];

    (void)state;
    client_open(&c, "", 5000);
    assert_int_equal(redis_key(c.redis, key, sizeof(key), "dest", "example.com"), 18);
    assert_string_equal(key, "p:dest:example.com");
    assert_int_equal(redis_key(c.redis, key, 19, "dest", "example.com"), 18);
    assert_int_equal(redis_key(c.redis, key, 18, "dest", "example.com"), 0);
    assert_int_equal(redis_key(c.redis, key, 0, "dest", "example.com"), 0);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up),        cmocka_unit_test(test_tcp),         cmocka_unit_test(test_away_at_start),
        cmocka_unit_test(test_dies),      cmocka_unit_test(test_slow),        cmocka_unit_test(test_own_deadline),
        cmocka_unit_test(test_own_pause), cmocka_unit_test(test_hello_hangs), cmocka_unit_test(test_login),
        cmocka_unit_test(test_too_many),  cmocka_unit_test(test_free_within), cmocka_unit_test(test_free_any_time),
        cmocka_unit_test(test_no_redis),  cmocka_unit_test(test_key),
    };

    return cmocka_run_group_tests_name("redis_io", tests, server_setup, server_teardown);
}
