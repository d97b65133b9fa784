/* counters.t.c - tests of counters.c: sessions by source and result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counters.h"

#include <stdio.h>
#include <string.h>

static const enum tlsrpt_result results[SESSION_RESULTS - 1] = {TLSRPT_STARTTLS_NOT_SUPPORTED,
                                                                TLSRPT_CERTIFICATE_HOST_MISMATCH,
                                                                TLSRPT_CERTIFICATE_NOT_TRUSTED,
                                                                TLSRPT_CERTIFICATE_EXPIRED,
                                                                TLSRPT_VALIDATION_FAILURE,
                                                                TLSRPT_STS_POLICY_FETCH_ERROR,
                                                                TLSRPT_STS_POLICY_INVALID,
                                                                TLSRPT_STS_WEBPKI_INVALID,
                                                                TLSRPT_TLSA_INVALID,
                                                                TLSRPT_DNSSEC_INVALID,
                                                                TLSRPT_DANE_REQUIRED};

static const char *const sources[SESSION_SOURCES] = {"log", "datagram", "exim", "call"};

/* Each source and result is counted under its own name. */
static void test_names(void **state)
{
    (void)state;
    for (size_t source = 0; source < SESSION_SOURCES; source++)
        for (size_t i = 0; i < SESSION_RESULTS; i++) {
            const struct tlsrpt_failure failure = {.result = i == 0 ? TLSRPT_TLSA_INVALID : results[i - 1]};
            const struct tlsrpt_policy policy = {.failure = &failure, .failures = 1, .failed = i > 0};
            const struct tlsrpt_event event = {.policy = &policy, .policies = 1};
            struct metric *m = &tlsrptd_counters[COUNT_SESSIONS + source * SESSION_RESULTS + i];
            char want[120];

            (void)snprintf(want, sizeof(want), "postern_tlsrptd_sessions_total{source=\"%s\",result=\"%s\"}",
                           sources[source], i == 0 ? "success" : tlsrpt_result_name(results[i - 1]));
            assert_string_equal(m->name, want);
            assert_int_equal(m->value, 0);
            count_session((enum session_source)source, &event);
            assert_int_equal(m->value, 1);
        }
    assert_int_equal(tlsrptd_counters[COUNT_SESSIONS - 1].value + tlsrptd_counters[COUNT_SESSIONS_LAST + 1].value, 0);
}

/* The first policy that failed says it, and one without a failure that is known. */
static void test_policies(void **state)
{
    const struct tlsrpt_failure failure = {.result = TLSRPT_DANE_REQUIRED};
    const struct tlsrpt_policy policy[] = {
        {.failed = false}, {.failed = true, .failure = &failure, .failures = 1}, {.failed = true}};

    (void)state;
    assert_int_equal(session_result(&(struct tlsrpt_event){.policies = 0}), 0);
    assert_int_equal(session_result(&(struct tlsrpt_event){.policy = policy, .policies = 1}), 0);
    assert_int_equal(session_result(&(struct tlsrpt_event){.policy = policy, .policies = 3}), 11);
    assert_int_equal(session_result(&(struct tlsrpt_event){.policy = policy + 2, .policies = 1}), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_policies)};

    return cmocka_run_group_tests_name("tlsrptd counters", tests, NULL, NULL);
}
