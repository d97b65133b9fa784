/* policy_request.c - see policy_request.h. */
#include "policy_request.h"

#include <string.h>

const char policy_reply_bad[] = "action=451 4.3.5 Server configuration problem\n\n";

/* The attributes that count, of which each stands there once. */
enum attribute { REQUEST, PROTOCOL_STATE, RECIPIENT, ATTRIBUTES };

struct value {
    const char *at; /* NULL: not there */
    size_t len;
};

static bool is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

/* Returns 0, or -1 with what is wrong with the line. */
static int take_line(struct value values[ATTRIBUTES], const char *line, size_t len, struct err *e)
{
    static const char *const names[ATTRIBUTES] = {
        [REQUEST] = "request", [PROTOCOL_STATE] = "protocol_state", [RECIPIENT] = "recipient"};
    const char *equals = memchr(line, '=', len);
    size_t name = equals == NULL ? 0 : (size_t)(equals - line);

    if (name == 0)
        return err_set(e, "a line is no name=value");
    if (memchr(line, '\0', len) != NULL)
        return err_set(e, "a line has a NUL in it");
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        if (!is(line, name, names[i]))
            continue;
        if (values[i].at != NULL)
            return err_set(e, "the attribute %s stands there twice", names[i]);
        values[i] = (struct value){equals + 1, len - name - 1};
    }
    if (values[REQUEST].at != NULL && !is(values[REQUEST].at, values[REQUEST].len, "smtpd_access_policy"))
        return err_set(e, "request is not smtpd_access_policy");
    return 0;
}

static enum policy_state state_of(const struct value *v)
{
    if (is(v->at, v->len, "RCPT"))
        return POLICY_RCPT;
    if (is(v->at, v->len, "DATA"))
        return POLICY_DATA;
    return is(v->at, v->len, "END-OF-MESSAGE") ? POLICY_END : POLICY_OTHER;
}

static int finish(struct policy_request *out, const struct value values[ATTRIBUTES], struct err *e)
{
    if (values[REQUEST].at == NULL)
        return err_set(e, "request=smtpd_access_policy is missing");
    if (values[PROTOCOL_STATE].at == NULL)
        return err_set(e, "protocol_state is missing");
    out->state = state_of(&values[PROTOCOL_STATE]);
    out->recipient = values[RECIPIENT].at != NULL ? values[RECIPIENT].at : "";
    out->recipient_len = values[RECIPIENT].len;
    if (out->state == POLICY_RCPT && out->recipient_len == 0)
        return err_set(e, "recipient is missing at RCPT");
    return 1;
}

int policy_request_parse(struct policy_request *out, const char *buf, size_t len, struct err *e)
{
    struct value values[ATTRIBUTES] = {{NULL, 0}};
    size_t at = 0;

    for (size_t lines = 0;; lines++) {
        size_t most = len < POLICY_REQUEST_MAX ? len : POLICY_REQUEST_MAX;
        const char *end = memchr(buf + at, '\n', most - at);
        size_t line = end != NULL ? (size_t)(end - buf) - at : most - at;

        if (line > POLICY_LINE_MAX)
            return err_set(e, "a line is longer than %d octets", POLICY_LINE_MAX);
        if (end == NULL && len >= POLICY_REQUEST_MAX)
            return err_set(e, "a request is longer than %d octets", POLICY_REQUEST_MAX);
        if (end == NULL)
            return 0;
        out->total = at + line + 1;
        if (line == 0)
            return finish(out, values, e);
        if (lines == POLICY_ATTRIBUTES_MAX)
            return err_set(e, "a request has more than %d attributes", POLICY_ATTRIBUTES_MAX);
        if (take_line(values, buf + at, line, e) != 0)
            return -1;
        at += line + 1;
    }
}

bool policy_recipient_tagged(const struct address_tag *tag, const char *recipient, size_t len)
{
    const char *at = memrchr(recipient, '@', len);

    return address_tag_ends(tag, recipient, at != NULL ? (size_t)(at - recipient) : len) ||
           address_tag_has(tag, recipient, len, NULL) == 1;
}

enum policy_action policy_request_action(const struct policy_request *req, const struct address_tag *tag)
{
    if (req->state == POLICY_END)
        return POLICY_MISPLACED;
    if (req->state == POLICY_DATA && req->recipient_len == 0)
        return POLICY_MISPLACED;
    if (req->state == POLICY_OTHER)
        return req->recipient_len == 0 ? POLICY_MISPLACED : POLICY_DUNNO;
    return policy_recipient_tagged(tag, req->recipient, req->recipient_len) ? POLICY_REQUIRETLS : POLICY_DUNNO;
}

const char *policy_reply(enum policy_action action)
{
    return action == POLICY_REQUIRETLS ? "action=PREPEND Require-TLS-ESMTP: yes\n\n" : "action=DUNNO\n\n";
}
