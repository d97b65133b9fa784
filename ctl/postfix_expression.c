/* postfix_expression.c - see postfix_expression.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "postfix_expression.h"

#include "ascii.h"

#include <pcre2.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERN_MAX 65536  /* octets */
#define PARTS_MAX   4000   /* of an expression: ( | * + ? { */
#define GROUPS_MAX  1000   /* ( */
#define REPEATS_MAX 2000   /* {n} of {n} of ... */
#define MATCH_LIMIT 100000 /* of PCRE2 */

struct postfix_expression {
    pcre2_code *pcre; /* NULL: it is the other one */
    regex_t posix;
};

/* The largest number in {n,m}. */
static size_t repeat_of(const char *at)
{
    size_t n = 0, most = 1;

    for (at++; ascii_is_digit(*at) || *at == ','; at++) {
        n = *at == ',' ? 0 : n < REPEATS_MAX ? 10 * n + (size_t)(*at - '0') : n;
        most = n > most ? n : most;
    }
    return most;
}

/* Does what stands before this + end with a repetition itself? The C library then doubles all of that. */
static bool doubles(const char *pattern, const char *at)
{
    return *at == '+' && at > pattern && strchr("+*?})", at[-1]) != NULL;
}

/* Counted without a look at brackets, so too much at most. */
size_t postfix_expression_work(const char *pattern)
{
    size_t parts = 0, groups = 0, repeats = 1, len = strlen(pattern);

    for (const char *p = pattern; *p != '\0' && len <= PATTERN_MAX; p++) {
        parts += strchr("(|*+?{", *p) != NULL;
        groups += *p == '(';
        repeats *= *p == '{' ? repeat_of(p) : doubles(pattern, p) ? 2 : 1;
        if (repeats > REPEATS_MAX || parts > PARTS_MAX || groups > GROUPS_MAX)
            return POSTFIX_WORK_MAX + 1;
    }
    return len <= PATTERN_MAX ? len * repeats : POSTFIX_WORK_MAX + 1;
}

/* These return false for a flag that is unknown. */
static bool regexp_flag(int *flags, char c)
{
    switch (c) {
    case 'i':
        *flags ^= REG_ICASE;
        return true;
    case 'm':
        *flags ^= REG_NEWLINE;
        return true;
    case 'x':
        *flags ^= REG_EXTENDED;
        return true;
    default:
        return false;
    }
}

static bool pcre_flag(uint32_t *flags, char c)
{
    static const struct {
        char name;
        uint32_t flag;
    } known[] = {{'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE},      {'s', PCRE2_DOTALL},   {'x', PCRE2_EXTENDED},
                 {'A', PCRE2_ANCHORED}, {'E', PCRE2_DOLLAR_ENDONLY}, {'U', PCRE2_UNGREEDY}, {'X', 0}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].name == c) {
            *flags ^= known[i].flag;
            return true;
        }
    }
    return false;
}

static bool compile_posix(struct postfix_expression *x, const char *pattern, const char *flag, size_t flags,
                          char fault[POSTFIX_FAULT])
{
    int how = REG_EXTENDED | REG_ICASE;
    int rc;

    for (size_t i = 0; i < flags; i++)
        if (!regexp_flag(&how, flag[i]))
            return false;
    rc = regcomp(&x->posix, pattern, how);
    if (rc != 0)
        regerror(rc, &x->posix, fault, POSTFIX_FAULT);
    return rc == 0;
}

static bool compile_pcre(struct postfix_expression *x, const char *pattern, const char *flag, size_t flags,
                         char fault[POSTFIX_FAULT])
{
    uint32_t how = PCRE2_CASELESS | PCRE2_DOTALL;
    PCRE2_SIZE at;
    int rc;

    for (size_t i = 0; i < flags; i++)
        if (!pcre_flag(&how, flag[i]))
            return false;
    x->pcre = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, how, &rc, &at, NULL);
    if (x->pcre == NULL)
        pcre2_get_error_message(rc, (PCRE2_UCHAR *)fault, POSTFIX_FAULT);
    return x->pcre != NULL;
}

struct postfix_expression *postfix_expression_new(bool pcre, const char *pattern, const char *flag, size_t flags,
                                                  char fault[POSTFIX_FAULT])
{
    struct postfix_expression *x = calloc(1, sizeof(*x));

    snprintf(fault, POSTFIX_FAULT, "%s", x == NULL ? "no memory" : "a flag that is unknown");
    if (x != NULL && (pcre ? compile_pcre : compile_posix)(x, pattern, flag, flags, fault)) {
        fault[0] = '\0';
        return x;
    }
    free(x);
    return NULL;
}

void postfix_expression_free(struct postfix_expression *x)
{
    if (x == NULL)
        return;
    if (x->pcre != NULL)
        pcre2_code_free(x->pcre);
    else
        regfree(&x->posix);
    free(x);
}

static bool pcre_fits(const struct postfix_expression *x, const char *address, struct postfix_groups *g)
{
    pcre2_match_data *data = pcre2_match_data_create(POSTFIX_CAPTURES, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    int found = 0;

    if (data != NULL && limits != NULL) {
        pcre2_set_match_limit(limits, MATCH_LIMIT);
        pcre2_set_depth_limit(limits, MATCH_LIMIT);
        found = pcre2_match(x->pcre, (PCRE2_SPTR)address, strlen(address), 0, 0, data, limits);
        for (size_t i = 0; found > 0 && i < (size_t)found && i < POSTFIX_CAPTURES; i++) {
            const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data) + 2 * i;
            g->from[i] = at[0] != PCRE2_UNSET ? at[0] : 0;
            g->to[i] = at[0] != PCRE2_UNSET && at[1] > at[0] ? at[1] : g->from[i];
        }
    }
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    return found > 0;
}

static bool posix_fits(const struct postfix_expression *x, const char *address, struct postfix_groups *g)
{
    regmatch_t at[POSTFIX_CAPTURES];

    if (regexec(&x->posix, address, POSTFIX_CAPTURES, at, 0) != 0)
        return false;
    for (size_t i = 0; i < POSTFIX_CAPTURES; i++) {
        g->from[i] = at[i].rm_so > 0 ? (size_t)at[i].rm_so : 0;
        g->to[i] = at[i].rm_so >= 0 ? (size_t)at[i].rm_eo : 0;
    }
    return true;
}

bool postfix_expression_fits(const struct postfix_expression *x, const char *address, struct postfix_groups *groups)
{
    *groups = (struct postfix_groups){.from = {0}};
    return x->pcre != NULL ? pcre_fits(x, address, groups) : posix_fits(x, address, groups);
}
