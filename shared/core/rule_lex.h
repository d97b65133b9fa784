/* rule_lex.h - the words of a rule, for the sources of the rule language alone. Pure. */
#ifndef POSTERN_RULE_LEX_H
#define POSTERN_RULE_LEX_H

#include <stddef.h>

enum rule_token_kind {
    RULE_END,
    RULE_WORD,     /* letters, digits and anything that is nothing else */
    RULE_STRING,   /* with its quotes */
    RULE_UNCLOSED, /* a string without its last quote */
    RULE_SIGN,     /* one of ( ) : < > */
    RULE_ARROW
};

struct rule_token {
    enum rule_token_kind kind;
    size_t at;  /* octets from the beginning of the text */
    size_t len; /* 0 at the end */
};

/* The token that begins at text[at] or behind the blanks there. */
struct rule_token rule_lex(const char *text, size_t len, size_t at);

enum rule_quotes {
    RULE_PLAIN,  /* \" and \\; no other backslash may be there */
    RULE_PATTERN /* \" is a quote, every other pair stays as it is */
};

/*
 * Write what stands between the quotes of a token of kind RULE_STRING, without NUL, at most token.len - 2 octets.
 * Returns its length, or (size_t)-1 with the offset in text of the backslash that may not be there in *bad.
 */
size_t rule_unquote(char *out, const char *text, struct rule_token token, enum rule_quotes quotes, size_t *bad);

/* The offset in text of the octet of a string's contents. */
size_t rule_unquoted_at(const char *text, struct rule_token token, enum rule_quotes quotes, size_t octet);

#endif
