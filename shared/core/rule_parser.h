/*
 * rule_parser.h - what the sources that read a rule share: where they are, and how they say what is wrong. Pure. One
 * token is looked at ahead. Whoever returns int returns -1 once the error was said.
 */
#ifndef POSTERN_RULE_PARSER_H
#define POSTERN_RULE_PARSER_H

#include "rule_expression.h"
#include "rule_lex.h"

struct rule_parser {
    const char *text;
    size_t len;
    struct rule_token now;
    struct rule_expression *x;
    char *pool; /* what is left of the rule's memory for text */
    unsigned depth;
    struct err *e;
};

#define RULE_GOT_BUF 64

/* Say what is wrong at an octet of the text; people are told the column, in characters. Always -1. */
int rule_fail(const struct rule_parser *p, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The token that is there, cut and in quotes, or "nothing" at the end. Returns out. */
const char *rule_now_text(const struct rule_parser *p, char out[RULE_GOT_BUF]);

/* What a word of other languages that is there is called in this one; NULL: it is none of those known. */
const char *rule_also_known_as(const struct rule_parser *p);

/* Read the next token into p->now; is the one there this word? */
void rule_advance(struct rule_parser *p);
bool rule_now_is(const struct rule_parser *p, const char *word);

/* Go past the word. False when another is there. */
bool rule_skip(struct rule_parser *p, const char *word);

/* A copy with a NUL in the rule's memory, which has room for every string of the rule twice. */
char *rule_pool_copy(struct rule_parser *p, const char *text, size_t len);

/* The contents of the string that is to stand here; its token in *token. what: for the error. NULL with the error. */
const char *rule_take_string(struct rule_parser *p, enum rule_quotes quotes, const char *what, size_t *len,
                             struct rule_token *token);

/* Read a condition: field, operator, operand (rule_condition.c). What c has so far is to be freed even after an error.
 */
int rule_condition_parse(struct rule_parser *p, struct rule_condition *c);

#endif
