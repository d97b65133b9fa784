/*
 * rules.c - bench: how long a set of rules about the body takes for a message that none of them fits.
 *     t/bench/rules [MESSAGES [KILOBYTES [RULES]]]      messages a round (200), size of the body (20), rules (100)
 *     t/bench/rules print RULES                         the rules of expressions, for other benches
 *     t/bench/rules body OCTETS                         and the body
 * The median of nine rounds is shown, in processor time, for expressions, for plain texts, and for the worst: hostile
 * expressions and text, where the bound of rule_pattern.h ends the work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rule_eval.h"

#define ROUNDS 9

static const char *const words[] = {
    "the",  "offer",  "from", "your",  "office", "reached",  "us",       "on",      "Monday",
    "12",   "of",     "May",  "2026",  "and",    "contains", "Größe",    "account", "of",
    "1234", "pieces", "at",   "99.50", "each,",  "which",    "confirms", "project", "numbers",
};

static const char *const expressions[] = {
    "\\b\\d{4}[ -]?\\d{4}[ -]?\\d{4}[ -]?%04d\\b",
    "\\bproject[ -]%d\\b",
    "(?:iban|account)[: ]+[A-Z]{2}%02d",
    "confidential[^.]{0,40}%d",
    "\\b(?:secret|internal)-%d\\b",
    "password\\s*[:=]\\s*\\S{%d,}",
    "\\bcontract (?:no|number)\\.? %d",
    "[a-z0-9._-]+@host%d\\.example",
    "^Subject: .*%d$",
    "\\b%03d-\\d{2}-\\d{4}\\b",
};

static char *make_body(size_t len)
{
    char *body = malloc(len + 1);
    unsigned seed = 1;
    size_t n = 0;

    if (body == NULL)
        exit(1);
    while (n < len) {
        const char *word = words[(seed >> 16) % (sizeof(words) / sizeof(words[0]))];

        n += (size_t)snprintf(body + n, len + 1 - n, "%s%s", word, (seed >> 8) % 12 == 0 ? "\r\n" : " ");
        seed = seed * 1664525 + 1013904223;
    }
    return body;
}

static void add(struct rule_set *set, const char *op, const char *value, const char *action, int i)
{
    char text[300];
    struct err e = {""};
    int len = snprintf(text, sizeof(text), "r%d: body %s \"%s\" -> %s", i, op, value, action);

    if (rule_set_add(set, text, (size_t)len, &e) != 0) {
        fprintf(stderr, "rules: %s: %s\n", text, e.text);
        exit(1);
    }
}

enum kind { EXPRESSIONS, TEXTS, HOSTILE };

static struct rule_set *make_rules(enum kind kind, int n)
{
    struct rule_set *set = rule_set_new();
    char value[200];

    for (int i = 0; set != NULL && i < n; i++) {
        if (kind == EXPRESSIONS) {
            const char *form = expressions[(size_t)i % (sizeof(expressions) / sizeof(expressions[0]))];
            const char *number = strchr(form, '%');
            int digits = number[1] == '0' ? number[2] - '0' : 1;

            snprintf(value, sizeof(value), "%.*s%0*d%s", (int)(number - form), form, digits, i % 90 + 10,
                     strchr(number, 'd') + 1);
            add(set, "matches", value, "requiretls", i);
        } else if (kind == TEXTS) {
            snprintf(value, sizeof(value), "strictly confidential %d", i);
            add(set, "contains", value, "requiretls", i);
        } else {
            add(set, "matches", i % 2 == 0 ? "(a+)+$" : "a*[bc]", "none", i);
        }
    }
    if (set == NULL || rule_set_ready(set) != 0)
        exit(1);
    return set;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Rules that ended and such as were unknown are shown: in the first two kinds there are to be none. */
static void measure(const char *name, enum kind kind, int rules, const char *body, size_t len, int messages)
{
    struct rule_set *set = make_rules(kind, rules);
    struct rule_eval *eval = set == NULL ? NULL : rule_eval_new(set);
    struct rule_part part = {.text = {body, len}};
    struct rule_message m = {.parts = &part, .part_count = 1, .size = (int64_t)len};
    struct rule_outcome o = {RULE_NONE, NULL, 0, 0};
    double round[ROUNDS];

    if (eval == NULL)
        exit(1);
    for (int i = 0; i < ROUNDS; i++) {
        double began = now();

        for (int k = 0; k < messages; k++)
            o = rule_eval_run(eval, &m, NULL, NULL);
        round[i] = (now() - began) / messages;
    }
    qsort(round, ROUNDS, sizeof(round[0]), compare);
    printf("  %-42s %10.0f us a message (%s, %zu unknown)\n", name, round[ROUNDS / 2],
           o.rule == NULL ? "none fits" : o.rule->name, o.unknown);
    rule_eval_free(eval);
    rule_set_free(set);
}

/* Returns false for what is no number from 1 on. */
static bool print_part(const char *what, int n)
{
    struct rule_set *set = n >= 1 && n <= RULES_MAX ? make_rules(EXPRESSIONS, n) : NULL;
    struct buf line;

    if (strcmp(what, "body") == 0 && n >= 1) {
        char *body = make_body((size_t)n);

        fputs(body, stdout);
        free(body);
        rule_set_free(set);
        return true;
    }
    for (int i = 0; set != NULL && i < n; i++) {
        buf_init(&line, (size_t)2 * RULE_LENGTH_MAX);
        rule_write(&line, rule_set_at(set, (size_t)i));
        puts(buf_text(&line));
        buf_clear(&line);
    }
    rule_set_free(set);
    return set != NULL;
}

int main(int argc, char **argv)
{
    int messages = argc > 1 ? atoi(argv[1]) : 200, rules = argc > 3 ? atoi(argv[3]) : 100;
    size_t len = (size_t)(argc > 2 ? atoi(argv[2]) : 20) * 1000;
    char *body, *hostile;

    if (argc == 3 && (strcmp(argv[1], "print") == 0 || strcmp(argv[1], "body") == 0))
        return print_part(argv[1], atoi(argv[2])) ? 0 : 2;
    if (messages < 1 || rules < 1 || rules > RULES_MAX || len < 1000 || len > 100000000) {
        fprintf(stderr, "usage: rules [MESSAGES [KILOBYTES [RULES]]]\n");
        return 2;
    }
    body = make_body(len);
    hostile = malloc(len);
    if (hostile == NULL)
        return 1;
    memset(hostile, 'a', len);
    hostile[len - 1] = '!';
    printf("%d rules about a body of %zu octets: median of %d rounds of %d messages\n", rules, len, ROUNDS, messages);
    measure("expressions", EXPRESSIONS, rules, body, len, messages);
    measure("texts", TEXTS, rules, body, len, messages);
    measure("hostile expressions and hostile text", HOSTILE, rules, hostile, len, 1);
    free(body);
    free(hostile);
    return 0;
}
