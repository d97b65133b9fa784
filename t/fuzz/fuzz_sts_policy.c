/* fuzz_sts_policy.c - any octets as a policy file. */
#include "sts_policy.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN_MAX (128 + STS_MX_PATTERN_MAX * (DOMAIN_BUF + 8))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char plain[PLAIN_MAX];

static void check(bool cond)
{
    if (!cond)
        abort();
}

/* The policy in its plainest form reads the same; it may be longer than a policy file can be. */
static void check_round_trip(const struct sts_policy *p)
{
    struct sts_policy again;
    struct err e;
    int n = snprintf(plain, sizeof plain, "version: STSv1\nmode: %s\nmax_age: %u\n", sts_mode_name(p->mode),
                     (unsigned)p->max_age);

    for (size_t i = 0; i < p->mx_count; i++)
        n += snprintf(plain + n, sizeof plain - (size_t)n, "mx: %s\n", p->mx[i]);
    if (n > STS_BODY_MAX)
        return;
    check(sts_policy_parse(&again, plain, (size_t)n, &e) == 0);
    check(sts_policy_equal(p, &again));
    sts_policy_clear(&again);
}

static void check_patterns(const struct sts_policy *p)
{
    char out[DOMAIN_BUF];
    struct err e;

    check(p->mx_count <= STS_MX_PATTERN_MAX);
    check(p->mx_count > 0 || p->mode == STS_MODE_NONE);
    for (size_t i = 0; i < p->mx_count; i++) {
        check(strspn(p->mx[i], "abcdefghijklmnopqrstuvwxyz0123456789-.*") == strlen(p->mx[i]));
        check(sts_pattern_normalise(out, p->mx[i], strlen(p->mx[i]), &e) == 0);
        check(strcmp(out, p->mx[i]) == 0);
    }
}

/* Read the first mode line anew, by the LF alone, and with nothing of the parser. */
static void check_mode(const struct sts_policy *p, const char *body, size_t len)
{
    const char *end = body + len;
    const char *word = sts_mode_name(p->mode);

    while (end - body < 5 || memcmp(body, "mode:", 5) != 0) {
        body = memchr(body, '\n', (size_t)(end - body));
        check(body != NULL);
        body++;
    }
    body += 5;
    while (body < end && (*body == ' ' || *body == '\t'))
        body++;
    check((size_t)(end - body) >= strlen(word) && memcmp(body, word, strlen(word)) == 0);
}

/* The lines are all of the body but the line ends. */
static void check_lines(const char *body, size_t len)
{
    const char *line;
    size_t line_len, pos = 0, at = 0;

    while (sts_policy_line(&line, &line_len, &pos, body, len) == 1) {
        check(line == body + at && pos > at && pos <= len);
        check(memchr(line, '\n', line_len) == NULL);
        check(pos - at - line_len <= 2);
        at = pos;
    }
    check(at == len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *body = size == 0 ? "" : (const char *)data;
    char out[DOMAIN_BUF];
    struct sts_policy p;
    struct err e = {""};

    check_lines(body, size);
    (void)sts_pattern_normalise(out, body, size, NULL);
    if (sts_policy_parse(&p, body, size, &e) < 0) {
        check(e.text[0] != '\0' && p.mx == NULL && p.mx_count == 0);
        return 0;
    }
    check(memchr(body, '\0', size) == NULL);
    check(p.max_age <= STS_MAX_AGE_MAX);
    check_mode(&p, body, size);
    check_patterns(&p);
    check_round_trip(&p);
    sts_policy_clear(&p);
    return 0;
}
