/*
 * rule.h - the operator's rules about outgoing messages: their language, and sets of them. Pure.
 *
 *   secret:  subject contains "confidential" and not client.tls -> requiretls
 *   cards:   body matches "\b\d{4}[ -]?\d{4}\b" or attachment.name matches "\.p12$" -> requiretls
 *   big:     size > 20M and recipient in-list local -> reject "too large for us"
 *
 *   rule        NAME ":" expression "->" action            on one line
 *   expression  conditions with "and", "or", "not", parentheses; not binds before and, and before or
 *   condition   client.tls
 *               size > 20M, size < 100K                    octets; K, M and G are powers of 1024
 *               FIELD is "TEXT", FIELD contains "TEXT", FIELD matches "EXPRESSION", FIELD in-list LIST
 *   FIELD       sender, recipient, client.address, client.user, header "NAME", subject, body, attachment.name,
 *               attachment.type
 *   action      requiretls, tls-optional, reject "TEXT", tag "HEADER: VALUE", none
 *
 * In quotes, \" is a quote and \\ a backslash; behind matches a backslash belongs to the expression, and only \" is
 * read as a quote. is and contains know no case (utf8_fold.h). matches is PCRE2 (rule_pattern.h). in-list asks one of
 * the lists of list.h: for sender and recipient by the domain (not inbound-*), for client.address the inbound-* ones.
 * client.address is "192.0.2.0/24" goes for a network.
 */
#ifndef POSTERN_RULE_H
#define POSTERN_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define RULE_LENGTH_MAX     4096 /* octets of a rule */
#define RULE_NAME_MAX       40   /* of its name: letters, digits, "-", "_", "." */
#define RULE_STRING_MAX     1000 /* of what stands in quotes */
#define RULE_REPLY_MAX      400  /* of the text of reject: one line of an SMTP reply */
#define RULE_CONDITIONS_MAX 64   /* of a rule */
#define RULE_DEPTH_MAX      32   /* parentheses and nots within one another */
#define RULES_MAX           500  /* of a set */

enum rule_field {
    RULE_SENDER, /* the envelope's; "" for <> */
    RULE_RECIPIENT,
    RULE_CLIENT_ADDRESS,
    RULE_CLIENT_USER,
    RULE_CLIENT_TLS,
    RULE_HEADER,
    RULE_SUBJECT,
    RULE_BODY,
    RULE_ATTACHMENT_NAME,
    RULE_ATTACHMENT_TYPE,
    RULE_SIZE,
    RULE_FIELDS
};

enum rule_operator {
    RULE_IS,
    RULE_CONTAINS,
    RULE_MATCHES,
    RULE_IN_LIST,
    RULE_MORE,
    RULE_LESS,
    RULE_FLAG, /* none: the field alone */
    RULE_OPERATORS
};

enum rule_action { RULE_NONE, RULE_REQUIRETLS, RULE_TLS_OPTIONAL, RULE_REJECT, RULE_TAG, RULE_ACTIONS };

/* The words of the rule language: "client.address", "in-list", "tls-optional". */
const char *rule_field_name(enum rule_field field);
const char *rule_operator_name(enum rule_operator op); /* "" for RULE_FLAG */
const char *rule_action_name(enum rule_action action);

/* The action makes things stricter (requiretls, reject): a rule whose limits are passed counts as if it fitted. */
bool rule_action_is_strict(enum rule_action action);

/* What has to be known of a message before a set of rules can be asked about it; bits. */
enum rule_need {
    RULE_NEED_CLIENT = 1, /* address, user, TLS */
    RULE_NEED_SENDER = 2,
    RULE_NEED_RECIPIENTS = 4,
    RULE_NEED_HEADER = 8,       /* header fields, the subject too */
    RULE_NEED_BODY = 16,        /* text of the body */
    RULE_NEED_ATTACHMENTS = 32, /* names and types: also wants the body's octets */
    RULE_NEED_SIZE = 64,        /* of the whole message */
    RULE_NEED_LISTS = 128       /* the operator's lists */
};

struct rule_expression;

/* A rule; it belongs to its set. */
struct rule {
    const char *name;
    enum rule_action action;
    const char *text;      /* of reject and tag, as it was written; "" for the others */
    const char *tag_name;  /* tag: what stands before the colon, */
    const char *tag_value; /* and behind it, without the blanks around it */
    size_t condition_count;
    const struct rule_expression *expression;
    unsigned need;
};

struct rule_set;

struct rule_set *rule_set_new(void);      /* NULL without memory */
void rule_set_free(struct rule_set *set); /* NULL-safe */

/*
 * Add one rule behind those that are there. Text is UTF-8 without control octets but blanks. Returns 0, or -1 with the
 * column (characters from 1), what is wrong there and what to write instead; the set is then as it was.
 */
int rule_set_add(struct rule_set *set, const char *text, size_t len, struct err *e);

/*
 * Add the rules of a text of lines, one a line; blank lines and lines that begin with "#" are passed over. Returns 0,
 * or -1 with "line N: column M: …"; the rules before that line are in the set.
 */
int rule_set_read(struct rule_set *set, const char *text, size_t len, struct err *e);

/*
 * After the last rule, and before the first rule_eval_new: makes large sets fast (rule_filter.h). What they say is the
 * same without it. Returns 0, or -1 without memory.
 */
int rule_set_ready(struct rule_set *set);

/* How many rules it has, and the i-th, from 0, in the order in which they are asked. */
size_t rule_set_count(const struct rule_set *set);
const struct rule *rule_set_at(const struct rule_set *set, size_t i);

/* enum rule_need of all rules together. */
unsigned rule_set_need(const struct rule_set *set);

/* Append a rule as text, without a line end: read again it is the same rule, and written again the same text. */
void rule_write(struct buf *out, const struct rule *rule);

/* Append one of a rule's conditions, in the order in which they were written. */
void rule_condition_write(struct buf *out, const struct rule *rule, size_t i);

#endif
