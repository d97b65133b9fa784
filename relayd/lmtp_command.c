/* lmtp_command.c - verbs and paths; the parameters are read by lmtp_parameter.c. */
#include "lmtp_command.h"

#include "ascii.h"
#include "lmtp_parameter.h"
#include "utf8.h"

#include <string.h>

int lmtp_line_find(size_t *line, size_t *took, const char *octets, size_t len)
{
    size_t within = len < LMTP_LINE_MAX + 2 ? len : LMTP_LINE_MAX + 2;
    const char *end = within > 0 ? memmem(octets, within, "\r\n", 2) : NULL;

    if (end == NULL)
        return within == LMTP_LINE_MAX + 2 || (within > LMTP_LINE_MAX && octets[LMTP_LINE_MAX] != '\r') ? -1 : 0;
    *line = (size_t)(end - octets);
    *took = *line + 2;
    return 1;
}

/* What may stand behind a verb. */
enum argument { ARGUMENT_NONE, ARGUMENT_ANY, ARGUMENT_NEEDED, ARGUMENT_NAME, ARGUMENT_PATH };

static const struct {
    const char *name;
    enum argument argument;
} verbs[] = {
    [LMTP_LHLO] = {"LHLO", ARGUMENT_NAME}, [LMTP_MAIL] = {"MAIL", ARGUMENT_PATH},
    [LMTP_RCPT] = {"RCPT", ARGUMENT_PATH}, [LMTP_DATA] = {"DATA", ARGUMENT_NONE},
    [LMTP_RSET] = {"RSET", ARGUMENT_NONE}, [LMTP_NOOP] = {"NOOP", ARGUMENT_ANY},
    [LMTP_QUIT] = {"QUIT", ARGUMENT_NONE}, [LMTP_VRFY] = {"VRFY", ARGUMENT_NEEDED},
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* Known, but not here: RFC 5321, RFC 3030, RFC 3207, RFC 4954, RFC 1985, and what RFC 5321 F calls obsolete. */
static const char *const not_served[] = {"BDAT", "STARTTLS", "AUTH", "EXPN", "HELP", "ETRN",
                                         "ATRN", "TURN",     "SEND", "SOML", "SAML"};

const char *lmtp_verb_name(enum lmtp_verb verb)
{
    return verbs[verb].name;
}

static int octets_check(const char *line, size_t len, struct smtp_refusal *r)
{
    if (len > LMTP_LINE_MAX)
        return smtp_refuse(r, 500, "5.5.2", "the line is longer than %u octets", LMTP_LINE_MAX);
    for (size_t i = 0, octets; i < len; i += octets) {
        octets = utf8_measure(line + i, len - i);
        if (octets == 0)
            return smtp_refuse(r, 500, "5.5.2", "the line is neither ASCII nor UTF-8");
        if (line[i] == 0x7f || (unsigned char)line[i] < 0x20)
            return smtp_refuse(r, 500, "5.5.2", "a control octet in the line");
    }
    return 0;
}

static int verb_unknown(const struct smtp_text *word, struct smtp_refusal *r)
{
    if (word->len == 0)
        return smtp_refuse(r, 500, "5.5.2", "no command in the line");
    if (smtp_text_is(word, "HELO") || smtp_text_is(word, "EHLO"))
        return smtp_refuse(r, 500, "5.5.1", "this is LMTP, which begins with LHLO");
    for (size_t i = 0; i < sizeof(not_served) / sizeof(not_served[0]); i++)
        if (smtp_text_is(word, not_served[i]))
            return smtp_refuse(r, 502, "5.5.1", "%s is not served here", not_served[i]);
    return smtp_refuse(r, 500, "5.5.1", "unknown command");
}

/* Split the verb off; the rest begins behind the blanks. */
static int verb_read(struct lmtp_command *out, struct smtp_text *rest, struct smtp_refusal *r)
{
    struct smtp_text word = {rest->at, 0};

    while (word.len < rest->len && rest->at[word.len] != ' ')
        word.len++;
    for (size_t i = 0; i < VERBS; i++) {
        if (!smtp_text_is(&word, verbs[i].name))
            continue;
        out->verb = (enum lmtp_verb)i;
        rest->at += word.len;
        rest->len -= word.len;
        lmtp_blanks_skip(rest);
        return 0;
    }
    return verb_unknown(&word, r);
}

static int argument_read(struct lmtp_command *out, const struct smtp_text *rest, struct smtp_refusal *r)
{
    enum argument kind = verbs[out->verb].argument;
    const char *name = verbs[out->verb].name;

    out->argument = *rest;
    if (kind == ARGUMENT_NONE && rest->len > 0)
        return smtp_refuse(r, 501, "5.5.4", "%s has no argument", name);
    if (kind != ARGUMENT_NONE && kind != ARGUMENT_ANY && rest->len == 0)
        return smtp_refuse(r, 501, "5.5.4", "%s needs an argument", name);
    if (kind == ARGUMENT_NAME && memchr(rest->at, ' ', rest->len) != NULL)
        return smtp_refuse(r, 501, "5.5.4", "%s needs one name", name);
    if (kind == ARGUMENT_NAME && rest->len > LMTP_NAME_MAX)
        return smtp_refuse(r, 501, "5.5.4", "the name is longer than %d octets", LMTP_NAME_MAX);
    return 0;
}

/* The octets of a path up to the '>' that ends it, which is outside of quotes; 0: there is none. */
static size_t path_measure(const struct smtp_text *text)
{
    bool quoted = false;

    if (text->len == 0 || text->at[0] != '<')
        return 0;
    for (size_t i = 1; i < text->len; i++) {
        if (text->at[i] == '\\')
            i++;
        else if (text->at[i] == '"')
            quoted = !quoted;
        else if (!quoted && text->at[i] == '>')
            return i + 1;
    }
    return 0;
}

static int path_refuse(const struct lmtp_command *c, const struct err *why, struct smtp_refusal *r)
{
    return smtp_refuse_as(r, 501, c->verb == LMTP_MAIL ? "5.1.7" : "5.1.3", why);
}

/* address_split goes by the last @; in a path any other is quoted. */
static bool has_bare_at(const char *local, size_t len)
{
    bool quoted = false;

    for (size_t i = 0; i < len; i++) {
        if (local[i] == '\\')
            i++;
        else if (local[i] == '"')
            quoted = !quoted;
        else if (!quoted && local[i] == '@')
            return true;
    }
    return false;
}

static int path_check(struct lmtp_command *c, struct smtp_refusal *r)
{
    struct err e;

    if (c->verb == LMTP_MAIL && c->path.len == 2)
        return 0;
    if (address_split(&c->at, c->path.at, c->path.len, &e) != 0)
        return path_refuse(c, &e, r);
    if (has_bare_at(c->path.at + c->at.local_at, c->at.local_len)) {
        (void)err_set(&e, "an @ outside of quotes before the last one");
        return path_refuse(c, &e, r);
    }
    if (c->verb == LMTP_RCPT && c->at.domain_len == 0) {
        (void)err_set(&e, "the recipient has no domain");
        return path_refuse(c, &e, r);
    }
    return 0;
}

/* "FROM:<a@b>" or "TO:<a@b>"; what is left are the parameters. */
static int path_read(struct lmtp_command *out, struct smtp_text *rest, struct smtp_refusal *r)
{
    const char *word = out->verb == LMTP_MAIL ? "FROM:" : "TO:";
    struct smtp_text lead = {rest->at, strlen(word)};
    struct err e;

    (void)err_set(&e, "%s is to be followed by %s<address>", verbs[out->verb].name, word);
    if (rest->len < lead.len || !smtp_text_is(&lead, word))
        return smtp_refuse_as(r, 501, "5.5.4", &e);
    rest->at += lead.len;
    rest->len -= lead.len;
    out->path = (struct smtp_text){rest->at, path_measure(rest)};
    if (out->path.len == 0 || (out->path.len < rest->len && rest->at[out->path.len] != ' '))
        return path_refuse(out, &e, r);
    rest->at += out->path.len;
    rest->len -= out->path.len;
    return path_check(out, r);
}

int lmtp_command_parse(struct lmtp_command *out, const char *line, size_t len, struct smtp_refusal *r)
{
    struct smtp_text rest = {line, len};

    memset(out, 0, sizeof(*out));
    while (rest.len > 0 && ascii_is_blank(line[rest.len - 1]))
        rest.len--;
    if (octets_check(line, rest.len, r) != 0 || verb_read(out, &rest, r) != 0)
        return -1;
    if (verbs[out->verb].argument != ARGUMENT_PATH)
        return argument_read(out, &rest, r);
    if (path_read(out, &rest, r) != 0 || lmtp_parameters_read(out, &rest, r) != 0)
        return -1;
    if (out->verb == LMTP_MAIL && !out->mail.smtputf8 && !smtp_text_is_ascii(&out->path))
        return smtp_refuse(r, 553, "5.6.7", "the sender's address is not ASCII, and SMTPUTF8 was not said");
    return 0;
}

static int out_of_order(struct smtp_refusal *r, const char *why)
{
    return smtp_refuse(r, 503, "5.5.1", "%s", why);
}

int lmtp_command_in_order(const struct lmtp_progress *p, const struct lmtp_command *command, struct smtp_refusal *r)
{
    enum lmtp_verb verb = command->verb;

    if (verb != LMTP_MAIL && verb != LMTP_RCPT && verb != LMTP_DATA)
        return 0;
    if (!p->greeted)
        return out_of_order(r, "LHLO comes first");
    if (verb == LMTP_MAIL)
        return p->mail ? out_of_order(r, "a transaction is open already") : 0;
    if (!p->mail)
        return out_of_order(r, "MAIL comes first");
    if (verb == LMTP_DATA)
        return p->taken == 0 ? out_of_order(r, "no recipient was taken") : 0;
    if (!p->smtputf8 && !smtp_text_is_ascii(&command->path))
        return smtp_refuse(r, 553, "5.6.7", "the recipient's address is not ASCII, and SMTPUTF8 was not said");
    return 0;
}
