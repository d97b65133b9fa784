/* exim_line.c - see exim_line.h. */
#include "exim_line.h"

#include "ascii.h"

#include <stdio.h>
#include <string.h>

enum { EVENT, DOMAIN, HOST, ADDRESS, SENDER, CIPHER, VERIFIED, DANE, ERRNO, DATA, ID, NAMES };

static const char *const names[NAMES] = {
    [EVENT] = "event",   [DOMAIN] = "domain",     [HOST] = "host", [ADDRESS] = "address", [SENDER] = "sender",
    [CIPHER] = "cipher", [VERIFIED] = "verified", [DANE] = "dane", [ERRNO] = "errno",     [DATA] = "data",
    [ID] = "id"};

/* The values, each with its NUL, in one piece. */
struct words {
    const char *value[NAMES]; /* NULL: not there */
    char text[EXIM_LINE_MAX + 1];
    size_t used;
};

struct reader {
    const char *at, *end;
};

static int name_of(const char *name, size_t len)
{
    for (int i = 0; i < NAMES; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return i;
    return -1;
}

static bool is_plain(char c)
{
    return ascii_is_alnum(c) || c == '_' || c == '-' || c == '.';
}

/* An octet of a quoted value, its escape undone; what cannot be shown becomes '?'. */
static char octet_take(struct reader *r)
{
    char c = *r->at++;

    if (c == '\\' && r->at < r->end) {
        c = *r->at++;
        if (c == 'n' || c == 'r')
            c = ' ';
    }
    return ascii_is_visible(c) || c == ' ' ? c : '?';
}

/* Append the value, and its NUL. */
static int value_take(struct reader *r, struct words *w, struct err *e)
{
    if (r->at == r->end || *r->at != '"') {
        for (; r->at < r->end && is_plain(*r->at); r->at++)
            w->text[w->used++] = *r->at;
    } else {
        for (r->at++; r->at < r->end && *r->at != '"';)
            w->text[w->used++] = octet_take(r);
        if (r->at == r->end)
            return err_set(e, "a quoted value has no end");
        r->at++;
    }
    w->text[w->used++] = '\0';
    return r->at == r->end || *r->at == ' ' ? 0 : err_set(e, "a value is not quoted as ${quote:} does it");
}

static int word_take(struct reader *r, struct words *w, struct err *e)
{
    const char *name = r->at, *value = w->text + w->used;
    size_t len;
    int which;

    while (r->at < r->end && (ascii_is_alnum(*r->at) || *r->at == '_'))
        r->at++;
    len = (size_t)(r->at - name);
    if (len == 0 || r->at == r->end || *r->at != '=')
        return err_set(e, "a word is no NAME=VALUE");
    r->at++;
    if (value_take(r, w, e) != 0)
        return -1;
    which = name_of(name, len);
    if (which < 0)
        return 0;
    if (w->value[which] != NULL)
        return err_set(e, "%s is there twice", names[which]);
    w->value[which] = value;
    return 0;
}

static int words_read(struct words *w, const char *line, size_t len, struct err *e)
{
    static const char first[] = "attempt ";
    struct reader r = {line, line + len};

    if (len > EXIM_LINE_MAX)
        return err_set(e, "the line is longer than %d octets", EXIM_LINE_MAX);
    if (len < strlen(first) || memcmp(line, first, strlen(first)) != 0)
        return err_set(e, "the line does not begin with \"attempt \"");
    for (r.at += strlen(first); r.at < r.end;) {
        if (*r.at == ' ')
            r.at++;
        else if (word_take(&r, w, e) != 0)
            return -1;
    }
    return 0;
}

/* --- what it means --- */

static const char *value(const struct words *w, int which)
{
    return w->value[which] != NULL ? w->value[which] : "";
}

static bool says(const struct words *w, const char *text)
{
    return strstr(value(w, DATA), text) != NULL;
}

static bool is_clear(const struct words *w)
{
    return value(w, CIPHER)[0] == '\0';
}

static int take_session(struct tls_attempt *out, const struct words *w)
{
    bool verified = strcmp(value(w, VERIFIED), "1") == 0 || strcmp(value(w, DANE), "yes") == 0;

    out->tls = ATTEMPT_TLS;
    out->trust = verified ? ATTEMPT_VERIFIED : ATTEMPT_UNTRUSTED;
    out->end = ATTEMPT_ANSWERED;
    return !is_clear(w);
}

static int take_clear(const struct words *w, struct tls_attempt *out, enum attempt_end end)
{
    out->end = end;
    return is_clear(w);
}

static void take_reason(struct tls_attempt *out, const struct words *w)
{
    size_t i = 0;

    for (const char *c = value(w, DATA); *c != '\0' && i < ATTEMPT_REASON_MAX; c++)
        out->reason[i++] = *c == ' ' ? '_' : *c;
    out->reason[i] = '\0';
}

/* TLS failed: Exim's words tell whether it came as far as the certificate. */
static void take_failure(struct tls_attempt *out, const struct words *w)
{
    out->end = ATTEMPT_NO_SECURITY;
    take_reason(out, w);
    if (!says(w, "certificate verif")) {
        out->tls = ATTEMPT_HANDSHAKE_FAILED;
        return;
    }
    out->tls = ATTEMPT_TLS;
    out->trust = ATTEMPT_UNTRUSTED;
    out->fault = ATTEMPT_FAULT_OTHER;
}

/* TLS was demanded and could not be begun. */
static void take_refusal(struct tls_attempt *out, const struct words *w)
{
    out->end = ATTEMPT_NO_SECURITY;
    out->tls = says(w, "did not offer") ? ATTEMPT_NOT_OFFERED : ATTEMPT_REFUSED;
    take_reason(out, w);
}

/* The host was given up. Returns 0 when TLS has no part in it. */
static int take_deferral(struct tls_attempt *out, const struct words *w)
{
    if (strcmp(value(w, ERRNO), "-37") == 0)
        take_failure(out, w);
    else if (strcmp(value(w, ERRNO), "-38") == 0)
        take_refusal(out, w);
    else
        return 0;
    return 1;
}

static int take_event(struct tls_attempt *out, const struct words *w)
{
    const char *event = value(w, EVENT);

    if (strcmp(event, "smtp:ehlo") == 0)
        return take_session(out, w);
    if (strcmp(event, "msg:host:defer") == 0)
        return take_deferral(out, w);
    if (strcmp(event, "msg:delivery") == 0)
        return take_clear(w, out, ATTEMPT_SENT);
    if (strcmp(event, "msg:rcpt:host:defer") == 0)
        return take_clear(w, out, ATTEMPT_ANSWERED);
    return 0;
}

/* --- who it was --- */

static int take_names(struct tls_attempt *out, const struct words *w, struct err *e)
{
    char literal[ADDRESS_BUF];

    if (domain_normalise(out->domain, value(w, DOMAIN), strlen(value(w, DOMAIN)), e) != 0)
        return err_prefix(e, "domain");
    if (value(w, HOST)[0] != '\0' && address_normalise(literal, value(w, HOST), strlen(value(w, HOST))) == 0 &&
        domain_normalise(out->host, value(w, HOST), strlen(value(w, HOST)), e) != 0)
        return err_prefix(e, "host");
    if (value(w, ADDRESS)[0] != '\0' &&
        address_normalise(out->address, value(w, ADDRESS), strlen(value(w, ADDRESS))) == 0)
        return err_set(e, "address: no IP address");
    if (value(w, SENDER)[0] != '\0' && address_normalise(out->sender, value(w, SENDER), strlen(value(w, SENDER))) == 0)
        return err_set(e, "sender: no IP address");
    return 0;
}

int exim_line_read(struct tls_attempt *out, char id[EXIM_ID_BUF], const char *line, size_t len, int64_t now,
                   struct err *e)
{
    struct words w = {.used = 0};
    int rc;

    *out = (struct tls_attempt){.at = now};
    if (words_read(&w, line, len, e) != 0)
        return -1;
    rc = take_event(out, &w);
    if (rc == 0)
        return 0;
    if (take_names(out, &w, e) != 0)
        return -1;
    if (id != NULL)
        (void)snprintf(id, EXIM_ID_BUF, "%.*s", EXIM_ID_BUF - 1, value(&w, ID));
    return rc;
}
