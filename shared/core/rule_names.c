/* rule_names.c - the words of the rule language, and which go together. */
#include "rule_expression.h"

#define BIT(op) (1U << (op))
#define TEXT    (BIT(RULE_IS) | BIT(RULE_CONTAINS) | BIT(RULE_MATCHES))

static const struct rule_field_kind fields[RULE_FIELDS] = {
    [RULE_SENDER] = {"sender", TEXT | BIT(RULE_IN_LIST), RULE_NEED_SENDER},
    [RULE_RECIPIENT] = {"recipient", TEXT | BIT(RULE_IN_LIST), RULE_NEED_RECIPIENTS},
    [RULE_CLIENT_ADDRESS] = {"client.address", TEXT | BIT(RULE_IN_LIST), RULE_NEED_CLIENT},
    [RULE_CLIENT_USER] = {"client.user", TEXT, RULE_NEED_CLIENT},
    [RULE_CLIENT_TLS] = {"client.tls", BIT(RULE_FLAG), RULE_NEED_CLIENT},
    [RULE_HEADER] = {"header", TEXT, RULE_NEED_HEADER},
    [RULE_SUBJECT] = {"subject", TEXT, RULE_NEED_HEADER},
    [RULE_BODY] = {"body", TEXT, RULE_NEED_BODY},
    [RULE_ATTACHMENT_NAME] = {"attachment.name", TEXT, RULE_NEED_ATTACHMENTS},
    [RULE_ATTACHMENT_TYPE] = {"attachment.type", TEXT, RULE_NEED_ATTACHMENTS},
    [RULE_SIZE] = {"size", BIT(RULE_MORE) | BIT(RULE_LESS), RULE_NEED_SIZE},
};

const struct rule_field_kind *rule_field_kind(enum rule_field field)
{
    return &fields[field];
}

const char *rule_field_name(enum rule_field field)
{
    return (unsigned)field < RULE_FIELDS ? fields[field].name : "?";
}

const char *rule_operator_name(enum rule_operator op)
{
    static const char *const names[RULE_OPERATORS] = {
        [RULE_IS] = "is",           [RULE_CONTAINS] = "contains",
        [RULE_MATCHES] = "matches", [RULE_IN_LIST] = "in-list",
        [RULE_MORE] = ">",          [RULE_LESS] = "<",
        [RULE_FLAG] = "",
    };

    return (unsigned)op < RULE_OPERATORS ? names[op] : "?";
}

const char *rule_action_name(enum rule_action action)
{
    static const char *const names[RULE_ACTIONS] = {
        [RULE_NONE] = "none",
        [RULE_REQUIRETLS] = "requiretls",
        [RULE_TLS_OPTIONAL] = "tls-optional",
        [RULE_REJECT] = "reject",
        [RULE_TAG] = "tag",
    };

    return (unsigned)action < RULE_ACTIONS ? names[action] : "?";
}

bool rule_action_is_strict(enum rule_action action)
{
    return action == RULE_REQUIRETLS || action == RULE_REJECT;
}
