/*
 * dest_json.c - destination records as JSON: {"v", "domain", "resolved", "valid_until", "mx": {..., "hosts": [...]},
 * "sts": {..., "policy"}, "tlsrpt"}. This half writes, straight into the buffer, as every look-up comes by here;
 * dest_json_read.c reads. The buffer keeps the first error, so nothing is looked at on the way.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dest.h"

/* The comma that parts this from what stands before it. */
static void comma(struct buf *out)
{
    char before = out->len > 0 ? out->data[out->len - 1] : '{';

    if (before != '{' && before != '[' && before != ':')
        buf_char(out, ',');
}

static void open_bracket(struct buf *out, char bracket)
{
    comma(out);
    buf_char(out, bracket);
}

static void name(struct buf *out, const char *name)
{
    comma(out);
    buf_char(out, '"');
    buf_str(out, name);
    buf_str(out, "\":");
}

static void escape(struct buf *out, char c)
{
    if (c == '"' || c == '\\')
        buf_add(out, (char[]){'\\', c}, 2);
    else if (c == '\n')
        buf_str(out, "\\n");
    else if (c == '\r')
        buf_str(out, "\\r");
    else
        buf_printf(out, "\\u%04x", (unsigned)c);
}

/* Octets beyond ASCII stand as they are: a policy is UTF-8, and nothing else holds any. */
static void text(struct buf *out, const char *text, size_t len)
{
    size_t plain = 0; /* where the octets begin that are yet to be added */

    comma(out);
    buf_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(out, text + plain, i - plain);
        escape(out, text[i]);
        plain = i + 1;
    }
    buf_add(out, text + plain, len - plain);
    buf_char(out, '"');
}

static void put_text(struct buf *out, const char *member, const char *value)
{
    name(out, member);
    text(out, value, strlen(value));
}

static void put_integer(struct buf *out, const char *member, int64_t value)
{
    name(out, member);
    buf_printf(out, "%" PRId64, value);
}

static void put_bool(struct buf *out, const char *member, bool value)
{
    name(out, member);
    buf_str(out, value ? "true" : "false");
}

/* Sentences may quote foreign octets; the record must be readable all the same, so they become '?'. */
static void put_sentence(struct buf *out, const char *member, const char *value)
{
    char clean[DEST_WHY_MAX];
    size_t n = 0;

    for (; n < sizeof clean - 1 && value[n] != '\0'; n++) {
        unsigned char c = (unsigned char)value[n];

        clean[n] = c >= 0x20 && c <= 0x7e ? (char)c : '?';
    }
    name(out, member);
    text(out, clean, n);
}

static void put_tlsa(struct buf *out, const struct dest_host *host)
{
    name(out, "tlsa");
    open_bracket(out, '[');
    for (size_t i = 0; i < host->tlsa_count; i++) {
        char *line = malloc(TLSA_TEXT_BUF(host->tlsa[i].len));

        if (line == NULL) {
            out->failed = true;
            return;
        }
        tlsa_format(line, &host->tlsa[i]);
        text(out, line, strlen(line));
        free(line);
    }
    buf_char(out, ']');
}

static void put_host(struct buf *out, const struct dest_host *host)
{
    open_bracket(out, '{');
    put_text(out, "name", host->name);
    put_integer(out, "preference", host->preference);
    put_bool(out, "address_secure", host->address_secure);
    put_text(out, "dane", dest_dane_name(host->dane));
    put_text(out, "tlsa_base", host->tlsa_base);
    put_tlsa(out, host);
    name(out, "addresses");
    open_bracket(out, '[');
    for (size_t i = 0; i < host->address_count; i++)
        text(out, host->address[i], strlen(host->address[i]));
    buf_str(out, "]}");
}

static void put_mx(struct buf *out, const struct dest *d)
{
    name(out, "mx");
    open_bracket(out, '{');
    put_text(out, "state", dest_mx_name(d->mx));
    put_bool(out, "secure", d->mx_secure);
    put_bool(out, "truncated", d->mx_truncated);
    put_bool(out, "dane_before", d->dane_before);
    if (d->mx_never_known)
        put_bool(out, "never_known", true);
    put_sentence(out, "why", d->mx_why);
    name(out, "hosts");
    open_bracket(out, '[');
    for (size_t i = 0; i < d->host_count; i++)
        put_host(out, &d->host[i]);
    buf_str(out, "]}");
}

static void put_policy(struct buf *out, const struct dest_sts *sts)
{
    name(out, "policy");
    if (!sts->has_policy) {
        buf_str(out, "null");
        return;
    }
    open_bracket(out, '{');
    put_text(out, "id", sts->policy_id);
    name(out, "body");
    text(out, sts->body, sts->body_len);
    put_integer(out, "fetched", sts->fetched);
    put_integer(out, "expires", sts->expires);
    buf_char(out, '}');
}

static void put_sts(struct buf *out, const struct dest_sts *sts)
{
    name(out, "sts");
    open_bracket(out, '{');
    put_text(out, "record", dest_sts_record_name(sts->record));
    put_text(out, "id", sts->id);
    put_policy(out, sts);
    put_text(out, "failure", dest_sts_failure_name(sts->failure));
    put_sentence(out, "why", sts->why);
    put_integer(out, "attempted", sts->attempted);
    put_integer(out, "temp_since", sts->temp_since);
    if (!sts->has_policy && sts->learnt != 0)
        put_integer(out, "learnt", sts->learnt);
    buf_char(out, '}');
}

void dest_to_json(struct buf *out, const struct dest *d)
{
    size_t start = out->len;

    buf_char(out, '{');
    put_integer(out, "v", DEST_VERSION);
    put_text(out, "domain", d->domain);
    put_integer(out, "resolved", d->resolved);
    put_integer(out, "valid_until", d->valid_until);
    put_mx(out, d);
    put_sts(out, &d->sts);
    put_text(out, "tlsrpt", d->tlsrpt);
    buf_char(out, '}');
    if (buf_ok(out) && out->len - start <= DEST_JSON_MAX)
        return;
    out->failed = true; /* no memory, no room, or so long that nobody would take it back */
    out->len = start;
    if (out->data != NULL)
        out->data[start] = '\0';
}
