/*
 * rule_literal.h - texts without which a regular expression (rule_pattern.h) cannot fit. Pure.
 *
 *   password\s*[:=]         "password"
 *   (?:iban|account)[: ]12  "iban:12" or "iban 12" or "account:12" or "account 12"
 *   pay.*now!+              "pay", and "now!"
 *   [A-Z]{2}\d\d[ -]?12     as shapes: "aa0000" or "aa00 00" or "aa00-00"
 *
 * They are looked for in the text without case (utf8_fold.h), as all letters here are without case. This holds only
 * for a text that has none of rule_literal_odd: for PCRE2 these are letters in another case, for utf8_fold they are
 * not. What is not surely understood has no such texts: (?x), \Q, comments, conditions, calls of groups, verbs (*…).
 */
#ifndef POSTERN_RULE_LITERAL_H
#define POSTERN_RULE_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULE_LITERAL_LEN   16
#define RULE_LITERAL_TEXTS 32
#define RULE_LITERAL_SETS  3

/* Texts of which one must occur. */
struct rule_literal_set {
    size_t count;
    uint8_t len[RULE_LITERAL_TEXTS];
    char text[RULE_LITERAL_TEXTS][RULE_LITERAL_LEN];
};

/* From each of these sets. None: nothing is known. */
struct rule_literals {
    size_t count;
    struct rule_literal_set set[RULE_LITERAL_SETS];
};

/*
 * Of an expression that PCRE2 has taken. shapes: every digit counts as 0 and every letter of ASCII as a, in the text
 * too; then only sets are told that \d, [A-Z] and the like have a part in, the others being better known without.
 */
void rule_literals_find(struct rule_literals *out, const char *pattern, size_t len, bool shapes);

/* The i-th of the letters that spoil it, in UTF-8; NULL behind the last. */
const char *rule_literal_odd(size_t i);

#endif
