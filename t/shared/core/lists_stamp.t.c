/* lists_stamp.t.c - tests of lists_stamp.c. */
#include "lists_stamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* Generations by a letter, "" for no stamp. */
static const struct {
    const char *known;
    int64_t known_count;
    size_t entries;
    const char *seen;
    int64_t seen_count;
    const char *verdict;
} judged[] = {
    {"", 0, 0, "", 0, "adopt"},   {"", 0, 0, "a", 1, "adopt"},
    {"", 0, 9, "", 0, "adopt"}, /* entries put there by hand: Redis is what is */
    {"", 0, 9, "a", 1, "adopt"},  {"a", 5, 0, "", 0, "adopt"},
    {"a", 5, 0, "a", 4, "adopt"}, {"a", 5, 9, "", 0, "lost"},
    {"a", 5, 9, "a", 4, "older"}, {"a", 5, 9, "a", 5, "adopt"},
    {"a", 5, 9, "a", 6, "adopt"}, {"a", 5, 9, "b", 1, "adopt"},
    {"a", 5, 9, "b", 6, "adopt"}, {"a", 5, 1, "", 0, "lost"},
    {"a", 1, 1, "a", 1, "adopt"},
};

static struct lists_stamp stamp(const char *generation, int64_t count)
{
    struct lists_stamp s = {.count = count};

    if (generation[0] != '\0')
        memset(s.generation, generation[0], LISTS_GENERATION_LEN);
    return s;
}

static void test_judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof judged / sizeof judged[0]; i++) {
        const struct lists_stamp known = stamp(judged[i].known, judged[i].known_count);
        const struct lists_stamp seen = stamp(judged[i].seen, judged[i].seen_count);
        const char *verdict = lists_stamp_verdict_name(lists_stamp_judge(&known, judged[i].entries, &seen));

        if (strcmp(verdict, judged[i].verdict) != 0)
            fail_msg("row %zu: %s", i, verdict);
    }
}

static const struct {
    const char *generation;
    const char *count;
    int64_t parsed; /* 0: refused */
    const char *why;
} texts[] = {
    {"0123456789abcdef", "1", 1, ""},
    {"0123456789abcdef", "999999999999999999", 999999999999999999, ""},
    {"0123456789abcdef", "0", 0, "\"0\" is no number from 1 on"},
    {"0123456789abcdef", "", 0, "no number"},
    {"0123456789abcdef", "-1", 0, "no number"},
    {"0123456789abcdef", "1 ", 0, "no number"},
    {"0123456789abcdef", "1000000000000000000", 0, "no number"},
    {"0123456789ABCDEF", "1", 0, "lower case"},
    {"0123456789abcdeg", "1", 0, "lower case"},
    {"0123456789abcde", "1", 0, "15 octets, not 16"},
    {"0123456789abcdef0", "1", 0, "17 octets, not 16"},
    {"", "1", 0, "0 octets"},
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct lists_stamp s;
        struct err e = {""};
        int rc = lists_stamp_parse(&s, texts[i].generation, strlen(texts[i].generation), texts[i].count,
                                   strlen(texts[i].count), &e);

        assert_int_equal(rc, texts[i].parsed == 0 ? -1 : 0);
        assert_int_equal(s.count, texts[i].parsed);
        assert_string_equal(s.generation, rc == 0 ? texts[i].generation : "");
        if (strstr(e.text, texts[i].why) == NULL)
            fail_msg("%s %s: %s", texts[i].generation, texts[i].count, e.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judge), cmocka_unit_test(test_parse)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
