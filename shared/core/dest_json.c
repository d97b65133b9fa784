/*
 * dest_json.c - destination records as JSON: {"v", "domain", "resolved", "valid_until", "mx": {..., "hosts": [...]},
 * "sts": {..., "policy"}, "tlsrpt"}. This half writes; dest_json_read.c reads. The output is ASCII on one line.
 */
#include <stdlib.h>
#include <string.h>

#include "dest.h"

#include <jansson.h>

/* jansson takes NULL values and objects (no memory) for errors; one flag keeps the first of them. */
static void put(json_t *object, const char *name, json_t *value, bool *failed)
{
    if (json_object_set_new(object, name, value) != 0)
        *failed = true;
}

static void append(json_t *array, json_t *value, bool *failed)
{
    if (json_array_append_new(array, value) != 0)
        *failed = true;
}

/* Sentences may quote foreign octets; the record must be readable all the same, so they become '?'. */
static json_t *sentence(const char *text)
{
    char clean[DEST_WHY_MAX];
    size_t n = 0;

    for (; n < sizeof clean - 1 && text[n] != '\0'; n++) {
        unsigned char c = (unsigned char)text[n];

        clean[n] = c >= 0x20 && c <= 0x7e ? (char)c : '?';
    }
    clean[n] = '\0';
    return json_string(clean);
}

static json_t *tlsa_to_json(const struct dest_host *host, bool *failed)
{
    json_t *array = json_array();

    for (size_t i = 0; i < host->tlsa_count; i++) {
        char *text = malloc(TLSA_TEXT_BUF(host->tlsa[i].len));

        if (text == NULL) {
            *failed = true;
            break;
        }
        tlsa_format(text, &host->tlsa[i]);
        append(array, json_string(text), failed);
        free(text);
    }
    return array;
}

static json_t *host_to_json(const struct dest_host *host, bool *failed)
{
    json_t *o = json_object();
    json_t *addresses = json_array();

    for (size_t i = 0; i < host->address_count; i++)
        append(addresses, json_string(host->address[i]), failed);
    put(o, "name", json_string(host->name), failed);
    put(o, "preference", json_integer(host->preference), failed);
    put(o, "address_secure", json_boolean(host->address_secure), failed);
    put(o, "dane", json_string(dest_dane_name(host->dane)), failed);
    put(o, "tlsa_base", json_string(host->tlsa_base), failed);
    put(o, "tlsa", tlsa_to_json(host, failed), failed);
    put(o, "addresses", addresses, failed);
    return o;
}

static json_t *mx_to_json(const struct dest *d, bool *failed)
{
    json_t *o = json_object();
    json_t *hosts = json_array();

    for (size_t i = 0; i < d->host_count; i++)
        append(hosts, host_to_json(&d->host[i], failed), failed);
    put(o, "state", json_string(dest_mx_name(d->mx)), failed);
    put(o, "secure", json_boolean(d->mx_secure), failed);
    put(o, "truncated", json_boolean(d->mx_truncated), failed);
    put(o, "dane_before", json_boolean(d->dane_before), failed);
    put(o, "why", sentence(d->mx_why), failed);
    put(o, "hosts", hosts, failed);
    return o;
}

static json_t *policy_to_json(const struct dest_sts *sts, bool *failed)
{
    json_t *o;

    if (!sts->has_policy)
        return json_null();
    o = json_object();
    put(o, "id", json_string(sts->policy_id), failed);
    put(o, "body", json_stringn(sts->body, sts->body_len), failed);
    put(o, "fetched", json_integer(sts->fetched), failed);
    put(o, "expires", json_integer(sts->expires), failed);
    return o;
}

static json_t *sts_to_json(const struct dest_sts *sts, bool *failed)
{
    json_t *o = json_object();

    put(o, "record", json_string(dest_sts_record_name(sts->record)), failed);
    put(o, "id", json_string(sts->id), failed);
    put(o, "policy", policy_to_json(sts, failed), failed);
    put(o, "failure", json_string(dest_sts_failure_name(sts->failure)), failed);
    put(o, "why", sentence(sts->why), failed);
    put(o, "attempted", json_integer(sts->attempted), failed);
    put(o, "temp_since", json_integer(sts->temp_since), failed);
    if (!sts->has_policy && sts->learnt != 0)
        put(o, "learnt", json_integer(sts->learnt), failed);
    return o;
}

void dest_to_json(struct buf *out, const struct dest *d)
{
    bool failed = false;
    json_t *o = json_object();
    char *text;

    put(o, "v", json_integer(DEST_VERSION), &failed);
    put(o, "domain", json_string(d->domain), &failed);
    put(o, "resolved", json_integer(d->resolved), &failed);
    put(o, "valid_until", json_integer(d->valid_until), &failed);
    put(o, "mx", mx_to_json(d, &failed), &failed);
    put(o, "sts", sts_to_json(&d->sts, &failed), &failed);
    put(o, "tlsrpt", json_string(d->tlsrpt), &failed);
    text = failed ? NULL : json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text == NULL || strlen(text) > DEST_JSON_MAX)
        out->failed = true; /* no memory, or nobody would take it back */
    else
        buf_str(out, text);
    free(text);
    json_decref(o);
}
