/* rule_eval.c - asks rules about a message. */
#include "rule_eval.h"

#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "rule_filter.h"

struct rule_eval {
    const struct rule_set *set;
    struct rule_matcher *matcher;
    struct rule_view view;
    const struct rule_filter *filter;
    struct rule_filter_found found;
    rule_in_list *in_list;
    void *context;
    struct rule_trace *trace; /* of each rule */
    struct rule_seen *seen;   /* of each condition of each rule */
    size_t conditions;
    size_t *tag; /* the rules to tag that fit */
    size_t tags;
};

const char *rule_truth_name(enum rule_truth truth)
{
    static const char *const names[] = {
        [RULE_NOT_ASKED] = "not asked", [RULE_FALSE] = "no", [RULE_TRUE] = "yes", [RULE_UNKNOWN] = "unknown"};

    return (size_t)truth < sizeof(names) / sizeof(names[0]) ? names[truth] : "?";
}

struct rule_eval *rule_eval_new(const struct rule_set *set)
{
    size_t rules = rule_set_count(set);
    struct rule_eval *eval = calloc(1, sizeof(*eval));

    if (eval == NULL)
        return NULL;
    eval->set = set;
    eval->filter = rule_set_filter(set);
    for (size_t i = 0; i < rules; i++)
        eval->conditions += rule_set_at(set, i)->condition_count;
    eval->matcher = rule_matcher_new();
    eval->trace = calloc(rules + 1, sizeof(*eval->trace)); /* never of nothing */
    eval->seen = calloc(eval->conditions + 1, sizeof(*eval->seen));
    eval->tag = calloc(rules + 1, sizeof(*eval->tag));
    if (eval->matcher == NULL || eval->trace == NULL || eval->seen == NULL || eval->tag == NULL) {
        rule_eval_free(eval);
        return NULL;
    }
    for (size_t i = 0, at = 0; i < rules; i++) {
        eval->trace[i].rule = rule_set_at(set, i);
        eval->trace[i].seen = eval->seen + at;
        at += eval->trace[i].rule->condition_count;
    }
    return eval;
}

void rule_eval_free(struct rule_eval *eval)
{
    if (eval == NULL)
        return;
    rule_matcher_free(eval->matcher);
    rule_view_clear(&eval->view);
    rule_filter_clear(&eval->found);
    free(eval->trace);
    free(eval->seen);
    free(eval->tag);
    free(eval);
}

/* --- conditions --- */

static enum rule_truth truth_of(bool is)
{
    return is ? RULE_TRUE : RULE_FALSE;
}

static enum rule_truth unknown(struct rule_seen *seen, const char *why)
{
    seen->why = why;
    return RULE_UNKNOWN;
}

static enum rule_truth ask_contains(const struct rule_condition *c, struct rule_text text, struct rule_seen *seen)
{
    const char *found = memmem(text.data, text.len, c->folded, c->value_len); /* its time grows with the sum of both */

    if (found == NULL)
        return RULE_FALSE;
    seen->at = (size_t)(found - text.data);
    seen->len = c->value_len;
    return RULE_TRUE;
}

static enum rule_truth ask_matches(const struct rule_eval *eval, const struct rule_condition *c, struct rule_text text,
                                   struct rule_seen *seen)
{
    const char *why = NULL;
    int rc = rule_pattern_find(c->pattern, eval->matcher, text.data, text.len, &seen->at, &seen->len, &why);

    return rc < 0 ? unknown(seen, why) : truth_of(rc == 1);
}

static enum rule_truth ask_network(const struct rule_condition *c, struct rule_text text)
{
    struct list_address a;
    char address[ADDRESS_BUF];

    if (address_normalise(address, text.data, text.len) != 1 || list_address_parse(&a, address) != 1)
        return RULE_FALSE;
    list_address_mask(&a, c->prefix);
    return truth_of(a.bits == c->network.bits && memcmp(a.octet, c->network.octet, sizeof(a.octet)) == 0);
}

static enum rule_truth ask_is(const struct rule_condition *c, struct rule_text text)
{
    if (c->field == RULE_CLIENT_ADDRESS)
        return ask_network(c, text);
    return truth_of(text.len == c->value_len && memcmp(text.data, c->folded, text.len) == 0);
}

/* Mail addresses by their domain; without one they are in no list. */
static enum rule_truth ask_list(const struct rule_eval *eval, const struct rule_condition *c, struct rule_text text,
                                struct rule_seen *seen)
{
    const char *what = text.data;
    int rc;

    if (c->field != RULE_CLIENT_ADDRESS) {
        const char *at = memrchr(text.data, '@', text.len);

        what = at == NULL ? text.data + text.len : at + 1;
    }
    if (what == text.data + text.len)
        return RULE_FALSE;
    if (eval->in_list == NULL)
        return unknown(seen, "no list can be asked");
    rc = eval->in_list(eval->context, c->list, what, text.len - (size_t)(what - text.data));
    return rc < 0 ? unknown(seen, "the list could not be asked") : truth_of(rc > 0);
}

static enum rule_truth ask_value(const struct rule_eval *eval, const struct rule_condition *c, struct rule_text text,
                                 struct rule_seen *seen)
{
    switch (c->op) {
    case RULE_IS:
        return ask_is(c, text);
    case RULE_CONTAINS:
        return ask_contains(c, text, seen);
    case RULE_MATCHES:
        return ask_matches(eval, c, text, seen);
    default:
        return ask_list(eval, c, text, seen);
    }
}

static const char *header_name(const struct rule_condition *c)
{
    return c->field == RULE_SUBJECT ? "Subject" : c->header;
}

static bool is_doubted(const struct rule_message *m, const char *name)
{
    for (size_t i = 0; m->doubted != NULL && i < m->header_count; i++)
        if (m->doubted[i] && rule_header_is(&m->headers[i], name))
            return true;
    return false;
}

/* What could not be seen of a message could have fitted. */
static enum rule_truth ask_cut(const struct rule_eval *eval, const struct rule_condition *c, struct rule_seen *seen)
{
    const struct rule_message *m = eval->view.message;
    unsigned need = rule_field_kind(c->field)->need;
    const char *why = (need & RULE_NEED_HEADER) != 0        ? m->header_why
                      : (need & RULE_NEED_BODY) != 0        ? m->body_why
                      : (need & RULE_NEED_ATTACHMENTS) != 0 ? m->attachments_why
                                                            : NULL;

    if ((need & m->cut) != 0)
        return unknown(seen, why != NULL ? why : "not all of the message could be looked at");
    if ((need & RULE_NEED_HEADER) != 0 && is_doubted(m, header_name(c)))
        return unknown(seen, "an encoded word of the header field could not be decoded");
    return RULE_FALSE;
}

/* Any value that fits makes it true, and any that is unknown keeps it from being false. */
static enum rule_truth ask_values(struct rule_eval *eval, const struct rule_condition *c, struct rule_seen *seen)
{
    const enum rule_field field = c->field == RULE_SUBJECT ? RULE_HEADER : c->field;
    const enum rule_form form = c->op == RULE_MATCHES ? RULE_CLEAN : c->op == RULE_IN_LIST ? RULE_RAW : RULE_FOLDED;
    const char *header = header_name(c);
    struct rule_walk walk = {0, 0};
    struct rule_text raw, text;
    int more;

    if (rule_filter_out(eval->filter, &eval->found, &eval->view, field, (size_t)(seen - eval->seen)))
        return ask_cut(eval, c, seen);
    rule_matcher_condition(eval->matcher, eval->view.octets[field]);
    while ((more = rule_view_next(&eval->view, field, form, header, &walk, &raw, &text)) == 1) {
        enum rule_truth truth = ask_value(eval, c, text, seen);

        if (truth == RULE_TRUE) {
            seen->value = raw;
            seen->why = NULL;
            return RULE_TRUE;
        }
    }
    if (more < 0)
        return unknown(seen, "no memory");
    return seen->why != NULL ? RULE_UNKNOWN : ask_cut(eval, c, seen);
}

static enum rule_truth ask_size(const struct rule_condition *c, const struct rule_message *m, struct rule_seen *seen)
{
    if (m->size < 0)
        return unknown(seen, "the size is not known");
    return truth_of(c->op == RULE_MORE ? m->size > c->size : m->size < c->size);
}

static enum rule_truth ask_condition(struct rule_eval *eval, const struct rule_condition *c, struct rule_seen *seen)
{
    if (c->field == RULE_CLIENT_TLS)
        return truth_of(eval->view.message->client_tls);
    if (c->field == RULE_SIZE)
        return ask_size(c, eval->view.message, seen);
    return ask_values(eval, c, seen);
}

/* --- expressions --- */

/* At most RULE_NODES_MAX deep. */
static enum rule_truth ask_node(struct rule_eval *eval, const struct rule_expression *x, size_t at,
                                struct rule_seen *seen)
{
    const struct rule_node *node = &x->node[at];
    const enum rule_truth settled = node->kind == RULE_AND ? RULE_FALSE : RULE_TRUE;
    enum rule_truth left, right;

    if (node->kind == RULE_CONDITION) {
        struct rule_seen *mine = &seen[node->left];

        mine->truth = ask_condition(eval, &x->condition[node->left], mine);
        return mine->truth;
    }
    left = ask_node(eval, x, node->left, seen);
    if (node->kind == RULE_NOT)
        return left == RULE_UNKNOWN ? left : truth_of(left == RULE_FALSE);
    if (left == settled)
        return left;
    right = ask_node(eval, x, node->right, seen);
    return right == settled || left != RULE_UNKNOWN ? right : left;
}

static const char *first_why(const struct rule_trace *t)
{
    for (size_t i = 0; i < t->rule->condition_count; i++)
        if (t->seen[i].truth == RULE_UNKNOWN)
            return t->seen[i].why;
    return NULL;
}

static void ask_rule(struct rule_eval *eval, struct rule_trace *t, struct rule_seen *seen)
{
    const struct rule_expression *x = t->rule->expression;

    t->truth = ask_node(eval, x, x->nodes - 1, seen);
    t->fits = t->truth == RULE_TRUE || (t->truth == RULE_UNKNOWN && rule_action_is_strict(t->rule->action));
    t->why = t->truth == RULE_UNKNOWN ? first_why(t) : NULL;
}

static void forget(struct rule_eval *eval)
{
    memset(eval->seen, 0, eval->conditions * sizeof(*eval->seen));
    for (size_t i = 0; i < rule_set_count(eval->set); i++) {
        eval->trace[i].truth = RULE_NOT_ASKED;
        eval->trace[i].fits = false;
        eval->trace[i].why = NULL;
    }
    eval->tags = 0;
}

struct rule_outcome rule_eval_run(struct rule_eval *eval, const struct rule_message *message, rule_in_list *in_list,
                                  void *context)
{
    struct rule_outcome outcome = {RULE_NONE, NULL, 0, 0};
    struct rule_seen *seen = eval->seen;

    forget(eval);
    eval->in_list = in_list;
    eval->context = context;
    rule_view_message(&eval->view, message);
    rule_filter_message(&eval->found);
    rule_matcher_message(eval->matcher, eval->view.all);
    for (size_t i = 0; i < rule_set_count(eval->set) && outcome.rule == NULL; i++) {
        struct rule_trace *t = &eval->trace[i];

        ask_rule(eval, t, seen);
        seen += t->rule->condition_count;
        outcome.unknown += t->truth == RULE_UNKNOWN;
        if (t->fits && t->rule->action == RULE_TAG) {
            eval->tag[eval->tags++] = i;
        } else if (t->fits) {
            outcome.rule = t->rule;
            outcome.action = t->rule->action;
        }
    }
    outcome.tags = eval->tags;
    return outcome;
}

size_t rule_eval_count(const struct rule_eval *eval)
{
    return rule_set_count(eval->set);
}

const struct rule_trace *rule_eval_trace(const struct rule_eval *eval, size_t i)
{
    return &eval->trace[i];
}

const struct rule *rule_eval_tag(const struct rule_eval *eval, size_t i)
{
    return rule_set_at(eval->set, eval->tag[i]);
}
