/* redis_replies.t.c - replies out of octets, and the limits. What a connection makes of them is in redis_faults.t.c. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "redis_replies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

static void write_reply(struct buf *out, const redisReply *r)
{
    size_t i;

    buf_str(out, redis_reply_type_name(r->type));
    if (r->type == REDIS_REPLY_INTEGER)
        buf_printf(out, " %lld", r->integer);
    else if (r->type == REDIS_REPLY_ARRAY)
        buf_printf(out, " %zu (", r->elements);
    else if (r->type != REDIS_REPLY_NIL)
        buf_printf(out, " %s", r->str);
    for (i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++) {
        buf_str(out, i > 0 ? ", " : "");
        write_reply(out, r->element[i]);
    }
    buf_str(out, r->type == REDIS_REPLY_ARRAY ? ")" : "");
}

/* All replies in text, `step` octets at a time, each ended by ";", "!" for the error. */
static void read_all(struct buf *out, const char *text, size_t len, size_t step, struct err *e)
{
    struct redis_replies *s = redis_replies_new();
    redisReply *reply;
    int found = 0;
    size_t at;

    for (at = 0; at < len && found >= 0; at += step) {
        redis_replies_feed(s, text + at, len - at < step ? len - at : step);
        while ((found = redis_replies_next(s, &reply, e)) > 0) {
            write_reply(out, reply);
            buf_char(out, ';');
            freeReplyObject(reply);
        }
    }
    if (found < 0) {
        buf_char(out, '!');
        redis_replies_feed(s, "+OK\r\n", 5);
        assert_int_equal(redis_replies_next(s, &reply, e), -1); /* for ever */
    }
    redis_replies_free(s);
}

static void test_read(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"+OK\r\n", "status OK;"},
        {"-ERR no\r\n", "error ERR no;"},
        {":-12\r\n:0\r\n", "integer -12;integer 0;"},
        {"$-1\r\n*-1\r\n", "nil;nil;"},
        {"$3\r\na\r\n\r\n$0\r\n\r\n", "string a\r\n;string ;"},
        {"*0\r\n", "array 0 ();"},
        {"*3\r\n+a\r\n*2\r\n:1\r\n$-1\r\n$1\r\nb\r\n", "array 3 (status a, array 2 (integer 1, nil), string b);"},
        {"+a\r\n+b", "status a;"},
        {"+a\r\n?", "status a;!"},
        {"$2\r\nabc\r\n", "!"},
        {"$2\r\nab\n\r", "!"},
        {"$-2\r\n", "!"},
        {"$ 1\r\na\r\n", "!"},
        {":1a\r\n", "!"},
        {":9223372036854775808\r\n", "!"},
        {":9223372036854775807\r\n", "integer 9223372036854775807;"},
        {"*-2\r\n", "!"},
        {"*65537\r\n", "!"},
        {"*2\r\n*32768\r\n", ""},
        {"*1000000000\r\n", "!"},
        {"*99999999999999999999\r\n", "!"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "!"},
        {"_\r\n", "!"},
    };
    size_t i;
    size_t step;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (step = 1; step < 30; step += 4) {
            struct err e = {""};
            struct buf out;

            buf_init(&out, 1000);
            read_all(&out, cases[i].text, strlen(cases[i].text), step, &e);
            assert_string_equal(buf_text(&out), cases[i].want);
            assert_int_equal(e.text[0] == '\0', strchr(cases[i].want, '!') == NULL);
            buf_clear(&out);
        }
    }
}

/* A string of so many octets in all, and the end of the next reply. */
static int read_string(size_t octets, struct err *e)
{
    char *text = malloc(octets + 5);
    size_t head = (size_t)snprintf(text, octets, "$%zu\r\n", octets - 12); /* seven digits */
    struct redis_replies *s = redis_replies_new();
    redisReply *reply;
    int found;
    size_t at;

    assert_int_equal(head, 10);
    memset(text + head, 'x', octets - head);
    memcpy(text + octets - 2, "\r\n+OK\r\n", 7);
    for (at = 0, found = 0; found == 0 && at < octets + 5; at += 65521) {
        redis_replies_feed(s, text + at, octets + 5 - at < 65521 ? octets + 5 - at : 65521);
        found = redis_replies_next(s, &reply, e);
    }
    if (found > 0) {
        assert_int_equal(reply->len, octets - 12);
        freeReplyObject(reply);
        assert_int_equal(redis_replies_next(s, &reply, e), 1);
        assert_string_equal(reply->str, "OK");
        freeReplyObject(reply);
    }
    redis_replies_free(s);
    free(text);
    return found;
}

static void test_octets(void **state)
{
    struct err e = {""};

    (void)state;
    assert_int_equal(read_string(REDIS_REPLY_OCTETS_MAX, &e), 1);
    assert_int_equal(read_string(REDIS_REPLY_OCTETS_MAX + 1, &e), -1);
    assert_string_equal(e.text, "not Redis' protocol: a reply that is too long");
}

/* The limit is of each reply, not of all that ever came. */
static void test_many(void **state)
{
    struct redis_replies *s = redis_replies_new();
    char text[] = "*1\r\n*16000\r\n";
    char *nils = malloc((size_t)16000 * 5);
    struct err e = {""};
    redisReply *reply;
    size_t i;

    (void)state;
    for (i = 0; i < 16000; i++)
        memcpy(nils + i * 5, "$-1\r\n", 5);
    for (i = 0; i < 40; i++) {
        redis_replies_feed(s, text, strlen(text));
        assert_int_equal(redis_replies_next(s, &reply, &e), 0);
        redis_replies_feed(s, nils, (size_t)16000 * 5);
        assert_int_equal(redis_replies_next(s, &reply, &e), 1);
        assert_int_equal(reply->element[0]->elements, 16000);
        freeReplyObject(reply);
        assert_int_equal(redis_replies_next(s, &reply, &e), 0);
    }
    free(nils);
    redis_replies_free(s);
    redis_replies_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests_name("redis_replies", tests, NULL, NULL);
}
