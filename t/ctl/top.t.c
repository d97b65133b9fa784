/* top.t.c - the screen of posternctl top: what stands where, at every size, and with hostile names. */
#include "top.h"

#include "print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POLICYD                                                                                                      \
    "{\"pid\":1,\"uptime\":70,\"redis\":\"up\",\"connections\":3,\"memory_entries\":7,\"workers\":2,"                \
    "\"requests_total\":%d,\"memory_hits_total\":%d,\"from_redis_total\":2,\"from_stsd_total\":1,\"stale_total\":0," \
    "\"temporary_errors_total\":1,\"lookups\":1,\"answers_total\":{\"secure\":%d,\"temp\":1}}"
#define WORKER_1                                                                                                       \
    "{\"seconds\":10,\"asked\":[{\"domain\":\"a.test\",\"asked\":30,\"missed\":3,\"answer\":\"secure\"},"              \
    "{\"domain\":\"b.test\",\"asked\":5,\"missed\":5,\"answer\":\"\"}],\"looking_up\":[{\"domain\":\"b.test\",\"ms\":" \
    "1500,\"waits\":\"stsd\"},"                                                                                        \
    "{\"domain\":\"at-stsd.test\",\"ms\":2100,\"waits\":\"stsd\"}]}"
#define WORKER_2                                                                                           \
    "{\"seconds\":20,\"asked\":[{\"domain\":\"a.test\",\"asked\":20,\"missed\":2,\"answer\":\"secure\"}]," \
    "\"looking_up\":[]}"
#define STSD "{\"pid\":2,\"uptime\":7200,\"redis\":\"down\",\"wanted\":4,\"waiting\":2}"
#define STSD_ACTIVITY                                                                           \
    "{\"under_way\":[{\"domain\":\"at-stsd.test\",\"ms\":2000,\"waits\":\"the policy host\"}]," \
    "\"slowest\":[{\"domain\":\"slow.test\",\"ms\":9900,\"ago\":61,\"end\":\"sts-policy-fetch-error\"}]}"
#define TLSRPTD "{\"pid\":3,\"uptime\":1,\"redis\":\"up\"}"
#define TLSRPTD_ACTIVITY                                                                                    \
    "{\"failing\":[{\"domain\":\"f.test\",\"host\":\"mx.f.test\",\"result\":\"certificate-host-mismatch\"," \
    "\"failures\":12,\"ago\":30}]}"

static json_t *load(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    assert_non_null(value);
    return value;
}

static json_t *load_n(const char *fmt, int a, int b, int c)
{
    char text[4000];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof(text), fmt, a, b, c);
#pragma GCC diagnostic pop
    return load(text);
}

static struct top_look look(int64_t ms, int requests, int hits, int secure)
{
    struct top_look l = {.ms = ms};
    json_t *workers = json_array();

    json_array_append_new(workers, load(WORKER_1));
    json_array_append_new(workers, load(WORKER_2));
    l.said[TOP_POLICYD].status = load_n(POLICYD, requests, hits, secure + 10);
    l.said[TOP_POLICYD].activity = workers;
    l.said[TOP_STSD].status = load(STSD);
    l.said[TOP_STSD].activity = json_pack("[o]", load(STSD_ACTIVITY));
    l.said[TOP_TLSRPTD].status = load(TLSRPTD);
    l.said[TOP_TLSRPTD].activity = json_pack("[o]", load(TLSRPTD_ACTIVITY));
    return l;
}

static char *screen(const struct top_look *before, const struct top_look *now, size_t width, size_t height)
{
    struct buf out;

    buf_init(&out, 1000000);
    top_print(&out, before, now, &(struct top_screen){width, height, false, "posternctl top"});
    assert_true(buf_ok(&out));
    return out.data;
}

/* No line is wider, and there are no more. */
static void fits(const char *text, size_t width, size_t height)
{
    size_t lines = 0;

    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        lines++;
        if (print_width(text, (size_t)(end - text)) > width)
            fail_msg("wider than %zu: %.*s", width, (int)(end - text), text);
    }
    assert_string_equal(text, "");
    assert_in_range(lines, 0, height);
}

static const char at_80[] = //
    "posternctl top\n"
    "policyd  up 1 m   Redis up   3 connections, 7 domains in memory, 2 workers\n"
    "stsd     up 2 h   Redis down   4 domains being worked on, 2 of these waiting\n"
    "tlsrptd  up 1 s   Redis up\n"
    "requests  all 200 (50.0/s), from memory 150 (25.0/s), 75% of all\n"
    "misses    Redis 2 (0.0/s), stsd 1 (0.0/s), old facts 0 (0.0/s), held 1 (0.0/s),~\n"
    "answers   secure 30 (5.0/s), temp 1 (0.0/s)\n"
    "\n"
    "ASKED NOW                                         A SECOND    MISSED  ANSWER\n"
    "a.test                                                 4.0       10%  secure\n"
    "b.test                                                 0.5      100%  -\n"
    "\n"
    "SLOWEST                                  SECONDS  WAITS FOR, OR ITS END\n"
    "at-stsd.test                                 2.0  waits for the policy host\n"
    "b.test                                       1.5  policyd waits for stsd\n"
    "slow.test                                    9.9  sts-policy-fetch-error, 1 m a~\n"
    "\n"
    "TLS FAILS                       FAILURES     AGO  RESULT\n"
    "f.test                                12    30 s  certificate-host-mismatch\n";

static void test_screen(void **state)
{
    struct top_look before = look(1000, 100, 100, 10), now = look(3000, 200, 150, 20);
    char *text = screen(&before, &now, 80, 24);

    (void)state;
    assert_string_equal(text, at_80);
    fits(text, 80, 24);
    free(text);
    text = screen(&before, &now, 0, 0);
    assert_non_null(strstr(text, "f.test")); /* with the host, and nothing cut */
    assert_non_null(strstr(text, "mx.f.test\n"));
    assert_non_null(strstr(text, "held 1 (0.0/s), now 1\n"));
    free(text);
    top_look_clear(&before);
    top_look_clear(&now);
}

/* Of any size nothing is wider or longer, and nothing is lost but what has no room. */
static void test_sizes(void **state)
{
    struct top_look none = {0}, now = look(3000, 200, 150, 20);
    json_t *asked = json_object_get(json_array_get(now.said[TOP_POLICYD].activity, 0), "asked");

    (void)state;
    for (int i = 0; i < 500; i++)
        json_array_append_new(asked, json_pack("{ss+ si si ss}", "domain", "a-rather-long-name-of-a-domain-0123456789-",
                                               i % 2 == 0 ? "even.example.com" : "odd.example.net", "asked", i,
                                               "missed", 0, "answer", "dane-only"));
    for (size_t width = 1; width <= 250; width += 3)
        for (size_t height = 1; height <= 60; height += 2) {
            char *text = screen(&none, &now, width, height);

            fits(text, width, height);
            free(text);
        }
    top_look_clear(&now);
}

static void test_shares(void **state)
{
    struct top_look none = {0}, now = look(3000, 200, 150, 20);
    json_t *asked = json_object_get(json_array_get(now.said[TOP_POLICYD].activity, 0), "asked");
    char *text;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char name[40];

        snprintf(name, sizeof(name), "n%02d.test", i);
        json_array_append_new(asked, json_pack("{ss si si ss}", "domain", name, "asked", 1, "missed", 0, "answer", ""));
    }
    text = screen(&none, &now, 80, 24);
    fits(text, 80, 24);
    assert_non_null(strstr(text, "n04.test")); /* 24 lines: 13 for the rest, 3 and 1 for the other tables, 7 here */
    assert_null(strstr(text, "n05.test"));
    assert_non_null(strstr(text, "slow.test"));
    assert_non_null(strstr(text, "f.test"));
    free(text);
    top_look_clear(&now);
}

static void test_away(void **state)
{
    struct top_look none = {0}, now = look(3000, 200, 150, 20);
    struct top_said *stsd = &now.said[TOP_STSD], *tlsrptd = &now.said[TOP_TLSRPTD];
    char *text;

    (void)state;
    json_decref(stsd->status);
    json_decref(stsd->activity);
    *stsd = (struct top_said){.why = "connect: No such file\033[2J"};
    json_decref(tlsrptd->status);
    json_decref(tlsrptd->activity);
    *tlsrptd = (struct top_said){.unused = true};
    text = screen(&none, &now, 80, 24);
    assert_non_null(strstr(text, "\nstsd     away: connect: No such file\\x1b[2J\n"));
    assert_non_null(strstr(text, "\nat-stsd.test                                 2.1  policyd waits for stsd\n"));
    assert_null(strstr(text, "\ntlsrptd"));
    assert_non_null(strstr(text, "RESULT\nnot in use\n"));
    free(text);
    json_decref(now.said[TOP_POLICYD].status);
    json_decref(now.said[TOP_POLICYD].activity);
    now.said[TOP_POLICYD] = (struct top_said){.status = NULL};
    text = screen(&none, &now, 80, 24);
    assert_non_null(strstr(text, "\npolicyd  away: no answer\n"));
    assert_null(strstr(text, "requests"));
    assert_non_null(strstr(text, "ANSWER\nnot known: the daemon is away\n"));
    free(text);
    top_look_clear(&now);
}

/* Started anew in between: its numbers began at 0, so there are no rates. */
static void test_restart(void **state)
{
    struct top_look before = look(1000, 100, 100, 50), now = look(3000, 200, 150, 20);
    char *text;
    json_t *json;

    (void)state;
    json_object_set_new(before.said[TOP_POLICYD].status, "pid", json_integer(99));
    text = screen(&before, &now, 80, 24);
    assert_non_null(strstr(text, "requests  all 200, from memory 150, 75% of all\n"));
    assert_non_null(strstr(text, "answers   secure 30, temp 1\n"));
    free(text);
    json = top_json(&before, &now);
    assert_int_equal(json_object_size(json_object_get(json, "rates")), 0);
    json_decref(json);
    json_object_set_new(before.said[TOP_POLICYD].status, "pid", json_integer(1));
    json = top_json(&before, &now);
    assert_true(json_real_value(json_object_get(json_object_get(json, "rates"), "requests_total")) == 50);
    assert_true(json_real_value(json_object_get(json, "seconds")) == 2);
    assert_null(json_object_get(json_object_get(json, "rates"), "lookups"));
    json_decref(json);
    top_look_clear(&before);
    top_look_clear(&now);
}

/* Whatever a daemon sends, the screen is text on lines, and colour comes from us alone. */
static void test_hostile(void **state)
{
    static const char *const hostile[] = {
        "[]", "{\"asked\":7,\"looking_up\":{}}",
        "{\"seconds\":0,\"asked\":[7,null,{\"domain\":\"\\u001b[2Jx\\u009b31m\\n\\u202e\",\"asked\":-5,\"missed\":9}],"
        "\"looking_up\":[{\"domain\":\"\\u001bc\",\"ms\":-1,\"waits\":\"\\u0007\"}]}",
        "{\"under_way\":[[]],\"slowest\":[{\"domain\":\"\\r\\n\",\"ms\":1,\"ago\":1,\"end\":\"\\u001b]0;x\\u0007\"}]}",
        "{\"failing\":[{\"domain\":\"\\u001b[H\",\"host\":\"\\u0085\",\"result\":\"\\u001bP\",\"failures\":-1}]}"};

    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        struct top_look none = {0}, now = {.ms = 1};
        char *text;

        for (size_t p = 0; p < TOP_PROGRAMS; p++) {
            now.said[p].status =
                load("{\"redis\":\"\\u001b[2J\",\"uptime\":\"x\",\"answers_total\":{\"secure\":\"x\"}}");
            now.said[p].activity = json_pack("[o]", load(hostile[i]));
        }
        text = screen(&none, &now, 120, 40);
        fits(text, 120, 40);
        for (const char *c = text; *c != '\0'; c++)
            if ((unsigned char)*c < 0x20 && *c != '\n')
                fail_msg("%s: octet %02x", hostile[i], (unsigned)*c);
        free(text);
        top_look_clear(&now);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_screen), cmocka_unit_test(test_sizes),   cmocka_unit_test(test_shares),
        cmocka_unit_test(test_away),   cmocka_unit_test(test_restart), cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
