/* setup.t - a plan: its steps, and how they are shown. */
#include "setup.h"
#include "hold_report.h"
#include "setup_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct quoting {
    const char *word, *shown;
} quotings[] = {
    {"postconf", "postconf"},
    {"/etc/x.cf", "/etc/x.cf"},
    {"a=b", "a=b"},
    {"", "''"},
    {"a b", "'a b'"},
    {"$x", "'$x'"},
    {"it's", "'it'\\''s'"},
    {"'", "''\\'''"},
    {"a\\0", "'a\\0'"},
    {"*", "'*'"},
    {"a\nb", "'a\\x0ab'"},
    {"~", "'~'"},
    {"{ x }", "'{ x }'"},
    {"#", "'#'"},
    {"\033[2J", "'\\x1b[2J'"},
};

static void test_quoting(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(quotings) / sizeof(quotings[0]); i++) {
        char *words[] = {(char *)"x", (char *)quotings[i].word, NULL};
        char wanted[100];
        struct buf out;

        snprintf(wanted, sizeof(wanted), "x %s", quotings[i].shown);
        buf_init(&out, 1000);
        setup_words_print(&out, words);
        assert_string_equal(buf_text(&out), wanted);
        buf_clear(&out);
    }
}

static struct setup_plan one_of_each(void)
{
    const char *argv[] = {"postconf", "-e", "a=b c", NULL}, *reload[] = {"postfix", "reload", NULL};
    struct setup_plan p = {.server = "postfix"};

    setup_command(&p, SETUP_NEEDED,
                  &(struct setup_command){.what = "a parameter", .path = "/etc/main.cf", .argv = argv});
    setup_file(&p, SETUP_NEEDED, "a table", "/etc/table", 0644, "one\ntwo\n");
    setup_conf(&p, SETUP_NEEDED, "the log", "tlsrptd", "log", "\"journal\"");
    setup_local(&p, SETUP_NEEDED, "example.com");
    setup_note(&p, SETUP_THERE, "to know");
    setup_notef(&p, SETUP_NEEDED, "to do: %d", 7);
    setup_conf(&p, SETUP_THERE, "reports", "stsd", "tlsrpt", "\"unix:/x\"");
    setup_reload(&p, reload);
    return p;
}

static void test_plan(void **state)
{
    struct setup_plan p = one_of_each();
    struct err e = {""};
    struct buf out;
    json_t *json;

    (void)state;
    assert_int_equal(setup_plan_finish(&p, &e), 0);
    assert_int_equal(setup_plan_count(&p, SETUP_NEEDED), 4);
    assert_int_equal(setup_plan_count(&p, SETUP_THERE), 1);
    buf_init(&out, 100000);
    setup_print(&out, &p, "/etc/postern.conf", false);
    assert_string_equal(buf_text(&out), "There already:\n"
                                        "  stsd.tlsrpt = \"unix:/x\"  # reports\n"
                                        "Needed:\n"
                                        "  # a parameter\n"
                                        "  postconf -e 'a=b c'\n"
                                        "  # a table\n"
                                        "  file /etc/table:\n"
                                        "    | one\n"
                                        "    | two\n"
                                        "  # the log\n"
                                        "  /etc/postern.conf: tlsrptd { log = \"journal\" }\n"
                                        "  # a domain of this mail server\n"
                                        "  posternctl -c /etc/postern.conf list add local example.com\n"
                                        "  # the mail server takes all of it up\n"
                                        "  postfix reload\n"
                                        "Notes:\n"
                                        "  to know\n"
                                        "  by hand: to do: 7\n"
                                        "postfix: 4 needed; --apply makes them\n");
    buf_reset(&out);
    setup_note(&p, SETUP_CLASH, "another \033 one");
    setup_print(&out, &p, "/etc/postern.conf", false);
    assert_non_null(strstr(buf_text(&out), "In the way, and for you to decide:\n  another \\x1b one\n"));
    assert_non_null(
        strstr(buf_text(&out), "postfix: 4 needed, 1 in the way; --apply does nothing until these are gone\n"));
    buf_clear(&out);
    json = setup_json(&p);
    assert_int_equal(json_integer_value(json_object_get(json, "needed")), 4);
    assert_int_equal(json_integer_value(json_object_get(json, "clashes")), 1);
    assert_int_equal(json_array_size(json_object_get(json, "steps")), 8);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(json, "steps"), 1), "text")),
                        "one\ntwo\n");
    json_decref(json);
    setup_plan_clear(&p);
    assert_int_equal(p.count, 0);
}

static void test_limit(void **state)
{
    struct setup_plan p = {.server = "postfix"};
    struct err e = {""};

    (void)state;
    for (size_t i = 0; i < SETUP_STEPS_MAX; i++)
        setup_note(&p, SETUP_THERE, "x");
    assert_int_equal(setup_plan_finish(&p, &e), 0);
    setup_note(&p, SETUP_THERE, "x");
    assert_int_equal(setup_plan_finish(&p, &e), -1);
    assert_string_equal(e.text, "the plan has more than 1000 steps");
    setup_plan_clear(&p);
}

/* Messages on hold: so many are named, foreign text is harmless, and without any nothing is said. */
static void test_hold_report(void **state)
{
    struct hold_report r = {.state = "on hold"};
    struct buf said;
    char id[32];

    (void)state;
    buf_init(&said, 100000);
    r.said = &said;
    hold_report_end(&r, "postfix", "postsuper -H ID", "", "Released");
    assert_string_equal(buf_text(&said), "");
    for (int i = 1; i <= HOLD_REPORT_NAMED + 2; i++) {
        snprintf(id, sizeof(id), "ID%d", i);
        hold_report_add(&r, id, "a\033+requiretls@b.example");
    }
    hold_report_end(&r, "postfix", "postsuper -H ID", "; postsuper -d ID throws it away", "Released");
    assert_int_equal(r.count, HOLD_REPORT_NAMED + 2);
    assert_non_null(strstr(buf_text(&said), "on hold: ID50 to a\\x1b+requiretls@b.example\n"));
    assert_null(strstr(buf_text(&said), "ID51"));
    assert_non_null(strstr(buf_text(&said), "\non hold: and 2 more\nFlagged mail is on hold, as"));
    assert_non_null(strstr(buf_text(&said), "after \"posternctl setup postfix --apply\" and \"postsuper -H ID\"; "
                                            "postsuper -d ID throws it away. Released without Postern"));
    buf_clear(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_hold_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
