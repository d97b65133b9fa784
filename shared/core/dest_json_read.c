/*
 * dest_json_read.c - read a destination record back from JSON. Redis may hold anything, so each member is checked; what
 * is refused is named with its path. Nesting is limited by jansson itself (JSON_PARSER_MAX_DEPTH), length by
 * DEST_JSON_MAX.
 */
#include <string.h>

#include "dest.h"
#include "tlsrpt_record.h"

#include <jansson.h>

static json_t *get(const json_t *object, const char *name, json_type type, const char *what, struct err *e)
{
    json_t *value = json_object_get(object, name);

    if (value == NULL)
        err_set(e, "%s: is missing", name);
    else if (json_typeof(value) != type) {
        err_set(e, "%s: is not %s", name, what);
        value = NULL;
    }
    return value;
}

static int get_integer(int64_t *out, const json_t *object, const char *name, int64_t max, struct err *e)
{
    const json_t *value = get(object, name, JSON_INTEGER, "an integer", e);

    if (value == NULL)
        return -1;
    *out = json_integer_value(value);
    if (*out < 0 || *out > max)
        return err_set(e, "%s: is out of range", name);
    return 0;
}

static int get_bool(bool *out, const json_t *object, const char *name, struct err *e)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_boolean(value))
        return err_set(e, "%s: is not true or false", name);
    *out = json_is_true(value);
    return 0;
}

/* A string value into out[0..cap): printable ASCII only, never cut. */
static int copy_text(char *out, size_t cap, const json_t *value, struct err *e)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (text == NULL)
        return err_set(e, "is not a string");
    if (len >= cap)
        return err_set(e, "is longer than %zu octets", cap - 1);
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return err_set(e, "holds an octet that is not printable ASCII");
    memcpy(out, text, len);
    out[len] = '\0';
    return 0;
}

static int get_text(char *out, size_t cap, const json_t *object, const char *name, struct err *e)
{
    if (copy_text(out, cap, json_object_get(object, name), e) != 0)
        return err_prefix(e, "%s", name);
    return 0;
}

/* A domain name that is in its one form. */
static int get_name(char out[DOMAIN_BUF], const json_t *object, const char *name, struct err *e)
{
    char normal[DOMAIN_BUF];

    if (get_text(out, DOMAIN_BUF, object, name, e) != 0)
        return -1;
    if (domain_normalise(normal, out, strlen(out), e) != 0)
        return err_prefix(e, "%s", name);
    if (strcmp(normal, out) != 0)
        return err_set(e, "%s: is not in its one form", name);
    return 0;
}

static const char *mx_word(unsigned i)
{
    return dest_mx_name((enum dest_mx)i);
}

static const char *dane_word(unsigned i)
{
    return dest_dane_name((enum dest_dane)i);
}

static const char *record_word(unsigned i)
{
    return dest_sts_record_name((enum dest_sts_record)i);
}

static const char *failure_word(unsigned i)
{
    return dest_sts_failure_name((enum dest_sts_failure)i);
}

/* One of an enum's words, from its first to its last value. */
static int get_word(unsigned *out, const json_t *object, const char *name, const char *(*word)(unsigned), unsigned last,
                    struct err *e)
{
    char text[64];

    *out = 0;
    if (get_text(text, sizeof text, object, name, e) != 0)
        return -1;
    for (unsigned i = 0; i <= last; i++) {
        if (strcmp(text, word(i)) == 0) {
            *out = i;
            return 0;
        }
    }
    return err_set(e, "%s: unknown word", name);
}

static int read_addresses(struct dest_host *host, const json_t *object, struct err *e)
{
    const json_t *array = get(object, "addresses", JSON_ARRAY, "an array", e);
    char normal[ADDRESS_BUF];

    if (array == NULL)
        return -1;
    if (json_array_size(array) > DEST_ADDRESSES_MAX)
        return err_set(e, "addresses: more than %d", DEST_ADDRESSES_MAX);
    for (size_t i = 0; i < json_array_size(array); i++) {
        char *text = host->address[i];

        if (copy_text(text, ADDRESS_BUF, json_array_get(array, i), e) != 0)
            return err_prefix(e, "addresses[%zu]", i);
        if (address_normalise(normal, text, strlen(text)) != 1 || strcmp(normal, text) != 0)
            return err_set(e, "addresses[%zu]: is not an address in its shortest form", i);
        host->address_count++;
    }
    return 0;
}

static int read_tlsa(struct dest_host *host, const json_t *object, struct err *e)
{
    const json_t *array = get(object, "tlsa", JSON_ARRAY, "an array", e);

    if (array == NULL)
        return -1;
    if (json_array_size(array) > DEST_TLSA_MAX)
        return err_set(e, "tlsa: more than %d", DEST_TLSA_MAX);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);
        struct tlsa rr;

        if (!json_is_string(value))
            return err_set(e, "tlsa[%zu]: is not a string", i);
        if (tlsa_parse(&rr, json_string_value(value), json_string_length(value), e) != 0)
            return err_prefix(e, "tlsa[%zu]", i);
        if (dest_add_tlsa(host, &rr) != 0) {
            tlsa_clear(&rr);
            return err_set(e, "out of memory");
        }
    }
    return 0;
}

/* What a host says of DANE must be what its records say. */
static int check_dane(const struct dest_host *host, struct err *e)
{
    bool based = host->tlsa_base[0] != '\0';
    size_t usable = 0;

    for (size_t i = 0; i < host->tlsa_count; i++)
        usable += tlsa_usable(&host->tlsa[i], NULL) ? 1 : 0;
    switch (host->dane) {
    case DEST_DANE_NONE:
        if (host->tlsa_count > 0 || based)
            return err_set(e, "dane: is none, but there are TLSA records or a base");
        return 0;
    case DEST_DANE_USABLE:
        if (usable == 0 || !based)
            return err_set(e, "dane: is usable without a usable TLSA record or a base");
        return 0;
    case DEST_DANE_UNUSABLE:
        if (usable > 0 || !based)
            return err_set(e, "dane: is unusable with a usable TLSA record or without a base");
        return 0;
    case DEST_DANE_TEMP:
        if (host->tlsa_count > 0)
            return err_set(e, "dane: is temp, but there are TLSA records");
        return 0;
    }
    return err_set(e, "dane: unknown word");
}

static int read_host(struct dest *d, const json_t *object, struct err *e)
{
    struct dest_host *host;
    char name[DOMAIN_BUF];
    int64_t preference;
    unsigned dane = 0;

    if (!json_is_object(object))
        return err_set(e, "is not an object");
    if (get_name(name, object, "name", e) != 0 || get_integer(&preference, object, "preference", UINT16_MAX, e) != 0)
        return -1;
    host = dest_add_host(d, name, (uint16_t)preference);
    if (host == NULL)
        return err_set(e, "out of memory");
    if (get_bool(&host->address_secure, object, "address_secure", e) != 0 ||
        get_word(&dane, object, "dane", dane_word, DEST_DANE_TEMP, e) != 0 ||
        get_text(host->tlsa_base, sizeof host->tlsa_base, object, "tlsa_base", e) != 0)
        return -1;
    host->dane = (enum dest_dane)dane;
    if (host->tlsa_base[0] != '\0' && get_name(host->tlsa_base, object, "tlsa_base", e) != 0)
        return -1;
    if (read_tlsa(host, object, e) != 0 || read_addresses(host, object, e) != 0)
        return -1;
    return check_dane(host, e);
}

static int read_hosts(struct dest *d, const json_t *object, struct err *e)
{
    const json_t *array = get(object, "hosts", JSON_ARRAY, "an array", e);
    size_t max = d->mx == DEST_MX_LIST ? DEST_HOSTS_MAX : d->mx == DEST_MX_IMPLICIT ? 1 : 0;

    if (array == NULL)
        return -1;
    if (json_array_size(array) > max)
        return err_set(e, "hosts: more than %zu with state %s", max, dest_mx_name(d->mx));
    for (size_t i = 0; i < json_array_size(array); i++)
        if (read_host(d, json_array_get(array, i), e) != 0)
            return err_prefix(e, "hosts[%zu]", i);
    return 0;
}

static int read_mx(struct dest *d, const json_t *root, struct err *e)
{
    const json_t *object = get(root, "mx", JSON_OBJECT, "an object", e);
    unsigned mx = 0;

    if (object == NULL)
        return -1;
    if (get_word(&mx, object, "state", mx_word, DEST_MX_LIST, e) != 0)
        return err_prefix(e, "mx");
    d->mx = (enum dest_mx)mx;
    if (get_bool(&d->mx_secure, object, "secure", e) != 0 || get_bool(&d->mx_truncated, object, "truncated", e) != 0 ||
        (json_object_get(object, "dane_before") != NULL && get_bool(&d->dane_before, object, "dane_before", e) != 0) ||
        (json_object_get(object, "never_known") != NULL &&
         get_bool(&d->mx_never_known, object, "never_known", e) != 0) ||
        get_text(d->mx_why, sizeof d->mx_why, object, "why", e) != 0 || read_hosts(d, object, e) != 0)
        return err_prefix(e, "mx");
    return 0;
}

/* The parsed policy comes from the body alone, and the end of its life from the body and the time of its fetch. */
static int read_policy(struct dest_sts *sts, const json_t *parent, struct err *e)
{
    const json_t *object = json_object_get(parent, "policy");
    const json_t *body;
    char id[STS_ID_MAX + 1];
    int64_t fetched;
    int64_t expires;

    if (json_is_null(object))
        return 0;
    if (!json_is_object(object))
        return err_set(e, "policy: is not an object or null");
    body = get(object, "body", JSON_STRING, "a string", e);
    if (body == NULL || get_text(id, sizeof id, object, "id", e) != 0 ||
        get_integer(&fetched, object, "fetched", DEST_TIME_MAX, e) != 0 ||
        get_integer(&expires, object, "expires", DEST_TIME_MAX, e) != 0 ||
        dest_sts_set_policy(sts, id, json_string_value(body), json_string_length(body), fetched, e) != 0)
        return err_prefix(e, "policy");
    if (sts->expires != expires)
        return err_set(e, "policy: expires: is not fetched + max_age");
    return 0;
}

static int check_record_id(const struct dest_sts *sts, struct err *e)
{
    if (sts->record == DEST_STS_FOUND)
        return dest_sts_id_valid(sts->id) ? 0 : err_set(e, "id: is not 1 to %d letters and digits", STS_ID_MAX);
    return sts->id[0] == '\0' ? 0 : err_set(e, "id: there is one, but no record");
}

static int read_sts(struct dest *d, const json_t *root, struct err *e)
{
    const json_t *object = get(root, "sts", JSON_OBJECT, "an object", e);
    struct dest_sts *sts = &d->sts;
    unsigned record = 0;
    unsigned failure = 0;

    if (object == NULL)
        return -1;
    if (get_word(&record, object, "record", record_word, DEST_STS_TEMP, e) != 0 ||
        get_word(&failure, object, "failure", failure_word, DEST_STS_WEBPKI_INVALID, e) != 0)
        return err_prefix(e, "sts");
    sts->record = (enum dest_sts_record)record;
    sts->failure = (enum dest_sts_failure)failure;
    if (get_text(sts->id, sizeof sts->id, object, "id", e) != 0 || check_record_id(sts, e) != 0 ||
        get_text(sts->why, sizeof sts->why, object, "why", e) != 0 ||
        get_integer(&sts->attempted, object, "attempted", DEST_TIME_MAX, e) != 0 ||
        (json_object_get(object, "temp_since") != NULL &&
         get_integer(&sts->temp_since, object, "temp_since", DEST_TIME_MAX, e) != 0) ||
        (json_object_get(object, "learnt") != NULL &&
         get_integer(&sts->learnt, object, "learnt", DEST_TIME_MAX, e) != 0) ||
        read_policy(sts, object, e) != 0)
        return err_prefix(e, "sts");
    return 0;
}

/* Not get_text: the record's grammar allows tabs, and nothing else that is not printable. */
static int read_tlsrpt(struct dest *d, const json_t *root, struct err *e)
{
    const json_t *value = get(root, "tlsrpt", JSON_STRING, "a string", e);
    struct tlsrpt_record record;
    size_t len = json_string_length(value);

    if (value == NULL)
        return -1;
    if (len > DEST_TLSRPT_MAX)
        return err_set(e, "tlsrpt: is longer than %d octets", DEST_TLSRPT_MAX);
    if (len > 0 && tlsrpt_record_parse(&record, json_string_value(value), len, NULL) != 1)
        return err_set(e, "tlsrpt: is not a valid record");
    memcpy(d->tlsrpt, json_string_value(value), len + 1);
    return 0;
}

static struct dest *read_root(const json_t *root, struct err *e)
{
    char domain[DOMAIN_BUF];
    int64_t version;
    struct dest *d;

    if (!json_is_object(root)) {
        err_set(e, "is not an object");
        return NULL;
    }
    if (get_integer(&version, root, "v", INT32_MAX, e) != 0)
        return NULL;
    if (version != DEST_VERSION) {
        err_set(e, "v: version %lld is not known", (long long)version);
        return NULL;
    }
    if (get_name(domain, root, "domain", e) != 0)
        return NULL;
    d = dest_new(domain);
    if (d == NULL) {
        err_set(e, "out of memory");
        return NULL;
    }
    if (get_integer(&d->resolved, root, "resolved", DEST_TIME_MAX, e) != 0 ||
        get_integer(&d->valid_until, root, "valid_until", DEST_TIME_MAX, e) != 0 || read_mx(d, root, e) != 0 ||
        read_sts(d, root, e) != 0 || read_tlsrpt(d, root, e) != 0) {
        dest_free(d);
        return NULL;
    }
    return d;
}

struct dest *dest_from_json(const char *json, size_t len, struct err *e)
{
    json_error_t where;
    json_t *root;
    struct dest *d;

    if (len > DEST_JSON_MAX) {
        err_set(e, "record is longer than %d octets", DEST_JSON_MAX);
        return NULL;
    }
    root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL) {
        err_set(e, "is not JSON: %s", where.text);
        return NULL;
    }
    d = read_root(root, e);
    json_decref(root);
    return d;
}
