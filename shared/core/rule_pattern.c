/* rule_pattern.c - the one place that knows PCRE2. */
#include "rule_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct rule_pattern {
    pcre2_code *code;
};

struct rule_matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
    uint64_t left_all; /* work left for the message, */
    uint64_t left;     /* and for the condition; never more than that */
    PCRE2_SIZE last;   /* where the step before was */
};

/* --- compiling --- */

/* The octets of an escape that begins at text[0]. In \x{…} and \o{…} the number is a character, no count. */
static size_t escape_len(const char *text, size_t len)
{
    const char *end;

    if (len < 3 || (text[1] != 'x' && text[1] != 'o') || text[2] != '{')
        return 2;
    end = memchr(text, '}', len);
    return end == NULL ? len : (size_t)(end - text) + 1;
}

/* The number behind a "{", or what has passed RULE_COUNT_MAX. */
static unsigned read_count(const char *text, size_t len)
{
    unsigned n = 0;

    for (size_t i = 0; i < len && n <= RULE_COUNT_MAX && (ascii_is_digit(text[i]) || text[i] == ' '); i++)
        n = ascii_is_digit(text[i]) ? n * 10 + (unsigned)(text[i] - '0') : n;
    return n;
}

static int check_counts(const char *text, size_t len, size_t *at, struct err *e)
{
    for (size_t i = 0; i < len; i += text[i] == '\\' ? escape_len(text + i, len - i) : 1) {
        if (text[i] != '{' || read_count(text + i + 1, len - i - 1) <= RULE_COUNT_MAX)
            continue;
        *at = i;
        return err_set(e, "a count in {} above %u; for more of them write (?:x{%u}){2}, for the sign itself \\{",
                       RULE_COUNT_MAX, RULE_COUNT_MAX);
    }
    return 0;
}

static int check_costs(const pcre2_code *code, struct err *e)
{
    uint32_t references = 0, behind = 0;

    pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &references);
    pcre2_pattern_info(code, PCRE2_INFO_MAXLOOKBEHIND, &behind);
    if (references > 0)
        return err_set(e,
                       "back references such as \\1 are not taken, as their work has no bound; write out what repeats");
    if (behind > RULE_COUNT_MAX)
        return err_set(e, "a look behind of %u characters; at most %u are taken", behind, RULE_COUNT_MAX);
    return 0;
}

/* Every part tells when it is tried (PCRE2_AUTO_CALLOUT): that is how work is counted. */
static pcre2_code *compile(const char *text, size_t len, size_t *at, struct err *e)
{
    const uint32_t options =
        PCRE2_UTF | PCRE2_CASELESS | PCRE2_MULTILINE | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    PCRE2_UCHAR said[128];
    pcre2_code *code;
    int error = 0;

    if (context == NULL) {
        err_set(e, "no memory");
        return NULL;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_set_parens_nest_limit(context, RULE_NEST_MAX);
    code = pcre2_compile((PCRE2_SPTR)text, len, options, &error, at, context);
    pcre2_compile_context_free(context);
    if (code == NULL) {
        if (pcre2_get_error_message(error, said, sizeof(said)) < 0)
            said[0] = '\0';
        err_set(e, "no regular expression: %s", (const char *)said);
    }
    return code;
}

struct rule_pattern *rule_pattern_new(const char *text, size_t len, size_t *at, struct err *e)
{
    struct rule_pattern *p;
    pcre2_code *code;

    *at = 0;
    if (check_counts(text, len, at, e) != 0)
        return NULL;
    code = compile(text, len, at, e);
    if (code == NULL)
        return NULL;
    *at = 0;
    p = check_costs(code, e) == 0 ? malloc(sizeof(*p)) : NULL;
    if (p == NULL) {
        pcre2_code_free(code);
        return NULL;
    }
    p->code = code;
    return p;
}

void rule_pattern_free(struct rule_pattern *p)
{
    if (p == NULL)
        return;
    pcre2_code_free(p->code);
    free(p);
}

/* --- matching --- */

static int count_step(pcre2_callout_block *block, void *matcher)
{
    struct rule_matcher *m = matcher;
    PCRE2_SIZE at = block->current_position;
    uint64_t work = 1 + (at > m->last ? at - m->last : m->last - at);

    m->last = at;
    if (work > m->left) {
        m->left_all -= m->left;
        m->left = 0;
        return PCRE2_ERROR_CALLOUT;
    }
    m->left -= work;
    m->left_all -= work;
    return 0;
}

struct rule_matcher *rule_matcher_new(void)
{
    struct rule_matcher *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);
    if (m->data == NULL || m->context == NULL) {
        rule_matcher_free(m);
        return NULL;
    }
    pcre2_set_match_limit(m->context, RULE_MATCH_LIMIT);
    pcre2_set_depth_limit(m->context, RULE_MATCH_DEPTH);
    pcre2_set_heap_limit(m->context, RULE_MATCH_HEAP_KIB);
    pcre2_set_callout(m->context, count_step, m);
    return m;
}

void rule_matcher_free(struct rule_matcher *m)
{
    if (m == NULL)
        return;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    free(m);
}

void rule_matcher_message(struct rule_matcher *m, size_t octets)
{
    m->left_all = RULE_WORK_ALL + (uint64_t)octets * RULE_WORK_ALL_OCTET;
}

void rule_matcher_condition(struct rule_matcher *m, size_t octets)
{
    m->left = RULE_WORK + (uint64_t)octets * RULE_WORK_OCTET;
    m->left = m->left < m->left_all ? m->left : m->left_all;
}

static const char *explain(const struct rule_matcher *m, int rc)
{
    if (m->left_all == 0)
        return "the expressions of all rules together take too much work on this message";
    switch (rc) {
    case PCRE2_ERROR_CALLOUT:
    case PCRE2_ERROR_MATCHLIMIT:
        return "its expression takes too much work on this message";
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return "its expression takes too much memory on this message";
    case PCRE2_ERROR_NOMEMORY:
        return "no memory";
    default:
        return "its expression cannot be evaluated on this message";
    }
}

int rule_pattern_find(const struct rule_pattern *p, struct rule_matcher *m, const char *text, size_t len, size_t *at,
                      size_t *fit_len, const char **why)
{
    const PCRE2_SIZE *fit = pcre2_get_ovector_pointer(m->data);
    int rc;

    m->last = 0;
    rc = pcre2_match(p->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, m->data, m->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0) {
        *why = explain(m, rc);
        return -1;
    }
    *at = fit[0];
    *fit_len = fit[1] > fit[0] ? fit[1] - fit[0] : 0;
    return 1;
}
