/* rule_expression.h - a rule as its parser makes it, for the sources of the rule language alone. */
#ifndef POSTERN_RULE_EXPRESSION_H
#define POSTERN_RULE_EXPRESSION_H

#include "list.h"
#include "rule.h"
#include "rule_pattern.h"

#define RULE_NODES_MAX 256 /* conditions, ands, ors and nots of a rule */

struct rule_condition {
    enum rule_field field;
    enum rule_operator op;
    const char *header; /* header: the name, in the case in which it was written */
    const char *value;  /* is, contains, matches: without quotes */
    const char *folded; /* is, contains: utf8_fold of value */
    size_t value_len;
    struct rule_pattern *pattern; /* matches */
    struct list_address network;  /* client.address is */
    unsigned prefix;
    enum list_id list; /* in-list */
    int64_t size;
};

enum rule_node_kind { RULE_CONDITION, RULE_NOT, RULE_AND, RULE_OR };

struct rule_node {
    enum rule_node_kind kind;
    uint16_t left;  /* RULE_CONDITION: which; else a node */
    uint16_t right; /* RULE_AND, RULE_OR */
};

/* Nodes come before those that have them as a part; the last is the whole. */
struct rule_expression {
    struct rule_node node[RULE_NODES_MAX];
    struct rule_condition condition[RULE_CONDITIONS_MAX];
    size_t nodes;
    size_t conditions;
};

/* Read one rule. *out is the caller's, for rule_free. Returns 0, or -1 with the reason. */
int rule_parse(struct rule **out, const char *text, size_t len, struct err *e);
void rule_free(struct rule *rule);

/* What rule_set_ready has made; NULL without it. */
const struct rule_filter *rule_set_filter(const struct rule_set *set);

/* What the field stands for and may be asked. */
struct rule_field_kind {
    const char *name;
    unsigned operators; /* bits, 1 << enum rule_operator */
    unsigned need;
};

const struct rule_field_kind *rule_field_kind(enum rule_field field); /* never NULL */

#endif
