/* acme_plan.t.c - when a certificate by ACME is due, tried again and told of, and the words of uacme's hook. */
#include "acme_plan.h"
#include "acme_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY INT64_C(86400)
#define NOW (20000 * DAY)

static void test_due(void **state)
{
    static const struct {
        int64_t life, before, due; /* days; due: before its end */
    } cases[] = {
        {90, 30, 30}, {90, 60, 30}, {90, 10, 10}, {6, 30, 2}, {365, 30, 30}, {0, 30, 0}, {-5, 30, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t end = NOW + cases[i].life * DAY;

        assert_int_equal(acme_due(NOW, end, cases[i].before * DAY), end - cases[i].due * DAY);
    }
}

static void test_try_after(void **state)
{
    static const struct {
        const char *refused;
        int64_t tried, after; /* seconds before NOW; after NOW, 0: at once */
    } cases[] = {
        {"", 10, 0},         {"refused", 0, DAY}, {"refused", 3600, DAY - 3600}, {"refused", DAY - 1, 1},
        {"refused", DAY, 0}, {"refused", NOW, 0}, {"refused", -3600, 0}, /* the clock was set back */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char refused[20];
        struct cert_about a = {.refused = refused, .tried = NOW - cases[i].tried};
        int64_t want = cases[i].after != 0 ? NOW + cases[i].after : 0;

        (void)snprintf(refused, sizeof(refused), "%s", cases[i].refused);
        assert_int_equal(acme_try_after(&a, NOW), want);
    }
}

static void test_tell(void **state)
{
    static const struct {
        const char *trouble;
        int64_t told, end; /* days before NOW, -1: never; days after NOW, 0: there is no certificate */
        bool tell;
    } cases[] = {
        {"", -1, 20, false},      {"refused", -1, 20, true}, {"refused", 1, 20, false}, {"refused", 7, 20, true},
        {"refused", 1, 6, true},  {"refused", 0, 6, false},  {"refused", 1, -3, true},  {"refused", -1, 0, true},
        {"refused", 1, 0, false}, {"refused", 7, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char trouble[20];
        struct cert_about a = {.trouble = trouble, .told = cases[i].told < 0 ? 0 : NOW - cases[i].told * DAY};

        (void)snprintf(trouble, sizeof(trouble), "%s", cases[i].trouble);
        assert_int_equal(acme_tell(&a, cases[i].end == 0 ? 0 : NOW + cases[i].end * DAY, NOW), cases[i].tell);
    }
}

static void test_hook(void **state)
{
    static const struct {
        const char *word[5];
        bool dns;
        int rc;
    } cases[] = {
        {{"begin", "http-01", "mx.example.com", "a-b_C1", "a-b_C1.x-Y_9"}, false, 1},
        {{"done", "http-01", "MX.example.com", "-a", "-a.x"}, false, 1},
        {{"failed", "dns-01", "example.com", "abc", "digest-_09"}, true, 1},
        {{"begin", "dns-01", "example.com", "abc", "digest"}, false, 0},
        {{"begin", "http-01", "example.com", "abc", "abc.x"}, true, 0},
        {{"begin", "tls-alpn-01", "example.com", "abc", "digest"}, false, 0},
        {{"begun", "http-01", "example.com", "abc", "abc.x"}, false, -1},
        {{"begin", "http-01", "a b", "abc", "abc.x"}, false, -1},
        {{"begin", "http-01", "example.com", "", "abc.x"}, false, -1},
        {{"begin", "http-01", "example.com", "../../x", "abc.x"}, false, -1},
        {{"begin", "http-01", "example.com", "a.b", "abc.x"}, false, -1},
        {{"begin", "http-01", "example.com", "abc", "abc"}, false, -1},
        {{"begin", "http-01", "example.com", "abc", "abc.x\r\nA: b"}, false, -1},
        {{"begin", "http-01", "example.com", "abc", ".abc"}, false, -1},
        {{"begin", "dns-01", "example.com", "abc", "a.b"}, true, -1},
        {{"begin", "dns-01", "example.com", "abc", "x\" \"y"}, true, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[5][100];
        char *word[5];
        struct acme_challenge c;
        struct err e = {""};

        for (size_t k = 0; k < 5; k++) {
            (void)snprintf(text[k], sizeof(text[k]), "%s", cases[i].word[k]);
            word[k] = text[k];
        }
        if (acme_hook_read(&c, word, cases[i].dns, &e) != cases[i].rc)
            fail_msg("case %zu: %s", i, e.text);
        assert_int_equal(e.text[0] != '\0', cases[i].rc < 0);
        if (cases[i].rc == 1) {
            assert_int_equal(c.dns, cases[i].dns);
            assert_string_equal(c.token, word[3]);
            assert_int_equal(c.host[0] == 'M', 0);
        }
    }
}

static void test_hook_length(void **state)
{
    char token[ACME_TOKEN_MAX + 2], auth[] = "a.b", begin[] = "begin", http[] = "http-01", host[] = "example.com";
    char *const word[5] = {begin, http, host, token, auth};
    struct acme_challenge c;

    (void)state;
    memset(token, 'a', sizeof(token));
    token[ACME_TOKEN_MAX + 1] = '\0';
    assert_int_equal(acme_hook_read(&c, word, false, NULL), -1);
    token[ACME_TOKEN_MAX] = '\0';
    assert_int_equal(acme_hook_read(&c, word, false, NULL), 1);
}

static void test_complaint(void **state)
{
    static const struct {
        const char *said, *line;
    } cases[] = {
        {"", ""},
        {"uacme: failed to access /x\n", "failed to access /x"},
        {"uacme: running hook\nposternctl: Redis at x: refused\nuacme: failed\n", "Redis at x: refused"},
        {"uacme: GET https://a failed: no\nuacme: waiting\n", "GET https://a failed: no"},
        {"uacme: challenge failed\n{\n    \"type\": \"x\",\n    \"detail\": \"dial tcp: \\\"refused\\\"\",\n}\n",
         "the authority says: dial tcp: \\\"refused\\"},
        {"    \"detail\": \"\n", "    \"detail\": \""},
        {"odd", "odd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[100];

        acme_complaint(out, sizeof(out), cases[i].said);
        assert_string_equal(out, cases[i].line);
    }
}

/* What an authority says may have been cut, and is in no way UTF-8; it is told all the same. */
static void test_foreign(void **state)
{
    struct acme_renewal r = {.state = "failed"};
    json_t *row;

    (void)state;
    buf_init(&r.trouble, 100);
    buf_init(&r.did, 100);
    buf_str(&r.trouble, "the authority says: \xc3");
    buf_str(&r.did, "\xff\n");
    row = acme_renewal_json("mx", &r, "");
    assert_non_null(row);
    assert_string_equal(json_string_value(json_object_get(row, "trouble")), "the authority says: \\xc3");
    assert_int_equal(json_array_size(json_object_get(row, "done")), 1);
    json_decref(row);
    row = acme_renewal_json("mx", &r, "why \xc3");
    assert_non_null(row);
    json_decref(row);
    buf_clear(&r.trouble);
    buf_clear(&r.did);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due),     cmocka_unit_test(test_try_after),   cmocka_unit_test(test_tell),
        cmocka_unit_test(test_hook),    cmocka_unit_test(test_hook_length), cmocka_unit_test(test_complaint),
        cmocka_unit_test(test_foreign),
    };
    return cmocka_run_group_tests_name("ctl/acme_plan", tests, NULL, NULL);
}
