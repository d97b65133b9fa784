/* fallback_hosts.t.c - tests of fallback_hosts.c: stories of a next hop with several MX hosts. */
#include "fallback_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define START 1000000
#define KEEP  3600

/*
 * Outcomes in the order in which they come, ten seconds apart: the host a, b or c and then a letter as in fallback.t.c
 * (h, l, t, p). The next hop's MX hosts, "" for no facts, with a "+" when hosts were left out of them and "?" when the
 * look-up failed. For each mode from hold to plain-for, P or T: the next attempt goes plain, or by TLS.
 */
static const struct {
    const char *story;
    const char *mx;
    const char *next;
} stories[] = {
    {"", "ab", "TTTTT"},         {"ah", "ab", "TPPPP"},
    {"ah bt", "ab", "TTTTT"}, /* TLS has gone well at the other host since */
    {"bt ah", "ab", "TPPPP"}, /* before */
    {"ah bt ah", "ab", "TPPPP"}, {"ah bh at", "ab", "TTTTT"},
    {"ah at bh", "ab", "TPPPP"}, {"ah bp", "ab", "TPTTP"}, /* the plain attempt went to the other host: TLS's turn */
    {"ah bp bh", "ab", "TPPPP"}, {"ah bp ah", "ab", "TPPPP"},
    {"al bh bp", "ab", "TPTTP"}, {"al bt", "ab", "TTTTT"},
    {"al", "ab", "TPTPP"},       {"ah", "b", "TTTTT"},    /* a is no MX host any more */
    {"ah bh", "b", "TPPPP"},     {"ah bt", "a", "TPPPP"}, /* nor is the host at which TLS went well */
    {"ah cp", "ab", "TPPPP"},    {"ah", "", "TPPPP"},
    {"ah bt", "", "TTTTT"},      {"ah", "b+", "TPPPP"}, /* a may be among those left out */
    {"ah bt", "a+", "TTTTT"},    {"ah", "?", "TPPPP"},
};

static const char *host_name(char letter)
{
    static char name[] = "x.example.com";

    name[0] = letter;
    return name;
}

static struct fallback_host *host_of(struct fallback_hosts *hosts, char letter)
{
    static const struct fallback_state nothing;

    for (size_t i = 0; i < hosts->count; i++)
        if (hosts->host[i].name[0] == letter)
            return &hosts->host[i];
    fallback_hosts_put(hosts, host_name(letter), &nothing);
    return &hosts->host[hosts->count - 1];
}

static int64_t tell(struct fallback_hosts *hosts, const char *story)
{
    int64_t now = START;

    for (; *story != '\0'; story += story[2] == ' ' ? 3 : 2, now += 10)
        fallback_note(&host_of(hosts, story[0])->state,
                      story[1] == 'h'   ? FALLBACK_HANDSHAKE_FAILED
                      : story[1] == 'l' ? FALLBACK_LATER_FAILED
                      : story[1] == 't' ? FALLBACK_TLS_DONE
                                        : FALLBACK_PLAIN_DONE,
                      now);
    return now;
}

static struct dest *facts(const char *mx)
{
    struct dest *d;

    if (*mx == '\0')
        return NULL;
    d = dest_new("example.com");
    assert_non_null(d);
    d->mx = DEST_MX_LIST;
    for (; *mx != '\0'; mx++)
        if (*mx == '+')
            d->mx_truncated = true;
        else if (*mx == '?')
            d->mx = DEST_MX_TEMP;
        else
            assert_non_null(dest_add_host(d, host_name(*mx), 10));
    return d;
}

static void test_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        struct fallback_hosts hosts = {.count = 0};
        int64_t now = tell(&hosts, stories[i].story), until;
        struct dest *d = facts(stories[i].mx);

        for (int mode = FALLBACK_HOLD; mode <= FALLBACK_PLAIN_FOR; mode++) {
            bool plain = fallback_hosts_go_plain(&hosts, d, (enum fallback_mode)mode, KEEP, now, &until);

            if (plain != (stories[i].next[mode] == 'P'))
                fail_msg("%s, MX %s, %s: %s", stories[i].story, stories[i].mx,
                         fallback_mode_name((enum fallback_mode)mode), plain ? "plain" : "TLS");
        }
        dest_free(d);
    }
}

/* It goes on until the last failure is forgotten, not a second longer or shorter. */
static void test_until(void **state)
{
    struct fallback_hosts hosts = {.count = 0};
    int64_t until = 0, again = 0;

    (void)state;
    fallback_hosts_put(&hosts, "a.example.com", &(struct fallback_state){.handshake_failed = START});
    fallback_hosts_put(&hosts, "b.example.com", &(struct fallback_state){.handshake_failed = START + 100});
    fallback_hosts_put(&hosts, "c.example.com", &(struct fallback_state){.handshake_failed = START + 9999});
    assert_true(fallback_hosts_go_plain(&hosts, NULL, FALLBACK_PLAIN, KEEP, START + 200, &until));
    assert_int_equal(until, START + 100 + KEEP);
    assert_true(fallback_hosts_go_plain(&hosts, NULL, FALLBACK_PLAIN, KEEP, until - 1, &again));
    assert_int_equal(again, until);
    assert_false(fallback_hosts_go_plain(&hosts, NULL, FALLBACK_PLAIN, KEEP, until, &again));
}

static void test_full(void **state)
{
    struct fallback_hosts hosts = {.count = 0};
    struct fallback_state s = {.handshake_failed = 0};
    char name[64];

    (void)state;
    for (int i = 0; i < FALLBACK_HOSTS_MAX; i++) {
        s.plain_done = START + (i == 5 ? 0 : 10 + i);
        snprintf(name, sizeof name, "mx%d.example.com", i);
        fallback_hosts_put(&hosts, name, &s);
    }
    assert_int_equal(hosts.count, FALLBACK_HOSTS_MAX);
    s.plain_done = START - 1;
    fallback_hosts_put(&hosts, "old.example.com", &s);
    assert_string_equal(hosts.host[5].name, "mx5.example.com");
    s.plain_done = START + 1;
    fallback_hosts_put(&hosts, "new.example.com", &s);
    assert_string_equal(hosts.host[5].name, "new.example.com");
    fallback_hosts_put(&hosts, "new.example.com", &(struct fallback_state){.tls_done = 1}); /* the same host */
    assert_int_equal(hosts.host[5].state.plain_done, 0);
    assert_int_equal(hosts.count, FALLBACK_HOSTS_MAX);
}

static const struct {
    const char *name;
    const char *json;
    const char *why; /* NULL: fine */
} fields[] = {
    {"mx.example.com", "{\"v\":1,\"tls\":5}", NULL},
    {"192.0.2.1", "{\"v\":1}", NULL},
    {"2001:db8::1", "{\"v\":1}", NULL},
    {"MX.example.com", "{\"v\":1}", "must be written mx.example.com"},
    {"mx.example.com.", "{\"v\":1}", "must be written mx.example.com"},
    {"2001:0db8::1", "{\"v\":1}", "must be written 2001:db8::1"},
    {"[192.0.2.1]", "{\"v\":1}", ""},
    {"", "{\"v\":1}", ""},
    {"mx example", "{\"v\":1}", ""},
    {"mx.example.com", "{\"v\":2}", "version 2"},
    {"mx.example.com", "WRONG", "no JSON"},
};

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct fallback_hosts hosts = {.count = 0};
        struct err e = {""};
        int rc = fallback_hosts_read(&hosts, fields[i].name, strlen(fields[i].name), fields[i].json,
                                     strlen(fields[i].json), &e);

        if (rc != (fields[i].why == NULL ? 0 : -1) || hosts.count != (rc == 0 ? 1 : 0))
            fail_msg("%s %s: %d", fields[i].name, fields[i].json, rc);
        if (rc != 0 && (e.text[0] == '\0' || strstr(e.text, fields[i].why) == NULL))
            fail_msg("%s %s: %s", fields[i].name, fields[i].json, e.text);
        if (rc == 0)
            assert_string_equal(hosts.host[0].name, fields[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stories), cmocka_unit_test(test_until),
                                       cmocka_unit_test(test_full), cmocka_unit_test(test_fields)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
