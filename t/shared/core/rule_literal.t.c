/* rule_literal.t.c - tests of rule_literal.c: what is wanted of a text, and that its letters are those of PCRE2. */
#include "rule_literal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "rule_pattern.h"
#include "utf8.h"
#include "utf8_fold.h"

/* Sets have & between them, their texts |. */
static const struct {
    const char *pattern;
    const char *texts;
    const char *shapes;
} known[] = {
    {"confidential", "confidential", ""},
    {"Geheim-12", "geheim-12", ""},
    {"\\bproject[ -]12\\b", "project 12|project-12", ""},
    {"(?:iban|account)[: ]+[A-Z]{2}12", "iban:|iban |account:|account  & 12", ":aa00| aa00"},
    {"password\\s*[:=]\\s*\\S{12,}", "password", ""},
    {"\\bcontract (?:no|number)\\.? 12", "contract no.|contract no|contract number.|contract number &  12", ""},
    {"[a-z0-9._-]+@host12\\.example", "@host12.example",
     "a@aaaa00.aaaaaaa|0@aaaa00.aaaaaaa|.@aaaa00.aaaaaaa|_@aaaa00.aaaaaaa|-@aaaa00.aaaaaaa"},
    {"^Subject: .*12$", "subject:  & 12", ""},
    {"a literal of more than sixteen octets", "a literal of mor & e than sixteen o & ctets", ""},
    /* repeats */
    {"colou?r", "colour|color", ""},
    {"ab*c", "", ""},
    {"abx*cd", "ab & cd", ""},
    {"xab+cd", "xab & bcd", ""},
    {"(?:ab)+", "ab", ""},
    {"(?:ab){2}c", "ababc", ""},
    {"(?:ab){2,}c", "abab & abc", ""},
    {"(?:ab){2,3}c", "abab & abc", ""},
    {"(?:ab){0}cd", "cd", ""},
    {"(?:ab){0,1}cd", "abcd|cd", ""},
    {"(?:ab){0,3}cd", "cd", ""},
    {"(ab)??cd", "abcd|cd", ""},
    {"ab*+cd?+e", "cde|ce", ""},
    {"(?:ab|c.*de)?", "", ""},
    /* alternatives */
    {"secret|internal", "secret|internal", ""},
    {"secret|.*", "", ""},
    {"secret|", "", ""},
    {"(secret|top.*most)-x", "secret|most & -x", ""},
    {"(?:a.b|cd)ef", "ef", ""},
    {"(?|ab|cd)", "ab|cd", ""},
    /* classes */
    {"x[ab]y", "xay|xby", ""},
    {"x[Aa]y", "xay", ""},
    {"xy[^a]zz", "xy & zz", ""},
    {"x[a-c]y", "xay|xby|xcy", "aaa"},
    {"xx[a-z]yy", "xx & yy", "aaaaa"},
    {"x[]-]y", "x]y|x-y", ""},
    {"xx[]y]", "xx]|xxy", ""},
    {"xx[^]y]zz", "xx & zz", ""},
    {"x[a\\]]y", "xay|x]y", ""},
    {"xx[a\\x{42}]yy", "xx & yy", ""},
    {"xx[\\w]yy", "xx & yy", ""},
    {"xx[\\b]yy", "xx & yy", ""},
    {"xx[[:alpha:]]yy", "xx & yy", ""},
    {"xx[[:^alpha:]]yy", "xx & yy", ""},
    {"xx[a?]yy", "xx & yy", ""},
    {"xx[ä]yy", "xx & yy", ""},
    {"xx[a-\\d]yy", "xx & yy", ""},
    {"xx[[.a.]]yy", "", ""},
    {"xx[[:<:]]yy", "", ""},
    /* shapes */
    {"\\d{4}[ -]?\\d{4}", "", "0000 0000|0000-0000|00000000"},
    {"\\d{9}", "", "000000000"},
    {"\\b12-\\d{2}-\\d{4}\\b", "12-", "00-00-0000"},
    {"v[0-9]\\.[[:digit:]]", "", "a0.0"},
    {"[\\d.]+", "", ""},
    {"\\d{2}.*1234", "1234", "00"},
    {"id\\d*", "id", ""},
    {"[A-Z]{2}\\d\\d[ -]?12", " 12|-12|12", "aa00 00|aa00-00|aa0000"},
    {"\\b[A-Z0-9]{3}\\b", "", "aaa|aa0|a0a|a00|0aa|0a0|00a|000"},
    {"[a-z_]-[a-zé]", "", "a-|_-"},
    /* what only looks */
    {"(?=abc)de", "de", ""},
    {"(?<!abc)de(?!fg)", "de", ""},
    {"(?<=abc)de", "de", ""},
    {"ab\\bcd\\K", "abcd", ""},
    {"ab$\\Ecd", "", ""},
    /* groups */
    {"(?<n>ab)c", "abc", ""},
    {"(?P<n>ab)c", "abc", ""},
    {"(?'n'ab)c", "abc", ""},
    {"(?>ab)c", "abc", ""},
    {"(?i)ab", "ab", ""},
    {"(?-i)AB", "ab", ""},
    {"(?-i:AB)c", "abc", ""},
    {"(?s:a.)bc", "bc", ""},
    /* escapes */
    {"a\\.b\\-c", "a.b-c", ""},
    {"ab\\tcd", "ab & cd", ""},
    {"ab\\x41cd", "ab & cd", ""},
    {"ab\\x{263a}cd", "ab & cd", ""},
    {"ab\\p{Lu}cd", "ab & cd", ""},
    {"ab\\pLcd", "ab & cd", ""},
    {"ab\\Rcd", "ab & cd", ""},
    {"ab\\?cd", "ab & cd", ""}, /* what is no UTF-8 is read as ? */
    /* beyond ASCII */
    {"GRÖSSE", "grösse", ""},
    {"größe", "größe", ""},
    {"ключ", "ключ", ""},
    {"KLUCZ ẞab", "klucz  & ab", ""},
    {"договор 12", "договор 1", ""},
    {"合同", "合同", ""},
    /* not understood */
    {"(?x)a b", "", ""},
    {"(?i-x)abc", "", ""},
    {"\\Qab\\E", "", ""},
    {"ab(?#c)de", "", ""},
    {"(ab)(?1)", "", ""},
    {"(?R)?ab", "", ""},
    {"(?(?=a)bc|de)", "", ""},
    {"(*UCP)ab", "", ""},
    {"ab(*ACCEPT)cd", "", ""},
    {"(*atomic:ab)", "", ""},
    {"ab\\o{101}", "", ""},
    {"ab\\101", "", ""},
    {"ab\\cAcd", "", ""},
    {"ab{,2}", "", ""},
    {"ab{x", "", ""},
    {"(?n)ab", "", ""},
    {"(?^)ab", "", ""},
    {"ab(?C)", "", ""},
    {"\\N{U+41}", "", ""},
};

static void write_sets(struct buf *out, const struct rule_literals *l)
{
    buf_reset(out);
    for (size_t i = 0; i < l->count; i++) {
        buf_str(out, i > 0 ? " & " : "");
        for (size_t k = 0; k < l->set[i].count; k++) {
            buf_str(out, k > 0 ? "|" : "");
            buf_add(out, l->set[i].text[k], l->set[i].len[k]);
        }
    }
}

static int check(const char *pattern, bool shapes, const char *want)
{
    struct rule_literals l;
    struct buf got;
    int wrong;

    buf_init(&got, 10000);
    rule_literals_find(&l, pattern, strlen(pattern), shapes);
    write_sets(&got, &l);
    wrong = strcmp(buf_text(&got), want) != 0;
    if (wrong)
        print_error("%s%s: \"%s\"\n", pattern, shapes ? ", shapes" : "", buf_text(&got));
    buf_clear(&got);
    return wrong;
}

static void test_known(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        wrong += check(known[i].pattern, false, known[i].texts) + check(known[i].pattern, true, known[i].shapes);
    assert_int_equal(wrong, 0);
}

static bool is_odd(const char *text, size_t len)
{
    const char *odd;

    for (size_t i = 0; (odd = rule_literal_odd(i)) != NULL; i++)
        if (strlen(odd) == len && memcmp(odd, text, len) == 0)
            return true;
    return false;
}

/* Is it taken as it is, in an expression of "aa", c, "bb"? */
static bool is_taken(const char *c, size_t octets)
{
    struct rule_literals l;
    char pattern[20];
    int len = snprintf(pattern, sizeof(pattern), "aa%.*sbb", (int)octets, c);

    rule_literals_find(&l, pattern, (size_t)len, false);
    return l.count == 1 && l.set[0].len[0] == len;
}

/* All characters that PCRE2 takes for c, one after the other: their fold is that of c, or they are odd. */
static void check_letter(struct rule_matcher *m, const char *c, size_t octets, const char *all, size_t all_len)
{
    char pattern[20], fold[UTF8_MAX], other[UTF8_MAX];
    size_t error, at, len, next = 0;
    const char *why;
    struct rule_pattern *p;
    int found =
        snprintf(pattern, sizeof(pattern), "%s%.*s", strchr("\\[]{}().*+?^$|", c[0]) ? "\\" : "", (int)octets, c);

    p = rule_pattern_new(pattern, (size_t)found, &error, NULL);
    assert_non_null(p);
    utf8_fold(fold, c, octets);
    for (found = 0; next < all_len; next += at + len, found++) {
        rule_matcher_message(m, all_len * 100);
        rule_matcher_condition(m, all_len * 100);
        if (rule_pattern_find(p, m, all + next, all_len - next, &at, &len, &why) != 1)
            break;
        assert_in_range(len, 1, UTF8_MAX);
        utf8_fold(other, all + next + at, len);
        if (!is_odd(all + next + at, len) && (len != octets || memcmp(fold, other, len) != 0))
            fail_msg("%s fits %.*s", pattern, (int)len, all + next + at);
    }
    assert_in_range(found, 1, 5);
    rule_pattern_free(p);
}

#define LAST_CODE 0x1ffff /* there is nothing with a case behind it */

static void test_letters(void **state)
{
    struct rule_matcher *m = rule_matcher_new();
    char *all = malloc((size_t)(LAST_CODE + 1) * UTF8_MAX), c[UTF8_MAX];
    size_t len = 0, octets;
    unsigned taken = 0;

    (void)state;
    assert_non_null(all);
    for (uint32_t code = 0x20; code <= LAST_CODE; code++)
        len += utf8_write(all + len, code);
    for (uint32_t code = 0x20; code <= 0xd7ff; code++) {
        octets = utf8_write(c, code);
        if (code > 0x600 && (code < 0x1c00 || code > 0x3100) && code % 997 != 0)
            continue;
        if (!is_taken(c, octets))
            continue;
        check_letter(m, c, octets, all, len);
        taken++;
    }
    assert_in_range(taken, 600, 2000);
    free(all);
    rule_matcher_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_letters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
