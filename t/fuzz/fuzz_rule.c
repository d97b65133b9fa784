/*
 * fuzz_rule.c - rules as people write them: what is taken is the same after it was written and read again; of what is
 * not the line and column are told.
 */
#include "recipe.h"
#include "rule_expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_same(const struct rule *a, const struct rule *b)
{
    const struct rule_expression *x = a->expression, *y = b->expression;

    demand(strcmp(a->name, b->name) == 0 && a->action == b->action && strcmp(a->text, b->text) == 0);
    demand(strcmp(a->tag_name, b->tag_name) == 0 && strcmp(a->tag_value, b->tag_value) == 0);
    demand(a->need == b->need && a->condition_count == b->condition_count && x->nodes == y->nodes);
    for (size_t i = 0; i < x->nodes; i++)
        demand(x->node[i].kind == y->node[i].kind && x->node[i].left == y->node[i].left &&
               x->node[i].right == y->node[i].right);
    for (size_t i = 0; i < x->conditions; i++) {
        const struct rule_condition *c = &x->condition[i], *d = &y->condition[i];

        demand(c->field == d->field && c->op == d->op && c->value_len == d->value_len && c->size == d->size);
        demand(c->value_len == 0 || memcmp(c->value, d->value, c->value_len) == 0);
        demand(c->op != RULE_IN_LIST || c->list == d->list);
    }
}

/* A rule that is written may be longer than what was read, by the backslashes and blanks of its one form. */
static void demand_again(const struct rule *rule)
{
    struct rule_set *set = rule_set_new();
    struct err e = {""};
    struct buf text, again;

    buf_init(&text, (size_t)4 * RULE_LENGTH_MAX);
    buf_init(&again, (size_t)4 * RULE_LENGTH_MAX);
    rule_write(&text, rule);
    demand(set != NULL && buf_ok(&text));
    if (rule_set_add(set, text.data, text.len, &e) != 0) {
        demand(text.len > RULE_LENGTH_MAX);
    } else {
        demand_same(rule, rule_set_at(set, 0));
        rule_write(&again, rule_set_at(set, 0));
        demand(strcmp(buf_text(&text), buf_text(&again)) == 0);
    }
    rule_set_free(set);
    buf_clear(&text);
    buf_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule_set *set = rule_set_new();
    unsigned line = 0, column = 0;
    struct err e = {""};

    demand(set != NULL);
    if (rule_set_read(set, (const char *)data, size, &e) != 0)
        demand(sscanf(e.text, "line %u: column %u: ", &line, &column) == 2 || strstr(e.text, "more than 500") != NULL);
    else
        demand(e.text[0] == '\0');
    for (size_t i = 0; i < rule_set_count(set); i++)
        demand_again(rule_set_at(set, i));
    rule_set_free(set);
    return 0;
}
