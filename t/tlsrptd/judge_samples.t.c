/*
 * judge_samples.t.c - every case of the logs in samples/ with what is told of it: attempts.txt has the attempts (of
 * which maillog_samples.t.c sees that the logs have them), judged.txt the facts of the domain and the results.
 */
#include "attempt_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define NOW       1795341600
#define SAMPLES   TOP_SRCDIR "/t/tlsrptd/samples/"
#define LINE_SIZE 1024

static size_t word_find(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    fail_msg("no such word: %s", word);
    return 0;
}

#define WORD(words, word) word_find(words, COUNT(words), word)

/* As attempt_text.h writes it. */
static void attempt_parse(struct tls_attempt *a, const char *text)
{
    static const char *const tls[] = {"no-tls", "not-offered", "refused", "handshake", "tls"};
    static const char *const trust[] = {"unknown", "anonymous", "untrusted", "trusted", "verified"};
    static const char *const fault[] = {"fine", "name", "expired", "issuer", "tlsa", "other"};
    static const char *const end[] = {"sent", "answered", "lost", "no-security", "mx-unnamed"};
    char word[4][40];

    memset(a, 0, sizeof(*a));
    a->at = NOW;
    assert_true(sscanf(text, "%253s %253s %45s %39s %39s %39s %39s %128s", a->domain, a->host, a->address, word[0],
                       word[1], word[2], word[3], a->reason) >= 7);
    a->tls = (enum attempt_tls)WORD(tls, word[0]);
    a->trust = (enum attempt_trust)WORD(trust, word[1]);
    a->fault = (enum attempt_fault)WORD(fault, word[2]);
    a->end = (enum attempt_end)WORD(end, word[3]);
}

static struct dest *dest_made(const char *facts, const struct tls_attempt *a)
{
    struct dest *d = dest_new(a->domain);
    struct dest_host *host = dest_add_host(d, strcmp(facts, "away") == 0 ? "mx.away.example" : a->host, 10);
    const char *mode = strcmp(facts, "other") == 0 ? "enforce" : facts;
    char body[600];
    int len = snprintf(body, sizeof(body), "version: STSv1\nmode: %s\nmx: %s\nmax_age: 86400\n", mode,
                       mode == facts ? a->host : "mx.other.example");
    struct tlsa rr;

    d->resolved = NOW;
    if (strcmp(facts, "dane") == 0) {
        d->mx_secure = true;
        host->dane = DEST_DANE_USABLE;
        assert_int_equal(tlsa_parse(&rr, "3 1 1 ab", 8, NULL), 0);
        assert_int_equal(dest_add_tlsa(host, &rr), 0);
    } else if (strcmp(mode, "enforce") == 0 || strcmp(mode, "testing") == 0) {
        assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, (size_t)len, NOW, NULL), 0);
    }
    (void)snprintf(d->tlsrpt, sizeof(d->tlsrpt), "v=TLSRPTv1; rua=mailto:r@a.test");
    return d;
}

static void summarise(void *ctx, const struct tlsrpt_event *event)
{
    struct buf *out = ctx;

    for (size_t i = 0; i < event->policies; i++) {
        const struct tlsrpt_policy *p = &event->policy[i];

        buf_printf(out, "%s%d:", i > 0 ? "+" : "", (int)p->type);
        if (p->failed)
            buf_printf(out, "%d", (int)p->failure->result);
        else
            buf_str(out, "ok");
    }
}

/* The line of a case, of this version if there is one; fails where there is none. */
static void judged_find(char out[LINE_SIZE], const char *name, const char *version)
{
    char line[LINE_SIZE], of_version[100];
    FILE *f = fopen(SAMPLES "judged.txt", "r");

    assert_non_null(f);
    out[0] = '\0';
    (void)snprintf(of_version, sizeof(of_version), "%s@%s", name, version);
    while (fgets(line, sizeof(line), f) != NULL) {
        size_t len = strcspn(line, " #\n");
        bool special = strlen(of_version) == len && memcmp(line, of_version, len) == 0;

        line[strcspn(line, "#\n")] = '\0';
        if (special || (out[0] == '\0' && strlen(name) == len && memcmp(line, name, len) == 0))
            (void)snprintf(out, LINE_SIZE, "%s", line + len);
    }
    (void)fclose(f);
    if (out[0] == '\0')
        fail_msg("judged.txt does not have the case %s", name);
}

/* The nth attempt of a case. */
static void check(const char *name, const char *version, const char *text, size_t n)
{
    char line[LINE_SIZE], *save = NULL;
    const char *facts, *want = NULL;
    struct tls_attempt a;
    struct dest *d;
    struct buf got;

    judged_find(line, name, version);
    facts = strtok_r(line, " ", &save);
    assert_non_null(facts);
    for (size_t i = 0; i <= n; i++) {
        const char *next = strtok_r(NULL, " ", &save);

        want = next != NULL ? next : want;
    }
    attempt_parse(&a, text);
    d = dest_made(facts, &a);
    buf_init(&got, 200);
    assert_int_equal(attempt_judge(&a, d, false, summarise, &got), 0);
    if (want == NULL || strcmp(got.len > 0 ? buf_text(&got) : "nothing", want) != 0)
        fail_msg("%s, Postfix %s, attempt %zu: %s, not %s", name, version, n + 1, buf_text(&got), want);
    buf_clear(&got);
    dest_free(d);
}

static void cases(const char *version)
{
    char line[LINE_SIZE], name[100] = "", *rest;
    FILE *f = fopen(SAMPLES "attempts.txt", "r");
    size_t n = 0, checked = 0;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        rest = strchr(line, ' ');
        if (line[0] == '#' || rest == NULL)
            continue;
        *rest++ = '\0';
        if (line[strlen(line) - 1] == ':') {
            (void)snprintf(name, sizeof(name), "%.*s", (int)strlen(line) - 1, line);
            n = 0;
        } else if ((strcmp(line, "both") == 0 || strcmp(line, version) == 0) && strchr(rest, ' ') != NULL) {
            check(name, version, rest, n++);
            checked++;
        }
    }
    (void)fclose(f);
    assert_true(checked > 50);
}

static void postfix_3_7(void **state)
{
    (void)state;
    cases("3.7");
}

static void postfix_3_12(void **state)
{
    (void)state;
    cases("3.12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(postfix_3_7), cmocka_unit_test(postfix_3_12)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
