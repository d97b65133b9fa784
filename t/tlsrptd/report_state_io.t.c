/* report_state_io.t.c - states of reports in a real Redis: several nodes at once, one that dies, a Redis that goes away
 * (checks W6, W9). */
#include "redis_server.h" /* before cmocka.h */

#include "report_state_io.h"

#include "redis_client.h"

#define DAY    20779
#define KEY    "p:tlsrpt-sent:2026-11-22:example.com"
#define FIELD  "mailto:r@example.com 0123"
#define CLAIMS 1000

struct told {
    int done, taken, begun;
    enum report_verdict verdict;
    char why[100];
};

static void note_why(struct told *t, const char *why)
{
    (void)snprintf(t->why, sizeof(t->why), "%s", why != NULL ? why : "");
    t->done++;
}

static void on_claimed(void *ctx, enum report_verdict verdict, const char *why)
{
    struct told *t = ctx;

    t->verdict = verdict;
    t->taken += verdict == REPORT_TAKEN && why == NULL;
    note_why(t, why);
}

static void on_begun(void *ctx, bool ours, const char *why)
{
    struct told *t = ctx;

    t->begun += ours;
    note_why(t, why);
}

static struct report_ticket ticket(const char *field)
{
    struct report_ticket t = {.day = DAY, .domain = "example.com", .keep = 1000};

    (void)snprintf(t.field, sizeof(t.field), "%s", field);
    return t;
}

/* A node. */
struct node {
    struct client c;
    struct report_states *states;
};

static void node_open(struct node *n)
{
    client_open(&n->c, server.url, 20000);
    client_wait_up(&n->c);
    n->states = report_states_new(n->c.base, n->c.redis);
}

static void node_close(struct node *n)
{
    report_states_free(n->states);
    client_close(&n->c);
}

static enum report_verdict claim(struct node *n, struct report_ticket *t, enum report_claim_how how, int64_t now)
{
    struct told told = {0};

    report_states_claim(n->states, t, how, now, on_claimed, &told);
    WAIT(&n->c, told.done == 1);
    assert_string_equal(told.why, "");
    return told.verdict;
}

static bool begin(struct node *n, struct report_ticket *t, int64_t now)
{
    struct told told = {0};

    report_states_begin(n->states, t, now, on_begun, &told);
    WAIT(&n->c, told.done == 1);
    return told.begun == 1;
}

static void end(struct node *n, const struct report_ticket *t, enum report_stage stage, int64_t next, int64_t now)
{
    report_states_end(n->states, t, stage, next, "said so", now);
    WAIT(&n->c, report_states_waiting(n->states) == 0);
}

static void expect(const char *part)
{
    redisReply *reply = redisCommand(server.other, "HGET " KEY " %s", FIELD);

    assert_non_null(reply);
    if (reply->type != REDIS_REPLY_STRING || strstr(reply->str, part) == NULL)
        fail_msg("%s: want %s", reply->str != NULL ? reply->str : "nothing", part);
    freeReplyObject(reply);
}

static void test_steps(void **state)
{
    struct report_ticket t = ticket(FIELD), u = ticket(FIELD);
    struct node n;

    (void)state;
    other_do(&server, "FLUSHALL");
    node_open(&n);
    assert_int_equal(claim(&n, &t, REPORT_BY_ITSELF, 100), REPORT_TAKEN);
    expect("\"state\":\"claimed\"");
    assert_in_range(other_do(&server, "TTL " KEY), 900, 1000); /* W9: it is not kept for ever */
    assert_int_equal(claim(&n, &u, REPORT_BY_ITSELF, 101), REPORT_LATER);
    assert_true(u.state.next == 100 + REPORT_LEASE);
    assert_true(begin(&n, &t, 102));
    expect("\"state\":\"sending\"");
    assert_false(begin(&n, &t, 102)); /* once */
    end(&n, &t, REPORT_FAILED, 500, 103);
    expect("\"state\":\"failed\"");
    expect("\"next\":500,\"tries\":1,\"why\":\"said so\"");
    assert_int_equal(claim(&n, &t, REPORT_BY_ITSELF, 499), REPORT_LATER);
    assert_int_equal(claim(&n, &t, REPORT_BY_ITSELF, 500), REPORT_TAKEN);
    assert_true(begin(&n, &t, 501));
    end(&n, &t, REPORT_SENT, 0, 502);
    expect("\"state\":\"sent\"");
    assert_int_equal(claim(&n, &t, REPORT_BY_ITSELF, 5000000), REPORT_OVER);
    assert_int_equal(claim(&n, &t, REPORT_BY_HAND, 5000000), REPORT_OVER);
    assert_int_equal(claim(&n, &t, REPORT_AGAIN, 5000000), REPORT_TAKEN);
    node_close(&n);
}

/* W6: two nodes, and two claims of each, for each of many; one of them gets it. */
static void test_race(void **state)
{
    static struct report_ticket t[4][CLAIMS];
    struct told told[CLAIMS];
    struct node n[2];
    int left = 0;

    (void)state;
    other_do(&server, "FLUSHALL");
    memset(told, 0, sizeof(told));
    for (int i = 0; i < 2; i++)
        node_open(&n[i]);
    for (int i = 0; i < CLAIMS; i++) {
        for (int who = 0; who < 4; who++) {
            char field[64];

            (void)snprintf(field, sizeof(field), "mailto:r%d@example.com 0123", i);
            t[who][i] = ticket(field);
            report_states_claim(n[(who + i) % 2].states, &t[who][i], REPORT_BY_ITSELF, 100, on_claimed, &told[i]);
        }
        if (i % 10 == 0) {
            client_run_ms(&n[0].c, 1);
            client_run_ms(&n[1].c, 1);
        }
    }
    for (int turn = 0; turn < 2000; turn++) {
        left = 0;
        client_run_ms(&n[0].c, 1);
        client_run_ms(&n[1].c, 1);
        for (int i = 0; i < CLAIMS; i++)
            left += 4 - told[i].done;
        if (left == 0)
            break;
    }
    assert_int_equal(left, 0);
    for (int i = 0; i < CLAIMS; i++)
        assert_int_equal(told[i].taken, 1);
    assert_int_equal(other_do(&server, "HLEN " KEY), CLAIMS);
    for (int i = 0; i < 2; i++)
        node_close(&n[i]);
}

/* Claimed, and dead: another takes it after the lease. The first, if it was only slow, does not send. */
static void test_dead_claimed(void **state)
{
    struct report_ticket t = ticket(FIELD), u = ticket(FIELD);
    struct node a, b;

    (void)state;
    other_do(&server, "FLUSHALL");
    node_open(&a);
    node_open(&b);
    assert_int_equal(claim(&a, &t, REPORT_BY_ITSELF, 100), REPORT_TAKEN);
    assert_int_equal(claim(&b, &u, REPORT_BY_ITSELF, 100 + REPORT_LEASE - 1), REPORT_LATER);
    assert_int_equal(claim(&b, &u, REPORT_BY_ITSELF, 100 + REPORT_LEASE), REPORT_TAKEN);
    assert_false(begin(&a, &t, 101 + REPORT_LEASE));
    assert_true(begin(&b, &u, 102 + REPORT_LEASE));
    end(&a, &t, REPORT_FAILED, 5000, 103 + REPORT_LEASE);
    expect("\"state\":\"sending\"");
    node_close(&a);
    node_close(&b);
}

/* Dead while sending: unknown from then on, unless it was only slow. */
static void test_dead_sending(void **state)
{
    struct report_ticket t = ticket(FIELD), u = ticket(FIELD);
    struct node a, b;

    (void)state;
    other_do(&server, "FLUSHALL");
    node_open(&a);
    node_open(&b);
    assert_int_equal(claim(&a, &t, REPORT_BY_ITSELF, 100), REPORT_TAKEN);
    assert_true(begin(&a, &t, 101));
    assert_int_equal(claim(&b, &u, REPORT_BY_ITSELF, 101 + REPORT_LEASE), REPORT_EXPIRED);
    expect("\"state\":\"unknown\"");
    assert_int_equal(claim(&b, &u, REPORT_BY_ITSELF, 9999999), REPORT_OVER);
    end(&a, &t, REPORT_SENT, 0, 9999999);
    expect("\"state\":\"sent\"");
    node_close(&a);
    node_close(&b);
}

/* Redis is away when it is to leave: it does not. When the outcome is there: it is written when Redis is back, though
 * Redis has lost all. */
static void test_away(void **state)
{
    struct report_ticket t = ticket(FIELD), u = ticket("mailto:x@example.com 0123");
    struct told told = {0};
    struct node n;

    (void)state;
    other_do(&server, "FLUSHALL");
    node_open(&n);
    assert_int_equal(claim(&n, &t, REPORT_BY_ITSELF, 100), REPORT_TAKEN);
    assert_true(begin(&n, &t, 101));
    assert_int_equal(claim(&n, &u, REPORT_BY_ITSELF, 100), REPORT_TAKEN);
    redis_server_stop(&server);
    report_states_begin(n.states, &u, 102, on_begun, &told);
    WAIT(&n.c, told.done == 1);
    assert_int_equal(told.begun, 0);
    assert_string_not_equal(told.why, "");
    report_states_claim(n.states, &u, REPORT_BY_ITSELF, 100, on_claimed, &told);
    WAIT(&n.c, told.done == 2);
    assert_int_equal(told.taken, 0);
    report_states_end(n.states, &t, REPORT_SENT, 0, NULL, 103);
    client_run_ms(&n.c, 300);
    assert_int_equal(report_states_waiting(n.states), 1);
    redis_server_start(&server);
    WAIT(&n.c, report_states_waiting(n.states) == 0);
    expect("\"state\":\"sent\"");
    node_close(&n);
}

/* Let go with everything under way: no callback, no leak. */
static void test_let_go(void **state)
{
    struct report_ticket t = ticket(FIELD), u = ticket("mailto:x@example.com 0123");
    struct told told = {0};
    struct node n;

    (void)state;
    other_do(&server, "FLUSHALL");
    node_open(&n);
    assert_int_equal(claim(&n, &t, REPORT_BY_ITSELF, 100), REPORT_TAKEN);
    report_states_claim(n.states, &u, REPORT_BY_ITSELF, 100, on_claimed, &told);
    report_states_end(n.states, &t, REPORT_SENT, 0, NULL, 103);
    report_states_free(n.states);
    client_run_ms(&n.c, 100);
    n.states = NULL;
    node_close(&n);
    client_open(&n.c, "", 1000); /* no Redis at all */
    n.states = report_states_new(n.c.base, n.c.redis);
    report_states_claim(n.states, &u, REPORT_BY_ITSELF, 100, on_claimed, &told);
    report_states_end(n.states, &t, REPORT_SENT, 0, NULL, 103);
    node_close(&n);
    assert_int_equal(told.done, 0);
}

/* Foreign text there: not sent, and not written over. */
static void test_garbage(void **state)
{
    struct report_ticket t = ticket(FIELD);
    struct told told = {0};
    struct node n;

    (void)state;
    other_do(&server, "FLUSHALL");
    node_open(&n);
    other_do(&server, "HSET " KEY " %s %b", FIELD, "{\0}", (size_t)3);
    assert_int_equal(claim(&n, &t, REPORT_BY_ITSELF, 100), REPORT_OVER);
    other_do(&server, "DEL " KEY);
    other_do(&server, "SET " KEY " x");
    report_states_claim(n.states, &t, REPORT_BY_ITSELF, 100, on_claimed, &told);
    WAIT(&n.c, told.done == 1);
    assert_non_null(strstr(told.why, "WRONGTYPE"));
    node_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),        cmocka_unit_test(test_race), cmocka_unit_test(test_dead_claimed),
        cmocka_unit_test(test_dead_sending), cmocka_unit_test(test_away), cmocka_unit_test(test_let_go),
        cmocka_unit_test(test_garbage),
    };

    return cmocka_run_group_tests(tests, server_setup, server_teardown);
}
