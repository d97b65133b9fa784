/* data_stream.t.c - tests of data_stream.c. */
#include "data_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S(s) (s), sizeof(s) - 1

static const struct {
    const char *octets;
    size_t len;
    size_t end;      /* octets of the message with its end; 0: it has none */
    const char *why; /* a part of the sentence; NULL: it is not broken */
} cases[] = {
    {S(""), 0, NULL},
    {S(".\r\n"), 3, NULL},
    {S(".\r\nQUIT\r\n"), 3, NULL},
    {S("a\r\n.\r\n"), 6, NULL},
    {S("\r\n.\r\n"), 5, NULL},
    {S("A: b\r\n\r\nc\r\n.\r\nMAIL"), 14, NULL},
    {S("..\r\n.\r\n"), 7, NULL},
    {S(".a\r\n.\r\n"), 7, NULL},
    {S("a.\r\n.\r\n"), 7, NULL},
    {S("a\r\n..\r\nb\r\n..\r\n"), 0, NULL},
    {S("a\r\n.\r"), 0, NULL},
    {S("a\r\n."), 0, NULL},
    {S("a\r\n"), 0, NULL},
    {S("a\0\303\274\xff\r\n.\r\n"), 10, NULL},
    {S("a\n.\n"), 0, "LF without CR"},
    {S("a\n.\r\n"), 0, "LF without CR"},
    {S("a\n.\r\n.\r\n"), 8, "LF without CR"},
    {S("a\r\n.\n"), 0, "LF without CR"},
    {S("a\r\n.\nb\r\n.\r\n"), 11, "LF without CR"},
    {S("\n.\r\n"), 0, "LF without CR"},
    {S(".\n.\r\n"), 0, "LF without CR"},
    {S("a\r.\r"), 0, "CR without LF"},
    {S("a\r.\r\n.\r\n"), 8, "CR without LF"},
    {S("a\r\r\n.\r\n"), 7, "CR without LF"},
    {S("a\r\n.\r\r\n"), 0, "CR without LF"},
    {S("a\r\n.\r\r\n.\r\n"), 10, "CR without LF"},
    {S("a\r\n.\r.\r\n"), 0, "CR without LF"},
    {S("\rx\r\n.\r\n"), 7, "CR without LF"},
    {S("a\rb\nc\r\n.\r\n"), 10, "CR without LF"}, /* the first counts */
};

static void expect(size_t i, const struct data_stream *s, size_t took)
{
    const char *why = cases[i].why;

    if (took != (cases[i].end > 0 ? cases[i].end : cases[i].len) || s->ended != (cases[i].end > 0) || s->octets != took)
        fail_msg("%zu: %zu octets", i, took);
    if (why == NULL ? s->broken.code != 0 : strstr(s->broken.why.text, why) == NULL)
        fail_msg("%zu: %s", i, s->broken.why.text);
    if (why != NULL) {
        assert_int_equal(s->broken.code, 554);
        assert_string_equal(s->broken.status, "5.6.0");
    }
}

static void test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct data_stream s = {0};
        size_t took;

        assert_int_equal(data_stream_take(&took, &s, cases[i].octets, cases[i].len), cases[i].end > 0);
        expect(i, &s, took);
    }
}

/* In two pieces, wherever the border is, and octet by octet. */
static void test_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct data_stream single = {0};
        size_t took, all = 0;

        for (size_t cut = 0; cut <= cases[i].len; cut++) {
            struct data_stream s = {0};
            size_t first;

            data_stream_take(&first, &s, cases[i].octets, cut);
            data_stream_take(&took, &s, cases[i].octets + cut, cases[i].len - cut);
            expect(i, &s, first + took);
        }
        for (size_t n = 0; n < cases[i].len; n++, all += took)
            data_stream_take(&took, &single, cases[i].octets + n, 1);
        expect(i, &single, all);
    }
}

static void test_line_limit(void **state)
{
    char *text = malloc(DATA_LINE_MAX);
    size_t took;

    (void)state;
    assert_non_null(text);
    for (size_t more = 0; more < 2; more++) {
        struct data_stream s = {0};

        memset(text, 'x', DATA_LINE_MAX);
        data_stream_take(&took, &s, S("short\r\n"));
        data_stream_take(&took, &s, text, DATA_LINE_MAX - 2 + more);
        data_stream_take(&took, &s, S("\r\n"));
        assert_int_equal(s.broken.code, more == 0 ? 0 : 554);
        data_stream_take(&took, &s, text, DATA_LINE_MAX - 2);
        assert_int_equal(data_stream_take(&took, &s, S("\r\n.\r\n")), 1);
        assert_int_equal(s.broken.code, more == 0 ? 0 : 554);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_line_limit),
    };

    return cmocka_run_group_tests_name("data_stream", tests, NULL, NULL);
}
