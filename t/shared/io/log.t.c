/* log.t.c - the text of log lines, and where it goes. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "log.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log_line.h"

static char got[LOG_LINE_MAX + 1];

static const char *line(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static const char *line(const char *event, const char *fmt, ...)
{
    va_list ap;

    memset(got, 'Z', sizeof(got));
    va_start(ap, fmt);
    log_line(got, event, fmt, ap);
    va_end(ap);
    return got;
}

static const struct {
    const char *value;
    const char *want;
} values[] = {
    {"plain", "plain"},
    {"a.b-c/d:[e],{f}", "a.b-c/d:[e],{f}"},
    {NULL, "-"},
    {"", "\"\""},
    {"-", "-"},
    {"two words", "\"two words\""},
    {"a=b", "\"a=b\""},
    {"say \"x\"", "\"say \\\"x\\\"\""},
    {"\"", "\"\\\"\""},
    {"back\\slash", "back\\\\slash"},
    {"\\x0a", "\\\\x0a"},
    {"line\nfeed", "line\\x0afeed"},
    {"\r\t\x1b[31m\x7f", "\\x0d\\x09\\x1b[31m\\x7f"},
    {"\xc3\xa4 \xe2\x80\xa8", "\"\\xc3\\xa4 \\xe2\\x80\\xa8\""},
    {"%s%n", "%s%n"},
};

static void test_values(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char want[100];

        snprintf(want, sizeof(want), "event key=%s end=1", values[i].want);
        assert_string_equal(line("event", "key=%s end=%d", values[i].value, 1), want);
    }
}

static void test_conversions(void **state)
{
    (void)state;
    assert_string_equal(line("e", "%s", ""), "e \"\"");
    assert_string_equal(line("e", "a=%d b=%u c=%ld d=%lu", -1, UINT_MAX, LONG_MIN, ULONG_MAX),
                        "e a=-1 b=4294967295 c=-9223372036854775808 d=18446744073709551615");
    assert_string_equal(line("e", "a=%lld b=%llu c=%zu d=%x f=%.3f s=%s", -5LL, 6ULL, (size_t)7, 255U, 1.0005, "x"),
                        "e a=-5 b=6 c=7 d=ff f=1.000 s=x");
    assert_string_equal(line("e", "a=%d%s", 1, "b"), "e a=1b");
    /* Others than those of log.h end the line. */
    assert_string_equal(line("e", "a=%c b=%d", 'x', 1), "e a=?");
}

static void fill(char *out, char c, size_t n)
{
    memset(out, c, n);
    out[n] = '\0';
}

static void test_cut(void **state)
{
    char value[2000];
    char want[2010];

    (void)state;
    fill(value, 'a', LOG_VALUE_MAX);
    snprintf(want, sizeof(want), "e k=%s", value);
    assert_string_equal(line("e", "k=%s", value), want);
    fill(value, 'a', LOG_VALUE_MAX + 1);
    fill(want, 'a', LOG_VALUE_MAX - 3);
    assert_int_equal(strlen(line("e", "k=%s", value)), 4 + LOG_VALUE_MAX);
    assert_memory_equal(got + 4, want, LOG_VALUE_MAX - 3);
    assert_string_equal(got + 4 + LOG_VALUE_MAX - 3, "...");
    /* An escape is never cut. */
    fill(value, '\n', 200);
    line("e", "k=%s j=%s", value, "end");
    assert_non_null(strstr(got, "\\x0a... j=end"));
    assert_int_equal(strstr(got, " j=") - (got + 4), 74 * 4 + 3);
    /* The line is cut, whatever comes. */
    fill(value, 'a', 1999);
    assert_int_equal(strlen(line(value, "k=%s", "v")), LOG_LINE_MAX);
    fill(value, 'a', 300);
    assert_int_equal(strlen(line("e", "1=%s 2=%s 3=%s 4=%s 5=%s", value, value, value, value, value)), LOG_LINE_MAX);
}

static void test_stderr(void **state)
{
    int fds[2];
    int saved = dup(STDERR_FILENO);
    char text[300] = "";

    (void)state;
    assert_return_code(pipe(fds), 0);
    dup2(fds[1], STDERR_FILENO);
    log_open("postern-test", true, LOGLEVEL_INFO);
    log_debug("hidden", "x=%d", 1);
    log_info("started", "pid=%d", 2);
    log_warning("w", "k=%s", "a\nb");
    log_error("bad", "why=%s", "no way");
    dup2(saved, STDERR_FILENO);
    assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "postern-test: info started pid=2\n"
                              "postern-test: warning w k=a\\x0ab\n"
                              "postern-test: error bad why=\"no way\"\n");
    close(fds[0]);
    close(fds[1]);
    close(saved);
}

static void test_limit(void **state)
{
    struct log_limit limit = {0, 0, 0};
    unsigned left_out = 7;
    unsigned written = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        written += log_allowed(&limit, 5, &left_out) ? 1 : 0;
    assert_int_equal(written, LOG_LIMIT);
    assert_int_equal(left_out, 0);
    assert_true(log_allowed(&limit, 6, &left_out));
    assert_int_equal(left_out, 100 - LOG_LIMIT);
    assert_true(log_allowed(&limit, 6, &left_out));
    assert_int_equal(left_out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit), cmocka_unit_test(test_values), cmocka_unit_test(test_conversions),
        cmocka_unit_test(test_cut),   cmocka_unit_test(test_stderr),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
