/* rule_write.c - a rule as text in its one form: parentheses where they are needed, one blank between words. */
#include <inttypes.h>
#include <string.h>

#include "rule_expression.h"

static void write_string(struct buf *out, const char *text, size_t len, bool is_pattern)
{
    buf_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || (text[i] == '\\' && !is_pattern))
            buf_char(out, '\\');
        buf_char(out, text[i]);
        if (text[i] == '\\' && is_pattern && i + 1 < len)
            buf_char(out, text[++i]);
    }
    buf_char(out, '"');
}

static void write_size(struct buf *out, int64_t size)
{
    static const char units[] = "KMG";
    size_t unit = 0;

    while (unit < 3 && size != 0 && size % 1024 == 0) {
        size /= 1024;
        unit++;
    }
    buf_printf(out, "%" PRId64, size);
    if (unit > 0)
        buf_char(out, units[unit - 1]);
}

static void write_condition(struct buf *out, const struct rule_condition *c)
{
    buf_str(out, rule_field_name(c->field));
    if (c->field == RULE_HEADER) {
        buf_char(out, ' ');
        write_string(out, c->header, strlen(c->header), false);
    }
    if (c->op == RULE_FLAG)
        return;
    buf_printf(out, " %s ", rule_operator_name(c->op));
    if (c->op == RULE_IN_LIST)
        buf_str(out, list_name(c->list));
    else if (c->op == RULE_MORE || c->op == RULE_LESS)
        write_size(out, c->size);
    else
        write_string(out, c->value, c->value_len, c->op == RULE_MATCHES);
}

/* Parts are read from left to right, so a right part of the same kind is one that stood in parentheses. */
static void write_node(struct buf *out, const struct rule_expression *x, size_t at, enum rule_node_kind least)
{
    const struct rule_node *node = &x->node[at];
    bool parentheses = node->kind >= least;

    if (node->kind == RULE_CONDITION) {
        write_condition(out, &x->condition[node->left]);
        return;
    }
    if (parentheses)
        buf_char(out, '(');
    if (node->kind == RULE_NOT) {
        buf_str(out, "not ");
        write_node(out, x, node->left, RULE_AND);
    } else {
        write_node(out, x, node->left, (enum rule_node_kind)(node->kind + 1));
        buf_str(out, node->kind == RULE_AND ? " and " : " or ");
        write_node(out, x, node->right, node->kind);
    }
    if (parentheses)
        buf_char(out, ')');
}

void rule_write(struct buf *out, const struct rule *rule)
{
    buf_printf(out, "%s: ", rule->name);
    write_node(out, rule->expression, rule->expression->nodes - 1, (enum rule_node_kind)(RULE_OR + 1));
    buf_printf(out, " -> %s", rule_action_name(rule->action));
    if (rule->action == RULE_REJECT || rule->action == RULE_TAG) {
        buf_char(out, ' ');
        write_string(out, rule->text, strlen(rule->text), false);
    }
}

void rule_condition_write(struct buf *out, const struct rule *rule, size_t i)
{
    write_condition(out, &rule->expression->condition[i]);
}
