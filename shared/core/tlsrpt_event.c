/* tlsrpt_event.c - see tlsrpt_event.h. */
#include "tlsrpt_event.h"

#include "json_text.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

/* --- members --- */

static void failure_write(struct buf *out, const struct tlsrpt_failure *f)
{
    buf_printf(out, "{\"c\":%d", (int)f->result);
    json_text_member(out, ",", "s", f->sending_ip, TLSRPT_ADDRESS_MAX);
    json_text_member(out, ",", "n", f->mx_name, TLSRPT_NAME_MAX);
    json_text_member(out, ",", "h", f->mx_helo, TLSRPT_HELO_MAX);
    json_text_member(out, ",", "r", f->receiving_ip, TLSRPT_ADDRESS_MAX);
    json_text_member(out, ",", "a", f->additional, TLSRPT_ADDITIONAL_MAX);
    json_text_member(out, ",", "f", f->reason, TLSRPT_REASON_MAX);
    buf_char(out, '}');
}

static void policy_write(struct buf *out, const struct tlsrpt_policy *p)
{
    buf_printf(out, "{\"policy-type\":%d", (int)p->type);
    json_text_member(out, ",", "policy-domain", p->domain, TLSRPT_NAME_MAX);
    json_text_array(out, ",", "policy-string", p->string, p->strings, TLSRPT_STRINGS_MAX);
    json_text_array(out, ",", "mx-host", p->mx, p->mx_count, TLSRPT_MX_MAX);
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
    (void)json_text_add(out, text != NULL ? text : "", max);
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
