/* snapshot.t.c - tests of snapshot.c: settings and rules put together, and used by many threads. */
#include "snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct conf *parse(const char *milter)
{
    struct conf *c = NULL;
    struct err e = {""};
    char text[1000];
    int len = snprintf(text, sizeof(text), "milter { %s }", milter);

    if (conf_parse(&c, "F", text, (size_t)len, &e) != 0)
        fail_msg("%s", e.text);
    return c;
}

static void test_settings(void **state)
{
    struct conf *c = parse("tag = secure optional_tag = any delimiter = \"-\" scope = recipient record_header = X-P "
                           "tls_required = submitters body_octets = 4096 rules = {'a: client.tls -> none'}");
    struct err e = {""};
    const struct snapshot *s = snapshot_new(&c->milter, "# b\nb: size > 1M -> requiretls\n", 31, &e);

    (void)state;
    conf_free(c);
    assert_non_null(s);
    assert_string_equal(s->flag.requiretls.word, "secure");
    assert_string_equal(s->flag.optional.word, "any");
    assert_int_equal(s->flag.requiretls.delimiter, '-');
    assert_int_equal(s->flag.optional.delimiter, '-');
    assert_false(s->flag.whole_message);
    assert_string_equal(s->record_header, "X-P");
    assert_int_equal(s->no_from, TLS_REQUIRED_FROM_SUBMITTERS);
    assert_int_equal(s->body_octets, 4096);
    assert_int_equal(rule_set_count(s->rules), 2);
    assert_string_equal(rule_set_at(s->rules, 0)->name, "a");
    assert_string_equal(rule_set_at(s->rules, 1)->name, "b");
    assert_int_equal(s->need, RULE_NEED_CLIENT | RULE_NEED_SIZE);
    snapshot_release(s);
}

/* Whose TLS-Required: No counts. */
static void test_heeds_no(void **state)
{
    static const struct {
        const char *conf, *user, *address;
        bool want;
    } who[] = {
        {"", NULL, "192.0.2.1", true},
        {"tls_required = submitters", NULL, "192.0.2.1", false},
        {"tls_required = submitters", "anna", "192.0.2.1", true},
        {"tls_required = submitters", NULL, "127.0.0.2", true},
        {"tls_required = submitters", NULL, "::1", true},
        {"tls_required = submitters", NULL, "", true},
        {"tls_required = nobody", "anna", "127.0.0.1", false},
        {"tls_required = nobody", NULL, "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
        struct conf *c = parse(who[i].conf);
        const struct snapshot *s = snapshot_new(&c->milter, "", 0, NULL);

        assert_non_null(s);
        assert_int_equal(snapshot_heeds_no(s, who[i].user, who[i].address), who[i].want);
        snapshot_release(s);
        conf_free(c);
    }
}

static const struct {
    const char *conf, *text, *want;
} wrong[] = {
    {"", "a: nonsense -> none", "rules in Redis: line 1: column 4: "},
    {"", "a: client.tls -> none\na: client.tls -> none", "rules in Redis: line 2: column 1: there is a rule a already"},
    {"rules = {'a: client.tls -> none'}", "a: client.tls -> none", "rules in Redis: line 1: column 1: there is"},
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct conf *c = parse(wrong[i].conf);
        struct err e = {""};

        assert_null(snapshot_new(&c->milter, wrong[i].text, strlen(wrong[i].text), &e));
        if (strstr(e.text, wrong[i].want) == NULL)
            fail_msg("%s", e.text);
        conf_free(c);
    }
}

static void *use(void *arg)
{
    const struct snapshot *s = arg;
    const struct rule_message m = {.client_tls = true, .size = 5};
    size_t fits = 0;

    for (int i = 0; i < 300; i++) {
        const struct snapshot *own = snapshot_hold(s);
        struct rule_eval *eval = snapshot_take_eval(own);

        fits += rule_eval_run(eval, &m, NULL, NULL).action == RULE_REQUIRETLS;
        snapshot_give_eval(own, eval);
        snapshot_release(own);
    }
    snapshot_release(s);
    return fits == 300 ? NULL : arg;
}

/* More threads than memories are kept; the last of them frees the snapshot (leaks and late uses show under ASan). */
static void test_threads(void **state)
{
    struct conf *c = parse("rules = {'a: client.tls and size < 1K -> requiretls'}");
    const struct snapshot *s = snapshot_new(&c->milter, "", 0, NULL);
    pthread_t thread[40];

    (void)state;
    assert_non_null(s);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, use, (void *)(uintptr_t)snapshot_hold(s)), 0);
    snapshot_release(s);
    for (size_t i = 0; i < 40; i++) {
        void *failed;

        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
    conf_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_heeds_no),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
