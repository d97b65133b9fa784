/* rule_parser.c - the token that is looked at, and errors about it. */
#include "rule_parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Octets that continue a character are not counted. */
int rule_fail(const struct rule_parser *p, size_t at, const char *fmt, ...)
{
    char said[ERR_MAX];
    size_t column = 1;
    va_list ap;

    for (size_t i = 0; i < at && i < p->len; i++)
        column += ((unsigned char)p->text[i] & 0xc0) != 0x80;
    va_start(ap, fmt);
    if (vsnprintf(said, sizeof(said), fmt, ap) < 0)
        said[0] = '\0';
    va_end(ap);
    return err_set(p->e, "column %zu: %s", column, said);
}

const char *rule_now_text(const struct rule_parser *p, char out[RULE_GOT_BUF])
{
    size_t len = p->now.len < 40 ? p->now.len : 40;

    while (len > 0 && len < p->now.len && ((unsigned char)p->text[p->now.at + len] & 0xc0) == 0x80)
        len--;
    if (len == 0)
        snprintf(out, RULE_GOT_BUF, "nothing");
    else if (p->text[p->now.at] == '"')
        snprintf(out, RULE_GOT_BUF, "%.*s", (int)len, p->text + p->now.at);
    else
        snprintf(out, RULE_GOT_BUF, "\"%.*s\"", (int)len, p->text + p->now.at);
    return out;
}

/* Words of other languages, and what they are called here. */
const char *rule_also_known_as(const struct rule_parser *p)
{
    static const char *const words[][2] = {
        {"&&", "and"},
        {"&", "and"},
        {"||", "or"},
        {"|", "or"},
        {"!", "not"},
        {"==", "is"},
        {"=", "is"},
        {"equals", "is"},
        {"=>", "->"},
        {":", "->"},
        {"~", "matches"},
        {"=~", "matches"},
        {"has", "contains"},
        {"in", "in-list"},
        {"from", "sender"},
        {"to", "recipient"},
        {"rcpt", "recipient"},
        {"client", "client.address"},
        {"user", "client.user"},
        {"tls", "client.tls"},
        {"attachment", "attachment.name"},
        {"filename", "attachment.name"},
        {"discard", "reject"},
        {"header", "header \"Name\""},
        {"reject", "reject \"why\""},
        {"require-tls", "requiretls"},
        {"tls-required", "requiretls"},
        {"optional", "tls-optional"},
    };
    size_t len = p->now.len;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i][0]) == len && strncasecmp(words[i][0], p->text + p->now.at, len) == 0)
            return words[i][1];
    return NULL;
}

void rule_advance(struct rule_parser *p)
{
    p->now = rule_lex(p->text, p->len, p->now.at + p->now.len);
}

bool rule_now_is(const struct rule_parser *p, const char *word)
{
    return p->now.len == strlen(word) && (p->now.kind == RULE_WORD || p->now.kind == RULE_SIGN) &&
           memcmp(p->text + p->now.at, word, p->now.len) == 0;
}

bool rule_skip(struct rule_parser *p, const char *word)
{
    if (!rule_now_is(p, word))
        return false;
    rule_advance(p);
    return true;
}

char *rule_pool_copy(struct rule_parser *p, const char *text, size_t len)
{
    char *copy = p->pool;

    memmove(copy, text, len); /* unquoted text is already there */
    copy[len] = '\0';
    p->pool += len + 1;
    return copy;
}

const char *rule_take_string(struct rule_parser *p, enum rule_quotes quotes, const char *what, size_t *len,
                             struct rule_token *token)
{
    char got[RULE_GOT_BUF];
    size_t bad = 0;

    *token = p->now;
    if (p->now.kind == RULE_UNCLOSED) {
        rule_fail(p, p->now.at, "the quotes that begin here do not end; a quote within them is written \\\"");
        return NULL;
    }
    if (p->now.kind != RULE_STRING) {
        rule_fail(p, p->now.at, "%s must follow in quotes, but there is %s", what, rule_now_text(p, got));
        return NULL;
    }
    if (p->now.len - 2 > RULE_STRING_MAX) {
        rule_fail(p, p->now.at, "more than %d octets in quotes", RULE_STRING_MAX);
        return NULL;
    }
    *len = rule_unquote(p->pool, p->text, p->now, quotes, &bad);
    if (*len == (size_t)-1) {
        rule_fail(p, bad, "only matches knows such a backslash; write \\\\ for a backslash itself");
        return NULL;
    }
    rule_advance(p);
    return rule_pool_copy(p, p->pool, *len);
}
