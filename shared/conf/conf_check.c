/* conf_check.c - see conf_check.h. */
#include "conf_check.h"

#include <string.h>
#include <strings.h>

#include "address.h"
#include "ascii.h"
#include "domain.h"
#include "list.h"
#include "rule.h"

#define DNS_PORT  53
#define SMTP_PORT 25
#define LOCAL_MAX 64 /* RFC 5321 4.5.3.1.1 */

bool conf_kind_is_list(enum conf_kind kind)
{
    return kind == CONF_LIST || kind == CONF_ADDRESSES || kind == CONF_RESOLVERS || kind == CONF_RULES;
}

static int choice_check(const struct conf_option *o, const char *text, struct err *e)
{
    size_t len = strlen(text);

    for (const char *word = o->words; *word != '\0'; word += strcspn(word, " "), word += *word == ' ')
        if (strcspn(word, " ") == len && memcmp(word, text, len) == 0)
            return 0;
    return err_set(e, "\"%.*s\" is not among the choices; write one of: %s", CONF_SHOWN, text, o->words);
}

static int tag_check(const char *text, struct err *e)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        bool between = i > 0 && i + 1 < len && (text[i] == '-' || text[i] == '_');

        if (!between && !ascii_is_alnum(text[i]))
            return err_set(e, "\"%.*s\" is no tag; write letters and digits, and between them - or _", CONF_SHOWN,
                           text);
    }
    return 0;
}

/* RFC 5322 2.2, but without what nobody wants in a name. */
static int header_check(const char *text, struct err *e)
{
    for (const char *p = text; *p != '\0'; p++)
        if (!ascii_is_alnum(*p) && *p != '-' && *p != '_')
            return err_set(e, "\"%.*s\" is no name of a header field; write letters, digits, - and _", CONF_SHOWN,
                           text);
    return 0;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" */
static bool is_literal(const char *text, size_t len)
{
    const char prefix[] = "IPv6:";
    char address[ADDRESS_BUF];

    if (len < 3 || text[0] != '[' || text[len - 1] != ']')
        return false;
    if (address_normalise(address, text + 1, len - 2) != 1)
        return false;
    return (strchr(address, ':') != NULL) == (strncasecmp(text + 1, prefix, sizeof(prefix) - 1) == 0);
}

/* As it is said to servers: RFC 5321 4.1.1.1, 4.1.3. */
static int name_check(const char *text, size_t len, struct err *e)
{
    char domain[DOMAIN_BUF];
    struct err why = {""};

    if (is_literal(text, len))
        return 0;
    if (domain_normalise(domain, text, len, &why) != 0)
        return err_set(e,
                       "\"%.*s\" is no host name: %s; write one such as mail.example.com, or an address as [192.0.2.1]",
                       CONF_SHOWN, text, why.text);
    if (strcasecmp(domain, text) != 0)
        return err_set(e, "\"%.*s\" is no host name as servers are told; write it as %s", CONF_SHOWN, text, domain);
    return 0;
}

/* RFC 5322 3.4.1, 3.2.3: a dot-atom. */
static bool is_local_part(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool dot = text[i] == '.' && i > 0 && i + 1 < len && text[i - 1] != '.';

        if (!dot && !ascii_is_alnum(text[i]) && strchr("!#$%&'*+-/=?^_`{|}~", text[i]) == NULL)
            return false;
    }
    return len > 0 && len <= LOCAL_MAX;
}

static int mailbox_check(const char *text, struct err *e)
{
    const char *at = strrchr(text, '@');
    char domain[DOMAIN_BUF];
    struct err why = {""};

    if (at == NULL || !is_local_part(text, (size_t)(at - text)))
        return err_set(e, "\"%.*s\" is no mail address; write one such as postmaster@example.com, without a name",
                       CONF_SHOWN, text);
    if (domain_normalise(domain, at + 1, strlen(at + 1), &why) != 0)
        return err_set(e, "\"%.*s\" is no mail address: its domain: %s", CONF_SHOWN, text, why.text);
    if (strcasecmp(domain, at + 1) != 0)
        return err_set(e, "the domain of \"%.*s\" is not as it stands in mails; write it as %s", CONF_SHOWN, text,
                       domain);
    return 0;
}

bool conf_mailbox_is_within(const char *mailbox, const char *other)
{
    const char *a = strrchr(mailbox, '@'), *b = strrchr(other, '@');
    size_t a_len = a != NULL ? strlen(++a) : 0, b_len = b != NULL ? strlen(++b) : 0;

    if (a_len == 0 || b_len == 0 || a_len < b_len || strcasecmp(a + a_len - b_len, b) != 0)
        return false;
    return a_len == b_len || a[a_len - b_len - 1] == '.';
}

static int mail_way_check(const char *text, struct err *e)
{
    static const char sendmail[] = "sendmail:", smtp[] = "smtp:";
    struct address address;

    if (strncmp(text, "lmtp:", 5) == 0)
        return err_set(e, "LMTP is not spoken here; write \"sendmail:/path\" or \"smtp:ADDRESS:PORT\"");
    if (strncmp(text, smtp, strlen(smtp)) == 0)
        return address_parse_port(&address, text + strlen(smtp), SMTP_PORT, e);
    if (strncmp(text, sendmail, strlen(sendmail)) != 0)
        return err_set(e, "\"%.*s\" is no way for mails; write \"sendmail:/path\" or \"smtp:ADDRESS:PORT\"", CONF_SHOWN,
                       text);
    if (text[strlen(sendmail)] != '/')
        return err_set(e, "\"%.*s\" names no program; write its whole path, such as sendmail:/usr/sbin/sendmail",
                       CONF_SHOWN, text);
    return 0;
}

int conf_rules_check(char *const *rules, struct err *e)
{
    struct rule_set *set = rule_set_new();
    int rc = set == NULL ? err_set(e, "out of memory") : 0;

    for (size_t i = 0; rc == 0 && rules[i] != NULL; i++) {
        rc = rule_set_add(set, rules[i], strlen(rules[i]), e);
        if (rc != 0)
            err_prefix(e, "rule %zu", i + 1);
    }
    rule_set_free(set);
    return rc;
}

static size_t element_max(const struct conf_option *o)
{
    return o->kind == CONF_RULES ? RULE_LENGTH_MAX : CONF_WORD_MAX - 1;
}

int conf_text_check(const struct conf_option *o, const char *text, struct err *e)
{
    struct address address;
    struct list_value value;
    size_t len = strlen(text);
    bool list = conf_kind_is_list(o->kind);
    size_t i;

    for (i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return err_set(e, "\"%.*s\" holds a control character; write it without", CONF_SHOWN, text);
    if (len < (list ? 1 : (size_t)o->min))
        return err_set(e, "the value is empty; write something between the quotes");
    if (len > (list ? element_max(o) : (size_t)o->max)) {
        return err_set(e, "\"%.*s...\" is too long; write at most %zu octets", CONF_SHOWN, text,
                       list ? element_max(o) : (size_t)o->max);
    }
    if (o->kind == CONF_FALLBACK)
        return list_value_parse(&value, LIST_FALLBACK, text, e);
    if (o->kind == CONF_CHOICE && len > 0)
        return choice_check(o, text, e);
    if (o->kind == CONF_TAG)
        return tag_check(text, e);
    if (o->kind == CONF_HEADER)
        return header_check(text, e);
    if (o->kind == CONF_NAME && len > 0)
        return name_check(text, len, e);
    if (o->kind == CONF_MAILBOX && len > 0)
        return mailbox_check(text, e);
    if (o->kind == CONF_MAIL_WAY)
        return mail_way_check(text, e);
    if (len > 0 && (o->kind == CONF_ADDRESS || o->kind == CONF_ADDRESSES))
        return address_parse(&address, text, e);
    return o->kind == CONF_RESOLVERS ? address_parse_port(&address, text, DNS_PORT, e) : 0;
}
