/*
 * rule_parse.c - reads a rule: a function for each level of precedence. Functions that read a part of an expression
 * return its node, or -1 with the error said.
 */
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "rule_parser.h"
#include "utf8.h"

/* --- expressions --- */

static int add_node(struct rule_parser *p, enum rule_node_kind kind, int left, int right)
{
    if (left < 0 || right < 0)
        return -1;
    if (p->x->nodes == RULE_NODES_MAX)
        return rule_fail(p, p->now.at, "more than %d ands, ors, nots and conditions; make two rules of it",
                         RULE_NODES_MAX);
    p->x->node[p->x->nodes] = (struct rule_node){kind, (uint16_t)left, (uint16_t)right};
    return (int)p->x->nodes++;
}

static int parse_condition(struct rule_parser *p)
{
    struct rule_condition *c = &p->x->condition[p->x->conditions];

    if (p->x->conditions == RULE_CONDITIONS_MAX)
        return rule_fail(p, p->now.at, "more than %d conditions; make two rules of it", RULE_CONDITIONS_MAX);
    memset(c, 0, sizeof(*c));
    p->x->conditions++; /* whatever it holds by now is freed with the others */
    return rule_condition_parse(p, c) == 0 ? add_node(p, RULE_CONDITION, (int)p->x->conditions - 1, 0) : -1;
}

/* No "and" or "or" is here, nor the end of the expression, which is `end`. */
static int fail_joint(const struct rule_parser *p, const char *end)
{
    const char *known = rule_also_known_as(p);
    char got[RULE_GOT_BUF];

    if (known != NULL)
        return rule_fail(p, p->now.at, "and, or or %s may follow, not %s; write %s", end, rule_now_text(p, got), known);
    return rule_fail(p, p->now.at, "and, or or %s must follow, but there is %s", end, rule_now_text(p, got));
}

static int parse_or(struct rule_parser *p);

static int parse_unary(struct rule_parser *p)
{
    size_t at = p->now.at;
    bool is_not = rule_now_is(p, "not");
    int node;

    if (!is_not && !rule_now_is(p, "("))
        return parse_condition(p);
    if (++p->depth > RULE_DEPTH_MAX)
        return rule_fail(p, at, "more than %d parentheses and nots within one another", RULE_DEPTH_MAX);
    rule_advance(p);
    node = is_not ? add_node(p, RULE_NOT, parse_unary(p), 0) : parse_or(p);
    p->depth--;
    return node < 0 || is_not || rule_skip(p, ")") ? node : fail_joint(p, "\")\"");
}

static int parse_and(struct rule_parser *p)
{
    int node = parse_unary(p);

    while (node >= 0 && rule_skip(p, "and"))
        node = add_node(p, RULE_AND, node, parse_unary(p));
    return node;
}

static int parse_or(struct rule_parser *p)
{
    int node = parse_and(p);

    while (node >= 0 && rule_skip(p, "or"))
        node = add_node(p, RULE_OR, node, parse_and(p));
    return node;
}

/* --- actions --- */

static int check_printable(struct rule_parser *p, const char *text, size_t len, size_t at)
{
    for (size_t i = 0; i < len; i++)
        if (!ascii_is_visible(text[i]) && text[i] != ' ')
            return rule_fail(p, at, "only ASCII may stand here, as it goes into SMTP and header fields");
    return 0;
}

/* "Header: value" in its two halves. */
static int parse_tag(struct rule_parser *p, struct rule *rule, size_t len, size_t at)
{
    const char *colon = memchr(rule->text, ':', len);
    size_t name = colon == NULL ? 0 : (size_t)(colon - rule->text), value = name + 1;

    while (value < len && rule->text[value] == ' ')
        value++;
    while (value < len && rule->text[len - 1] == ' ')
        len--;
    if (name == 0 || value >= len || memchr(rule->text, ' ', name) != NULL)
        return rule_fail(p, at, "a tag is a header field, such as tag \"X-Content: confidential\"");
    rule->tag_name = rule_pool_copy(p, rule->text, name);
    rule->tag_value = rule_pool_copy(p, rule->text + value, len - value);
    return 0;
}

static int parse_action_text(struct rule_parser *p, struct rule *rule)
{
    struct rule_token token;
    size_t len = 0;
    const bool reject = rule->action == RULE_REJECT;

    rule->text = rule_take_string(
        p, RULE_PLAIN, reject ? "the text that the sender gets" : "a header field, \"Name: value\",", &len, &token);
    if (rule->text == NULL || check_printable(p, rule->text, len, token.at) != 0)
        return -1;
    if (!reject)
        return parse_tag(p, rule, len, token.at);
    if (len == 0 || len > RULE_REPLY_MAX)
        return rule_fail(p, token.at, "the text that the sender gets has 1 to %d octets", RULE_REPLY_MAX);
    return 0;
}

static int parse_action(struct rule_parser *p, struct rule *rule)
{
    char got[RULE_GOT_BUF];
    const char *known;

    for (unsigned i = 0; i < RULE_ACTIONS; i++) {
        if (rule_now_is(p, rule_action_name((enum rule_action)i))) {
            rule->action = (enum rule_action)i;
            rule_advance(p);
            return rule->action == RULE_REJECT || rule->action == RULE_TAG ? parse_action_text(p, rule) : 0;
        }
    }
    known = rule_also_known_as(p);
    if (known != NULL)
        return rule_fail(p, p->now.at, "%s is no action; write %s", rule_now_text(p, got), known);
    return rule_fail(
        p, p->now.at,
        "an action must follow: requiretls, tls-optional, reject \"TEXT\", tag \"Header: value\" or none; there is %s",
        rule_now_text(p, got));
}

/* --- rules --- */

static int parse_name(struct rule_parser *p, struct rule *rule)
{
    struct rule_token name = p->now;

    if (name.kind == RULE_WORD)
        rule_advance(p);
    if (name.kind != RULE_WORD || !rule_now_is(p, ":"))
        return rule_fail(p, name.at,
                         "a rule begins with its name and a colon, such as secret: subject contains \"confidential\"");
    if (name.len > RULE_NAME_MAX)
        return rule_fail(p, name.at, "the name has more than %d characters", RULE_NAME_MAX);
    for (size_t i = name.at; i < name.at + name.len; i++)
        if (!ascii_is_alnum(p->text[i]) && strchr("-_.", p->text[i]) == NULL)
            return rule_fail(p, i, "a name has letters, digits, \"-\", \"_\" and \".\" only");
    rule->name = rule_pool_copy(p, p->text + name.at, name.len);
    rule_advance(p);
    return 0;
}

static int check_text(struct rule_parser *p)
{
    if (p->len > RULE_LENGTH_MAX)
        return rule_fail(p, RULE_LENGTH_MAX, "the rule has more than %d octets; make two rules of it", RULE_LENGTH_MAX);
    for (size_t i = 0, len; i < p->len; i += len) {
        len = utf8_measure(p->text + i, p->len - i);
        if (len == 0)
            return rule_fail(p, i, "not UTF-8");
        if (((unsigned char)p->text[i] < 0x20 && p->text[i] != '\t') || p->text[i] == 0x7f)
            return rule_fail(p, i, "a control character; in an expression write \\x%02x", (unsigned char)p->text[i]);
    }
    return 0;
}

static int parse_rule(struct rule_parser *p, struct rule *rule)
{
    char got[RULE_GOT_BUF];

    rule_advance(p);
    if (check_text(p) != 0 || parse_name(p, rule) != 0 || parse_or(p) < 0)
        return -1;
    if (rule_now_is(p, ")"))
        return rule_fail(p, p->now.at, "a \")\" without its \"(\"");
    if (p->now.kind != RULE_ARROW)
        return fail_joint(p, "-> and an action, such as -> requiretls,");
    rule_advance(p);
    if (parse_action(p, rule) != 0)
        return -1;
    if (p->now.kind != RULE_END)
        return rule_fail(p, p->now.at, "the rule ends with its action, but there is %s", rule_now_text(p, got));
    return 0;
}

/* The rule, its expression and its text in one block. Strings are copied twice at most, without their quotes. */
int rule_parse(struct rule **out, const char *text, size_t len, struct err *e)
{
    struct made {
        struct rule rule;
        struct rule_expression expression;
        char pool[];
    } * made;
    struct rule_parser p = {.text = text, .len = len, .e = e};
    struct rule *rule;

    *out = NULL;
    if (len > RULE_LENGTH_MAX)
        return check_text(&p);
    made = calloc(1, sizeof(*made) + 2 * len + 1);
    if (made == NULL)
        return err_set(e, "no memory");
    rule = &made->rule;
    rule->text = rule->tag_name = rule->tag_value = "";
    rule->expression = p.x = &made->expression;
    p.pool = made->pool;
    if (parse_rule(&p, rule) != 0) {
        rule_free(rule);
        return -1;
    }
    rule->condition_count = p.x->conditions;
    for (size_t i = 0; i < p.x->conditions; i++)
        rule->need |= rule_field_kind(p.x->condition[i].field)->need |
                      (p.x->condition[i].op == RULE_IN_LIST ? (unsigned)RULE_NEED_LISTS : 0);
    *out = rule;
    return 0;
}

void rule_free(struct rule *rule)
{
    if (rule == NULL)
        return;
    for (size_t i = 0; i < rule->expression->conditions; i++)
        rule_pattern_free(rule->expression->condition[i].pattern);
    free(rule);
}
