/*
 * maillog_samples.t.c - the logs of Postfix 3.7 and 3.12 in samples/, whole: samples/attempts.txt says what each case
 * of them is.
 */
#include "maillog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "attempt_text.h"

#define NOW      1795255200 /* 2026-11-21 10:00 UTC */
#define SAMPLES  TOP_SRCDIR "/t/tlsrptd/samples/"
#define CASES    200
#define CASE_MAX 64

struct expected {
    char name[CASE_MAX];
    char attempt[ATTEMPT_TEXT];
    bool seen;
};

static struct expected expected[CASES];
static size_t expected_count;

static void expect(const char *name, const char *attempt)
{
    assert_true(expected_count < CASES);
    assert_true(snprintf(expected[expected_count].name, CASE_MAX, "%s", name) < CASE_MAX);
    (void)snprintf(expected[expected_count].attempt, ATTEMPT_TEXT, "%s", attempt);
    expected[expected_count++].seen = false;
}

/* Returns how many cases there are in that log. */
static int read_expected(const char *version)
{
    char line[ATTEMPT_TEXT], name[CASE_MAX] = "";
    FILE *f = fopen(SAMPLES "attempts.txt", "r");
    int cases = 0;
    char *rest;

    expected_count = 0;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        rest = strchr(line, ' ');
        if (line[0] == '#' || rest == NULL)
            continue;
        *rest++ = '\0';
        if (line[strlen(line) - 1] == ':') {
            line[strlen(line) - 1] = '\0';
            (void)snprintf(name, sizeof(name), "%.*s", CASE_MAX - 1, line);
            cases++;
        } else if (strcmp(line, "both") == 0 || strcmp(line, version) == 0) {
            cases -= strcmp(rest, "absent") == 0;
            if (strcmp(rest, "none") != 0 && strcmp(rest, "absent") != 0)
                expect(name, rest);
        }
    }
    fclose(f);
    return cases;
}

/* ctx: the case whose delivery line it was. */
static void match_expected(void *ctx, const struct tls_attempt *attempt)
{
    char text[ATTEMPT_TEXT];

    attempt_text(text, attempt);
    for (size_t i = 0; i < expected_count; i++)
        if (!expected[i].seen && strcmp(expected[i].name, ctx) == 0) {
            assert_string_equal(text, expected[i].attempt);
            expected[i].seen = true;
            return;
        }
    fail_msg("%s makes an attempt too many: %s", (const char *)ctx, text);
}

static void add_line(struct maillog *m, char *line, int *lines_of_cases)
{
    char name[CASE_MAX] = "";
    char *to = strstr(line, ": to=<");
    struct maillog_entry entry;

    line[strcspn(line, "\n")] = '\0';
    if (to != NULL && strstr(line, "/smtp[") != NULL) {
        to += strlen(": to=<");
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(to, "@"), to);
        (*lines_of_cases)++;
    }
    if (maillog_entry_read(&entry, line, strlen(line), NOW))
        maillog_add(m, &entry, match_expected, name);
}

static void read_sample(const char *version, int want_cases)
{
    char path[512], line[MAILLOG_LINE_MAX];
    struct maillog *m = maillog_new("postfix", "");
    int delivery_lines = 0;
    FILE *f;

    assert_int_equal(read_expected(version), want_cases);
    (void)snprintf(path, sizeof(path), SAMPLES "postfix-%s-mail.log", version);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(m);
    while (fgets(line, sizeof(line), f) != NULL)
        add_line(m, line, &delivery_lines);
    fclose(f);
    maillog_free(m);
    assert_true(delivery_lines >= want_cases);
    for (size_t i = 0; i < expected_count; i++)
        if (!expected[i].seen)
            fail_msg("%s makes no %s", expected[i].name, expected[i].attempt);
}

static void test_sample_3_7(void **state)
{
    (void)state;
    read_sample("3.7", 61);
}

static void test_sample_3_12(void **state)
{
    (void)state;
    read_sample("3.12", 69);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_3_7),
        cmocka_unit_test(test_sample_3_12),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
