/* utf8_fold.t.c - tests of utf8_fold.c; for the folding itself PCRE2 is the other opinion. */
#include "utf8_fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "rule_pattern.h"

static const struct {
    const char *in;
    const char *out;
} texts[] = {
    {"", ""},
    {"Confidential: ABCXYZ@[`{", "confidential: abcxyz@[`{"},
    {"ÄÖÜ ß ẞ ÿ Ÿ × ÷", "äöü ß ẞ ÿ ÿ × ÷"},
    {"ŻÓŁĆ Žluťoučký ĸ", "żółć žluťoučký ĸ"},
    {"ΑΒΓ ΆΈΏ ΣΊΣΥΦΟΣ σίσυφος", "αβγ άέώ σίσυφοσ σίσυφοσ"},
    {"СЕКРЕТНО Ёлка ЇЖАК", "секретно ёлка їжак"},
    {"İ ı Ḁ \xe2\x84\xab", "İ ı Ḁ \xe2\x84\xab"}, /* no simple folding, or letters of three octets */
    {"\xc3", "\xc3"},
    {"\xc3\x41\xff\xc0\x80\x9f", "\xc3\x61\xff\xc0\x80\x9f"},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *out = strdup(texts[i].in);

        utf8_fold(out, out, strlen(out));
        assert_string_equal(out, texts[i].out);
        free(out);
    }
}

static void put(char out[3], unsigned c)
{
    out[0] = (char)(0xc0 | c >> 6);
    out[1] = (char)(0x80 | (c & 0x3f));
    out[2] = '\0';
}

/* PCRE2 takes one for the other without case. */
static int pcre_same(struct rule_matcher *m, const char *pattern, const char *text)
{
    size_t at, len;
    const char *why;
    struct rule_pattern *p = rule_pattern_new(pattern, strlen(pattern), &at, NULL);
    int rc;

    assert_non_null(p);
    rule_matcher_message(m, 0);
    rule_matcher_condition(m, 0);
    rc = rule_pattern_find(p, m, text, strlen(text), &at, &len, &why);
    rule_pattern_free(p);
    return rc == 1;
}

/* The letters that utf8_fold knows. */
static int known(unsigned c)
{
    return (c >= 0xc0 && c <= 0x17e) || (c >= 0x386 && c <= 0x3ce) || (c >= 0x400 && c <= 0x52f);
}

static void compare(struct rule_matcher *m, unsigned a, unsigned b)
{
    char letter[2][3], folded[2][3];

    put(letter[0], a);
    put(letter[1], b);
    for (size_t i = 0; i < 2; i++) {
        memcpy(folded[i], letter[i], 3);
        utf8_fold(folded[i], folded[i], 2);
    }
    if (pcre_same(m, letter[0], letter[1]) != (strcmp(folded[0], folded[1]) == 0))
        fail_msg("U+%04X and U+%04X", a, b);
}

static void test_as_pcre(void **state)
{
    struct rule_matcher *m = rule_matcher_new();

    (void)state;
    for (unsigned a = 0xc0; a <= 0x52f; a++)
        for (unsigned b = a + 1; known(a) && b <= a + 130; b++)
            if (known(b))
                compare(m, a, b);
    rule_matcher_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_as_pcre)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
