/* lmtp_parameter.c - the parameters of MAIL and RCPT: one table, and a reader for each. */
#include "lmtp_parameter.h"

#include "ascii.h"
#include "orcpt.h"

#include <string.h>

/* Reads a value, which is there when the table says so. Returns 0, or -1 without a word when it is none. */
typedef int value_read(struct lmtp_command *out, const struct smtp_text *value);

static bool is_xtext(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '+' && ascii_hex_pair(text + i + 1, len - i - 1) >= 0)
            i += 2;
        else if (text[i] == '+' || text[i] == '=' || !ascii_is_visible(text[i]))
            return false;
    }
    return len > 0;
}

static int size_read(struct lmtp_command *out, const struct smtp_text *value)
{
    uint64_t size = 0;

    if (value->len > LMTP_SIZE_MAX)
        return -1;
    for (size_t i = 0; i < value->len; i++) {
        if (!ascii_is_digit(value->at[i]))
            return -1;
        if (__builtin_mul_overflow(size, 10U, &size) ||
            __builtin_add_overflow(size, (uint64_t)(value->at[i] - '0'), &size))
            size = UINT64_MAX;
    }
    out->mail.size = size;
    out->mail.has_size = true;
    return 0;
}

static int body_read(struct lmtp_command *out, const struct smtp_text *value)
{
    out->mail.body = smtp_text_is(value, "8BITMIME") ? LMTP_BODY_8BITMIME : LMTP_BODY_7BIT;
    return out->mail.body == LMTP_BODY_8BITMIME || smtp_text_is(value, "7BIT") ? 0 : -1;
}

static int smtputf8_read(struct lmtp_command *out, const struct smtp_text *value)
{
    (void)value;
    out->mail.smtputf8 = true;
    return 0;
}

static int ret_read(struct lmtp_command *out, const struct smtp_text *value)
{
    out->mail.ret = smtp_text_is(value, "HDRS") ? LMTP_RET_HDRS : LMTP_RET_FULL;
    return out->mail.ret == LMTP_RET_HDRS || smtp_text_is(value, "FULL") ? 0 : -1;
}

/* What is too long for the next server goes without; the message is none the worse for it. */
static int envid_read(struct lmtp_command *out, const struct smtp_text *value)
{
    if (value->len <= LMTP_ENVID_MAX)
        out->mail.envid = *value;
    return is_xtext(value->at, value->len) ? 0 : -1;
}

static int auth_read(struct lmtp_command *out, const struct smtp_text *value)
{
    out->mail.auth = *value;
    return is_xtext(value->at, value->len) ? 0 : -1;
}

static int requiretls_read(struct lmtp_command *out, const struct smtp_text *value)
{
    (void)value;
    out->mail.requiretls = true;
    return 0;
}

/* NEVER stands alone (RFC 3461 4.1). */
static int notify_read(struct lmtp_command *out, const struct smtp_text *value)
{
    struct smtp_text word = {value->at, 0};
    const char *end = value->at + value->len;

    out->rcpt.notify = *value;
    if (smtp_text_is(value, "NEVER"))
        return 0;
    for (; word.at <= end; word.at += word.len + 1) {
        const char *comma = memchr(word.at, ',', (size_t)(end - word.at));

        word.len = (size_t)((comma == NULL ? end : comma) - word.at);
        if (!smtp_text_is(&word, "SUCCESS") && !smtp_text_is(&word, "FAILURE") && !smtp_text_is(&word, "DELAY"))
            return -1;
    }
    return 0;
}

static bool is_atom(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!ascii_is_alnum(text[i]) && text[i] != '-')
            return false;
    return len > 0;
}

/* What an address of type utf-8 means is looked at when it matters (orcpt.h). */
static int orcpt_value_read(struct lmtp_command *out, const struct smtp_text *value)
{
    const char *semicolon = memchr(value->at, ';', value->len);
    struct smtp_text type = {value->at, semicolon == NULL ? 0 : (size_t)(semicolon - value->at)};
    size_t address = value->len - type.len;

    if (value->len <= ORCPT_MAX)
        out->rcpt.orcpt = *value;
    if (!is_atom(type.at, type.len) || address < 2)
        return -1;
    return smtp_text_is(&type, "utf-8") || is_xtext(semicolon + 1, address - 1) ? 0 : -1;
}

static const struct parameter {
    const char *name;
    enum lmtp_verb verb;
    bool valued;
    value_read *read;
    unsigned code; /* of the reply to a value that is none */
} parameters[] = {
    {"SIZE", LMTP_MAIL, true, size_read, 501},
    {"BODY", LMTP_MAIL, true, body_read, 504},
    {"SMTPUTF8", LMTP_MAIL, false, smtputf8_read, 501},
    {"RET", LMTP_MAIL, true, ret_read, 501},
    {"ENVID", LMTP_MAIL, true, envid_read, 501},
    {"AUTH", LMTP_MAIL, true, auth_read, 501},
    {"REQUIRETLS", LMTP_MAIL, false, requiretls_read, 501},
    {"NOTIFY", LMTP_RCPT, true, notify_read, 501},
    {"ORCPT", LMTP_RCPT, true, orcpt_value_read, 501},
};

#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

void lmtp_blanks_skip(struct smtp_text *rest)
{
    while (rest->len > 0 && rest->at[0] == ' ') {
        rest->at++;
        rest->len--;
    }
}

static size_t parameter_find(const struct smtp_text *name, enum lmtp_verb verb)
{
    size_t i = 0;

    while (i < PARAMETERS && !(parameters[i].verb == verb && smtp_text_is(name, parameters[i].name)))
        i++;
    return i;
}

/* One "NAME" or "NAME=VALUE"; seen is a bit for each of the table. */
static int parameter_read(struct lmtp_command *out, unsigned *seen, const struct smtp_text *word,
                          struct smtp_refusal *r)
{
    const char *equals = memchr(word->at, '=', word->len);
    struct smtp_text name = {word->at, equals == NULL ? word->len : (size_t)(equals - word->at)};
    struct smtp_text value = {equals == NULL ? NULL : equals + 1, equals == NULL ? 0 : word->len - name.len - 1};
    size_t i = parameter_find(&name, out->verb);
    const struct parameter *p = &parameters[i];

    if (i == PARAMETERS)
        return smtp_refuse(r, 555, "5.5.4", "unknown parameter %.*s", name.len > 40 ? 40 : (int)name.len, name.at);
    if ((*seen & 1U << i) != 0)
        return smtp_refuse(r, 501, "5.5.4", "%s is there twice", p->name);
    *seen |= 1U << i;
    if (!p->valued && equals != NULL)
        return smtp_refuse(r, 501, "5.5.4", "%s has no value", p->name);
    if (p->valued && value.len == 0)
        return smtp_refuse(r, 501, "5.5.4", "%s needs a value", p->name);
    if (p->read(out, &value) != 0)
        return smtp_refuse(r, p->code, "5.5.4", "%s has a value that it cannot have", p->name);
    return 0;
}

int lmtp_parameters_read(struct lmtp_command *out, struct smtp_text *rest, struct smtp_refusal *r)
{
    unsigned seen = 0;

    for (lmtp_blanks_skip(rest); rest->len > 0; lmtp_blanks_skip(rest)) {
        const char *blank = memchr(rest->at, ' ', rest->len);
        struct smtp_text word = {rest->at, blank == NULL ? rest->len : (size_t)(blank - rest->at)};

        if (parameter_read(out, &seen, &word, r) != 0)
            return -1;
        rest->at += word.len;
        rest->len -= word.len;
    }
    return 0;
}
