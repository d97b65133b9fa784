/* rule_lex.t.c - tests of rule_lex.c. */
#include "rule_lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* Each token with the letter of its kind before it. */
static const struct {
    const char *text;
    const char *tokens;
} cuts[] = {
    {"", ""},
    {" \t ", ""},
    {"a: not (b)->none", "Wa S: Wnot S( Wb S) A-> Wnone "},
    {"tls-optional->x", "Wtls-optional A-> Wx "},
    {"size>20M", "Wsize S> W20M "},
    {"a-b- ->", "Wa-b- A-> "},
    {"x && y=>z", "Wx W&& Wy= S> Wz "},
    {"x => z", "Wx W=> Wz "},
    {"\"a b\"c", "Q\"a b\" Wc "},
    {"\"a\\\"b\\\\\"c", "Q\"a\\\"b\\\\\" Wc "},
    {"\"a -> none", "U\"a -> none "},
    {"\"a\\\"", "U\"a\\\" "},
    {"\"a\\", "U\"a\\ "},
    {"\"", "U\" "},
    {"ü\"ö\"", "Wü Q\"ö\" "},
};

static void test_cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        char got[200] = "";
        size_t at = 0, len = strlen(cuts[i].text);

        for (;;) {
            struct rule_token t = rule_lex(cuts[i].text, len, at);

            if (t.kind == RULE_END)
                break;
            snprintf(got + strlen(got), sizeof(got) - strlen(got), "%c%.*s ", "EWQUSA"[t.kind], (int)t.len,
                     cuts[i].text + t.at);
            at = t.at + t.len;
        }
        assert_string_equal(got, cuts[i].tokens);
    }
}

static const struct {
    const char *text;
    enum rule_quotes quotes;
    const char *out; /* NULL: a backslash that may not be there, */
    size_t bad;      /* here */
} strings[] = {
    {"\"\"", RULE_PLAIN, "", 0},
    {"\"a b\"", RULE_PLAIN, "a b", 0},
    {"\"\\\"\\\\\\\"\"", RULE_PLAIN, "\"\\\"", 0},
    {"\"ab\\d\"", RULE_PLAIN, NULL, 3},
    {"\"ab\\d\\\\\\.\\\"\"", RULE_PATTERN, "ab\\d\\\\\\.\"", 0},
};

static void test_strings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        struct rule_token t = rule_lex(strings[i].text, strlen(strings[i].text), 0);
        char out[64];
        size_t bad = 0, len = rule_unquote(out, strings[i].text, t, strings[i].quotes, &bad);

        assert_int_equal(t.kind, RULE_STRING);
        assert_int_equal(bad, strings[i].bad);
        assert_int_equal(len, strings[i].out == NULL ? (size_t)-1 : strlen(strings[i].out));
        if (strings[i].out != NULL)
            assert_memory_equal(out, strings[i].out, len);
    }
}

/* Every octet of the contents is found again in the source. */
static void test_offsets(void **state)
{
    static const char text[] = "x \"a\\\"b\\dc\"";
    static const char contents[] = "a\"b\\dc";
    struct rule_token t = rule_lex(text, sizeof(text) - 1, 1);

    (void)state;
    for (size_t i = 0; i < sizeof(contents) - 1; i++)
        assert_int_equal(text[rule_unquoted_at(text, t, RULE_PATTERN, i) + (contents[i] == '"' ? 1 : 0)], contents[i]);
    assert_int_equal(rule_unquoted_at(text, t, RULE_PATTERN, sizeof(contents) - 1), sizeof(text) - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_offsets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
