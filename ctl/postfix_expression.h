/*
 * postfix_expression.h - one expression of a table regexp: or pcre: of Postfix (regexp_table(5), pcre_table(5)): POSIX
 * or PCRE2. Pure; the work that an expression may make is bounded.
 */
#ifndef POSTERN_POSTFIX_EXPRESSION_H
#define POSTERN_POSTFIX_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>

#define POSTFIX_FAULT    80
#define POSTFIX_CAPTURES 100                     /* groups that are told, the whole match with them */
#define POSTFIX_WORK_MAX ((size_t)200000)        /* of an expression, */
#define POSTFIX_WORK_ALL (10 * POSTFIX_WORK_MAX) /* and of all expressions of a table together */

struct postfix_expression;

/*
 * How much the library has to read to make it: its octets, repeated. More than POSTFIX_WORK_MAX: it is not to be made,
 * and the number says no more.
 */
size_t postfix_expression_work(const char *pattern);

/*
 * flag: so many letters, each of which turns the other way round what it stands for. NULL with the reason in fault: a
 * flag or an expression that the library does not know, or no memory.
 */
struct postfix_expression *postfix_expression_new(bool pcre, const char *pattern, const char *flag, size_t flags,
                                                  char fault[POSTFIX_FAULT]);
void postfix_expression_free(struct postfix_expression *x); /* NULL-safe */

/* Where each group is in the address, from octet to octet; from == to: it is empty, or absent. */
struct postfix_groups {
    size_t from[POSTFIX_CAPTURES], to[POSTFIX_CAPTURES];
};

/* Does it fit? An expression that passes its limits does not. *groups is all zeros if not. */
bool postfix_expression_fits(const struct postfix_expression *x, const char *address, struct postfix_groups *groups);

#endif
