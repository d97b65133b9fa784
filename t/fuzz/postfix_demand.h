/*
 * postfix_demand.h - replies read as Postfix reads a TLS policy: a level, then attributes NAME=VALUE, parted by blanks
 * and commas, or { NAME = VALUE } (smtp_tls_policy_maps, TLSRPT_README). There may be no attribute but those that
 * belong there, with the values that the policy says.
 */
#ifndef POSTERN_T_POSTFIX_DEMAND_H
#define POSTERN_T_POSTFIX_DEMAND_H

#include "decide.h"
#include "netstring.h"
#include "recipe.h"
#include "render.h"

#include <ctype.h>

#define ATTRIBUTE_MAX (SOCKETMAP_REPLY_MAX + 1)

/* One attribute, blanks at its ends dropped. */
struct attribute {
    char name[40];
    char value[ATTRIBUTE_MAX];
};

struct tokens {
    const char *at, *end;
};

static inline bool is_separator(char c)
{
    return c == ' ' || c == ',' || c == '\t' || c == '\r' || c == '\n';
}

/* The next token and whether it stood in braces. Returns its length, or 0 at the end. */
static inline size_t next_token(const char **token, bool *braced, struct tokens *t)
{
    size_t depth = 0;

    while (t->at < t->end && is_separator(*t->at))
        t->at++;
    *token = t->at;
    *braced = t->at < t->end && *t->at == '{';
    while (t->at < t->end && (depth > 0 || !is_separator(*t->at))) {
        depth += *t->at == '{' ? 1 : 0;
        demand(*t->at != '}' || depth > 0);
        depth -= *t->at == '}' ? 1 : 0;
        t->at++;
    }
    demand(depth == 0);
    return (size_t)(t->at - *token);
}

static inline void trim(const char **s, size_t *len)
{
    while (*len > 0 && **s == ' ') {
        (*s)++;
        (*len)--;
    }
    while (*len > 0 && (*s)[*len - 1] == ' ')
        (*len)--;
}

/* Split at the first '='. */
static inline bool next_attribute(struct attribute *out, bool *braced, struct tokens *t)
{
    const char *s, *equals, *value;
    size_t len = next_token(&s, braced, t), name_len, value_len;

    if (len == 0)
        return false;
    if (*braced) {
        demand(len >= 2 && s[len - 1] == '}');
        s++;
        len -= 2;
    }
    equals = memchr(s, '=', len);
    demand(equals != NULL);
    value = equals + 1;
    value_len = len - (size_t)(value - s);
    name_len = (size_t)(equals - s);
    trim(&s, &name_len);
    trim(&value, &value_len);
    demand(name_len > 0 && name_len < sizeof(out->name) && value_len > 0 && value_len < sizeof(out->value));
    memcpy(out->name, s, name_len);
    out->name[name_len] = '\0';
    memcpy(out->value, value, value_len);
    out->value[value_len] = '\0';
    return true;
}

/* One netstring of printable ASCII. */
static inline struct netstring reply_text(const struct buf *out)
{
    struct netstring n;

    demand(buf_ok(out));
    demand(netstring_parse(&n, out->data, out->len, SOCKETMAP_REPLY_MAX) == 1 && n.total == out->len);
    for (size_t i = 0; i < n.len; i++)
        demand(n.data[i] >= 0x20 && n.data[i] <= 0x7e);
    return n;
}

static inline bool begins(const struct netstring *n, const char *word)
{
    return n->len >= strlen(word) && memcmp(n->data, word, strlen(word)) == 0;
}

/* What match= must be: every pattern of the policy but the words that mean something else, "*.b" as ".b". */
static inline void demand_match(const char *value, const struct sts_policy *policy)
{
    bool first = true;

    for (size_t i = 0; i < policy->mx_count; i++) {
        const char *pattern = policy->mx[i];
        size_t len;

        if (strcmp(pattern, "hostname") == 0 || strcmp(pattern, "nexthop") == 0 || strcmp(pattern, "dot-nexthop") == 0)
            continue;
        pattern += pattern[0] == '*' ? 1 : 0;
        len = strlen(pattern);
        demand(first || *value == ':');
        value += first ? 0 : 1;
        demand(strncmp(value, pattern, len) == 0);
        value += len;
        first = false;
    }
    demand(!first && *value == '\0');
}

/* Does the line stand in the body behind *pos? That moves behind it. */
static inline bool next_line_is(const char *value, size_t *pos, const struct dest_sts *sts)
{
    const char *line;
    size_t len;

    while (sts_policy_line(&line, &len, pos, sts->body, sts->body_len) == 1) {
        trim(&line, &len);
        if (len == strlen(value) && memcmp(line, value, len) == 0)
            return true;
    }
    return false;
}

static inline void demand_number(const char *value, uint32_t number)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%lu", (unsigned long)number);
    demand(strcmp(value, text) == 0);
}

/* The attributes for TLSRPT, in their order; at least the first three, then all patterns or none at all. */
static inline void demand_attributes(struct tokens *t, const struct dest *d)
{
    static struct attribute a;
    const struct sts_policy *policy = &d->sts.policy;
    size_t pos = 0, patterns = 0;
    bool braced;

    if (!next_attribute(&a, &braced, t))
        return;
    demand(!braced && strcmp(a.name, "policy_type") == 0 && strcmp(a.value, "sts") == 0);
    demand(next_attribute(&a, &braced, t) && !braced && strcmp(a.name, "policy_ttl") == 0);
    demand_number(a.value, policy->max_age);
    demand(next_attribute(&a, &braced, t) && !braced && strcmp(a.name, "policy_domain") == 0);
    demand(strcmp(a.value, d->domain) == 0);
    while (next_attribute(&a, &braced, t)) {
        demand(braced == (strcmp(a.name, "policy_string") == 0));
        if (braced) {
            demand(patterns == 0);
            demand(next_line_is(a.value, &pos, &d->sts));
        } else {
            demand(strcmp(a.name, "mx_host_pattern") == 0 && patterns < policy->mx_count);
            demand(strcmp(a.value, policy->mx[patterns++]) == 0);
        }
    }
    demand(patterns == policy->mx_count);
}

/* " name=value", if the decision has a value. */
static inline void demand_pin(struct tokens *t, const char *name, const char *value)
{
    static struct attribute a;
    bool braced;

    if (value[0] == '\0')
        return;
    demand(next_attribute(&a, &braced, t) && !braced && strcmp(a.name, name) == 0 && strcmp(a.value, value) == 0);
}

/* "OK LEVEL ...": the level that was decided, what must match, TLS versions and ciphers. Leaves t behind that. */
static inline void demand_level(struct tokens *t, const struct decision *decision, const struct dest *d)
{
    static struct attribute a;
    const char *level;
    bool braced;
    size_t len = next_token(&level, &braced, t);
    const char *wanted = tls_level_name(decision->level == LEVEL_DEFAULT ? LEVEL_MAY : decision->level);

    demand(!braced && len == strlen(wanted) && memcmp(level, wanted, len) == 0);
    if (decision->level == LEVEL_SECURE && decision->use_sts) {
        demand(next_attribute(&a, &braced, t) && !braced && strcmp(a.name, "match") == 0);
        demand_match(a.value, &d->sts.policy);
        demand(next_attribute(&a, &braced, t) && !braced);
        demand(strcmp(a.name, "servername") == 0 && strcmp(a.value, "hostname") == 0);
    }
    demand_pin(t, "protocols", decision->protocols);
    demand_pin(t, "ciphers", decision->ciphers);
}

/* Is the reply "OK ..."? Then *t is behind that word; anything else is looked at here. */
static inline bool reply_ok(struct tokens *t, const struct buf *out, const struct decision *decision)
{
    struct netstring n = reply_text(out);

    if (begins(&n, "TEMP ")) { /* what cannot be said whole is not said */
        demand(n.len > 5 && memchr(n.data, '{', n.len) == NULL && memchr(n.data, '}', n.len) == NULL);
        demand(decision->temp || (decision->level == LEVEL_SECURE && decision->use_sts));
        return false;
    }
    if (begins(&n, "NOTFOUND ")) {
        demand(n.len == 9 && !decision->temp && decision->level == LEVEL_DEFAULT);
        return false;
    }
    demand(begins(&n, "OK ") && !decision->temp);
    *t = (struct tokens){n.data + 3, n.data + n.len};
    return true;
}

static inline void demand_reply_plain(const struct buf *out, const struct decision *decision, const struct dest *d)
{
    struct tokens t;
    const char *more;
    bool braced;

    if (!reply_ok(&t, out, decision))
        return;
    demand(decision->level != LEVEL_DEFAULT);
    demand_level(&t, decision, d);
    demand(next_token(&more, &braced, &t) == 0);
}

static inline void demand_reply_tlsrpt(const struct buf *out, const struct decision *decision, const struct dest *d)
{
    struct tokens t;

    if (!reply_ok(&t, out, decision))
        return;
    demand(decision->level != LEVEL_DEFAULT || decision->sts_testing);
    demand_level(&t, decision, d);
    demand_attributes(&t, d);
}

#endif
