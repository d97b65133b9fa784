/* fallback.t.c - tests of fallback.c: stories of delivery attempts, and whether the next one goes plain. */
#include "fallback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define START 1000000
#define KEEP  3600

/*
 * A story: outcomes in the order in which they come, a letter each, ten seconds apart: h handshake failed, l broke
 * later, t TLS went well, p plain attempt; w waits KEEP seconds. Behind it, for each mode from hold to plain-for, P or
 * T: the next attempt goes plain, or by TLS.
 */
static const struct {
    const char *story;
    const char *next;
} stories[] = {
    {"", "TTTTT"},     {"t", "TTTTT"},     {"p", "TTTTT"},   {"h", "TPPPP"},   {"l", "TPTPP"},    {"hp", "TPTTP"},
    {"hph", "TPPPP"},  {"hphp", "TPTTP"},  {"hpt", "TTTTT"}, {"ht", "TTTTT"},  {"lt", "TTTTT"},   {"lp", "TPTTP"},
    {"lpl", "TPTPP"},  {"hl", "TPPPP"},    {"lh", "TPPPP"},  {"hw", "TTTTT"},  {"hpw", "TTTTT"},  {"hwh", "TPPPP"},
    {"hpwh", "TPPPP"}, {"hth", "TPPPP"},   {"hpl", "TPTPP"}, {"lph", "TPPPP"}, {"tttt", "TTTTT"}, {"hhhh", "TPPPP"},
    {"hpp", "TPTTP"},  {"hptph", "TPPPP"}, {"wh", "TPPPP"},  {"lw", "TTTTT"},  {"lwp", "TTTTT"},
};

static struct fallback_state tell(const char *story, int64_t *now)
{
    struct fallback_state s = {0};

    *now = START;
    for (; *story != '\0'; story++) {
        if (*story == 'w') {
            *now += KEEP;
            continue;
        }
        fallback_note(&s,
                      *story == 'h'   ? FALLBACK_HANDSHAKE_FAILED
                      : *story == 'l' ? FALLBACK_LATER_FAILED
                      : *story == 't' ? FALLBACK_TLS_DONE
                                      : FALLBACK_PLAIN_DONE,
                      *now);
        *now += 10;
    }
    return s;
}

static void test_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        int64_t now, until;
        struct fallback_state s = tell(stories[i].story, &now);

        for (int mode = FALLBACK_HOLD; mode <= FALLBACK_PLAIN_FOR; mode++) {
            bool plain = fallback_goes_plain(&s, (enum fallback_mode)mode, KEEP, now, &until);

            if (plain != (stories[i].next[mode] == 'P'))
                fail_msg("%s, %s: %s", stories[i].story, fallback_mode_name((enum fallback_mode)mode),
                         plain ? "plain" : "TLS");
            if (plain)
                assert_in_range(until - now, 1, KEEP);
        }
    }
}

static void test_until(void **state)
{
    struct fallback_state s = {.handshake_failed = START};
    int64_t until = 0;

    (void)state;
    assert_true(fallback_goes_plain(&s, FALLBACK_PLAIN_FOR, 60, START + 59, &until));
    assert_int_equal(until, START + 60);
    assert_false(fallback_goes_plain(&s, FALLBACK_PLAIN_FOR, 60, START + 60, &until));
}

/* Outcomes may come late and in any order: an old one does not undo what is newer. */
static void test_late_events(void **state)
{
    struct fallback_state s = {0};
    int64_t until;

    (void)state;
    fallback_note(&s, FALLBACK_HANDSHAKE_FAILED, START + 100);
    fallback_note(&s, FALLBACK_TLS_DONE, START + 50);
    fallback_note(&s, FALLBACK_HANDSHAKE_FAILED, START + 20);
    fallback_note(&s, FALLBACK_PLAIN_DONE, START + 30);
    assert_int_equal(s.handshake_failed, START + 100);
    assert_true(fallback_goes_plain(&s, FALLBACK_ALTERNATE, KEEP, START + 110, &until));
    /* a failure that is told after TLS has gone well again */
    fallback_note(&s, FALLBACK_TLS_DONE, START + 105);
    fallback_note(&s, FALLBACK_LATER_FAILED, START + 105);
    assert_false(fallback_goes_plain(&s, FALLBACK_PLAIN, KEEP, START + 110, &until));
    fallback_note(&s, FALLBACK_LATER_FAILED, START + 106);
    assert_true(fallback_goes_plain(&s, FALLBACK_PLAIN, KEEP, START + 110, &until));
}

/* From another node's clock, or a foreign hand: failures in the future do not count, nor hide those that do. */
static void test_future(void **state)
{
    static const struct {
        struct fallback_state s;
        bool plain;
    } rows[] = {
        {{.handshake_failed = START + 10000}, false},
        {{.handshake_failed = START + 60}, true},
        {{.handshake_failed = START + 61}, false},
        {{.handshake_failed = START + 10000, .later_failed = START - 1}, true},
        {{.handshake_failed = START - 1, .later_failed = START + 10000}, true},
        {{.handshake_failed = START - 1, .tls_done = START + 10000}, false},
        {{.handshake_failed = START - 1, .tls_done = START - 1}, false},
        {{.handshake_failed = START - 1, .tls_done = START - 2}, true},
        {{.handshake_failed = START - 1, .plain_done = START + 10000}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t until;

        if (fallback_goes_plain(&rows[i].s, FALLBACK_ALTERNATE_ANY, KEEP, START, &until) != rows[i].plain)
            fail_msg("row %zu", i);
    }
}

static const struct {
    const char *json;
    const char *why; /* NULL: fine */
} stored[] = {
    {"{\"v\":1}", NULL},
    {"{\"v\":1,\"handshake\":1700000000,\"more\":true}", NULL},
    {"", "no JSON object"},
    {"[]", "no JSON object"},
    {"{}", "version 0"},
    {"{\"v\":2}", "version 2"},
    {"{\"v\":1,\"later\":\"1\"}", "later: not a time"},
    {"{\"v\":1,\"plain\":-1}", "plain: not a time"},
    {"{\"v\":1,\"tls\":1.5}", "tls: not a time"},
    {"{\"v\":1,\"plain\":9223372036854775807}", "plain: not a time"},
    {"{\"v\":1,\"plain\":1,\"plain\":2}", "no JSON object"},
};

static void test_stored(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
        struct fallback_state s;
        struct err e = {""};
        int rc = fallback_from_json(&s, stored[i].json, strlen(stored[i].json), &e);

        assert_int_equal(rc, stored[i].why == NULL ? 0 : -1);
        if (stored[i].why != NULL && strstr(e.text, stored[i].why) == NULL)
            fail_msg("%s: %s", stored[i].json, e.text);
    }
}

static void test_there_and_back(void **state)
{
    const struct fallback_state s = {.handshake_failed = 5, .later_failed = 0, .tls_done = 6, .plain_done = 7};
    struct fallback_state back;
    struct buf json;

    (void)state;
    buf_init(&json, FALLBACK_JSON_MAX);
    fallback_to_json(&json, &s);
    assert_string_equal(buf_text(&json), "{\"v\":1,\"handshake\":5,\"tls\":6,\"plain\":7}");
    assert_int_equal(fallback_from_json(&back, buf_text(&json), json.len, NULL), 0);
    assert_memory_equal(&back, &s, sizeof(s));
    buf_clear(&json);
}

static void test_names(void **state)
{
    enum fallback_event event;
    struct err e = {""};

    (void)state;
    for (int i = FALLBACK_HANDSHAKE_FAILED; i <= FALLBACK_PLAIN_DONE; i++) {
        assert_int_equal(fallback_event_by_name(&event, fallback_event_name((enum fallback_event)i), &e), 0);
        assert_int_equal(event, i);
    }
    assert_int_equal(fallback_event_by_name(&event, "failed", &e), -1);
    assert_non_null(strstr(e.text, "handshake (it failed)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories), cmocka_unit_test(test_until),          cmocka_unit_test(test_late_events),
        cmocka_unit_test(test_stored),  cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_names),
        cmocka_unit_test(test_future),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
