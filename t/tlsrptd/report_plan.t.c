/* report_plan.t.c - where reports of a domain go (checks W3, W4, W5, W7, W10). */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "report_plan.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"

#define V "v=TLSRPTv1; rua="

static const struct row {
    const char *record[3];
    int failed; /* sessions of the last */
    bool success;
    size_t max;
    const char *want; /* destinations, each with the number of its record */
    const char *why;
} rows[] = {
    {{V "mailto:a@b.example"}, 0, true, 9, "mailto:a@b.example(0) ", ""},
    {{V "mailto:a@b.example"}, 0, false, 9, "", "nothing failed"}, /* W5 */
    {{V "mailto:a@b.example"}, 1, false, 9, "mailto:a@b.example(0) ", ""},
    {{NULL}, 0, true, 9, "", "nothing was counted"}, /* W4 */
    {{"v=TLSRPTv1; rua"}, 1, true, 9, "", ""},       /* W3 */
    {{"v=spf1 -all"}, 1, true, 9, "", ""},
    {{V "file:///etc/passwd,directory:/tmp"}, 1, true, 9, "", "names no destination"},
    {{V "mailto:a@b.example?bcc=c@d.example"}, 1, true, 9, "", ""}, /* W12 */
    {{V "https://b.example/x,mailto:a@b.example"}, 1, true, 9, "https://b.example/x(0) mailto:a@b.example(0) ", ""},
    /* W10: the same once, in whatever writing */
    {{V "mailto:a@b.example,mailto:a@b.example,mailto:%61@B.example"}, 1, true, 9, "mailto:a@b.example(0) ", ""},
    {{V "https://b.example/x,https://b.example/x,https://b.example/X"},
     1,
     true,
     9,
     "https://b.example/x(0) https://b.example/X(0) ",
     ""},
    /* W7: another record, another report */
    {{V "mailto:a@b.example", V "mailto:a@b.example;"}, 1, true, 9, "mailto:a@b.example(0) mailto:a@b.example(1) ", ""},
    {{V "mailto:a@b.example", "broken", V "mailto:c@b.example"},
     1,
     true,
     9,
     "mailto:a@b.example(0) mailto:c@b.example(2) ",
     ""},
    {{V "mailto:a@b.example,mailto:b@b.example,mailto:c@b.example"},
     1,
     true,
     2,
     "mailto:a@b.example(0) mailto:b@b.example(0) ",
     ""},
};

static void check_row(const struct row *r)
{
    struct counted_policy policy[3];
    struct counts c = {.day = 1, .domain = "b.example", .policy = policy};
    struct report_plan plan;
    struct err e = {""};
    struct buf got;

    memset(policy, 0, sizeof(policy));
    for (; c.policies < 3 && r->record[c.policies] != NULL; c.policies++)
        policy[c.policies] = (struct counted_policy){.record = r->record[c.policies],
                                                     .successful = 1,
                                                     .policy = {.type = TLSRPT_POLICY_NONE, .domain = "b.example"}};
    if (c.policies > 0)
        policy[c.policies - 1].failed = (uint64_t)r->failed;
    assert_int_equal(report_plan_make(&plan, &c, r->success, r->max, &e), 0);
    buf_init(&got, 1000);
    for (size_t i = 0; i < plan.count; i++)
        for (size_t k = 0; k < c.policies; k++)
            if (strcmp(policy[k].record, plan.destination[i].record) == 0)
                buf_printf(&got, "%s(%zu) ", plan.destination[i].uri, k);
    assert_string_equal(buf_text(&got), r->want);
    assert_int_equal(plan.left_out, r->max == 2 ? 1 : 0);
    if (plan.count == 0)
        assert_string_not_equal(e.text, "");
    if (strstr(e.text, r->why) == NULL)
        fail_msg("%s", e.text);
    buf_clear(&got);
    report_plan_clear(&plan);
    report_plan_clear(&plan);
}

/* W3, W7: what a session is said to have had counts only as far as the domain says so itself. */
static void test_confirm(void **state)
{
    static const struct {
        const char *now;
        size_t max, dropped, left_out;
        const char *want;
    } all[] = {
        {V "mailto:a@b.example", 9, 2, 0, "mailto:%61@b.example mailto:a@b.example "},
        {V "mailto:%61@B.example,https://b.example/x", 9, 1, 0,
         "mailto:%61@b.example mailto:a@b.example https://b.example/x "},
        {V "mailto:a@b.example", 1, 2, 1, "mailto:%61@b.example "},
        {V "mailto:x@b.example", 9, 4, 0, ""},
        {V "https://b.example/X", 9, 4, 0, ""},
        {"", 9, 4, 0, ""},
        {"v=TLSRPTv1; broken", 9, 4, 0, ""},
    };
    struct counted_policy policy[2] = {
        {.record = V "mailto:a@b.example,https://b.example/x,mailto:victim@c.example", .successful = 1},
        {.record = V "mailto:%61@b.example", .successful = 1},
    };
    struct counts c = {.day = 1, .domain = "b.example", .policy = policy, .policies = 2};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct report_plan plan;
        struct buf got;

        buf_init(&got, 1000);
        assert_int_equal(report_plan_make(&plan, &c, true, 9, NULL), 0);
        assert_int_equal(plan.count, 4);
        assert_int_equal(report_plan_confirm(&plan, all[i].now, all[i].max), all[i].dropped);
        assert_int_equal(plan.left_out, all[i].left_out);
        for (size_t k = 0; k < plan.count; k++)
            buf_printf(&got, "%s ", plan.destination[k].uri);
        assert_string_equal(buf_text(&got), all[i].want);
        buf_clear(&got);
        report_plan_clear(&plan);
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_confirm)};

    return cmocka_run_group_tests_name("report_plan", tests, NULL, NULL);
}
