/* report_state.t.c - who may take the next step with a report (check W6), and the text of states as foreign text. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "report_state.h"

#include <stdio.h>
#include <string.h>

static struct report_state at(enum report_stage stage, int64_t next)
{
    struct report_state s = {.stage = stage, .node = "a", .id = "x", .first = 10, .at = 50, .next = next, .tries = 2};

    if (stage == REPORT_NONE)
        memset(&s, 0, sizeof(s));
    return s;
}

static const struct claim_row {
    enum report_stage stage;
    int64_t next;
    enum report_claim_how how;
    enum report_verdict want;
    int64_t first;
    unsigned tries;
} claims[] = {
    {REPORT_NONE, 0, REPORT_BY_ITSELF, REPORT_TAKEN, 100, 0},
    {REPORT_NONE, 0, REPORT_BY_HAND, REPORT_TAKEN, 100, 0},
    {REPORT_CLAIMED, 101, REPORT_BY_ITSELF, REPORT_LATER, 10, 2},
    {REPORT_CLAIMED, 101, REPORT_AGAIN, REPORT_LATER, 10, 2},
    {REPORT_CLAIMED, 100, REPORT_BY_ITSELF, REPORT_TAKEN, 10, 2},
    {REPORT_FAILED, 101, REPORT_BY_ITSELF, REPORT_LATER, 10, 2},
    {REPORT_FAILED, 101, REPORT_BY_HAND, REPORT_TAKEN, 10, 2},
    {REPORT_FAILED, 100, REPORT_BY_ITSELF, REPORT_TAKEN, 10, 2},
    {REPORT_SENDING, 101, REPORT_BY_ITSELF, REPORT_LATER, 10, 2},
    {REPORT_SENDING, 101, REPORT_AGAIN, REPORT_LATER, 10, 2},
    {REPORT_SENDING, 100, REPORT_BY_ITSELF, REPORT_EXPIRED, 10, 2},
    {REPORT_SENDING, 100, REPORT_BY_HAND, REPORT_EXPIRED, 10, 2},
    {REPORT_SENDING, 100, REPORT_AGAIN, REPORT_TAKEN, 100, 0},
    {REPORT_SENT, 0, REPORT_BY_ITSELF, REPORT_OVER, 10, 2},
    {REPORT_SENT, 0, REPORT_BY_HAND, REPORT_OVER, 10, 2},
    {REPORT_SENT, 0, REPORT_AGAIN, REPORT_TAKEN, 100, 0},
    {REPORT_GIVEN_UP, 0, REPORT_BY_ITSELF, REPORT_OVER, 10, 2},
    {REPORT_GIVEN_UP, 0, REPORT_BY_HAND, REPORT_TAKEN, 100, 0},
    {REPORT_UNKNOWN, 0, REPORT_BY_ITSELF, REPORT_OVER, 10, 2},
    {REPORT_UNKNOWN, 0, REPORT_BY_HAND, REPORT_OVER, 10, 2},
    {REPORT_UNKNOWN, 0, REPORT_AGAIN, REPORT_TAKEN, 100, 0},
};

static void test_claims(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        const struct claim_row *r = &claims[i];
        struct report_state s = at(r->stage, r->next);

        if (report_claim(&s, "b", "y", 100, r->how) != r->want)
            fail_msg("row %zu", i);
        assert_true(s.first == r->first);
        assert_int_equal(s.tries, r->tries);
        assert_int_equal(s.stage, r->want == REPORT_TAKEN     ? REPORT_CLAIMED
                                  : r->want == REPORT_EXPIRED ? REPORT_UNKNOWN
                                                              : r->stage);
        assert_string_equal(s.id, r->want == REPORT_TAKEN ? "y" : "x");
        assert_true(s.next == (r->want == REPORT_TAKEN ? 100 + REPORT_LEASE : r->want == REPORT_EXPIRED ? 0 : r->next));
    }
}

static void test_begin(void **state)
{
    struct report_state s;

    (void)state;
    for (int stage = REPORT_NONE; stage <= REPORT_UNKNOWN; stage++) {
        s = at((enum report_stage)stage, 500);
        assert_int_equal(report_begin(&s, "x", 100), stage == REPORT_CLAIMED);
        s = at((enum report_stage)stage, 500);
        assert_false(report_begin(&s, "y", 100));
    }
    s = at(REPORT_CLAIMED, 500);
    assert_true(report_begin(&s, "x", 100));
    assert_int_equal(s.stage, REPORT_SENDING);
    assert_int_equal(s.tries, 3);
    assert_true(s.next == 100 + REPORT_LEASE);
}

static const struct end_row {
    enum report_stage there;
    const char *mine;
    enum report_stage outcome;
    bool counts;
} ends[] = {
    {REPORT_SENDING, "x", REPORT_SENT, true},    {REPORT_SENDING, "x", REPORT_FAILED, true},
    {REPORT_CLAIMED, "x", REPORT_FAILED, true},  {REPORT_UNKNOWN, "x", REPORT_SENT, true}, /* it was only slow */
    {REPORT_NONE, "x", REPORT_SENT, true},                                                 /* Redis has lost it */
    {REPORT_CLAIMED, "y", REPORT_SENT, true}, /* and another was about to send again */
    {REPORT_FAILED, "y", REPORT_SENT, true},     {REPORT_SENDING, "y", REPORT_SENT, false},
    {REPORT_CLAIMED, "y", REPORT_FAILED, false}, {REPORT_SENT, "y", REPORT_FAILED, false},
    {REPORT_UNKNOWN, "y", REPORT_SENT, false},
};

static void test_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct report_state s = at(ends[i].there, 500), mine = at(REPORT_SENDING, 600);

        (void)snprintf(mine.id, sizeof(mine.id), "%s", ends[i].mine);
        if (report_end(&s, &mine, ends[i].outcome, 700, "a\nb\xff", 100) != ends[i].counts)
            fail_msg("row %zu", i);
        if (!ends[i].counts)
            continue;
        assert_int_equal(s.stage, ends[i].outcome);
        assert_string_equal(s.id, ends[i].mine);
        assert_string_equal(s.why, "a?b?");
        assert_true(s.next == (ends[i].outcome == REPORT_FAILED ? 700 : 0));
    }
}

static void test_text(void **state)
{
    struct report_state s = at(REPORT_FAILED, 500), back;
    struct err e = {""};
    struct buf b;

    (void)state;
    (void)snprintf(s.why, sizeof(s.why), "550 \"no\"");
    buf_init(&b, REPORT_STATE_JSON_MAX);
    report_state_write(&b, &s);
    assert_string_equal(buf_text(&b),
                        "{\"v\":1,\"state\":\"failed\",\"node\":\"a\",\"id\":\"x\",\"first\":10,\"at\":50,"
                        "\"next\":500,\"tries\":2,\"why\":\"550 \\\"no\\\"\"}");
    assert_int_equal(report_state_read(&back, b.data, b.len, &e), 0);
    assert_memory_equal(&back, &s, sizeof(s));
    buf_clear(&b);
    assert_int_equal(report_state_read(&back, "", 0, &e), 0);
    assert_int_equal(back.stage, REPORT_NONE);
}

/* The longest of everything fits. */
static void test_longest(void **state)
{
    struct report_state s = {.stage = REPORT_GIVEN_UP, .first = INT64_C(1) << 53, .tries = 1000000}, back;
    struct err e = {""};
    struct buf b;

    (void)state;
    s.at = s.next = s.first;
    memset(s.node, '"', sizeof(s.node) - 1);
    memset(s.id, 'f', sizeof(s.id) - 1);
    memset(s.why, '\\', sizeof(s.why) - 1);
    buf_init(&b, REPORT_STATE_JSON_MAX);
    report_state_write(&b, &s);
    assert_true(buf_ok(&b));
    assert_int_equal(report_state_read(&back, b.data, b.len, &e), 0);
    assert_memory_equal(&back, &s, sizeof(s));
    buf_clear(&b);
}

/* What cannot be read may have been sent: it is not sent again. */
static void test_garbage(void **state)
{
    static const char *const texts[] = {"x",
                                        "{",
                                        "[]",
                                        "{}",
                                        "null",
                                        "{\"v\":2,\"state\":\"failed\"}",
                                        "{\"v\":1}",
                                        "{\"v\":1,\"state\":7}",
                                        "{\"v\":1,\"state\":\"none\"}",
                                        "{\"v\":1,\"state\":\"gone\"}",
                                        "{\"v\":1,\"state\":\"failed\",\"next\":-1}",
                                        "{\"v\":1,\"state\":\"failed\",\"next\":1.5}",
                                        "{\"v\":1,\"state\":\"failed\",\"tries\":1000001}",
                                        "{\"v\":1,\"state\":\"failed\",\"id\":[]}",
                                        "{\"v\":1,\"state\":\"failed\",\"state\":\"sent\"}",
                                        "{\"v\":1,\"state\":\"failed\",\"id\":\"0123456789012345678901234567890123\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct report_state s;
        struct err e = {""};

        if (report_state_read(&s, texts[i], strlen(texts[i]), &e) != -1 || e.text[0] == '\0')
            fail_msg("%s", texts[i]);
        assert_int_equal(s.stage, REPORT_UNKNOWN);
        assert_int_equal(report_claim(&s, "b", "y", 100, REPORT_BY_ITSELF), REPORT_OVER);
    }
}

static void test_field(void **state)
{
    char a[REPORT_FIELD_BUF], b[REPORT_FIELD_BUF];

    (void)state;
    report_state_field(a, "mailto:r@example.com", "abc");
    assert_string_equal(a, "mailto:r@example.com ba7816bf8f01cfea414140de5dae2223");
    report_state_field(b, "mailto:r@example.com", "abd"); /* W7: another record, another report */
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims), cmocka_unit_test(test_begin),   cmocka_unit_test(test_ends),
        cmocka_unit_test(test_text),   cmocka_unit_test(test_longest), cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_field),
    };

    return cmocka_run_group_tests_name("report_state", tests, NULL, NULL);
}
