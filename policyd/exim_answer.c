/* exim_answer.c - see exim_answer.h. */
#include "exim_answer.h"

#include "ascii.h"
#include "list.h"
#include "mx_match.h"
#include "span.h"
#include "tls_level.h"

#include <stdio.h>
#include <string.h>

const char exim_answer_too_long[] = "status=bad why=\"a request is one line of at most 1024 octets\"\n";
_Static_assert(EXIM_REQUEST_MAX == 1024, "as it says");

/* --- words --- */

static void add_quoted(struct buf *out, const char *key, struct span value)
{
    buf_printf(out, " %s=\"", key);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];

        if (c == '"' || c == '\\')
            buf_char(out, '\\');
        buf_char(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
    buf_char(out, '"');
}

static bool is_plain(struct span value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!ascii_is_alnum(value.at[i]) && (value.at[i] == '\0' || strchr(".:-_+!<>=*/@", value.at[i]) == NULL))
            return false;
    return value.len > 0;
}

static void add_value(struct buf *out, const char *key, struct span value)
{
    if (!is_plain(value)) {
        add_quoted(out, key, value);
        return;
    }
    buf_printf(out, " %s=", key);
    buf_add(out, value.at, value.len);
}

static void say_why(struct buf *out, const char *status, struct span why)
{
    buf_printf(out, "status=%s", status);
    add_quoted(out, "why", why);
    buf_char(out, '\n');
}

void exim_answer_temp(struct buf *out, const char *why)
{
    say_why(out, "temp", span_of(why));
}

void exim_answer_bad(struct buf *out, const char *why)
{
    say_why(out, "bad", span_of(why));
}

/* --- what the answer in memory says --- */

struct parts {
    struct span level;
    struct span match;
    struct span sni;
    struct span protocols;
    struct span ciphers;
    unsigned versions; /* of protocols */
};

static bool is_level(struct span t)
{
    for (enum tls_level level = LEVEL_NONE; level <= LEVEL_DANE_ONLY; level++)
        if (span_is(t, tls_level_name(level)))
            return true;
    return false;
}

/* Returns false for a word that is not known, or stands there twice. */
static bool take_word(struct parts *p, struct span word)
{
    const struct {
        const char *key;
        struct span *value;
    } known[] = {
        {"match=", &p->match}, {"servername=", &p->sni}, {"protocols=", &p->protocols}, {"ciphers=", &p->ciphers}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!span_take(&word, span_of(known[i].key)))
            continue;
        if (word.len == 0 || known[i].value->at != NULL)
            return false;
        *known[i].value = word;
        return true;
    }
    return false;
}

/* Pins that cannot be said in GnuTLS's words. */
static bool take_pins(struct parts *p)
{
    if (p->protocols.at != NULL) {
        p->versions = list_versions(p->protocols.at, p->protocols.len, NULL);
        if (p->versions == 0)
            return false;
    }
    return p->ciphers.at == NULL || span_is(p->ciphers, "medium") || span_is(p->ciphers, "high");
}

/* What stands behind "OK ". */
static bool read_ok(struct parts *p, struct span rest)
{
    *p = (struct parts){.level = span_take_word(&rest)};
    if (!is_level(p->level))
        return false;
    while (rest.len > 0)
        if (!take_word(p, span_take_word(&rest)))
            return false;
    return take_pins(p);
}

/* Returns true when there is a policy; else the answer has been said. */
static bool read_policy(struct parts *p, struct buf *out, const struct exim_policy *policy)
{
    struct span rest = {policy->text, policy->len};
    struct span status = span_take_word(&rest);

    if (span_is(status, "NOTFOUND")) {
        *p = (struct parts){.level = span_of(tls_level_name(LEVEL_DEFAULT))};
        return true;
    }
    if (span_is(status, "OK") && read_ok(p, rest))
        return true;
    if (span_is(status, "TEMP"))
        say_why(out, "temp", rest);
    else
        exim_answer_temp(out, "the policy cannot be said in Exim's words");
    return false;
}

/* Verified names are demanded, and no policy says which. */
static bool is_domains_own(const struct parts *p)
{
    return p->match.at == NULL && span_is(p->level, tls_level_name(LEVEL_SECURE));
}

/* --- policy --- */

static void add_gnutls(struct buf *out, const struct parts *p)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{LIST_TLS_1_0, ":+VERS-TLS1.0"},
                 {LIST_TLS_1_1, ":+VERS-TLS1.1"},
                 {LIST_TLS_1_2, ":+VERS-TLS1.2"},
                 {LIST_TLS_1_3, ":+VERS-TLS1.3"}};

    if (p->protocols.at == NULL && p->ciphers.at == NULL)
        return;
    buf_str(out, " gnutls=NORMAL");
    if (p->versions == 0)
        return;
    buf_str(out, ":-VERS-ALL");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if ((p->versions & names[i].bit) != 0)
            buf_str(out, names[i].name);
}

static void add_names(struct buf *out, const struct parts *p, const char *domain)
{
    if (p->match.at != NULL)
        add_value(out, "mx", p->match);
    else if (is_domains_own(p))
        buf_printf(out, " mx=%s:.%s", domain, domain);
}

void exim_answer_policy(struct buf *out, const struct exim_policy *policy)
{
    struct parts p;

    if (!read_policy(&p, out, policy))
        return;
    buf_str(out, "status=ok");
    add_value(out, "level", p.level);
    add_names(out, &p, policy->domain);
    if (p.sni.at != NULL)
        add_value(out, "sni", p.sni);
    if (p.protocols.at != NULL)
        add_value(out, "protocols", p.protocols);
    if (p.ciphers.at != NULL)
        add_value(out, "ciphers", p.ciphers);
    add_gnutls(out, &p);
    buf_printf(out, " transport=%s\n", policy->smtps ? "smtps" : "smtp");
}

/* --- mx --- */

/* One name of a match list; .example.net there was *.example.net in the policy. */
static bool name_fits(struct span name, const char *host)
{
    char pattern[DOMAIN_BUF + 1];

    if (name.len == 0 || name.len > DOMAIN_MAX)
        return false;
    snprintf(pattern, sizeof(pattern), "%s%.*s", name.at[0] == '.' ? "*" : "", (int)name.len, name.at);
    return mx_match(pattern, host);
}

static bool match_fits(struct span match, const char *host)
{
    for (size_t at = 0; at < match.len;) {
        const char *colon = memchr(match.at + at, ':', match.len - at);
        size_t end = colon != NULL ? (size_t)(colon - match.at) : match.len;

        if (name_fits((struct span){match.at + at, end - at}, host))
            return true;
        at = end + 1;
    }
    return false;
}

/* The domain itself, or below it. */
static bool is_within(const char *host, const char *domain)
{
    size_t host_len = strlen(host), len = strlen(domain);

    if (host_len < len || strcmp(host + host_len - len, domain) != 0)
        return false;
    return host_len == len || host[host_len - len - 1] == '.';
}

void exim_answer_mx(struct buf *out, const struct exim_policy *policy, const char *host)
{
    char why[2 * DOMAIN_BUF + 80];
    bool within;
    struct parts p;

    if (!read_policy(&p, out, policy))
        return;
    within = is_domains_own(&p);
    if (within ? is_within(host, policy->domain) : p.match.at == NULL || match_fits(p.match, host)) {
        buf_str(out, "status=ok mx=yes\n");
        return;
    }
    snprintf(why, sizeof(why), "%s is no MX host of %s by %s", host, policy->domain,
             within ? "the list require: secure is for names of the domain itself" : "its MTA-STS policy");
    buf_str(out, "status=ok mx=no");
    add_quoted(out, "why", span_of(why));
    buf_char(out, '\n');
}

/* --- list and route --- */

void exim_answer_list(struct buf *out, const char *value)
{
    buf_str(out, value != NULL ? "status=ok found=yes" : "status=ok found=no");
    if (value != NULL)
        add_quoted(out, "value", span_of(value));
    buf_char(out, '\n');
}

void exim_answer_route(struct buf *out, enum exim_route route)
{
    static const char *const names[] = {"none", "relaxed", "requiretls"};

    buf_printf(out, "status=ok route=%s\n", names[route]);
}
