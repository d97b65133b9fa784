/*
 * publish_sts_promote.t.c - when the policy of an own domain may be promoted to enforce (RFC 8461 8.1; RFC 8460).
 */
#include "publish_sts.h"
#include "publish_sts_made.h"

static void testing_takes_time(void **state)
{
    static const struct {
        const char *published, *want;
    } rows[] = {
        {"testing 86400 -172800 0 a", "ok time in testing"}, /* nobody held another one */
        {"testing 86400 -172799 0 a", "bad time in testing"},
        {"testing 86400 -300000 -172800 a", "ok time in testing"}, /* whatever its own max_age is */
        {"testing 86400 -300000 -172799 a", "bad time in testing"},
        {"testing 0 0 0 a", "bad time in testing"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verdicts v = {0};
        struct published p;

        published(&p, rows[i].published);
        sts_judge_testing(&v, &p, NOW);
        expect(&v, rows[i].want, rows[i].published);
        verdicts_clear(&v);
        published_clear(&p);
    }
}

#define RANGE(day) "\"date-range\":{\"start-datetime\":\"" day "T00:00:00Z\",\"end-datetime\":\"" day "T23:59:59Z\"}"
#define POLICY(type, domain, good, bad, details)                                                        \
    "{\"policy\":{\"policy-type\":\"" type "\",\"policy-domain\":\"" domain                             \
    "\"},\"summary\":{\"total-successful-session-count\":" good ",\"total-failure-session-count\":" bad \
    "},\"failure-details\":[" details "]}"
#define NO_POLICY(domain, details) POLICY("no-policy-found", domain, "7", "9", details)
#define DETAIL(type, count) \
    "{\"result-type\":\"" type "\",\"receiving-mx-hostname\":\"mx1\",\"failed-session-count\":" count "}"
#define REPORT(day, policies) "{\"organization-name\":\"Big\"," RANGE(day) ",\"policies\":[" policies "]}"

static void reports(void **state)
{
    static const struct {
        const char *name, *report[2], *want;
        size_t rows;
        int64_t sessions; /* of the first row */
    } rows[] = {
        {"none", {NULL}, "warn TLS reports", 0, 0},
        {"good", {REPORT("2026-11-22", POLICY("sts", "Example.com.", "5", "0", ""))}, "ok TLS reports", 0, 0},
        {"bad",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "1", DETAIL("certificate-expired", "1")))},
         "bad TLS reports",
         1,
         1},
        {"the same twice, added up",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "1", DETAIL("certificate-expired", "1"))),
          REPORT("2026-11-23", POLICY("sts", "example.com", "5", "3", DETAIL("certificate-expired", "3")))},
         "bad TLS reports",
         1,
         4},
        {"failed, without details",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "2", ""))},
         "bad TLS reports",
         1,
         2},
        {"a detail, though nothing failed",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "0", DETAIL("sts-policy-fetch-error", "0")))},
         "bad TLS reports",
         1,
         0},
        {"counts that cannot be",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "-5", "-2",
                                      DETAIL("x", "9223372036854775807") "," DETAIL("x", "9223372036854775807")))},
         "bad TLS reports",
         1,
         INT64_MAX},
        {"of another domain",
         {REPORT("2026-11-22", POLICY("sts", "example.net", "5", "1", DETAIL("x", "1")))},
         "warn TLS reports",
         0,
         0},
        {"of DANE",
         {REPORT("2026-11-22", POLICY("tlsa", "example.com", "5", "1", DETAIL("x", "1")))},
         "warn TLS reports",
         0,
         0},
        {"of before",
         {REPORT("2026-11-21", POLICY("sts", "example.com", "5", "1", DETAIL("x", "1")))},
         "warn TLS reports|warn TLS reports",
         0,
         0},
        {"of before, and a good one",
         {REPORT("2026-11-21", POLICY("sts", "example.com", "5", "1", DETAIL("x", "1"))),
          REPORT("2026-11-22", POLICY("sts", "example.com", "5", "0", ""))},
         "warn TLS reports|ok TLS reports",
         0,
         0},
        {"a sender that could not have the policy",
         {REPORT("2026-11-22", NO_POLICY("example.com", DETAIL("sts-policy-fetch-error", "3")))},
         "bad TLS reports",
         1,
         3},
        {"another one that could not, beside good ones",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "0", "")),
          REPORT("2026-11-22", NO_POLICY("example.com", DETAIL("sts-webpki-invalid", "0")))},
         "bad TLS reports",
         1,
         0},
        {"each type, and failures under the policy",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "1", DETAIL("certificate-expired", "1"))),
          REPORT("2026-11-22",
                 NO_POLICY("example.com", DETAIL("sts-policy-invalid", "2") "," DETAIL("sts-webpki-invalid", "4")))},
         "bad TLS reports|bad TLS reports|bad TLS reports",
         3,
         1},
        {"without a policy, failures that are not about one",
         {REPORT("2026-11-22", NO_POLICY("example.com", DETAIL("certificate-expired", "3")))},
         "warn TLS reports",
         0,
         0},
        {"without a policy, and nothing failed",
         {REPORT("2026-11-22", NO_POLICY("example.com", ""))},
         "warn TLS reports",
         0,
         0},
        {"no policy of another domain",
         {REPORT("2026-11-22", NO_POLICY("example.net", DETAIL("sts-policy-fetch-error", "3")))},
         "warn TLS reports",
         0,
         0},
        {"no policy, before this one",
         {REPORT("2026-11-21", NO_POLICY("example.com", DETAIL("sts-policy-fetch-error", "3")))},
         "warn TLS reports|warn TLS reports",
         0,
         0},
        {"no report at all", {"{}"}, "warn TLS reports", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sts_failures f = {0};
        struct verdicts v = {0};

        for (size_t k = 0; k < 2 && rows[i].report[k] != NULL; k++) {
            json_t *json = json_loads(rows[i].report[k], 0, NULL);

            assert_non_null(json);
            sts_failures_add(&f, json, "example.com", NOW);
            json_decref(json);
        }
        sts_judge_reports(&v, &f);
        expect(&v, rows[i].want, rows[i].name);
        assert_int_equal(f.count, rows[i].rows);
        if (f.count > 0)
            assert_int_equal(f.row[0].sessions, rows[i].sessions);
        verdicts_clear(&v);
        sts_failures_clear(&f);
        sts_failures_clear(&f);
    }
}

/* A sender without the policy is told of with the type of its failure and how many sessions there were. */
static void no_policy_in_words(void **state)
{
    static const char text[] =
        REPORT("2026-11-22",
               NO_POLICY("example.com", DETAIL("sts-policy-fetch-error", "3") "," DETAIL("x", "50") "," DETAIL(
                                            "sts-policy-fetch-error", "4") "," DETAIL("sts-webpki-invalid", "1")));
    json_t *report = json_loads(text, 0, NULL);
    struct sts_failures f = {0};
    struct verdicts v = {0};

    (void)state;
    assert_non_null(report);
    sts_failures_add(&f, report, "example.com", NOW);
    sts_judge_reports(&v, &f);
    assert_int_equal(v.count, 2);
    assert_non_null(strstr(v.line[0].words, "sts-policy-fetch-error: 7 sessions of senders that had no policy"));
    assert_non_null(strstr(v.line[1].words, "sts-webpki-invalid: 1 session of senders that had no policy"));
    json_decref(report);
    verdicts_clear(&v);
    sts_failures_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(testing_takes_time),
        cmocka_unit_test(reports),
        cmocka_unit_test(no_policy_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
