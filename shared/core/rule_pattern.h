/*
 * rule_pattern.h - the regular expressions of rules: PCRE2 with a bound on its work. Pure.
 *
 * Expressions know no case unless they say (?-i), "^" and "$" fit at every line, text is UTF-8, \w, \d and \b mean
 * ASCII unless the expression begins with (*UCP). Just-in-time compilation is not used: the interpreter's stack does
 * not grow, and its work can be counted.
 *
 * The bound: work is a step of the matcher (a part of the expression tried at a place) or an octet that one part passes
 * over, whichever part and wherever in the text it begins. A step is at most RULE_COUNT_MAX octets of text, because
 * longer fixed counts and looks behind are refused, and so are back references, whose comparing has no bound. PCRE2's
 * own limits (steps from one place, depth, memory) stand behind that.
 */
#ifndef POSTERN_RULE_PATTERN_H
#define POSTERN_RULE_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define RULE_COUNT_MAX      255     /* x{255}, and characters of a look behind */
#define RULE_NEST_MAX       50      /* parentheses within one another in an expression */
#define RULE_MATCH_LIMIT    1000000 /* steps from one place in the text */
#define RULE_MATCH_DEPTH    20000
#define RULE_MATCH_HEAP_KIB 4096     /* of a matcher; it is kept until the matcher is freed */
#define RULE_WORK           1000000  /* of a condition, */
#define RULE_WORK_OCTET     64       /* and for each octet that it looks at */
#define RULE_WORK_ALL       16000000 /* of all rules for one message, */
#define RULE_WORK_ALL_OCTET 256      /* and for each octet of the message's texts */

struct rule_pattern;

/* Returns NULL with the reason in e and the octet of the text that it is about in *at. */
struct rule_pattern *rule_pattern_new(const char *text, size_t len, size_t *at, struct err *e);
void rule_pattern_free(struct rule_pattern *p); /* NULL-safe */

/* Memory for matching, and the work that may still be done; not for two threads at a time. */
struct rule_matcher;

struct rule_matcher *rule_matcher_new(void);    /* NULL without memory */
void rule_matcher_free(struct rule_matcher *m); /* NULL-safe */

/* A new message, whose texts have so many octets in all; then, a condition that looks at so many. */
void rule_matcher_message(struct rule_matcher *m, size_t octets);
void rule_matcher_condition(struct rule_matcher *m, size_t octets);

/*
 * Look for the pattern in a text of valid UTF-8 (the caller's duty). Returns 1 with where it fits, 0 when it does not,
 * -1 when limits were passed, with which in *why.
 */
int rule_pattern_find(const struct rule_pattern *p, struct rule_matcher *m, const char *text, size_t len, size_t *at,
                      size_t *fit_len, const char **why);

#endif
