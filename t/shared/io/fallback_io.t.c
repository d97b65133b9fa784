/* fallback_io.t.c - TLS outcomes into Redis, by several writers at once. */
#include "redis_server.h" /* before cmocka.h */

#include "fallback_io.h"
#include "redis_client.h"

#define KEY "p:fallback:example.com"

struct told {
    int done;
    int failed;
    char why[200];
};

static void on_done(void *ctx, const char *why)
{
    struct told *t = ctx;

    t->done++;
    if (why != NULL) {
        t->failed++;
        (void)snprintf(t->why, sizeof(t->why), "%s", why);
    }
}

/* What is in Redis of a host: "" for nothing. */
static void expect_state(const char *host, const char *json)
{
    redisReply *reply = redisCommand(server.other, "HGET " KEY " %s", host);

    assert_non_null(reply);
    assert_string_equal(reply->type == REDIS_REPLY_STRING ? reply->str : "", json);
    freeReplyObject(reply);
}

static void report(struct client *c, struct told *t, const char *host, enum fallback_event event, int64_t at)
{
    int before = t->done;

    assert_int_equal(fallback_report(c->redis, "example.com", host, event, at, on_done, t), 0);
    WAIT(c, t->done == before + 1);
}

static void open_empty(struct client *c)
{
    other_do(&server, "FLUSHALL");
    client_open(c, server.url, 20000);
    client_wait_up(c);
}

static void test_events(void **state)
{
    static const struct {
        enum fallback_event event;
        int64_t at;
        const char *json;
    } steps[] = {
        {FALLBACK_TLS_DONE, 50, "{\"v\":1,\"tls\":50}"},
        {FALLBACK_HANDSHAKE_FAILED, 100, "{\"v\":1,\"handshake\":100,\"tls\":50}"},
        {FALLBACK_HANDSHAKE_FAILED, 90, "{\"v\":1,\"handshake\":100,\"tls\":50}"},
        {FALLBACK_PLAIN_DONE, 110, "{\"v\":1,\"handshake\":100,\"tls\":50,\"plain\":110}"},
        {FALLBACK_LATER_FAILED, 120, "{\"v\":1,\"handshake\":100,\"later\":120,\"tls\":50,\"plain\":110}"},
        {FALLBACK_TLS_DONE, 130, "{\"v\":1,\"handshake\":100,\"later\":120,\"tls\":130,\"plain\":110}"},
    };
    struct told t = {0};
    struct client c;

    (void)state;
    open_empty(&c);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        report(&c, &t, "mx.example.com", steps[i].event, steps[i].at);
        expect_state("mx.example.com", steps[i].json);
    }
    assert_int_equal(t.failed, 0);
    client_close(&c);
}

/* What went well is written where something is known of the next hop, at whatever host, and else not. */
static void test_known(void **state)
{
    struct told t = {0};
    struct client c;

    (void)state;
    open_empty(&c);
    assert_int_equal(fallback_report_known(c.redis, "example.com", "mx2", FALLBACK_TLS_DONE, 50, on_done, &t), 0);
    WAIT(&c, t.done == 1);
    expect_state("mx2", "");
    report(&c, &t, "mx1", FALLBACK_HANDSHAKE_FAILED, 100);
    assert_int_equal(fallback_report_known(c.redis, "example.com", "mx2", FALLBACK_TLS_DONE, 110, on_done, &t), 0);
    assert_int_equal(fallback_report_known(c.redis, "example.com", "mx1", FALLBACK_PLAIN_DONE, 120, on_done, &t), 0);
    WAIT(&c, t.done == 4);
    expect_state("mx2", "{\"v\":1,\"tls\":110}");
    expect_state("mx1", "{\"v\":1,\"handshake\":100,\"plain\":120}");
    assert_int_equal(t.failed, 0);
    client_close(&c);
}

static void test_ends(void **state)
{
    struct told t = {0};
    struct client c;
    long long ttl;

    (void)state;
    open_empty(&c);
    report(&c, &t, "mx.example.com", FALLBACK_HANDSHAKE_FAILED, 100);
    other_do(&server, "EXPIRE " KEY " 5");
    report(&c, &t, "mx2.example.com", FALLBACK_HANDSHAKE_FAILED, 100);
    ttl = other_do(&server, "TTL " KEY);
    assert_true(ttl > FALLBACK_STATE_TTL - 1000 && ttl <= FALLBACK_STATE_TTL);
    client_close(&c);
}

/* A first event of each kind at once: each but the first finds that another has come between. */
static void test_at_once(void **state)
{
    struct client c[3];
    struct told t = {0};

    (void)state;
    open_empty(&c[0]);
    client_open(&c[1], server.url, 20000);
    client_wait_up(&c[1]);
    client_open(&c[2], server.url, 20000);
    client_wait_up(&c[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fallback_report(c[i].redis, "example.com", "mx",
                                         i == 0   ? FALLBACK_HANDSHAKE_FAILED
                                         : i == 1 ? FALLBACK_LATER_FAILED
                                                  : FALLBACK_PLAIN_DONE,
                                         100 + i, on_done, &t),
                         0);
    for (int i = 0; i < 3; i++)
        WAIT(&c[i], t.done > i);
    assert_int_equal(t.failed, 0);
    expect_state("mx", "{\"v\":1,\"handshake\":100,\"later\":101,\"plain\":102}");
    for (int i = 0; i < 3; i++)
        client_close(&c[i]);
}

static void test_garbage(void **state)
{
    struct told t = {0};
    struct client c;
    char *large = malloc(4000001);

    (void)state;
    open_empty(&c);
    other_do(&server, "HSET " KEY " a {\"v\":7} b %b c %b", "{\0}", (size_t)3, memset(large, 'x', 4000000),
             (size_t)4000000);
    free(large);
    report(&c, &t, "a", FALLBACK_HANDSHAKE_FAILED, 100);
    report(&c, &t, "b", FALLBACK_HANDSHAKE_FAILED, 100);
    report(&c, &t, "c", FALLBACK_HANDSHAKE_FAILED, 100);
    assert_int_equal(t.failed, 0);
    expect_state("a", "{\"v\":1,\"handshake\":100}");
    expect_state("b", "{\"v\":1,\"handshake\":100}");
    expect_state("c", "{\"v\":1,\"handshake\":100}");
    client_close(&c);
}

static void test_wrong_type(void **state)
{
    struct told t = {0};
    struct client c;

    (void)state;
    open_empty(&c);
    other_do(&server, "SET " KEY " x");
    report(&c, &t, "mx", FALLBACK_HANDSHAKE_FAILED, 100);
    assert_int_equal(t.failed, 1);
    assert_non_null(strstr(t.why, "WRONGTYPE"));
    client_close(&c);
}

/* A domain whose MX host has another name each time. */
static void test_many_hosts(void **state)
{
    struct told t = {0};
    struct client c;
    char host[32];

    (void)state;
    open_empty(&c);
    for (int i = 0; i < FALLBACK_KEPT_MAX; i++) {
        (void)snprintf(host, sizeof(host), "mx%d", i);
        report(&c, &t, host, FALLBACK_HANDSHAKE_FAILED, 100);
    }
    report(&c, &t, "mx0", FALLBACK_LATER_FAILED, 100);
    assert_int_equal(other_do(&server, "HLEN " KEY), FALLBACK_KEPT_MAX);
    report(&c, &t, "one-more", FALLBACK_HANDSHAKE_FAILED, 100);
    assert_int_equal(other_do(&server, "HLEN " KEY), 1);
    assert_int_equal(t.failed, 0);
    client_close(&c);
}

static void test_away(void **state)
{
    char name[300];
    struct told t = {0};
    struct client c;

    (void)state;
    open_empty(&c);
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(fallback_report(c.redis, "example.com", name, FALLBACK_TLS_DONE, 1, on_done, &t), -1);
    assert_int_equal(fallback_report(c.redis, "example.com", "mx", FALLBACK_TLS_DONE, 1, on_done, &t), 0);
    client_close(&c); /* with the report under way */
    assert_int_equal(t.done, 1);
    assert_int_equal(t.failed, 1);
    client_open(&c, "", 1000);
    assert_int_equal(fallback_report(c.redis, "example.com", "mx", FALLBACK_TLS_DONE, 1, on_done, &t), -1);
    assert_int_equal(t.done, 1);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),     cmocka_unit_test(test_known),   cmocka_unit_test(test_ends),
        cmocka_unit_test(test_at_once),    cmocka_unit_test(test_garbage), cmocka_unit_test(test_wrong_type),
        cmocka_unit_test(test_many_hosts), cmocka_unit_test(test_away),
    };

    return cmocka_run_group_tests(tests, server_setup, server_teardown);
}
