/*
 * postfix_table.h - the tables regexp: and pcre: of Postfix (regexp_table(5), pcre_table(5)): reading them, and what
 * they answer to an address. Pure; postfix_expression.h bounds the work that the expressions may make.
 */
#ifndef POSTERN_POSTFIX_TABLE_H
#define POSTERN_POSTFIX_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "postfix_expression.h"

#define POSTFIX_TABLE_MAX ((size_t)1 << 20) /* octets of a table */
#define POSTFIX_RULES_MAX 5000              /* lines of a table */

enum postfix_rule_kind { POSTFIX_MATCH, POSTFIX_IF, POSTFIX_ENDIF };

struct postfix_rule {
    enum postfix_rule_kind kind;
    size_t line;               /* where it begins; in an inline table its number */
    bool negated;              /* with ! */
    bool substitutes;          /* $1, ${1}, $(1) in the result */
    char fault[POSTFIX_FAULT]; /* why Postfix passes over this line, or it cannot be evaluated here; "": it is fine */
    bool unseen;               /* with a fault: it cannot be evaluated here, while Postfix may well take it */
    char *pattern;             /* without its delimiters; NULL of ENDIF */
    char *result;              /* NULL unless it is a POSTFIX_MATCH */
    struct postfix_expression *expression; /* NULL: it has a fault, or is ENDIF */
    size_t end;                            /* of POSTFIX_IF: the rule that is next when it does not fit */
};

struct postfix_table {
    bool pcre;
    struct postfix_rule *rule;
    size_t count;
    size_t work; /* that its expressions were to read */
};

/* A file's text. Returns 0 (free with postfix_table_free), or -1 with the reason: a NUL, too long, no memory. */
int postfix_table_read(struct postfix_table *out, bool pcre, const char *text, size_t len, struct err *e);

/* The same for a table within main.cf: "{ {/expression/ result}, … }". */
int postfix_table_inline(struct postfix_table *out, bool pcre, const char *text, size_t len, struct err *e);
void postfix_table_free(struct postfix_table *t);

/*
 * The rule that answers to this address, and its answer appended to result (may be NULL); NULL: none. Without
 * `substitution`, as in transport maps, lines that have $1 are passed over, as Postfix does.
 */
const struct postfix_rule *postfix_table_find(const struct postfix_table *t, const char *address, bool substitution,
                                              struct buf *result);

#endif
