/* Tests of policyd/answer.c and policyd/memory.c: which answer may be given when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define NOW 1000000

static const uint8_t secret[16] = {7};
static const char domain[] = "example.com";
static const char body[] = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n";

static struct dest *facts(bool enforce)
{
    struct dest *d = dest_new(domain);

    assert_non_null(d);
    d->mx = DEST_MX_LIST;
    d->resolved = NOW;
    d->valid_until = NOW + 300;
    assert_non_null(dest_add_host(d, "mx.example.com", 10));
    if (enforce) {
        d->sts.record = DEST_STS_FOUND;
        strcpy(d->sts.id, "1");
        assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, strlen(body), NOW, NULL), 0);
    }
    return d;
}

static struct answer *answer_for(const struct dest *d, int64_t now)
{
    struct decide_options options = decide_options_default();
    struct decision decision;
    struct answer *a;

    decide(&decision, d, DECIDE_FRESH, &options, now);
    a = answer_new(&decision, d, &options);
    assert_non_null(a);
    return a;
}

static void assert_text(const struct answer *a, enum answer_map map, const char *begins)
{
    size_t len;
    const char *text = answer_text(a, map, &len);

    assert_true(len >= strlen(begins));
    assert_memory_equal(text, begins, strlen(begins));
}

static void test_answer_texts(void **state)
{
    struct dest *d = facts(true);
    struct answer *a = answer_for(d, NOW);
    struct dest *plain = facts(false);
    struct answer *none = answer_for(plain, NOW);
    struct answer *unknown = answer_for(NULL, NOW);
    size_t len;

    (void)state;
    assert_text(a, ANSWER_POSTFIX, "OK secure match=mx.example.com servername=hostname");
    assert_text(a, ANSWER_TLSRPT, "OK secure match=mx.example.com servername=hostname policy_type=sts");
    assert_true(a->binds);
    assert_memory_equal(answer_wire(none, ANSWER_POSTFIX, &len), "9:NOTFOUND ,", 12);
    assert_int_equal(len, 12);
    assert_int_equal(none->tlsrpt_len, 0); /* the same reply is kept once */
    assert_false(none->binds);
    assert_text(unknown, ANSWER_POSTFIX, "TEMP ");
    assert_false(unknown->binds);
    free(a);
    free(none);
    free(unknown);
    dest_free(d);
    dest_free(plain);
}

static void put(struct memory *m, const struct dest *d)
{
    assert_int_equal(memory_put(m, domain, strlen(domain), answer_for(d, NOW)), 0);
}

static bool now_has(struct memory *m, int64_t at)
{
    return memory_get(m, domain, strlen(domain), at) != NULL;
}

static bool stale_has(struct memory *m, int64_t at)
{
    return memory_get_stale(m, domain, strlen(domain), at) != NULL;
}

/* Its time passes: what binds nothing goes on for stale_max, an enforced policy until it expires. */
static void test_time(void **state)
{
    struct memory m;
    struct dest *none = facts(false), *enforce = facts(true);

    (void)state;
    assert_int_equal(memory_init(&m, 10, secret), 0);
    assert_false(now_has(&m, NOW));
    put(&m, none);
    assert_true(now_has(&m, NOW + 299));
    assert_false(now_has(&m, NOW + 300));
    assert_true(stale_has(&m, NOW + 300 + 3599));
    assert_false(stale_has(&m, NOW + 300 + 3600));
    put(&m, enforce);
    assert_false(now_has(&m, NOW + 300));
    assert_true(stale_has(&m, NOW + 86399));
    assert_false(stale_has(&m, NOW + 86400));
    memory_clear(&m);
    dest_free(none);
    dest_free(enforce);
}

/* The clock was wrong and is put right: what was made of facts from the future holds no more. */
static void test_clock(void **state)
{
    struct memory m;
    struct dest *none = facts(false), *enforce = facts(true);

    (void)state;
    assert_int_equal(memory_init(&m, 10, secret), 0);
    put(&m, none);
    assert_true(now_has(&m, NOW - 60)); /* the clocks of two nodes */
    assert_false(now_has(&m, NOW - 61));
    assert_false(stale_has(&m, NOW - 61));
    put(&m, enforce);
    assert_false(now_has(&m, NOW - 61));
    assert_true(stale_has(&m, NOW - 61));
    memory_clear(&m);
    dest_free(none);
    dest_free(enforce);
}

/* Redis says that it changed: what binds nothing must not be given again, it may be weaker than the new facts. */
static void test_changed(void **state)
{
    struct memory m;
    struct dest *none = facts(false), *enforce = facts(true);

    (void)state;
    assert_int_equal(memory_init(&m, 10, secret), 0);
    put(&m, none);
    memory_expire(&m, domain, strlen(domain));
    assert_false(now_has(&m, NOW));
    assert_false(stale_has(&m, NOW));
    put(&m, enforce);
    memory_expire(&m, domain, strlen(domain));
    assert_false(now_has(&m, NOW));
    assert_true(stale_has(&m, NOW));
    memory_expire(&m, "other.example", strlen("other.example"));
    memory_clear(&m);
    dest_free(none);
    dest_free(enforce);
}

static void test_all_changed(void **state)
{
    struct memory m;
    struct dest *enforce = facts(true), *none = facts(false);

    (void)state;
    assert_int_equal(memory_init(&m, 10, secret), 0);
    put(&m, enforce);
    memory_expire_all(&m);
    assert_false(now_has(&m, NOW));
    assert_true(stale_has(&m, NOW));
    put(&m, enforce);
    assert_true(now_has(&m, NOW));
    put(&m, none);
    memory_expire_all(&m);
    assert_false(now_has(&m, NOW));
    assert_false(stale_has(&m, NOW)); /* changes may have been missed: perhaps there is a policy now */
    memory_clear(&m);
    dest_free(enforce);
    dest_free(none);
}

/* An old answer that is given because nothing newer can be had is not tried anew for every request. */
static void test_revive(void **state)
{
    struct memory m;
    struct dest *enforce = facts(true);
    struct answer *a;

    (void)state;
    assert_int_equal(memory_init(&m, 10, secret), 0);
    put(&m, enforce);
    memory_expire_all(&m);
    a = memory_get_stale(&m, domain, strlen(domain), NOW);
    assert_non_null(a);
    memory_revive(&m, a, NOW, 30);
    assert_true(now_has(&m, NOW + 29));
    assert_false(now_has(&m, NOW + 30));
    memory_revive(&m, a, NOW + 86390, 30); /* but no longer than the policy lives */
    assert_true(now_has(&m, NOW + 86399));
    assert_false(now_has(&m, NOW + 86400));
    memory_clear(&m);
    dest_free(enforce);
}

/* Facts without the policy do not end what an answer knows of it; a later policy and its expiry do. */
static void test_policy_outlives(void **state)
{
    struct dest *enforce = facts(true), *none = facts(false), *later = facts(false);
    struct answer *a = answer_for(enforce, NOW), *plain = answer_for(none, NOW);
    static const char mode_none[] = "version: STSv1\nmode: none\nmax_age: 60\n";

    (void)state;
    assert_true(answer_outlives(a, none, NOW));
    assert_false(answer_outlives(a, none, NOW + 86400));
    assert_false(answer_outlives(a, enforce, NOW));
    assert_false(answer_outlives(plain, none, NOW));
    assert_int_equal(dest_sts_set_policy(&later->sts, "2", mode_none, strlen(mode_none), NOW + 1, NULL), 0);
    assert_false(answer_outlives(a, later, NOW + 1));
    free(a);
    free(plain);
    dest_free(enforce);
    dest_free(none);
    dest_free(later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer_texts),    cmocka_unit_test(test_time),        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_changed),         cmocka_unit_test(test_all_changed), cmocka_unit_test(test_revive),
        cmocka_unit_test(test_policy_outlives),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
