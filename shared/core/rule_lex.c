/* rule_lex.c - cuts a rule into words, signs and strings. */
#include "rule_lex.h"

#include <stdbool.h>
#include <string.h>

#include "ascii.h"

static bool is_arrow(const char *text, size_t len, size_t at)
{
    return at + 1 < len && text[at] == '-' && text[at + 1] == '>';
}

static bool is_sign(char c)
{
    return c == '(' || c == ')' || c == ':' || c == '<' || c == '>';
}

static struct rule_token lex_string(const char *text, size_t len, size_t at)
{
    for (size_t i = at + 1; i < len; i++) {
        if (text[i] == '"')
            return (struct rule_token){RULE_STRING, at, i + 1 - at};
        if (text[i] == '\\')
            i++;
    }
    return (struct rule_token){RULE_UNCLOSED, at, len - at};
}

static size_t word_end(const char *text, size_t len, size_t at)
{
    while (at < len && !ascii_is_blank(text[at]) && text[at] != '"' && !is_sign(text[at]) && !is_arrow(text, len, at))
        at++;
    return at;
}

struct rule_token rule_lex(const char *text, size_t len, size_t at)
{
    while (at < len && ascii_is_blank(text[at]))
        at++;
    if (at >= len)
        return (struct rule_token){RULE_END, len, 0};
    if (is_arrow(text, len, at))
        return (struct rule_token){RULE_ARROW, at, 2};
    if (text[at] == '"')
        return lex_string(text, len, at);
    if (at + 1 < len && text[at] == '=' && text[at + 1] == '>')
        return (struct rule_token){RULE_WORD, at, 2}; /* so that an error can say what it is */
    if (is_sign(text[at]))
        return (struct rule_token){RULE_SIGN, at, 1};
    return (struct rule_token){RULE_WORD, at, word_end(text, len, at) - at};
}

/* How many octets of the source one octet or pair of the contents takes, and how many of these are written. */
static size_t pair_len(const char *at, enum rule_quotes quotes, size_t *written)
{
    size_t len = at[0] == '\\' ? 2 : 1;

    *written = len == 2 && (quotes == RULE_PLAIN || at[1] == '"') ? 1 : len;
    return len;
}

size_t rule_unquote(char *out, const char *text, struct rule_token token, enum rule_quotes quotes, size_t *bad)
{
    size_t end = token.at + token.len - 1, n = 0, written;

    for (size_t i = token.at + 1, len; i < end; i += len) {
        len = pair_len(text + i, quotes, &written);
        if (quotes == RULE_PLAIN && len == 2 && text[i + 1] != '"' && text[i + 1] != '\\') {
            *bad = i;
            return (size_t)-1;
        }
        memcpy(out + n, text + i + len - written, written);
        n += written;
    }
    return n;
}

size_t rule_unquoted_at(const char *text, struct rule_token token, enum rule_quotes quotes, size_t octet)
{
    size_t end = token.at + token.len - 1, n = 0, i = token.at + 1, written;

    while (i < end) {
        size_t len = pair_len(text + i, quotes, &written);

        if (n + written > octet)
            return i + (written > 1 ? octet - n : 0);
        n += written;
        i += len;
    }
    return i;
}
