/* redis_faults.t.c - what no real Redis says, and errors that one says seldom: see redis_fake.h. Every test ends with a
 * connection that works. */
#include "redis_io.h"

#include "redis_client.h"
#include "redis_fake.h"

#include <signal.h>

#define CASES(list) (sizeof(list) / sizeof((list)[0]))
#define ENDLESS_LIMIT \
    (4 * 1048576) /* far below what the server would send; one reply's limit and the buffers between */

/* "_" an empty string, "-WORD" an error, "!" none, "?" others */
static void on_reply(void *ctx, redisReply *reply)
{
    struct client *c = ctx;
    size_t len = strlen(c->log);

    if (reply == NULL)
        c->nulls++;
    else
        c->replies++;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
        (void)snprintf(c->log + len, sizeof(c->log) - len, "-%.*s ", (int)strcspn(reply->str, " "), reply->str);
    else
        (void)snprintf(c->log + len, sizeof(c->log) - len, "%s",
                       reply == NULL ? "! " : (reply->type == REDIS_REPLY_STRING && reply->len == 0 ? "_ " : "? "));
}

static void get(struct client *c)
{
    static const char *const words[] = {"GETRANGE", "p:dest:example.com", "0", "1048576"};

    assert_int_equal(redis_send(c->redis, on_reply, c, 4, words, NULL), 0);
}

struct reply_case {
    const char *what;
    struct fake_fault fault;
    const char *log; /* of two sent together, and one when the connection is up (again) */
    unsigned ups;
};

/* Replies to a GETRANGE. After one that breaks the protocol nothing on that connection can be believed. */
static const struct reply_case replies[] = {
    {"an integer", {"GETRANGE", ":1\r\n", 0, false}, "! ! _ ", 2},
    {"a status", {"GETRANGE", "+OK\r\n", 0, false}, "! ! _ ", 2},
    {"an array", {"GETRANGE", "*0\r\n", 0, false}, "! ! _ ", 2},
    {"nil", {"GETRANGE", "$-1\r\n", 0, false}, "! ! _ ", 2},
    {"two", {"GETRANGE", "$0\r\n\r\n$0\r\n\r\n", 0, false}, "_ _ _ ", 2},
    {"none, and the end", {"GETRANGE", "", 0, true}, "! ! _ ", 2},
    {"a part, and the end", {"GETRANGE", "$10\r\nabc", 0, true}, "! ! _ ", 2},
    {"a part of a line, and the end", {"GETRANGE", "-ERR", 0, true}, "! ! _ ", 2},
    {"a part, and nothing more", {"GETRANGE", "$9\r\nabc", 0, false}, "! ! _ ", 2},
    {"HTTP", {"GETRANGE", "HTTP/1.1 400 Bad Request\r\n\r\n", 0, false}, "! ! _ ", 2},
    {"RESP3", {"GETRANGE", "_\r\n", 0, false}, "! ! _ ", 2},
    {"a RESP3 map", {"GETRANGE", "%1\r\n+a\r\n+b\r\n", 0, false}, "! ! _ ", 2},
    {"an empty line", {"GETRANGE", "\r\n", 0, false}, "! ! _ ", 2},
    {"no length", {"GETRANGE", "$\r\n", 0, false}, "! ! _ ", 2},
    {"a length of -5", {"GETRANGE", "$-5\r\n", 0, false}, "! ! _ ", 2},
    {"a length that is no number", {"GETRANGE", "$1x\r\n", 0, false}, "! ! _ ", 2},
    {"a length past 64 bits", {"GETRANGE", "$99999999999999999999\r\n", 0, false}, "! ! _ ", 2},
    {"the longest length", {"GETRANGE", "$9223372036854775807\r\n", 'x', false}, "! ! _ ", 2},
    {"a bulk longer than it said", {"GETRANGE", "$3\r\nabcde\r\n", 0, false}, "! ! _ ", 2},
    {"an endless bulk", {"GETRANGE", "$2000000000\r\n", 'x', false}, "! ! _ ", 2},
    {"an endless line", {"GETRANGE", "+", 'x', false}, "! ! _ ", 2},
    {"an endless number", {"GETRANGE", ":", '1', false}, "! ! _ ", 2},
    {"no number", {"GETRANGE", ":1a\r\n", 0, false}, "! ! _ ", 2},
    {"1,000,000,000 elements", {"GETRANGE", "*1000000000\r\n", 0, false}, "! ! _ ", 2},
    {"2,147,483,647 elements", {"GETRANGE", "*2147483647\r\n", '*', false}, "! ! _ ", 2},
    {"-2 elements", {"GETRANGE", "*-2\r\n", 0, false}, "! ! _ ", 2},
    {"too many elements in all", {"GETRANGE", "*2\r\n*60000\r\n*60000\r\n*60000\r\n", 0, false}, "! ! _ ", 2},
    {"nested too deep",
     {"GETRANGE", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", 0, false},
     "! ! _ ",
     2},
    {"LOADING", {"GETRANGE", "-LOADING Redis is loading the dataset in memory\r\n", 0, false}, "-LOADING _ _ ", 1},
    {"NOAUTH", {"GETRANGE", "-NOAUTH Authentication required.\r\n", 0, false}, "-NOAUTH _ _ ", 1},
    {"READONLY",
     {"GETRANGE", "-READONLY You can't write against a read only replica.\r\n", 0, false},
     "-READONLY _ _ ",
     1},
    {"MOVED", {"GETRANGE", "-MOVED 3999 127.0.0.1:6381\r\n", 0, false}, "-MOVED _ _ ", 1},
    {"OOM", {"GETRANGE", "-OOM command not allowed\r\n", 0, false}, "-OOM _ _ ", 1},
    {"BUSY", {"GETRANGE", "-BUSY Redis is busy running a script.\r\n", 0, false}, "-BUSY _ _ ", 1},
    {"an error without a word", {"GETRANGE", "-\r\n", 0, false}, "- _ _ ", 1},
};

/* What is slow here is this machine alone: no reply is waited for in vain. */
static void fake_client_open(struct fake *f, const struct fake_fault *fault, struct client *c)
{
    fake_init(f, fault);
    client_open(c, f->url, 10000);
    fake_listen(f, c->base);
}

static void fake_client_close(struct fake *f, struct client *c)
{
    fake_close(f);
    client_close(c);
}

static void reply_check(const struct reply_case *k)
{
    struct client c;
    struct fake f;

    fake_client_open(&f, &k->fault, &c);
    client_wait_up(&c);
    get(&c);
    get(&c);
    WAIT(&c, c.replies + c.nulls == 2);
    WAIT(&c, c.ups == k->ups);
    get(&c);
    WAIT(&c, c.replies + c.nulls == 3);
    if (strcmp(c.log, k->log) != 0)
        fail_msg("%s: %s", k->what, c.log);
    assert_int_equal(c.ups, k->ups);
    assert_in_range(f.endless_sent, 0, ENDLESS_LIMIT);
    fake_client_close(&f, &c);
}

static void test_replies(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < CASES(replies); i++)
        reply_check(&replies[i]);
}

/* Octets that nobody asked for, when nothing is under way. */
static void test_unasked(void **state)
{
    static const char *const unasked[] = {
        "+OK\r\n", "-ERR no reason\r\n", "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n", "*0\r\n", "$-1\r\n", "\r\n",
    };
    static const struct fake_fault none = {NULL, "", 0, false};
    size_t i;

    (void)state;
    for (i = 0; i < CASES(unasked); i++) {
        struct client c;
        struct fake f;

        fake_client_open(&f, &none, &c);
        client_wait_up(&c);
        fake_say(LIST_FIRST(&f.conns), unasked[i]);
        WAIT(&c, c.ups == 2);
        get(&c);
        WAIT(&c, c.replies == 1);
        assert_string_equal(c.log, "_ ");
        fake_client_close(&f, &c);
    }
}

/* Replies to the commands that begin a connection: it is not up until all are as they must be. */
static void test_hello(void **state)
{
    static const struct fake_fault faults[] = {
        {"AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n", 0, false},
        {"AUTH", "-ERR AUTH <password> called without any password configured for the default user.\r\n", 0, false},
        {"AUTH", ":1\r\n", 0, false},
        {"AUTH", "+PONG\r\n", 0, false},
        {"AUTH", "*0\r\n", 0, false},
        {"AUTH", "$2000000000\r\n", 'x', false},
        {"SELECT", "-ERR DB index is out of range\r\n", 0, false},
        {"SELECT", "$2\r\nOK\r\n", 0, false},
        {"PING", "-LOADING Redis is loading the dataset in memory\r\n", 0, false},
        {"PING", "-NOAUTH Authentication required.\r\n", 0, false},
        {"PING", "-MASTERDOWN Link with MASTER is down\r\n", 0, false},
        {"PING", "+OK\r\n", 0, false},
        {"PING", "+PONGS\r\n", 0, false},
        {"PING", "$4\r\nPONG\r\n", 0, false},
        {"PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n", 0, false},
        {"PING", "$-1\r\n", 0, false},
        {"PING", "", 0, true},
        {"PING", "+PO", 0, true},
        {"PING", "220 mail.example ESMTP\r\n", 0, false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < CASES(faults); i++) {
        struct client c;
        struct fake f;

        fake_init(&f, &faults[i]);
        client_init(&c, f.url, 1000, "", "secret", 3);
        fake_listen(&f, c.base);
        f.faults_left = 2;
        WAIT(&c, f.faults_left == 0);
        assert_int_equal(c.ups, 0);
        WAIT(&c, c.ups == 1);
        get(&c);
        WAIT(&c, c.replies == 1);
        assert_string_equal(c.log, "_ ");
        assert_in_range(f.endless_sent, 0, 2 * ENDLESS_LIMIT);
        fake_client_close(&f, &c);
    }
}

/* --- being told of changes --- */

struct changes {
    int nulls, keys;
};

static void on_change(void *ctx, const char *key, size_t len)
{
    struct changes *ch = ctx;

    if (key != NULL) {
        assert_memory_equal(key, "dest:a", len);
        ch->keys++;
    } else {
        ch->nulls++;
    }
}

static void track(struct client *c, struct changes *ch)
{
    static const char *const kinds[] = {"dest", NULL};

    ch->nulls = 0;
    ch->keys = 0;
    redis_track(c->redis, kinds, on_change, ch);
}

/* Replies on the way to being told, each given twice. */
static void test_track_steps(void **state)
{
    static const struct fake_fault faults[] = {
        {"CLIENT ID", "+OK\r\n", 0, false},
        {"CLIENT ID", "-ERR unknown\r\n", 0, false},
        {"CLIENT ID", "$1\r\n7\r\n", 0, false},
        {"CLIENT ID", "*1000000000\r\n", 0, false},
        {"SUBSCRIBE", ":1\r\n", 0, false},
        {"SUBSCRIBE", "-NOPERM no\r\n", 0, false},
        {"SUBSCRIBE", "*0\r\n", 0, false},
        {"SUBSCRIBE", "*3\r\n$7\r\nmessage\r\n" FAKE_CHANNEL "*-1\r\n", 0, false},
        {"SUBSCRIBE", "*3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n", 0, false},
        {"SUBSCRIBE", "*3\r\n*0\r\n:1\r\n$-1\r\n", 0, false},
        {"SUBSCRIBE", "", 0, true},
        {"CLIENT TRACKING", ":1\r\n", 0, false},
        {"CLIENT TRACKING", "$-1\r\n", 0, false},
        {"CLIENT TRACKING", "*0\r\n", 0, false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < CASES(faults); i++) {
        struct changes ch;
        struct client c;
        struct fake f;

        fake_client_open(&f, &faults[i], &c);
        f.faults_left = 2;
        track(&c, &ch);
        WAIT(&c, f.faults_left == 0);
        WAIT(&c, redis_tracking(c.redis));
        assert_int_equal(ch.nulls, 1);
        fake_push(&f, "*3\r\n$7\r\nmessage\r\n" FAKE_CHANNEL "*1\r\n$8\r\np:dest:a\r\n");
        WAIT(&c, ch.keys == 1);
        fake_client_close(&f, &c);
    }
}

/* Messages of a wrong form: whatever they meant to say, anything may have changed. */
static void test_messages(void **state)
{
    static const char *const messages[] = {
        "*3\r\n$7\r\nmessage\r\n" FAKE_CHANNEL ":1\r\n",
        "*3\r\n$7\r\nmessage\r\n" FAKE_CHANNEL "$8\r\np:dest:a\r\n",
        "*3\r\n$7\r\nmessage\r\n" FAKE_CHANNEL "*1\r\n:1\r\n",
        "*3\r\n$7\r\nmessage\r\n" FAKE_CHANNEL "*1\r\n*1\r\n$8\r\np:dest:a\r\n",
        "*3\r\n$7\r\nmessage\r\n" FAKE_CHANNEL "*1\r\n$-1\r\n",
        "*3\r\n$7\r\nmessage\r\n$5\r\nother\r\n*1\r\n$8\r\np:dest:a\r\n",
        "*3\r\n$7\r\nmessage\r\n:1\r\n*1\r\n$8\r\np:dest:a\r\n",
        "*2\r\n$7\r\nmessage\r\n" FAKE_CHANNEL,
        "*3\r\n$9\r\nsubscribe\r\n" FAKE_CHANNEL ":1\r\n",
        "*3\r\n$11\r\nunsubscribe\r\n" FAKE_CHANNEL ":0\r\n",
        "*3\r\n$-1\r\n" FAKE_CHANNEL "*0\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*1000000000\r\n",
        "+OK\r\n",
        "+PONG\r\n",
        ":8\r\n",
        "-ERR no\r\n",
        "$-1\r\n",
        ">2\r\n$10\r\ninvalidate\r\n*1\r\n$8\r\np:dest:a\r\n",
    };
    static const struct fake_fault none = {NULL, "", 0, false};
    size_t i;

    (void)state;
    for (i = 0; i < CASES(messages); i++) {
        struct changes ch;
        struct client c;
        struct fake f;

        fake_client_open(&f, &none, &c);
        track(&c, &ch);
        WAIT(&c, redis_tracking(c.redis));
        fake_push(&f, messages[i]);
        WAIT(&c, ch.nulls == 2);
        assert_int_equal(ch.keys, 0);
        assert_true(redis_tracking(c.redis));
        assert_int_equal(c.downs, 0);
        fake_client_close(&f, &c);
    }
}

/* What a server that reads nothing leaves with us is bounded, in octets too. */
static void test_output(void **state)
{
    static char value[1048576];
    const char *const words[] = {"SET", "p:dest:a", value};
    static const size_t lengths[] = {3, 8, sizeof(value)};
    static const struct fake_fault none = {NULL, "", 0, false};
    struct client c;
    struct fake f;
    int sent = 0;

    (void)state;
    fake_client_open(&f, &none, &c);
    client_wait_up(&c);
    while (sent < 1000 && redis_send(c.redis, NULL, NULL, 3, words, lengths) == 0)
        sent++;
    assert_in_range(sent, 8, 64);
    client_run_ms(&c, 1);
    assert_true(redis_up(c.redis));
    fake_client_close(&f, &c);
}

static int setup(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),     cmocka_unit_test(test_unasked),  cmocka_unit_test(test_hello),
        cmocka_unit_test(test_track_steps), cmocka_unit_test(test_messages), cmocka_unit_test(test_output),
    };

    return cmocka_run_group_tests_name("redis_faults", tests, setup, NULL);
}
