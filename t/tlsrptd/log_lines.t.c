/* log_lines.t.c - tests of log_lines.c: each text comes in bits of many sizes, and always gives the same. */
#include "log_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maillog.h"

#define S(s) s, sizeof(s) - 1

static const struct {
    const char *text;
    size_t len;
    const char *lines; /* each in brackets */
} rows[] = {
    {S(""), ""},
    {S("a"), ""},
    {S("a\n"), "[a]"},
    {S("a\nb\n"), "[a][b]"},
    {S("a\nb"), "[a]"},
    {S("\n\n"), "[][]"},
    {S("a\r\nb\r\r\n\r\n"), "[a][b\r][]"},
    {S("a\0b\n"), "[a?b]"},
    {S("\0\0\0a\n\0b\n\0\n"), "[a][b][]"},
    {S("a\n\0\0"), "[a]"},
};

static const size_t bits[] = {1, 2, 3, 5, 1000, LOG_LINES_READ};

/* What stands before `offset` of the text, as whoever opens a file there would give it. */
static uint64_t print_of(const char *text, size_t offset)
{
    size_t len = offset < LOG_FINGERPRINT_LEN ? offset : LOG_FINGERPRINT_LEN;

    return log_fingerprint(text + offset - len, len);
}

static void check_place(const struct log_lines *l, const char *text)
{
    size_t len, end = (size_t)log_lines_end(l);
    const char *last = log_lines_last(l, &len);

    assert_int_equal(log_lines_fingerprint(l), print_of(text, (size_t)log_lines_offset(l)));
    assert_int_equal(len, end < LOG_FINGERPRINT_LEN ? end : LOG_FINGERPRINT_LEN);
    assert_memory_equal(last, text + end - len, len);
}

/* All lines of the text from `offset` on, in brackets, NUL as '?'. */
static void gather(char *out, struct log_lines *l, const char *text, size_t len, size_t bit)
{
    const char *line;
    size_t n, at = (size_t)log_lines_end(l);

    out[0] = '\0';
    for (;;) {
        while (log_lines_next(l, &line, &n)) {
            size_t had = strlen(out);

            assert_true(n <= MAILLOG_LINE_MAX);
            sprintf(out + had, "[%.*s]", (int)n, line);
            for (size_t i = 0; i < n; i++)
                if (line[i] == '\0')
                    snprintf(out + had + 1 + i, n - i + 3, "?%.*s]", (int)(n - i - 1), line + i + 1);
            assert_true(text[log_lines_offset(l) - 1] == '\n');
            check_place(l, text);
        }
        check_place(l, text);
        if (at == len)
            return;
        n = len - at < bit ? len - at : bit;
        memcpy(log_lines_room(l), text + at, n);
        log_lines_added(l, n);
        at += n;
    }
}

static void test_rows(void **state)
{
    struct log_lines *l = log_lines_new();
    char out[100];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t j = 0; j < sizeof(bits) / sizeof(bits[0]); j++) {
            log_lines_begin(l, 0, false, "", 0);
            gather(out, l, rows[i].text, rows[i].len, bits[j]);
            assert_string_equal(out, rows[i].lines);
        }
    log_lines_free(l);
}

static void test_begin_inside(void **state)
{
    struct log_lines *l = log_lines_new();
    const char *text = "first\nsecond\nthird\n";
    char out[100];

    (void)state;
    for (size_t offset = 0; offset <= strlen(text); offset++) {
        const char *from = strchr(text + offset, '\n');

        log_lines_begin(l, (int64_t)offset, true, text, offset);
        gather(out, l, text, strlen(text), 2);
        assert_string_equal(out, from == NULL || from < text + 5 ? ""
                                 : from == text + 5              ? "[second][third]"
                                 : from == text + 12             ? "[third]"
                                                                 : "");
    }
    log_lines_free(l);
}

/* A line of that many octets, and one after it. */
static void long_line(size_t len, char fill, size_t bit, bool inside)
{
    struct log_lines *l = log_lines_new();
    char *text = malloc(len + 20), *out = malloc(len + 100), *expected = malloc(len + 100);
    size_t cut = len > MAILLOG_LINE_MAX ? MAILLOG_LINE_MAX : len;

    memcpy(text, "a\n", 2);
    memset(text + 2, fill, len);
    memcpy(text + 2 + len, "\nnext\n", 7);
    log_lines_begin(l, inside ? 2 : 0, inside, text, inside ? 2 : 0);
    gather(out, l, text, len + 8, bit);
    if (inside)
        strcpy(expected, "[next]");
    else if (fill == '\0')
        strcpy(expected, "[a][][next]");
    else
        sprintf(expected, "[a][%.*s][next]", (int)cut, text + 2);
    assert_string_equal(out, expected);
    free(text);
    free(out);
    free(expected);
    log_lines_free(l);
}

static void test_long(void **state)
{
    static const size_t lengths[] = {100, 8191, 8192, 8193, 65535, 65536, 65537, 400000, 3000000};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        for (size_t j = 4; j < sizeof(bits) / sizeof(bits[0]); j++) {
            long_line(lengths[i], 'x', bits[j], false);
            long_line(lengths[i], '\0', bits[j], false);
            long_line(lengths[i], 'x', bits[j], true);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_begin_inside),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
