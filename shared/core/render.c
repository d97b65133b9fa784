/*
 * render.c - decisions as Postfix wants them. Postfix splits a policy at blanks and commas outside braces and a match
 * list at colons, so each value is checked again here though it was valid when it came in: a list that would say
 * something else is not sent.
 */
#include "render.h"

#include <string.h>

#define TEXT_MAX (SOCKETMAP_REPLY_MAX - 3) /* "OK " goes before it */

/* How much of the TLSRPT attributes goes in; each step is tried when the one before is too long. */
enum extent { ATTRIBUTES_ALL, ATTRIBUTES_WITHOUT_STRINGS, ATTRIBUTES_NONE };

/* A name in its one form, as far as octets go. */
static bool is_name(const char *s)
{
    return s[0] != '\0' && s[0] != '.' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(s);
}

/* These are no names in a match list: `hostname` there takes any MX host. Left out, they match nothing. */
static bool is_match_word(const char *s)
{
    return strcmp(s, "hostname") == 0 || strcmp(s, "nexthop") == 0 || strcmp(s, "dot-nexthop") == 0;
}

static const char *without_wildcard(const char *pattern)
{
    return strncmp(pattern, "*.", 2) == 0 ? pattern + 2 : pattern;
}

/* " match=a:.b servername=hostname", or nothing when there is no pattern; *.b is .b to Postfix. */
static void add_match(struct buf *text, const struct sts_policy *policy)
{
    bool first = true;

    for (size_t i = 0; i < policy->mx_count; i++) {
        const char *pattern = policy->mx[i];
        const char *name = without_wildcard(pattern);

        if (!is_name(name) || is_match_word(pattern))
            continue;
        buf_str(text, first ? " match=" : ":");
        buf_str(text, name == pattern ? "" : ".");
        buf_str(text, name);
        first = false;
    }
    if (!first)
        buf_str(text, " servername=hostname");
}

/* Braces would end the attribute, a NUL the answer; see A12. */
static bool is_plain_line(const char *line, size_t len)
{
    bool blank = true;

    for (size_t i = 0; i < len; i++) {
        if (line[i] < 0x20 || line[i] > 0x7e || line[i] == '{' || line[i] == '}')
            return false;
        blank = blank && line[i] == ' ';
    }
    return !blank;
}

static void add_strings(struct buf *text, const struct dest_sts *sts)
{
    const char *line;
    size_t len;
    size_t pos = 0;

    while (sts_policy_line(&line, &len, &pos, sts->body, sts->body_len) == 1) {
        if (!is_plain_line(line, len))
            continue;
        buf_str(text, " { policy_string = ");
        buf_add(text, line, len);
        buf_str(text, " }");
    }
}

/* Returns false when they do not fit. */
static bool add_attributes(struct buf *text, const struct dest *d, enum extent extent)
{
    const struct sts_policy *policy = &d->sts.policy;

    buf_printf(text, " policy_type=sts policy_ttl=%lu policy_domain=%s", (unsigned long)policy->max_age, d->domain);
    if (extent == ATTRIBUTES_ALL)
        add_strings(text, &d->sts);
    for (size_t i = 0; i < policy->mx_count; i++)
        if (is_name(without_wildcard(policy->mx[i])))
            buf_printf(text, " mx_host_pattern=%s", policy->mx[i]);
    return buf_ok(text);
}

static void reply_temp(struct buf *out, const char *why)
{
    char text[DECIDE_REASON_MAX];
    size_t len = strnlen(why, sizeof text - 1);

    for (size_t i = 0; i < len; i++)
        if (why[i] == '{')
            text[i] = '(';
        else if (why[i] == '}')
            text[i] = ')';
        else
            text[i] = why[i] < 0x20 || why[i] > 0x7e ? '?' : why[i];
    socketmap_reply(out, SOCKETMAP_TEMP, text, len);
}

/* " name=value" of TLS versions or a cipher grade. Returns false for a value that would say more than that. */
static bool add_pin(struct buf *text, const char *name, const char *value)
{
    static const char octets[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:!<>=";

    if (value == NULL || value[0] == '\0')
        return true;
    if (strspn(value, octets) != strlen(value))
        return false;
    buf_printf(text, " %s=%s", name, value);
    return buf_ok(text);
}

/* The level word and, where the policy makes it, its match list. Returns false when that cannot be said whole. */
static bool add_level(struct buf *text, const struct decision *decision, enum tls_level level, const struct dest *d)
{
    size_t before;

    buf_str(text, tls_level_name(level));
    before = text->len;
    if (level == LEVEL_SECURE && decision->use_sts) {
        if (d == NULL || !d->sts.has_policy)
            return false;
        add_match(text, &d->sts.policy);
        return buf_ok(text) && text->len > before;
    }
    return buf_ok(text);
}

static void reply_level(struct buf *out, const struct decision *decision, const struct dest *d, enum extent extent)
{
    /* To carry the attributes of a testing policy there must be a level; without them the MTA's own goes. */
    enum tls_level least = extent == ATTRIBUTES_NONE ? LEVEL_DEFAULT : LEVEL_MAY;
    enum tls_level level = decision->level == LEVEL_DEFAULT ? least : decision->level;
    struct buf text;

    if (level == LEVEL_DEFAULT) {
        socketmap_reply(out, SOCKETMAP_NOTFOUND, "", 0);
        return;
    }
    buf_init(&text, TEXT_MAX);
    if (!add_level(&text, decision, level, d))
        reply_temp(out, "the match list of the MTA-STS policy is empty or too long");
    else if (level != LEVEL_NONE &&
             (!add_pin(&text, "protocols", decision->protocols) || !add_pin(&text, "ciphers", decision->ciphers)))
        reply_temp(out, "the TLS versions or ciphers that the list protocols has cannot be said to the MTA");
    else if (extent == ATTRIBUTES_NONE || add_attributes(&text, d, extent))
        socketmap_reply(out, SOCKETMAP_OK, buf_text(&text), text.len);
    else
        reply_level(out, decision, d, extent + 1);
    buf_clear(&text);
}

static void reply(struct buf *out, const struct decision *decision, const struct dest *d, enum extent extent)
{
    if (decision->temp)
        reply_temp(out, decision->reason_count > 0 ? decision->reason[decision->reason_count - 1] : "no policy now");
    else
        reply_level(out, decision, d, extent);
}

void render_postfix(struct buf *out, const struct decision *decision, const struct dest *d)
{
    reply(out, decision, d, ATTRIBUTES_NONE);
}

void render_postfix_tlsrpt(struct buf *out, const struct decision *decision, const struct dest *d)
{
    bool enforced = decision->use_sts && decision->level == LEVEL_SECURE;
    bool testing = decision->sts_testing && decision->level <= LEVEL_ENCRYPT && decision->level != LEVEL_NONE;
    bool sts = d != NULL && d->sts.has_policy && is_name(d->domain) && (enforced || testing);

    reply(out, decision, d, sts ? ATTRIBUTES_ALL : ATTRIBUTES_NONE);
}
