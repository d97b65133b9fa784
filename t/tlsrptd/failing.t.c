/* failing.t.c - where TLS fails: counted once, forgotten in time, bounded. */
#include "failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct failing *fresh(void)
{
    struct failing *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    return f;
}

static void expect(const struct failing *f, int64_t now, const char *want)
{
    const struct failing_domain *row[10];
    size_t count = failing_list(f, row, 10, now);
    char text[2000] = "";

    for (size_t i = 0; i < count; i++) {
        char one[800];

        snprintf(one, sizeof(one), "%s%s %d %s at %s", i > 0 ? ", " : "", row[i]->domain, (int)failing_count(row[i]),
                 row[i]->result, row[i]->host);
        strncat(text, one, sizeof(text) - strlen(text) - 1);
    }
    assert_string_equal(text, want);
}

/* An event with one policy; result 0: it came off. */
static void event(struct failing *f, const char *domain, const char *host, enum tlsrpt_result result, int64_t at)
{
    const struct tlsrpt_failure failure = {.result = result, .mx_name = host};
    const struct tlsrpt_policy policy[] = {
        {.type = TLSRPT_POLICY_TLSA},
        {.type = TLSRPT_POLICY_STS, .failure = &failure, .failures = result != 0 ? 1 : 0, .failed = result != 0}};

    failing_event(f, &(struct tlsrpt_event){.domain = domain, .policy = policy, .policies = 2}, at);
}

static void test_events(void **state)
{
    struct failing *f = fresh();

    (void)state;
    event(f, "a.test", "mx.a.test", 0, 1000);
    expect(f, 1000, "");
    event(f, "a.test", "mx.a.test", TLSRPT_CERTIFICATE_EXPIRED, 1000);
    event(f, "b.test", NULL, TLSRPT_STS_POLICY_FETCH_ERROR, 1000);
    event(f, "b.test", NULL, TLSRPT_STS_WEBPKI_INVALID, 1001);
    expect(f, 1001, "b.test 2 sts-webpki-invalid at , a.test 1 certificate-expired at mx.a.test");
    expect(f, 1000 + FAILING_KEEP, "b.test 2 sts-webpki-invalid at ");
    event(f, "a.test", "mx2.a.test", TLSRPT_VALIDATION_FAILURE, 1000 + FAILING_KEEP); /* it begins anew */
    expect(f, 1000 + FAILING_KEEP, "b.test 2 sts-webpki-invalid at , a.test 1 validation-failure at mx2.a.test");
    event(f, "", "mx", TLSRPT_VALIDATION_FAILURE, 2000);
    event(f, NULL, "mx", TLSRPT_VALIDATION_FAILURE, 2000);
    expect(f, 1002 + FAILING_KEEP, "a.test 1 validation-failure at mx2.a.test");
    free(f);
}

/* What fallback and the report hear of is the same failure. */
static void test_once(void **state)
{
    struct failing *f = fresh();

    (void)state;
    for (int i = 0; i < 3; i++) {
        failing_fallback(f, "a.test", "mx.a.test", FALLBACK_HANDSHAKE_FAILED, 1000);
        event(f, "a.test", "mx.a.test", TLSRPT_STARTTLS_NOT_SUPPORTED, 1000);
    }
    failing_fallback(f, "b.test", "mx.b.test", FALLBACK_HANDSHAKE_FAILED, 1000);
    failing_fallback(f, "b.test", "mx.b.test", FALLBACK_LATER_FAILED, 1000);
    failing_fallback(f, "c.test", "mx.c.test", FALLBACK_PLAIN_DONE, 1000);
    expect(f, 1000, "a.test 3 starttls-not-supported at mx.a.test, b.test 2 later at mx.b.test");
    failing_fallback(f, "a.test", "mx.a.test", FALLBACK_LATER_FAILED, 1000); /* the result type says more */
    expect(f, 1000, "a.test 4 starttls-not-supported at mx.a.test, b.test 2 later at mx.b.test");
    failing_fallback(f, "a.test", "mx2.a.test", FALLBACK_TLS_DONE, 1001); /* another host */
    failing_fallback(f, "b.test", "mx.b.test", FALLBACK_TLS_DONE, 1001);
    expect(f, 1001, "a.test 4 starttls-not-supported at mx.a.test");
    free(f);
}

static void test_hostile(void **state)
{
    struct failing *f = fresh();

    (void)state;
    event(f, "\033[2J\xff.test", "mx\n", TLSRPT_VALIDATION_FAILURE, 1000);
    event(f, "\033[2J\xff.test", "mx\n", TLSRPT_VALIDATION_FAILURE, 1000);
    expect(f, 1000, "?[2J?.test 2 validation-failure at mx?");
    free(f);
}

static void test_full(void **state)
{
    struct failing *f = fresh();
    const struct failing_domain *row[FAILING_MAX];
    char name[40];

    (void)state;
    for (int i = 0; i < 3 * FAILING_MAX; i++) {
        snprintf(name, sizeof(name), "n%d.test", i);
        event(f, name, "", TLSRPT_VALIDATION_FAILURE, 1000 + i);
    }
    assert_int_equal(failing_list(f, row, FAILING_MAX, 2000), FAILING_MAX);
    for (size_t i = 0; i < FAILING_MAX; i++)
        assert_true(row[i]->last >= 1000 + 2 * FAILING_MAX);
    for (int i = 0; i < 5; i++)
        event(f, "often.test", "", TLSRPT_VALIDATION_FAILURE, 2000);
    event(f, "n767.test", "", TLSRPT_VALIDATION_FAILURE, 2000);
    assert_int_equal(failing_list(f, row, 2, 2000), 2); /* the first ones, also when there is room for few */
    assert_string_equal(row[0]->domain, "often.test");
    assert_string_equal(row[1]->domain, "n767.test");
    assert_int_equal(failing_list(f, row, 0, 2000), 0);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests_name("failing", tests, NULL, NULL);
}
