/*
 * tlsrpt_event_read.c - see tlsrpt_event_read.h. The event is in one piece of memory: policies, failures, pointers, and
 * then all text, for which there is room whatever the text becomes.
 */
#include "tlsrpt_event_read.h"

#include "domain.h"
#include "utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a name, an address or a reason may be longer than its text in the datagram. */
#define EVENT_EXTRA   DOMAIN_BUF
#define POLICY_EXTRA  DOMAIN_BUF
#define FAILURE_EXTRA (DOMAIN_BUF + 2 * ADDRESS_BUF + 64)

struct reading {
    struct tlsrpt_policy *policy; /* the next free one of each */
    struct tlsrpt_failure *failure;
    const char **pointer;
    char *text;
    unsigned notes;
    struct err *e;
};

const char *tlsrpt_note_name(enum tlsrpt_note note)
{
    switch (note) {
    case TLSRPT_NOTE_VERSION:
        return "version";
    case TLSRPT_NOTE_COUNT:
        return "count";
    case TLSRPT_NOTE_UTF8:
        return "utf-8";
    case TLSRPT_NOTE_POLICY_TYPE:
        return "policy-type";
    case TLSRPT_NOTE_RESULT:
        return "result";
    case TLSRPT_NOTE_ADDRESS:
        return "address";
    case TLSRPT_NOTE_NAME:
        return "name";
    case TLSRPT_NOTE_CUT:
        break;
    }
    return "cut";
}

/* --- text --- */

/* So much of the text as fits, whole characters. */
static size_t cut(struct reading *r, const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    r->notes |= TLSRPT_NOTE_CUT;
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
        max--;
    return max;
}

static const char *keep(struct reading *r, const char *text, size_t len, size_t max)
{
    char *kept = r->text;

    len = cut(r, text, len, max);
    if (len == 0)
        return "";
    memcpy(kept, text, len);
    kept[len] = '\0';
    r->text += len + 1;
    return kept;
}

/* A text that may be missing: *text is "" then. */
static int find_text(struct reading *r, const char **text, size_t *len, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    *text = "";
    *len = 0;
    if (value == NULL)
        return 0;
    if (!json_is_string(value))
        return err_set(r->e, "%s: is not a text", key);
    *text = json_string_value(value);
    *len = json_string_length(value);
    return 0;
}

static int read_text(struct reading *r, const char **out, const json_t *object, const char *key, size_t max)
{
    size_t len;

    if (find_text(r, out, &len, object, key) != 0)
        return -1;
    *out = keep(r, *out, len, max);
    return 0;
}

static int read_address(struct reading *r, const char **out, const json_t *object, const char *key)
{
    char address[ADDRESS_BUF];
    size_t len;

    if (find_text(r, out, &len, object, key) != 0)
        return -1;
    if (len > 0 && address_normalise(address, *out, len)) {
        *out = keep(r, address, strlen(address), TLSRPT_ADDRESS_MAX);
        return 0;
    }
    if (len > 0)
        r->notes |= TLSRPT_NOTE_ADDRESS;
    *out = "";
    return 0;
}

/* The host that there was a session with; what is no name is left out. */
static int read_mx_name(struct reading *r, const char **out, const json_t *object)
{
    char name[DOMAIN_BUF];
    size_t len;

    if (find_text(r, out, &len, object, "n") != 0)
        return -1;
    if (len > 0 && domain_normalise(name, *out, len, NULL) == 0) {
        *out = keep(r, name, strlen(name), TLSRPT_NAME_MAX);
        return 0;
    }
    if (len > 0)
        r->notes |= TLSRPT_NOTE_NAME;
    *out = "";
    return 0;
}

static int read_helo(struct reading *r, const char **out, const json_t *object)
{
    const char *begin;
    size_t len;

    if (find_text(r, out, &len, object, "h") != 0)
        return -1;
    begin = *out;
    while (strncmp(begin, "250-", 4) == 0 || strncmp(begin, "250 ", 4) == 0)
        begin += 4;
    len = begin == *out ? len : strcspn(begin, " \t\r\n");
    *out = keep(r, begin, len, TLSRPT_HELO_MAX);
    return 0;
}

/* The domain at the key, or if there is none and other is not NULL, that. */
static int read_domain(struct reading *r, const char **out, const json_t *object, const char *key, const char *other)
{
    char name[DOMAIN_BUF];
    size_t len;

    if (find_text(r, out, &len, object, key) != 0)
        return -1;
    if (len == 0 && other != NULL) {
        *out = other;
        return 0;
    }
    if (domain_normalise(name, *out, len, r->e) != 0)
        return err_prefix(r->e, "%s: is no domain", key);
    *out = keep(r, name, strlen(name), TLSRPT_NAME_MAX);
    return 0;
}

/* --- members --- */

static int read_integer(struct reading *r, json_int_t *out, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL)
        return err_set(r->e, "%s: is missing", key);
    if (!json_is_integer(value))
        return err_set(r->e, "%s: is not an integer", key);
    *out = json_integer_value(value);
    return 0;
}

/* An array of texts. All are looked at, and those that fit are taken. */
static int read_list(struct reading *r, const char *const **out, size_t *count, const json_t *object, const char *key,
                     size_t max)
{
    const json_t *list = json_object_get(object, key);
    size_t octets = 1;
    bool full = false;

    *out = r->pointer;
    *count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);

        if (!json_is_string(value))
            return err_set(r->e, "%s: %zu: is not a text", key, i + 1);
        octets += json_string_length(value) + 3;
        full = full || octets - 2 > max;
        if (full)
            continue;
        *r->pointer++ = keep(r, json_string_value(value), json_string_length(value), max);
        ++*count;
    }
    r->notes |= full ? TLSRPT_NOTE_CUT : 0;
    return 0;
}

/* J20: the code that nobody knows is the reason, before the one that was given. */
static int read_result(struct reading *r, struct tlsrpt_failure *f, const json_t *object)
{
    char reason[TLSRPT_REASON_MAX + 64];
    const char *given;
    json_int_t code = 0;
    size_t len;

    if (read_integer(r, &code, object, "c") != 0 || find_text(r, &given, &len, object, "f") != 0)
        return -1;
    if (tlsrpt_result_of_code(&f->result, (long)code)) {
        f->reason = keep(r, given, len, TLSRPT_REASON_MAX);
        return 0;
    }
    r->notes |= TLSRPT_NOTE_RESULT;
    len = cut(r, given, len, TLSRPT_REASON_MAX);
    (void)snprintf(reason, sizeof(reason), "unknown-result-%lld%s%.*s", (long long)code, len > 0 ? ":" : "", (int)len,
                   given);
    f->reason = keep(r, reason, strlen(reason), TLSRPT_REASON_MAX);
    return 0;
}

static int read_failure(struct reading *r, const json_t *object)
{
    struct tlsrpt_failure *f = r->failure++;

    if (!json_is_object(object))
        return err_set(r->e, "is not an object");
    if (read_result(r, f, object) != 0 || read_address(r, &f->sending_ip, object, "s") != 0 ||
        read_mx_name(r, &f->mx_name, object) != 0 || read_helo(r, &f->mx_helo, object) != 0 ||
        read_address(r, &f->receiving_ip, object, "r") != 0 ||
        read_text(r, &f->additional, object, "a", TLSRPT_ADDITIONAL_MAX) != 0)
        return -1;
    return 0;
}

static int read_failures(struct reading *r, struct tlsrpt_policy *p, const json_t *object)
{
    const json_t *list = json_object_get(object, "failure-details"), *count = json_object_get(object, "t");

    p->failure = r->failure;
    p->failures = json_array_size(list);
    for (size_t i = 0; i < p->failures; i++)
        if (read_failure(r, json_array_get(list, i)) != 0)
            return err_prefix(r->e, "failure-details: %zu", i + 1);
    if (!json_is_integer(count) || json_integer_value(count) != (json_int_t)p->failures)
        r->notes |= TLSRPT_NOTE_COUNT;
    return 0;
}

static int read_type(struct reading *r, enum tlsrpt_policy_type *out, const json_t *object)
{
    json_int_t type = 0;

    if (read_integer(r, &type, object, "policy-type") != 0)
        return -1;
    *out = type == TLSRPT_POLICY_TLSA  ? TLSRPT_POLICY_TLSA
           : type == TLSRPT_POLICY_STS ? TLSRPT_POLICY_STS
                                       : TLSRPT_POLICY_NONE;
    if (type != (json_int_t)*out)
        r->notes |= TLSRPT_NOTE_POLICY_TYPE;
    return 0;
}

static void lower(char *from, const char *to)
{
    for (char *c = from; c < to; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
}

static int read_lists(struct reading *r, struct tlsrpt_policy *p, const json_t *object)
{
    char *begin = r->text;

    if (read_list(r, &p->string, &p->strings, object, "policy-string", TLSRPT_STRINGS_MAX) != 0)
        return -1;
    if (p->type == TLSRPT_POLICY_TLSA)
        lower(begin, r->text);
    if (read_list(r, &p->mx, &p->mx_count, object, "mx-host", TLSRPT_MX_MAX) != 0)
        return -1;
    if (p->type == TLSRPT_POLICY_NONE)
        p->strings = p->mx_count = 0;
    return 0;
}

static int read_policy(struct reading *r, const json_t *object, const char *domain)
{
    struct tlsrpt_policy *p = r->policy++;
    json_int_t failed = 0;

    if (read_type(r, &p->type, object) != 0 || read_domain(r, &p->domain, object, "policy-domain", domain) != 0 ||
        read_lists(r, p, object) != 0 || read_failures(r, p, object) != 0 || read_integer(r, &failed, object, "f") != 0)
        return -1;
    p->failed = failed != 0;
    return 0;
}

static int read_event(struct reading *r, struct tlsrpt_event *event, const json_t *object)
{
    const json_t *version = json_object_get(object, "dpv"), *policies = json_object_get(object, "policies");

    if (version != NULL && (!json_is_string(version) || strcmp(json_string_value(version), "1") != 0))
        r->notes |= TLSRPT_NOTE_VERSION;
    if (read_domain(r, &event->domain, object, "d", NULL) != 0 ||
        read_text(r, &event->record, object, "pr", TLSRPT_RECORD_TEXT) != 0)
        return -1;
    event->policy = r->policy;
    event->policies = json_array_size(policies);
    for (size_t i = 0; i < event->policies; i++)
        if (read_policy(r, json_array_get(policies, i), event->domain) != 0)
            return err_prefix(r->e, "policies: %zu", i + 1);
    return 0;
}

/* --- room --- */

struct sizes {
    size_t policies, failures, pointers;
};

/* An array that may be missing. */
static int add_array(size_t *count, const json_t *object, const char *key, struct err *e)
{
    const json_t *list = json_object_get(object, key);

    if (list != NULL && !json_is_array(list))
        return err_set(e, "%s: is not an array", key);
    *count += json_array_size(list);
    return 0;
}

static int measure_policy(struct sizes *s, const json_t *policy, struct err *e)
{
    if (!json_is_object(policy))
        return err_set(e, "is not an object");
    if (add_array(&s->failures, policy, "failure-details", e) != 0 ||
        add_array(&s->pointers, policy, "policy-string", e) != 0 || add_array(&s->pointers, policy, "mx-host", e) != 0)
        return -1;
    if (s->failures > TLSRPT_READ_FAILURES)
        return err_set(e, "more than %d failure-details", TLSRPT_READ_FAILURES);
    return 0;
}

static int measure(struct sizes *s, const json_t *object, struct err *e)
{
    const json_t *policies = json_object_get(object, "policies");

    if (!json_is_object(object))
        return err_set(e, "is not an object");
    if (policies == NULL)
        return err_set(e, "policies: is missing");
    if (!json_is_array(policies))
        return err_set(e, "policies: is not an array");
    s->policies = json_array_size(policies);
    if (s->policies == 0)
        return err_set(e, "policies: is empty");
    if (s->policies > TLSRPT_READ_POLICIES)
        return err_set(e, "policies: more than %d", TLSRPT_READ_POLICIES);
    for (size_t i = 0; i < s->policies; i++)
        if (measure_policy(s, json_array_get(policies, i), e) != 0)
            return err_prefix(e, "policies: %zu", i + 1);
    return 0;
}

static int build(struct tlsrpt_event_read *out, const json_t *object, size_t len, struct err *e)
{
    struct sizes s = {0};
    struct reading r = {.e = e};
    size_t text;

    if (measure(&s, object, e) != 0)
        return -1;
    text = len + EVENT_EXTRA + s.policies * POLICY_EXTRA + s.failures * FAILURE_EXTRA;
    out->octets = s.policies * sizeof(*r.policy) + s.failures * sizeof(*r.failure) + s.pointers * sizeof(char *) + text;
    out->memory = malloc(out->octets);
    if (out->memory == NULL)
        return err_set(e, "no memory");
    r.policy = out->memory;
    r.failure = (struct tlsrpt_failure *)(void *)(r.policy + s.policies);
    r.pointer = (const char **)(void *)(r.failure + s.failures);
    r.text = (char *)(r.pointer + s.pointers);
    if (read_event(&r, &out->event, object) != 0) {
        tlsrpt_event_read_clear(out);
        return -1;
    }
    out->notes |= r.notes;
    return 0;
}

/* --- octets --- */

static bool all_ascii(const char *octets, size_t len)
{
    unsigned char any = 0;

    for (size_t i = 0; i < len; i++)
        any |= (unsigned char)octets[i];
    return any < 0x80;
}

/* '?' for each octet that is no UTF-8. Returns whether there was one. */
static bool mend(char *octets, size_t len)
{
    bool mended = false;

    for (size_t i = 0; i < len;) {
        size_t took = utf8_measure(octets + i, len - i);

        if (took == 0) {
            octets[i] = '?';
            mended = true;
            took = 1;
        }
        i += took;
    }
    return mended;
}

static json_t *load(const char *octets, size_t len, struct err *e)
{
    json_error_t why;
    json_t *json = json_loadb(octets, len, JSON_REJECT_DUPLICATES, &why);

    if (json == NULL)
        err_set(e, "no JSON: %s, at octet %d", why.text, why.position);
    return json;
}

static json_t *load_mended(unsigned *notes, const char *octets, size_t len, struct err *e)
{
    char *copy = malloc(len);
    json_t *json;

    if (copy == NULL) {
        err_set(e, "no memory");
        return NULL;
    }
    memcpy(copy, octets, len);
    if (mend(copy, len))
        *notes |= TLSRPT_NOTE_UTF8;
    json = load(copy, len, e);
    free(copy);
    return json;
}

int tlsrpt_event_read(struct tlsrpt_event_read *out, const char *octets, size_t len, struct err *e)
{
    json_t *json;
    int rc;

    memset(out, 0, sizeof(*out));
    if (len == 0)
        return err_set(e, "is empty");
    if (len > TLSRPT_READ_MAX)
        return err_set(e, "longer than %d octets", TLSRPT_READ_MAX);
    json = all_ascii(octets, len) ? load(octets, len, e) : load_mended(&out->notes, octets, len, e);
    if (json == NULL)
        return -1;
    rc = build(out, json, len, e);
    json_decref(json);
    return rc;
}

void tlsrpt_event_read_clear(struct tlsrpt_event_read *r)
{
    free(r->memory);
    memset(r, 0, sizeof(*r));
}
