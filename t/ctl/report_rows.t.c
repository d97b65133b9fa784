/* report_rows.t.c - counts and destinations, and what would be sent. */
#include "report_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECORD "v=TLSRPTv1; rua=mailto:a@x.example,https://x.example/r"
#define NOW    1000000

static const char *const strings[] = {"version: STSv1"};
static struct counted_failure failures[] = {
    {.failure = {.result = TLSRPT_CERTIFICATE_EXPIRED, .mx_name = "mx.x.example"}, .sessions = 3}};
static struct counted_policy policies[] = {
    {.record = RECORD,
     .policy = {.type = TLSRPT_POLICY_STS, .domain = "x.example", .string = strings, .strings = 1},
     .successful = 5,
     .failed = 3,
     .failure = failures,
     .failures = 1},
    {.record = "v=TLSRPTv1; rua=ftp://x", .policy = {.type = TLSRPT_POLICY_NONE}, .successful = 1}};
static const struct counts counts = {.domain = "x.example", .policy = policies, .policies = 2};
static const struct report_domain domain = {.counts = &counts, .success = true};

static void demand_json(json_t *got, const char *want)
{
    json_t *wanted = json_loads(want, 0, NULL);
    char *text;

    assert_non_null(wanted);
    text = json_dumps(got, 0);
    if (!json_equal(got, wanted))
        fail_msg("it is %s", text);
    free(text);
    json_decref(wanted);
    json_decref(got);
}

static void test_counts(void **state)
{
    json_t *all = report_domain_json(&domain);

    (void)state;
    demand_json(
        report_sums_json(&domain),
        "{\"domain\":\"x.example\",\"policies\":2,\"successful\":6,\"failed\":3,\"left_out\":0,\"unreadable\":0,"
        "\"reports\":[{\"domain\":\"x.example\",\"destination\":\"mailto:a@x.example\",\"state\":\"none\"},"
        "{\"domain\":\"x.example\",\"destination\":\"https://x.example/r\",\"state\":\"none\"}]}");
    demand_json(
        json_incref(json_array_get(json_object_get(all, "policies"), 0)),
        "{\"record\":\"" RECORD "\",\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"x.example\","
        "\"policy-string\":[\"version: STSv1\"],\"mx-host\":[]},\"summary\":{\"total-successful-session-count\":5,"
        "\"total-failure-session-count\":3},\"failure-details\":[{\"result-type\":\"certificate-expired\","
        "\"receiving-mx-hostname\":\"mx.x.example\",\"failed-session-count\":3}]}");
    json_decref(all);
}

/* W6: what was sent, or may have been, is sent again only when that is asked for. */
static const struct {
    int64_t next;
    enum report_stage stage;
    bool send, again;
} plans[] = {
    {0, REPORT_NONE, true, true},          {NOW + 1, REPORT_CLAIMED, false, false},
    {NOW - 1, REPORT_CLAIMED, true, true}, {NOW + 1, REPORT_SENDING, false, false},
    {0, REPORT_SENT, false, true},         {NOW + 1, REPORT_FAILED, true, true},
    {0, REPORT_GIVEN_UP, true, true},      {0, REPORT_UNKNOWN, false, true},
};

static void test_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        struct report_sent_row sent = {.state = {.stage = plans[i].stage, .next = plans[i].next, .at = 1}};

        report_state_field(sent.field, "mailto:a@x.example", RECORD);
        for (int again = 0; again < 2; again++) {
            json_t *rows = report_plan_json(&(struct report_domain){&counts, &sent, 1, true}, again != 0, NOW);
            const json_t *row = json_array_get(rows, 0);

            assert_int_equal(json_array_size(rows), 2);
            assert_string_equal(json_string_value(json_object_get(row, "state")), report_stage_name(plans[i].stage));
            assert_true(json_is_true(json_object_get(json_array_get(rows, 1), "send")));
            if (json_is_true(json_object_get(row, "send")) != (again != 0 ? plans[i].again : plans[i].send))
                fail_msg("%s, again %d", report_stage_name(plans[i].stage), again);
            json_decref(rows);
        }
    }
}

/* W5: without a failure there is a report only when that is wanted. */
static void test_success(void **state)
{
    struct counted_policy policy = policies[0];
    const struct counts c = {.domain = "x.example", .policy = &policy, .policies = 1};
    struct report_domain d = {.counts = &c};

    (void)state;
    for (int i = 0; i < 4; i++) {
        json_t *rows;

        d.success = (i & 1) != 0;
        policy.failed = (i & 2) != 0 ? 3 : 0;
        policy.failures = (i & 2) != 0 ? 1 : 0;
        rows = report_destinations_json(&d);
        assert_int_equal(json_array_size(rows), i == 0 ? 0 : 2);
        json_decref(rows);
    }
}

static const struct {
    const char *sums, *text;
} sums[] = {
    {"[]", "DOMAIN  POLICIES  SUCCESSFUL  FAILED  REPORTS\n"},
    {"[{\"domain\":\"a\",\"policies\":1,\"successful\":2,\"failed\":3,\"reports\":[{\"state\":\"sent\"},{\"state\":"
     "\"sent\"}]},"
     "{\"domain\":\"b\",\"reports\":[{\"state\":\"sent\"},{\"state\":\"given-up\"}],\"unreadable\":2},{\"domain\":"
     "\"c\",\"left_out\":4}]",
     "DOMAIN  POLICIES  SUCCESSFUL  FAILED  REPORTS\n"
     "a       1         2           3       sent\n"
     "b       0         0           0       sent 1, given-up 1\n"
     "c       0         0           0       no destination\n"
     "b: 2 fields in Redis cannot be read, and are not in it\n"
     "c: 4 sessions under more policies than are kept are not in it\n"},
};

static void test_sums(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        json_t *array = json_loads(sums[i].sums, 0, NULL);
        struct buf out;

        buf_init(&out, 10000);
        report_sums_print(&out, array, false);
        assert_string_equal(buf_text(&out), sums[i].text);
        buf_clear(&out);
        json_decref(array);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts), cmocka_unit_test(test_plan),
                                       cmocka_unit_test(test_success), cmocka_unit_test(test_sums)};

    return cmocka_run_group_tests_name("report_rows", tests, NULL, NULL);
}
