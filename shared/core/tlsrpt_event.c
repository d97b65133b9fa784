/* tlsrpt_event.c - see tlsrpt_event.h. */
#include "tlsrpt_event.h"

#include "utf8.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define ESCAPE_MAX 6 /* "\u001f" */

static const struct {
    enum tlsrpt_result result;
    const char *name;
} results[] = {
    {TLSRPT_STARTTLS_NOT_SUPPORTED, "starttls-not-supported"},
    {TLSRPT_CERTIFICATE_HOST_MISMATCH, "certificate-host-mismatch"},
    {TLSRPT_CERTIFICATE_NOT_TRUSTED, "certificate-not-trusted"},
    {TLSRPT_CERTIFICATE_EXPIRED, "certificate-expired"},
    {TLSRPT_VALIDATION_FAILURE, "validation-failure"},
    {TLSRPT_STS_POLICY_FETCH_ERROR, "sts-policy-fetch-error"},
    {TLSRPT_STS_POLICY_INVALID, "sts-policy-invalid"},
    {TLSRPT_STS_WEBPKI_INVALID, "sts-webpki-invalid"},
    {TLSRPT_TLSA_INVALID, "tlsa-invalid"},
    {TLSRPT_DNSSEC_INVALID, "dnssec-invalid"},
    {TLSRPT_DANE_REQUIRED, "dane-required"},
};

const char *tlsrpt_policy_type_name(enum tlsrpt_policy_type type)
{
    switch (type) {
    case TLSRPT_POLICY_TLSA:
        return "tlsa";
    case TLSRPT_POLICY_STS:
        return "sts";
    case TLSRPT_POLICY_NONE:
        break;
    }
    return "no-policy-found";
}

const char *tlsrpt_result_name(enum tlsrpt_result result)
{
    for (size_t i = 0; i < COUNT(results); i++)
        if (results[i].result == result)
            return results[i].name;
    return "validation-failure";
}

bool tlsrpt_result_of_code(enum tlsrpt_result *out, long code)
{
    *out = TLSRPT_VALIDATION_FAILURE;
    for (size_t i = 0; i < COUNT(results); i++)
        if ((long)results[i].result == code) {
            *out = results[i].result;
            return true;
        }
    return false;
}

bool tlsrpt_result_of_name(enum tlsrpt_result *out, const char *name)
{
    *out = TLSRPT_VALIDATION_FAILURE;
    for (size_t i = 0; i < COUNT(results); i++)
        if (strcmp(results[i].name, name) == 0) {
            *out = results[i].result;
            return true;
        }
    return false;
}

/* --- text --- */

/* How one octet below 0x80 is written. Returns the octets. */
static size_t escape(char out[ESCAPE_MAX + 1], char c)
{
    static const char named[] = "\"\"\\\\\bb\tt\nn\ff\rr";

    for (const char *n = named; *n != '\0'; n += 2)
        if (*n == c) {
            out[0] = '\\';
            out[1] = n[1];
            return 2;
        }
    if ((unsigned char)c < 0x20 || c == 0x7f)
        return (size_t)snprintf(out, ESCAPE_MAX + 1, "\\u%04x", (unsigned)(unsigned char)c);
    out[0] = c;
    return 1;
}

/* The character at s as it is written. Returns how many octets of s it took. */
static size_t character(char out[ESCAPE_MAX + 1], size_t *len, const char *s, size_t left)
{
    size_t octets = utf8_measure(s, left);

    if (octets <= 1) {
        *len = escape(out, octets == 0 ? '?' : *s);
        return 1;
    }
    memcpy(out, s, octets);
    *len = octets;
    return octets;
}

/* Append at most max octets, without quotes. Returns whether that was all of it. */
static bool text_add(struct buf *out, const char *text, size_t max)
{
    size_t left = strlen(text), written = 0;
    char one[ESCAPE_MAX + 1];

    while (left > 0) {
        size_t len = 0, took = character(one, &len, text, left);

        if (written + len > max)
            return false;
        buf_add(out, one, len);
        written += len;
        text += took;
        left -= took;
    }
    return true;
}

/* The octets that a text takes when it is written, up to max + 1. */
static size_t text_measure(const char *text, size_t max)
{
    size_t left = strlen(text), written = 0;
    char one[ESCAPE_MAX + 1];

    while (left > 0 && written <= max) {
        size_t len = 0, took = character(one, &len, text, left);

        written += len;
        text += took;
        left -= took;
    }
    return written;
}

/* --- members --- */

/* "key": "text" behind what comes before it; nothing when it is not known. */
static void member(struct buf *out, const char *before, const char *key, const char *text, size_t max)
{
    if (text == NULL || text[0] == '\0')
        return;
    buf_printf(out, "%s\"%s\": \"", before, key);
    (void)text_add(out, text, max);
    buf_char(out, '"');
}

static void array(struct buf *out, const char *key, const char *const *text, size_t count, size_t max)
{
    size_t written = 0;

    if (count == 0)
        return;
    buf_printf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        size_t len = text_measure(text[i], max) + (i > 0 ? 3 : 2);

        if (written + len > max)
            break;
        written += len;
        buf_str(out, i > 0 ? ",\"" : "\"");
        (void)text_add(out, text[i], max);
        buf_char(out, '"');
    }
    buf_char(out, ']');
}

static void failure_write(struct buf *out, const struct tlsrpt_failure *f)
{
    buf_printf(out, "{\"c\":%d", (int)f->result);
    member(out, ",", "s", f->sending_ip, TLSRPT_ADDRESS_MAX);
    member(out, ",", "n", f->mx_name, TLSRPT_NAME_MAX);
    member(out, ",", "h", f->mx_helo, TLSRPT_HELO_MAX);
    member(out, ",", "r", f->receiving_ip, TLSRPT_ADDRESS_MAX);
    member(out, ",", "a", f->additional, TLSRPT_ADDITIONAL_MAX);
    member(out, ",", "f", f->reason, TLSRPT_REASON_MAX);
    buf_char(out, '}');
}

static void policy_write(struct buf *out, const struct tlsrpt_policy *p)
{
    buf_printf(out, "{\"policy-type\":%d", (int)p->type);
    member(out, ",", "policy-domain", p->domain, TLSRPT_NAME_MAX);
    array(out, "policy-string", p->string, p->strings, TLSRPT_STRINGS_MAX);
    array(out, "mx-host", p->mx, p->mx_count, TLSRPT_MX_MAX);
    for (size_t i = 0; i < p->failures; i++) {
        buf_str(out, i == 0 ? ",\"failure-details\":[" : ",");
        failure_write(out, &p->failure[i]);
    }
    buf_printf(out, "%s,\"t\":%zu,\"f\":%d}", p->failures > 0 ? "]" : "", p->failures, p->failed ? 1 : 0);
}

/* These two are always there. */
static void text_always(struct buf *out, const char *key, const char *text, size_t max)
{
    buf_printf(out, ",\"%s\": \"", key);
    (void)text_add(out, text != NULL ? text : "", max);
    buf_char(out, '"');
}

void tlsrpt_event_write(struct buf *out, const struct tlsrpt_event *event)
{
    size_t begin = out->len;

    buf_str(out, "{\"dpv\": \"1\"");
    text_always(out, "d", event->domain, TLSRPT_NAME_MAX);
    text_always(out, "pr", event->record, TLSRPT_RECORD_TEXT);
    buf_str(out, ",\"policies\":[");
    for (size_t i = 0; i < event->policies; i++) {
        if (i > 0)
            buf_char(out, ',');
        policy_write(out, &event->policy[i]);
    }
    buf_str(out, "]}");
    if (out->len - begin > TLSRPT_EVENT_MAX)
        out->failed = true;
}
