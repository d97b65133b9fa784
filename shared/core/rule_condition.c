/* rule_condition.c - reads a condition: field, operator, and what the operator wants. */
#include <stdio.h>
#include <string.h>

#include "ascii.h"
#include "rule_parser.h"
#include "utf8_fold.h"

static int parse_network(struct rule_parser *p, struct rule_condition *c, size_t at)
{
    struct err said = {""};
    struct list_pattern network;

    if (list_pattern_parse(&network, c->value, c->value_len, &said) != 0)
        return rule_fail(p, at, "no address or network: %s", said.text);
    if (network.form != LIST_NETWORK)
        return rule_fail(p, at, "client.address is an address or a network, such as \"192.0.2.0/24\", no name");
    c->network = network.network;
    c->prefix = network.prefix;
    return 0;
}

static int parse_value(struct rule_parser *p, struct rule_condition *c)
{
    const enum rule_quotes quotes = c->op == RULE_MATCHES ? RULE_PATTERN : RULE_PLAIN;
    struct rule_token token;
    struct err said = {""};
    size_t at;
    char *folded;

    c->value =
        rule_take_string(p, quotes, c->op == RULE_MATCHES ? "a regular expression" : "a text", &c->value_len, &token);
    if (c->value == NULL)
        return -1;
    if (c->value_len == 0 && c->op != RULE_IS)
        return rule_fail(p, token.at, "\"\" fits everything; write matches \"^\" for: there is one");
    if (c->op == RULE_MATCHES) {
        c->pattern = rule_pattern_new(c->value, c->value_len, &at, &said);
        return c->pattern != NULL ? 0 : rule_fail(p, rule_unquoted_at(p->text, token, quotes, at), "%s", said.text);
    }
    folded = rule_pool_copy(p, c->value, c->value_len);
    utf8_fold(folded, folded, c->value_len);
    c->folded = folded;
    return c->field == RULE_CLIENT_ADDRESS && c->op == RULE_IS ? parse_network(p, c, token.at) : 0;
}

/* Clients are in the inbound lists, mail addresses in the others. */
static int parse_list(struct rule_parser *p, struct rule_condition *c)
{
    struct err said = {""};
    size_t at = p->now.at;
    char got[RULE_GOT_BUF], name[41];

    if (p->now.kind != RULE_WORD || p->now.len >= sizeof(name))
        return rule_fail(p, at, "the name of a list must follow, such as local, but there is %s",
                         rule_now_text(p, got));
    snprintf(name, sizeof(name), "%.*s", (int)p->now.len, p->text + at);
    if (list_by_name(&c->list, name, &said) != 0)
        return rule_fail(p, at, "%s", said.text);
    if (list_is_inbound(c->list) && c->field != RULE_CLIENT_ADDRESS)
        return rule_fail(p, at, "the list %s is of clients; write client.address in-list %s", name, name);
    if (!list_is_inbound(c->list) && c->field == RULE_CLIENT_ADDRESS)
        return rule_fail(p, at, "the list %s is of destinations; write recipient in-list %s", name, name);
    rule_advance(p);
    return 0;
}

/* "20M": 1 to 9 digits and perhaps a unit. */
static int parse_size(struct rule_parser *p, struct rule_condition *c)
{
    static const char units[] = {'K', 'M', 'G'};
    const char *text = p->text + p->now.at;
    size_t digits = 0;
    const char *unit;

    while (digits < p->now.len && digits <= 9 && ascii_is_digit(text[digits])) {
        c->size = c->size * 10 + (text[digits] - '0');
        digits++;
    }
    unit = p->now.len > digits ? memchr(units, text[digits] & ~0x20, sizeof(units)) : NULL;
    if (p->now.kind != RULE_WORD || digits == 0 || digits > 9 || p->now.len - digits != (unit != NULL ? 1 : 0))
        return rule_fail(p, p->now.at, "a size must follow, such as 500000, 500K, 20M or 1G (there is only > and <)");
    c->size <<= unit == NULL ? 0 : 10 * (unit - units + 1);
    rule_advance(p);
    return 0;
}

static int parse_operand(struct rule_parser *p, struct rule_condition *c)
{
    switch (c->op) {
    case RULE_FLAG:
        return 0;
    case RULE_IN_LIST:
        return parse_list(p, c);
    case RULE_MORE:
    case RULE_LESS:
        return parse_size(p, c);
    default:
        return parse_value(p, c);
    }
}

/* The operators that the field may be asked with, such as "is, contains or matches". */
static void name_operators(char out[64], unsigned operators)
{
    size_t n = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < RULE_OPERATORS; i++) {
        const char *between = n == 0 ? "" : (operators >> (i + 1)) == 0 ? " or " : ", ";

        if ((operators >> i & 1) != 0)
            n += (size_t)snprintf(out + n, 64 - n, "%s%s", between, rule_operator_name((enum rule_operator)i));
    }
}

static int parse_operator(struct rule_parser *p, struct rule_condition *c)
{
    unsigned allowed = rule_field_kind(c->field)->operators;
    const char *field = rule_field_name(c->field), *known;
    char got[RULE_GOT_BUF], names[64];

    c->op = RULE_FLAG;
    for (unsigned i = 0; i < RULE_FLAG; i++)
        if (rule_now_is(p, rule_operator_name((enum rule_operator)i)))
            c->op = (enum rule_operator)i;
    if (allowed == 1U << RULE_FLAG)
        return c->op == RULE_FLAG ? 0
                                  : rule_fail(p, p->now.at, "%s stands alone: write %s or not %s", field, field, field);
    if ((allowed >> c->op & 1) != 0) {
        rule_advance(p);
        return 0;
    }
    name_operators(names, allowed);
    known = rule_also_known_as(p);
    if (rule_now_is(p, "not"))
        return rule_fail(p, p->now.at, "\"not\" stands before the field: not %s …", field);
    if (p->now.kind == RULE_WORD && known != NULL)
        return rule_fail(p, p->now.at, "%s may follow, not %s; write %s", names, rule_now_text(p, got), known);
    return rule_fail(p, p->now.at, "behind %s %s must follow, but there is %s", field, names, rule_now_text(p, got));
}

static int parse_header_name(struct rule_parser *p, struct rule_condition *c)
{
    struct rule_token token;
    size_t len = 0;

    c->header = rule_take_string(p, RULE_PLAIN, "the name of a header field", &len, &token);
    if (c->header == NULL)
        return -1;
    for (size_t i = 0; i < len; i++)
        if (!ascii_is_visible(c->header[i]) || c->header[i] == ':')
            return rule_fail(p, token.at,
                             "the name of a header field has no blanks, no colon and only ASCII: header \"Name\"");
    return len > 0 ? 0 : rule_fail(p, token.at, "an empty name of a header field; write header \"Name\"");
}

static int parse_field(struct rule_parser *p, struct rule_condition *c)
{
    char got[RULE_GOT_BUF];
    const char *known;

    for (unsigned i = 0; i < RULE_FIELDS; i++) {
        if (rule_now_is(p, rule_field_name((enum rule_field)i))) {
            c->field = (enum rule_field)i;
            rule_advance(p);
            return c->field == RULE_HEADER ? parse_header_name(p, c) : 0;
        }
    }
    if (p->now.kind == RULE_END || p->now.kind == RULE_ARROW)
        return rule_fail(p, p->now.at, "a condition must follow, such as subject contains \"confidential\"");
    known = rule_also_known_as(p);
    if (known != NULL)
        return rule_fail(p, p->now.at, "%s is no field; write %s", rule_now_text(p, got), known);
    return rule_fail(
        p, p->now.at,
        "%s is no field; there are sender, recipient, client.address, client.user, client.tls, header \"NAME\", "
        "subject, body, attachment.name, attachment.type, size",
        rule_now_text(p, got));
}

int rule_condition_parse(struct rule_parser *p, struct rule_condition *c)
{
    if (parse_field(p, c) != 0 || parse_operator(p, c) != 0)
        return -1;
    return parse_operand(p, c);
}
