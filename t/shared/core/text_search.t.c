/* text_search.t.c - tests of text_search.c: what a pass finds is what a search for each text finds. */
#include "text_search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"

static const char *const wanted[] = {"he",  "she", "his", "hers", "e",     "he",   "aaab", "aab", "b",
                                     "a-1", "1-1", "ü",   "ücke", "lücke", "\x7f", "ushe", "rs"};

#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

/* With every digit a 0 and every letter an a, if they are to be alike. */
static const char *shape(char out[100], const char *text, bool shapes)
{
    size_t i = 0;

    for (; text[i] != '\0'; i++)
        out[i] = !shapes || !ascii_is_alnum(text[i]) ? text[i] : ascii_is_digit(text[i]) ? '0' : 'a';
    out[i] = '\0';
    return out;
}

static void check_text(const char *text, bool shapes)
{
    struct text_search *s = text_search_new(shapes);
    unsigned char *found;
    char in[100], what[100];

    for (size_t k = 0; k < WANTED; k++)
        assert_int_equal(text_search_add(s, wanted[k], strlen(wanted[k])), k);
    assert_int_equal(text_search_ready(s), 0);
    found = calloc(text_search_room(s), 1);
    text_search_pass(s, found, text, strlen(text));
    shape(in, text, shapes);
    for (size_t k = 0; k < WANTED; k++)
        if (text_search_has(s, found, (int)k) != (strstr(in, shape(what, wanted[k], shapes)) != NULL))
            fail_msg("%s%s: %s", text, shapes ? " as shapes" : "", wanted[k]);
    free(found);
    text_search_free(s);
}

static void test_found(void **state)
{
    static const char *const texts[] = {"ushers", "",    "his",        "aaaab",    "aaa",     "Brücke a-1",
                                        "x1-1x",  "7-3", "Lücke a-12", "Z-9 \xc3", "-0\xc3-", "Ü 33-1 zzzz"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check_text(texts[i], false);
        check_text(texts[i], true);
    }
}

/* Random texts of few letters, so that they end and begin in one another. */
static void test_random(void **state)
{
    unsigned seed = 7;
    char text[300], want[60][9];

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct text_search *s = text_search_new(false);
        unsigned char *found;

        for (size_t i = 0; i < 60; i++) {
            size_t len = 1 + (seed >> 16) % 8;

            for (size_t k = 0; k < len; k++, seed = seed * 1664525 + 1013904223)
                want[i][k] = (char)('a' + (seed >> 20) % 3);
            want[i][len] = '\0';
            assert_int_equal(text_search_add(s, want[i], len), i);
        }
        assert_int_equal(text_search_ready(s), 0);
        for (size_t k = 0; k < sizeof(text) - 1; k++, seed = seed * 1664525 + 1013904223)
            text[k] = (char)('a' + (seed >> 20) % 3);
        text[sizeof(text) - 1] = '\0';
        found = calloc(text_search_room(s), 1);
        text_search_pass(s, found, text, strlen(text));
        for (int i = 0; i < 60; i++)
            assert_int_equal(text_search_has(s, found, i), strstr(text, want[i]) != NULL);
        free(found);
        text_search_free(s);
    }
}

/* What has no room is refused, and the others are found. */
static void test_full(void **state)
{
    struct text_search *s = text_search_new(false);
    char text[1000];
    unsigned char *found;
    int added = 0, number;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        memset(text, 'x', sizeof(text));
        snprintf(text, sizeof(text), "%u", i);
        number = text_search_add(s, text, sizeof(text));
        assert_true(number == added || (i > 30 && number == -1));
        added += number >= 0;
    }
    assert_int_equal(text_search_add(s, "", 0), -1);
    assert_in_range(added, 30, 33);
    assert_int_equal(text_search_ready(s), 0);
    found = calloc(text_search_room(s), 1);
    memset(text, 'x', sizeof(text));
    snprintf(text, sizeof(text), "%u", 29);
    text_search_pass(s, found, text, sizeof(text));
    assert_true(text_search_has(s, found, 29));
    assert_false(text_search_has(s, found, 28));
    free(found);
    text_search_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
