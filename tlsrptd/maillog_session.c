/* maillog_session.c - see maillog_session.h. */
#include "maillog_session.h"

#include "ascii.h"
#include "domain.h"

/* Foreign words: '_' for blanks, '?' for what is not ASCII, cut where there is no room. */
static void set_reason(char out[ATTEMPT_REASON_MAX + 1], const char *why, struct span words)
{
    size_t len = strlen(why), taken = words.len;

    memcpy(out, why, len);
    if (taken > ATTEMPT_REASON_MAX - len)
        taken = ATTEMPT_REASON_MAX - len;
    if (taken > 0)
        memcpy(out + len, words.at, taken);
    len += taken;
    out[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (ascii_is_blank(out[i]))
            out[i] = '_';
        else if (!ascii_is_visible(out[i]))
            out[i] = '?';
}

static struct span host_span(const struct maillog_session *s)
{
    return (struct span){s->host, strlen(s->host)};
}

static bool is_about(const struct maillog_session *s, struct span host)
{
    return s->host[0] != '\0' && span_equal(host_span(s), host);
}

/* Make room for what is said of the host, unless it goes on with what was said before. */
static void begin(struct maillog_session *s, struct span host, int64_t at, bool anew)
{
    if (anew || !is_about(s, host) || at - s->at > MAILLOG_STALE) {
        *s = (struct maillog_session){0};
        span_copy(s->host, sizeof(s->host), host);
    }
    s->at = at;
}

static void note_fault(struct maillog_session *s, const struct smtp_line *line)
{
    if (s->fault == ATTEMPT_FAULT_NONE)
        s->fault = line->fault;
    if (s->reason[0] == '\0')
        set_reason(s->reason, "", line->reason);
}

static void note_handshake(struct maillog_session *s, const struct smtp_line *line)
{
    s->tls = ATTEMPT_HANDSHAKE_FAILED;
    if (s->reason[0] == '\0')
        set_reason(s->reason, "", line->reason);
}

void maillog_session_note(struct maillog_session *s, const struct smtp_line *line, int64_t at)
{
    switch (line->says) {
    case SMTP_SAYS_TLS:
    case SMTP_SAYS_REUSED:
        begin(s, line->host, at, s->tls != ATTEMPT_NO_TLS || s->reused);
        s->tls = ATTEMPT_TLS;
        s->trust = line->trust;
        s->reused = line->says == SMTP_SAYS_REUSED;
        break;
    case SMTP_SAYS_FAULT:
        begin(s, line->host, at, s->reused);
        note_fault(s, line);
        break;
    case SMTP_SAYS_HANDSHAKE:
        begin(s, line->host, at, s->tls == ATTEMPT_TLS);
        note_handshake(s, line);
        break;
    case SMTP_SAYS_LIBRARY:
        if (s->tls == ATTEMPT_HANDSHAKE_FAILED && s->reason[0] == '\0')
            set_reason(s->reason, "", line->reason);
        break;
    case SMTP_SAYS_REFUSED:
        begin(s, line->host, at, s->tls != ATTEMPT_NO_TLS);
        s->tls = ATTEMPT_REFUSED;
        break;
    default:
        break;
    }
}

/* "mx.example[192.0.2.1]" into name and address, each in its one form; a name that is an address is none. */
static bool read_host(struct tls_attempt *out, struct span host)
{
    struct span name, address;

    if (!span_take_until(&host, &name, '[') || !span_take_until(&host, &address, ']'))
        return false;
    if (address_normalise(out->address, address.at, address.len) != 1)
        out->address[0] = '\0';
    if (address_normalise(out->host, name.at, name.len) == 1) {
        out->host[0] = '\0';
        return true;
    }
    return domain_normalise(out->host, name.at, name.len, NULL) == 0;
}

/* What the level says where there is no TLS line (smtp_tls_loglevel = 0). Returns false: TLS was not come to. */
static bool read_level(struct tls_attempt *out, struct span level)
{
    struct span word;

    if (!span_take_until(&level, &word, '/'))
        word = level;
    if (word.len == 0 || span_equal(word, SPAN("none")) || span_has(word, SPAN(":")))
        return true;
    if (word.at[word.len - 1] == '?')
        return false;
    if (word.at[0] == '!')
        return true;
    out->tls = ATTEMPT_TLS;
    if (!span_equal(word, SPAN("may")) && !span_equal(word, SPAN("encrypt")))
        out->trust = ATTEMPT_VERIFIED;
    return true;
}

static void set_refused_certificate(struct tls_attempt *out, const struct maillog_end *end)
{
    out->tls = ATTEMPT_TLS;
    if (out->fault == ATTEMPT_FAULT_NONE && out->trust == ATTEMPT_TRUSTED)
        out->fault = ATTEMPT_FAULT_NAME; /* Postfix 3.4 and 3.5 do not say it */
    else if (out->fault == ATTEMPT_FAULT_NONE)
        out->fault = span_has(end->reason, SPAN("trusted")) ? ATTEMPT_FAULT_ISSUER : ATTEMPT_FAULT_OTHER;
    if (out->reason[0] == '\0')
        set_reason(out->reason, "", end->reason);
}

/* The MTA gave up, as TLS was not what it demanded. Returns false when it was not that. */
static bool set_no_security(struct tls_attempt *out, const struct maillog_end *end)
{
    switch (end->kind) {
    case MAILLOG_END_NOT_OFFERED:
        out->tls = ATTEMPT_NOT_OFFERED;
        break;
    case MAILLOG_END_REFUSED:
        out->tls = ATTEMPT_REFUSED;
        set_reason(out->reason, "", end->reason);
        break;
    case MAILLOG_END_HANDSHAKE:
        out->tls = ATTEMPT_HANDSHAKE_FAILED;
        if (out->reason[0] == '\0')
            set_reason(out->reason, "", end->reason);
        break;
    case MAILLOG_END_CERTIFICATE:
        set_refused_certificate(out, end);
        break;
    default:
        return false;
    }
    out->end = ATTEMPT_NO_SECURITY;
    return true;
}

/* It went as far as the message, or broke on the way. Returns false when it ended before TLS could be tried. */
static bool set_went_on(struct tls_attempt *out, const struct maillog_outcome *o)
{
    enum maillog_end_kind kind = o->sent ? MAILLOG_END_ANSWERED : o->end.kind;

    if (out->tls == ATTEMPT_NO_TLS && !read_level(out, o->level))
        return false;
    if (out->tls == ATTEMPT_NO_TLS && kind != MAILLOG_END_ANSWERED && kind != MAILLOG_END_LOST)
        return false;
    out->end = o->sent ? ATTEMPT_SENT : ATTEMPT_ANSWERED;
    if (kind == MAILLOG_END_LOST || kind == MAILLOG_END_LOST_EARLY) {
        out->end = ATTEMPT_LOST;
        set_reason(out->reason, o->end.reason_why, o->end.reason);
    }
    return true;
}

struct span maillog_outcome_host(const struct maillog_outcome *o, const struct maillog_session *s)
{
    if (o->relay.len > 0)
        return o->relay;
    return o->end.host.len > 0 ? o->end.host : host_span(s);
}

bool maillog_session_attempt(struct tls_attempt *out, const struct maillog_session *s, const struct maillog_outcome *o)
{
    struct span host = maillog_outcome_host(o, s);
    bool known = is_about(s, host);

    *out = (struct tls_attempt){.at = o->at};
    if (!read_host(out, host) || (known && (s->reused || o->at - s->at > MAILLOG_STALE + o->seconds)))
        return false;
    if (known) {
        out->tls = s->tls;
        out->trust = s->trust;
        out->fault = s->fault;
        span_copy(out->reason, sizeof(out->reason), (struct span){s->reason, strlen(s->reason)});
    }
    if (!(!o->sent && set_no_security(out, &o->end)) && !set_went_on(out, o))
        return false;
    if (out->tls != ATTEMPT_TLS)
        out->trust = ATTEMPT_TRUST_UNKNOWN;
    return true;
}

bool maillog_passed_attempt(struct tls_attempt *out, const struct smtp_line *line, int64_t at)
{
    bool unnamed = line->says == SMTP_SAYS_UNNAMED;

    *out = (struct tls_attempt){.at = at, .end = unnamed ? ATTEMPT_MX_UNNAMED : ATTEMPT_NO_SECURITY};
    set_reason(out->reason, "", unnamed ? SPAN("MX name does not match STS MX pattern") : SPAN("TLSA lookup error"));
    return domain_normalise(out->host, line->host.at, line->host.len, NULL) == 0;
}
