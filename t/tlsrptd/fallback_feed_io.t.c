/* fallback_feed_io.t.c - outcomes of many deliveries into a real Redis, which is away at times. */
#include "redis_server.h" /* before cmocka.h */

#include "fallback_feed_io.h"
#include "redis_client.h"

static void has(const char *host, const char *json)
{
    redisReply *reply = redisCommand(server.other, "HGET p:fallback:example.com %s", host);

    assert_non_null(reply);
    assert_string_equal(reply->type == REDIS_REPLY_STRING ? reply->str : "", json);
    freeReplyObject(reply);
}

static long long evals(void)
{
    redisReply *reply = redisCommand(server.other, "INFO commandstats");
    const char *at = strstr(reply->str, "cmdstat_eval:calls=");
    long long count = at == NULL ? 0 : strtoll(at + strlen("cmdstat_eval:calls="), NULL, 10);

    freeReplyObject(reply);
    return count;
}

static void feed_open(struct client *c, struct fallback_feed **f)
{
    other_do(&server, "FLUSHALL");
    other_do(&server, "CONFIG RESETSTAT");
    client_open(c, server.url, 20000);
    client_wait_up(c);
    *f = fallback_feed_new(c->base, c->redis);
}

static void feed_close(struct client *c, struct fallback_feed *f)
{
    fallback_feed_free(f);
    client_close(c);
}

static void add(struct fallback_feed *f, const char *host, enum fallback_event event, int64_t at)
{
    fallback_feed_add(f, "example.com", host, event, at);
}

#define SETTLE(c, f) WAIT(c, fallback_feed_stats(f).waiting == 0)

/* What goes well all the time is asked once, and writes nothing. */
static void test_well(void **state)
{
    struct fallback_feed *f;
    struct client c;

    (void)state;
    feed_open(&c, &f);
    for (int i = 0; i < 1000; i++)
        add(f, "mx1", FALLBACK_TLS_DONE, 100 + i);
    SETTLE(&c, f);
    for (int i = 0; i < 1000; i++)
        add(f, "mx1", FALLBACK_TLS_DONE, 2000 + i);
    SETTLE(&c, f);
    has("mx1", "");
    assert_int_equal(evals(), 1);
    assert_int_equal(fallback_feed_stats(f).told, 1);

    /* A failure ends that, for this host and, as its good news are asked again, the next hop. */
    add(f, "mx1", FALLBACK_HANDSHAKE_FAILED, 4000);
    SETTLE(&c, f);
    has("mx1", "{\"v\":1,\"handshake\":4000}");
    add(f, "mx1", FALLBACK_TLS_DONE, 4001);
    add(f, "mx2", FALLBACK_TLS_DONE, 4002);
    add(f, "mx2", FALLBACK_PLAIN_DONE, 4003);
    SETTLE(&c, f);
    has("mx1", "{\"v\":1,\"handshake\":4000,\"tls\":4001}");
    has("mx2", "{\"v\":1,\"tls\":4002,\"plain\":4003}");
    feed_close(&c, f);
}

/* Many at once are told once of each kind, the last of it. */
static void test_gathered(void **state)
{
    struct fallback_feed *f;
    struct client c;

    (void)state;
    feed_open(&c, &f);
    for (int i = 0; i < 1000; i++) {
        add(f, "mx1", FALLBACK_LATER_FAILED, 100 + i);
        add(f, "mx1", FALLBACK_PLAIN_DONE, 200 + i);
    }
    add(f, "mx1", FALLBACK_LATER_FAILED, 50);
    add(f, "", FALLBACK_LATER_FAILED, 50);
    SETTLE(&c, f);
    has("mx1", "{\"v\":1,\"later\":1099,\"plain\":1199}");
    assert_in_range(evals(), 1, 5);
    feed_close(&c, f);
}

/* Redis is away: it comes later, with its time. */
static void test_away(void **state)
{
    struct fallback_feed *f;
    struct client c;
    char host[20];

    (void)state;
    feed_open(&c, &f);
    redis_server_stop(&server);
    WAIT(&c, c.downs == 1);
    add(f, "mx1", FALLBACK_HANDSHAKE_FAILED, 100);
    add(f, "mx1", FALLBACK_HANDSHAKE_FAILED, 110);
    for (int i = 0; i < FALLBACK_FEED_MAX; i++) {
        (void)snprintf(host, sizeof(host), "well%d.test", i);
        fallback_feed_add(f, host, "mx", FALLBACK_TLS_DONE, 1);
    }
    add(f, "mx2", FALLBACK_HANDSHAKE_FAILED, 120);
    assert_int_equal(fallback_feed_stats(f).waiting, FALLBACK_FEED_MAX);
    assert_int_equal(fallback_feed_stats(f).lost, 2);
    client_run_ms(&c, 50);
    redis_server_start(&server);
    SETTLE(&c, f);
    has("mx1", "{\"v\":1,\"handshake\":110}");
    has("mx2", "{\"v\":1,\"handshake\":120}");
    assert_int_equal(fallback_feed_stats(f).told, FALLBACK_FEED_MAX);
    feed_close(&c, f);
}

/* The end, in either order, with something under way. */
static void test_end(void **state)
{
    struct fallback_feed *f;
    struct client c;

    (void)state;
    feed_open(&c, &f);
    add(f, "mx1", FALLBACK_HANDSHAKE_FAILED, 100);
    client_run_ms(&c, 1);
    add(f, "mx1", FALLBACK_HANDSHAKE_FAILED, 101);
    feed_close(&c, f);

    feed_open(&c, &f);
    add(f, "mx1", FALLBACK_HANDSHAKE_FAILED, 100);
    redis_free(c.redis);
    fallback_feed_free(f);
    event_base_free(c.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well),
        cmocka_unit_test(test_gathered),
        cmocka_unit_test(test_away),
        cmocka_unit_test(test_end),
    };

    return cmocka_run_group_tests(tests, server_setup, server_teardown);
}
