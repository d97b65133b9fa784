/* redis_track_io.t.c - being told of changed keys, against a real redis-server, see redis_server.h. */
#include "redis_client.h"
#include "redis_server.h"

static const char *const kinds[] = {"dest", "list", NULL};

struct changes {
    int nulls, keys;
    char log[512]; /* the keys, "*" for NULL */
};

static void on_change(void *ctx, const char *key, size_t len)
{
    struct changes *ch = ctx;
    size_t used = strlen(ch->log);

    if (key == NULL) {
        assert_int_equal(len, 0);
        ch->nulls++;
        (void)snprintf(ch->log + used, sizeof(ch->log) - used, "* ");
    } else {
        ch->keys++;
        (void)snprintf(ch->log + used, sizeof(ch->log) - used, "%.*s ", (int)len, key);
    }
}

static void track_open(struct client *c, struct changes *ch, const char *url, int timeout_ms)
{
    memset(ch, 0, sizeof(*ch));
    client_open(c, url, timeout_ms);
    redis_track(c->redis, kinds, on_change, ch);
    assert_false(redis_tracking(c->redis));
    WAIT(c, redis_tracking(c->redis));
    assert_string_equal(ch->log, "* ");
    ch->log[0] = '\0';
}

/* Keys of our kinds are told, by whomever they were changed, others not. */
static void keys_check(const char *url)
{
    static const char *const own[] = {"SET", "p:list:own", "x"};
    struct changes ch;
    struct client c;

    track_open(&c, &ch, url, 5000);
    other_do(&server, "SET p:dest:a.example x");
    WAIT(&c, ch.keys == 1);
    other_do(&server, "SET p:other:b x");
    other_do(&server, "SET dest:b x");
    other_do(&server, "SET p:destination x");
    other_do(&server, "HSET p:list:exclude example.com x");
    WAIT(&c, ch.keys == 2);
    assert_int_equal(redis_send(c.redis, NULL, NULL, 3, own, NULL), 0);
    WAIT(&c, ch.keys == 3);
    other_do(&server, "SET p:dest: x");
    other_do(&server, "DEL p:dest:a.example");
    WAIT(&c, ch.keys == 5);
    assert_string_equal(ch.log, "dest:a.example list:exclude list:own dest: dest:a.example ");
    assert_int_equal(ch.nulls, 1);
    client_close(&c);
}

static void test_keys(void **state)
{
    (void)state;
    keys_check(server.url);
    keys_check(server.tcp_url);
}

/* Many keys in one message, and one that expires. */
static void test_many(void **state)
{
    struct changes ch;
    struct client c;

    (void)state;
    track_open(&c, &ch, server.url, 5000);
    other_do(&server, "MSET p:dest:a 1 p:dest:b 2 p:dest:c 3");
    WAIT(&c, ch.keys == 3);
    other_do(&server, "DEBUG SET-ACTIVE-EXPIRE 0"); /* a key that changes twice within a turn of Redis is told once */
    other_do(&server, "PEXPIRE p:dest:a 30");
    WAIT(&c, ch.keys == 4); /* that it will expire */
    other_do(&server, "DEBUG SET-ACTIVE-EXPIRE 1");
    WAIT(&c, ch.keys == 5); /* that it has */
    assert_int_equal(ch.nulls, 1);
    client_close(&c);
}

static void test_flush(void **state)
{
    struct changes ch;
    struct client c;

    (void)state;
    track_open(&c, &ch, server.url, 5000);
    other_do(&server, "FLUSHALL");
    WAIT(&c, ch.nulls == 2);
    other_do(&server, "SET p:dest:a x");
    WAIT(&c, ch.keys == 1);
    assert_string_equal(ch.log, "* dest:a ");
    assert_true(redis_tracking(c.redis));
    client_close(&c);
}

static void test_restart(void **state)
{
    struct changes ch;
    struct client c;

    (void)state;
    track_open(&c, &ch, server.url, 5000);
    redis_server_stop(&server);
    WAIT(&c, !redis_tracking(c.redis));
    client_run_ms(&c, 100);
    assert_int_equal(ch.nulls, 1);
    redis_server_start(&server);
    WAIT(&c, redis_tracking(c.redis));
    assert_int_equal(ch.nulls, 2);
    other_do(&server, "SET p:dest:a x");
    WAIT(&c, ch.keys == 1);
    assert_string_equal(ch.log, "* dest:a ");
    client_close(&c);
}

/* Redis comes after redis_track. */
static void test_away_at_start(void **state)
{
    struct changes ch = {.nulls = 0};
    struct client c;

    (void)state;
    redis_server_stop(&server);
    client_open(&c, server.url, 5000);
    redis_track(c.redis, kinds, on_change, &ch);
    client_run_ms(&c, 100);
    assert_int_equal(ch.nulls, 0);
    redis_server_start(&server);
    WAIT(&c, redis_tracking(c.redis));
    assert_string_equal(ch.log, "* ");
    client_close(&c);
}

/* Asked for when the connection for commands has long been up. */
static void test_late(void **state)
{
    struct changes ch = {.nulls = 0};
    struct client c;

    (void)state;
    client_open(&c, server.url, 5000);
    client_wait_up(&c);
    redis_track(c.redis, kinds, on_change, &ch);
    WAIT(&c, redis_tracking(c.redis));
    assert_string_equal(ch.log, "* ");
    client_close(&c);
}

/* Only the connection for messages is lost: commands go on, and what changed meanwhile may have been anything. */
static void test_messages_lost(void **state)
{
    struct changes ch;
    struct client c;
    int i;

    (void)state;
    track_open(&c, &ch, server.url, 5000);
    for (i = 0; i < 3; i++) {
        assert_int_equal(other_do(&server, "CLIENT KILL TYPE pubsub"), 1);
        WAIT(&c, !redis_tracking(c.redis));
        other_do(&server, "SET p:dest:unseen x");
        WAIT(&c, redis_tracking(c.redis));
        assert_int_equal(ch.nulls, 2 + i);
        other_do(&server, "SET p:dest:a x");
        WAIT(&c, ch.keys == 1 + i);
    }
    assert_string_equal(ch.log, "* dest:a * dest:a * dest:a ");
    assert_int_equal(c.downs, 0);
    client_close(&c);
}

/* The connection for messages, as the server numbers it. */
static long long subscriber_id(void)
{
    redisReply *reply = redisCommand(server.other, "CLIENT LIST TYPE pubsub");
    long long id;

    assert_non_null(reply);
    assert_int_equal(strncmp(reply->str, "id=", 3), 0);
    id = strtoll(reply->str + 3, NULL, 10);
    freeReplyObject(reply);
    return id;
}

/* Only the connection for commands is lost: both are made anew. */
static void test_commands_lost(void **state)
{
    struct changes ch;
    struct client c;
    long long id;

    (void)state;
    track_open(&c, &ch, server.url, 5000);
    id = subscriber_id();
    assert_int_equal(other_do(&server, "CLIENT KILL TYPE normal SKIPME yes"), 1);
    WAIT(&c, !redis_tracking(c.redis));
    WAIT(&c, redis_tracking(c.redis));
    assert_true(subscriber_id() > id);
    assert_int_equal(c.downs, 1);
    assert_int_equal(ch.nulls, 2);
    other_do(&server, "SET p:dest:a x");
    WAIT(&c, ch.keys == 1);
    assert_string_equal(ch.log, "* dest:a ");
    client_close(&c);
}

/* The connection for commands is lost with CLIENT TRACKING on its way (here behind a command that blocks). */
static void test_asking_lost(void **state)
{
    static const char *const blocks[] = {"BLPOP", "p:nothing", "0"};
    struct changes ch = {.nulls = 0};
    struct client c;

    (void)state;
    client_open(&c, server.url, 60000);
    client_wait_up(&c);
    assert_int_equal(redis_send(c.redis, NULL, NULL, 3, blocks, NULL), 0);
    redis_track(c.redis, kinds, on_change, &ch);
    client_run_ms(&c, 1500);
    assert_false(redis_tracking(c.redis));
    assert_int_equal(other_do(&server, "CLIENT KILL TYPE normal SKIPME yes"), 1);
    WAIT(&c, redis_tracking(c.redis));
    assert_int_equal(c.downs, 1);
    assert_string_equal(ch.log, "* ");
    client_close(&c);
}

/* A server that hangs while nothing is asked is noticed by the PING of an idle connection. */
static void test_hangs(void **state)
{
    struct changes ch;
    struct client c;

    (void)state;
    track_open(&c, &ch, server.url, 1000);
    kill(server.pid, SIGSTOP);
    WAIT(&c, !redis_tracking(c.redis));
    assert_int_equal(c.downs, 1);
    kill(server.pid, SIGCONT);
    WAIT(&c, redis_tracking(c.redis));
    assert_int_equal(ch.nulls, 2);
    client_close(&c);
}

/* A user that may not subscribe, or not track: never on, no crash, and commands work. */
static void refused(const char *rules)
{
    struct changes ch = {.nulls = 0};
    struct client c;

    other_do(&server, "ACL SETUSER poor reset on >secret %s", "~*");
    redisFree(server.other);
    server.other = redisConnectUnix(server.path);
    freeReplyObject(redisCommand(server.other, rules));
    client_init(&c, server.url, 5000, "poor", "secret", 0);
    redis_track(c.redis, kinds, on_change, &ch);
    client_wait_up(&c);
    client_run_ms(&c, 500);
    assert_false(redis_tracking(c.redis));
    assert_true(redis_up(c.redis));
    assert_int_equal(c.downs, 0);
    assert_int_equal(ch.nulls, 0);
    other_do(&server, "ACL SETUSER poor allchannels +@all");
    WAIT(&c, redis_tracking(c.redis));
    client_close(&c);
}

static void test_refused(void **state)
{
    (void)state;
    refused("ACL SETUSER poor resetchannels +@all");
    refused("ACL SETUSER poor allchannels +@all -client|tracking");
    refused("ACL SETUSER poor allchannels +@all -client|id");
}

struct freeing {
    struct client *c;
    int calls, free_at;
};

static void free_within(void *ctx, const char *key, size_t len)
{
    struct freeing *f = ctx;

    (void)key;
    (void)len;
    if (++f->calls == f->free_at) {
        redis_free(f->c->redis);
        f->c->redis = NULL;
    }
}

/* Freed within the first NULL, the NULL of a flush, and the first of two keys of one message. */
static void test_free_within(void **state)
{
    static const struct {
        int free_at;
        const char *script;
    } cases[] = {
        {1, "return 1"},
        {2, "redis.call('FLUSHALL')"},
        {2, "redis.call('MSET', 'p:dest:a', 1, 'p:dest:b', 2)"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c;
        struct freeing f = {.c = &c, .free_at = cases[i].free_at};

        client_open(&c, server.url, 5000);
        redis_track(c.redis, kinds, free_within, &f);
        WAIT(&c, f.calls == 1);
        other_do(&server, "EVAL %s 0", cases[i].script);
        WAIT(&c, c.redis == NULL);
        client_run_ms(&c, 50);
        assert_int_equal(f.calls, cases[i].free_at);
        client_close(&c);
    }
}

/* Freed at each stage of its life: nothing leaks (AddressSanitizer sees to it). */
static void test_free_any_time(void **state)
{
    struct changes ch = {.nulls = 0};
    struct client c;
    int ms;

    (void)state;
    for (ms = 0; ms < 10; ms++) {
        client_open(&c, server.url, 5000);
        redis_track(c.redis, kinds, on_change, &ch);
        client_run_ms(&c, ms);
        client_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),          cmocka_unit_test(test_many),        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_restart),       cmocka_unit_test(test_late),        cmocka_unit_test(test_away_at_start),
        cmocka_unit_test(test_messages_lost), cmocka_unit_test(test_hangs),       cmocka_unit_test(test_commands_lost),
        cmocka_unit_test(test_asking_lost),   cmocka_unit_test(test_free_within), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_free_any_time),
    };

    return cmocka_run_group_tests_name("redis_track_io", tests, server_setup, server_teardown);
}
