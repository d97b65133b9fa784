/* report_table.t.c - reports as people see them. */
#include "report_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                          \
    "report   r1\n"                   \
    "of       Sender\n"               \
    "contact  a@b.example\n"          \
    "from     2026-11-22T00:00:00Z\n" \
    "to       -\n"
#define REPORT(policies)                                                                                      \
    "{\"report-id\":\"r1\",\"organization-name\":\"Sender\",\"contact-info\":\"a@b.example\",\"date-range\":" \
    "{\"start-datetime\":\"2026-11-22T00:00:00Z\"},\"policies\":[" policies "]}"

static const struct row {
    const char *report, *text;
} rows[] = {
    {REPORT(""), HEAD},
    {"{\"policies\":[]}", "report   -\nof       -\ncontact  -\nfrom     -\nto       -\n"},
    {REPORT(
         "{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"x.example\",\"policy-string\":[\"version: STSv1\","
         "\"mode: testing\"],\"mx-host\":[\"*.x.example\"]},\"summary\":{\"total-successful-session-count\":3,"
         "\"total-failure-session-count\":0},\"failure-details\":[]}"),
     HEAD "\n"
          "sts           x.example\n"
          "  policy      version: STSv1\n"
          "              mode: testing\n"
          "  mx          *.x.example\n"
          "  successful  3\n"
          "  failed      0\n"},
    {REPORT("{\"policy\":{\"policy-type\":\"tlsa\"},\"failure-details\":[{\"result-type\":\"tlsa-invalid\","
            "\"failed-session-count\":12,\"failure-reason-code\":\"a\"},{\"failed-session-count\":1}]}"),
     HEAD "\n"
          "tlsa          -\n"
          "  successful  -\n"
          "  failed      -\n"
          "  RESULT        SESSIONS  REASON\n"
          "  tlsa-invalid  12        a\n"
          "  -             1         -\n"},
    /* What acts on a terminal, or is a line end, does not. */
    {"{\"report-id\":\"\\u001b[2J\\n\\u0000z\",\"organization-name\":\"\\u202ea\",\"contact-info\":\"\\u009b1m\","
     "\"policies\":[{\"policy\":{\"policy-type\":\"\\u001b\",\"policy-domain\":\"\\r\",\"policy-string\":[\"\\u2028\"]}"
     ","
     "\"failure-details\":[{\"result-type\":\"\\u0007\",\"receiving-mx-helo\":\"a\\tb\"}]}]}",
     "report   \\x1b[2J\\x0a\\x00z\nof       \\xe2\\x80\\xaea\ncontact  \\xc2\\x9b1m\nfrom     -\nto       -\n\n"
     "\\x1b          \\x0d\n  policy      \\xe2\\x80\\xa8\n  successful  -\n  failed      -\n"
     "  RESULT  SESSIONS  CALLS ITSELF\n  \\x07    -         a\\x09b\n"},
};

static void test_report(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *report = json_loads(rows[i].report, JSON_ALLOW_NUL, NULL);
        struct buf out;

        assert_non_null(report);
        buf_init(&out, 10000);
        report_print(&out, report, false);
        assert_true(buf_ok(&out));
        assert_string_equal(buf_text(&out), rows[i].text);
        buf_clear(&out);
        json_decref(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_report)};

    return cmocka_run_group_tests_name("report_table", tests, NULL, NULL);
}
