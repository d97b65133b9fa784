/*
 * rule_eval.h - what a set of rules says about a message, and why. Pure.
 *
 * A condition is true, false or unknown: unknown when a limit was passed (rule_pattern.h), a list could not be asked,
 * or the message was cut where it looks. "not" of unknown is unknown; "and" is false when one part is false, "or" true
 * when one is true, whatever the other is. A rule that is unknown counts as fitting when its action is strict
 * (requiretls, reject), else as not fitting.
 *
 * Rules are asked in order. `tag` goes on, every other action ends. The right part of "and" and "or" is not asked when
 * the left settles it.
 *
 * Work for a message of n octets, r rules of c conditions: is, contains, in-list, size, flags O(r * c * n); matches at
 * most RULE_WORK + n * RULE_WORK_OCTET a condition and RULE_WORK_ALL + n * RULE_WORK_ALL_OCTET in all. Never n * n.
 * Memory: 2 * n and what rule_pattern.h says. Nothing is allocated for a condition; copies of texts are made once a
 * message, when the first condition wants them, into memory that is kept.
 */
#ifndef POSTERN_RULE_EVAL_H
#define POSTERN_RULE_EVAL_H

#include "list.h"
#include "rule.h"

/* Octets that need no NUL at their end, and may have one among them. data NULL: there is no such thing. */
struct rule_text {
    const char *data;
    size_t len;
};

struct rule_header {
    struct rule_text name;
    struct rule_text value; /* unfolded, decoded to UTF-8, no blanks around it */
};

struct rule_part {
    struct rule_text type; /* attachment.type, such as application/pdf; none for what is no attachment */
    struct rule_text name; /* attachment.name */
    struct rule_text text; /* body: decoded text in UTF-8 */
};

/*
 * A message as rules see it; everything belongs to the caller. Text should be UTF-8: for matches, what is not is read
 * as
 * "?". Where several values are there, a condition is true when any of them fits, and false when there is none.
 */
struct rule_message {
    struct rule_text sender;
    const struct rule_text *recipients;
    size_t recipient_count;
    struct rule_text client_address; /* as inet_ntop writes it */
    struct rule_text client_user;
    bool client_tls;
    const struct rule_header *headers;
    size_t header_count;
    const struct rule_part *parts;
    size_t part_count;
    int64_t size; /* octets; -1: unknown */
    unsigned cut; /* bits of enum rule_need: HEADER, BODY, ATTACHMENTS where something could not be seen, */
    const char *header_why, *body_why, *attachments_why; /* and why; NULL: it is not said */
    const bool *doubted; /* of each header field: it may have another value than this; NULL: none may */
};

/* Is it in the list? what: a domain, as it is written behind "@", or an address. 1, 0, or -1 when that cannot be told.
 */
typedef int rule_in_list(void *context, enum list_id list, const char *what, size_t len);

enum rule_truth { RULE_NOT_ASKED, RULE_FALSE, RULE_TRUE, RULE_UNKNOWN };

const char *rule_truth_name(enum rule_truth truth); /* "not asked", "no", "yes", "unknown" */

/* What became of a condition. */
struct rule_seen {
    enum rule_truth truth;
    struct rule_text value; /* RULE_TRUE: the value that fits, the message's own; none for flags and sizes */
    size_t at;              /* where in it contains or matches fits, */
    size_t len;             /* and how many octets */
    const char *why;        /* RULE_UNKNOWN: which limit; a sentence without capital and stop */
};

/* What became of a rule. */
struct rule_trace {
    const struct rule *rule;
    enum rule_truth truth;
    bool fits;                    /* true, or unknown and strict */
    const char *why;              /* RULE_UNKNOWN: that of the first condition that is */
    const struct rule_seen *seen; /* of its condition_count conditions */
};

struct rule_outcome {
    enum rule_action action; /* of the rule that ended; RULE_NONE when none did */
    const struct rule *rule; /* that rule, or NULL */
    size_t tags;             /* so many rules to tag fit, see rule_eval_tag */
    size_t unknown;          /* so many rules could not be evaluated; they are in the trace */
};

struct rule_eval;

/* Memory to evaluate a set with, which must live as long; not for two threads at a time. NULL without memory. */
struct rule_eval *rule_eval_new(const struct rule_set *set);
void rule_eval_free(struct rule_eval *eval); /* NULL-safe */

/* Ask all rules about a message. in_list NULL: no list can be asked. */
struct rule_outcome rule_eval_run(struct rule_eval *eval, const struct rule_message *message, rule_in_list *in_list,
                                  void *context);

/* How many rules the set has; the trace of its i-th rule, and the i-th rule that tags; of the last run, valid until the
 * next. */
size_t rule_eval_count(const struct rule_eval *eval);
const struct rule_trace *rule_eval_trace(const struct rule_eval *eval, size_t i);
const struct rule *rule_eval_tag(const struct rule_eval *eval, size_t i);

/*
 * Append the trace of the last run for people, a line for each rule that was asked and one, indented, for each of its
 * conditions:
 *     secret: fits -> requiretls
 *       subject contains "confidential": yes, "Confidential" in "Confidential: our offer"
 * Foreign text is cut; what is not printable ASCII or UTF-8 is "?".
 */
void rule_eval_write(struct buf *out, const struct rule_eval *eval);

#endif
