/* publish_verdict.t.c - lines of verdicts: text, JSON, exit code. */
#include "publish_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void worst_decides(void **state)
{
    static const struct {
        const char *levels; /* o w u b */
        enum ctl_exit code;
    } table[] = {{"", CTL_YES},      {"o", CTL_YES}, {"ow", CTL_YES}, {"wo", CTL_YES}, {"u", CTL_LATER},
                 {"owu", CTL_LATER}, {"b", CTL_NO},  {"bu", CTL_NO},  {"ub", CTL_NO},  {"bwo", CTL_NO}};

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct verdicts v = {0};

        for (const char *c = table[i].levels; *c != '\0'; c++)
            verdicts_add(&v, (enum verdict_level)(strchr("owub", *c) - "owub"), "x", "%c", *c);
        assert_int_equal(v.count, strlen(table[i].levels));
        assert_int_equal(verdicts_exit(&v), table[i].code);
        verdicts_clear(&v);
        verdicts_clear(&v);
    }
}

static void text_and_json(void **state)
{
    struct verdicts v = {0};
    struct buf out;
    json_t *json;
    char *dump;

    (void)state;
    verdicts_add(&v, VERDICT_OK, "TXT record", "id %d", 1);
    verdicts_add(&v, VERDICT_BAD, "MX mx.example.com", "says \"\033[2J\": mend it");
    buf_init(&out, 10000);
    verdicts_print(&out, &v, false);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), "ok   TXT record         id 1\n"
                                        "bad  MX mx.example.com  says \"\\x1b[2J\": mend it\n");
    buf_reset(&out);
    json = verdicts_json(&v);
    dump = json_dumps(json, JSON_COMPACT);
    assert_string_equal(dump, "[{\"level\":\"ok\",\"what\":\"TXT record\",\"words\":\"id 1\"},"
                              "{\"level\":\"bad\",\"what\":\"MX mx.example.com\","
                              "\"words\":\"says \\\"\\\\x1b[2J\\\": mend it\"}]");
    free(dump);
    json_decref(json);
    buf_clear(&out);
    verdicts_clear(&v);
}

/* What is missing is never a good verdict. */
static void missing_is_unknown(void **state)
{
    struct verdicts v = {.failed = true};
    struct buf out;

    (void)state;
    assert_int_equal(verdicts_exit(&v), CTL_LATER);
    assert_null(verdicts_json(&v));
    buf_init(&out, 100);
    verdicts_print(&out, &v, false);
    assert_false(buf_ok(&out));
    buf_clear(&out);
}

static void long_words_are_cut(void **state)
{
    struct verdicts v = {0};
    char text[2 * VERDICT_TEXT_MAX];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    verdicts_add(&v, VERDICT_WARN, "x", "%s", text);
    assert_int_equal(strlen(v.line[0].words), VERDICT_TEXT_MAX);
    verdicts_clear(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worst_decides),
        cmocka_unit_test(text_and_json),
        cmocka_unit_test(missing_is_unknown),
        cmocka_unit_test(long_words_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
