/* counts.c - see counts.h. All text is borrowed from the JSON values that are kept with it. */
#include "counts.h"
#include "ascii.h"
#include "counts_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_LEN       (COUNTS_ID_BUF - 1)
#define SESSIONS_MAX (UINT64_C(1) << 53) /* J1 */

/* What a field is of. */
struct part {
    const char *id;
    const char *detail;
    size_t detail_len;
    const struct counts_field *field;
};

enum part_kind { PART_BROKEN, PART_POLICY, PART_SUCCESSFUL, PART_FAILED, PART_FAILURE, PART_LEFT_OUT, PART_NUMBER };

/* "KIND ID" or "failure ID DETAIL". */
static enum part_kind part_of(struct part *p, const struct counts_field *f)
{
    static const struct {
        const char *word;
        enum part_kind kind;
    } kinds[] = {{"policy ", PART_POLICY},
                 {"successful ", PART_SUCCESSFUL},
                 {"failed ", PART_FAILED},
                 {"failure ", PART_FAILURE}};

    *p = (struct part){.field = f};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].word);

        if (f->name_len < len + ID_LEN || memcmp(f->name, kinds[i].word, len) != 0)
            continue;
        p->id = f->name + len;
        p->detail = p->id + ID_LEN;
        p->detail_len = f->name_len - len - ID_LEN;
        if ((kinds[i].kind == PART_FAILURE) != (p->detail_len > 1 && p->detail[0] == ' '))
            return PART_BROKEN;
        for (size_t d = 0; d < ID_LEN; d++)
            if (ascii_hex_value(p->id[d]) < 0)
                return PART_BROKEN;
        return kinds[i].kind == PART_FAILURE || p->detail_len == 0 ? kinds[i].kind : PART_BROKEN;
    }
    if (f->name_len == 8 && memcmp(f->name, "left-out", 8) == 0)
        return PART_LEFT_OUT;
    if ((f->name_len == 8 && memcmp(f->name, "policies", 8) == 0) ||
        (f->name_len == 7 && memcmp(f->name, "details", 7) == 0))
        return PART_NUMBER;
    return PART_BROKEN;
}

static bool number(uint64_t *out, const struct counts_field *f)
{
    *out = 0;
    if (f->value_len == 0 || f->value_len > 16)
        return false;
    for (size_t i = 0; i < f->value_len; i++) {
        if (!ascii_is_digit(f->value[i]))
            return false;
        *out = *out * 10 + (uint64_t)(f->value[i] - '0');
    }
    return *out <= SESSIONS_MAX;
}

/* --- JSON --- */

/* NULL: no object. It is owned by out->memory. */
static const json_t *object(struct counts *out, const char *text, size_t len)
{
    json_t *json = len <= COUNTS_TEXT_MAX ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (!json_is_object(json)) {
        json_decref(json);
        return NULL;
    }
    return json_array_append_new(out->memory, json) == 0 ? json : NULL;
}

/* NULL when it is not there, or no text. */
static const char *member(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

/* Returns whether it is an array of texts, or not there. */
static bool texts(const char *const **out, size_t *count, const json_t *json, const char *key)
{
    const json_t *array = json_object_get(json, key);
    const char **text;
    size_t n = json_array_size(array);

    if (array == NULL)
        return true;
    text = calloc(n + 1, sizeof(*text));
    *out = text;
    if (text == NULL || !json_is_array(array))
        return false;
    for (size_t i = 0; i < n; i++) {
        text[i] = json_string_value(json_array_get(array, i));
        if (text[i] == NULL)
            return false;
    }
    *count = n;
    return true;
}

static bool type_of(enum tlsrpt_policy_type *out, const char *name)
{
    static const enum tlsrpt_policy_type types[] = {TLSRPT_POLICY_TLSA, TLSRPT_POLICY_STS, TLSRPT_POLICY_NONE};

    for (size_t i = 0; name != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(tlsrpt_policy_type_name(types[i]), name) == 0) {
            *out = types[i];
            return true;
        }
    return false;
}

static void policy_clear(struct counted_policy *p)
{
    free((void *)p->policy.string);
    free((void *)p->policy.mx);
    free(p->failure);
    *p = (struct counted_policy){0};
}

static bool policy_fill(struct counts *out, struct counted_policy *p, const struct counts_field *f)
{
    const json_t *json = object(out, f->value, f->value_len);

    p->record = member(json, "record");
    p->policy.domain = member(json, "policy-domain");
    if (p->record != NULL && type_of(&p->policy.type, member(json, "policy-type")) &&
        texts(&p->policy.string, &p->policy.strings, json, "policy-string") &&
        texts(&p->policy.mx, &p->policy.mx_count, json, "mx-host"))
        return true;
    policy_clear(p);
    return false;
}

/* --- reading --- */

/* A policy while its ID is known. */
struct entry {
    struct counted_policy policy;
    size_t room; /* failures */
    char id[COUNTS_ID_BUF];
};

struct entries {
    struct counts *out;
    struct entry *entry;
    size_t count;
};

static int entry_order(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->id, ((const struct entry *)b)->id);
}

static struct entry *entry_find(const struct entries *all, const char *id)
{
    struct entry key = {.room = 0};

    memcpy(key.id, id, ID_LEN);
    key.id[ID_LEN] = '\0';
    return all->count == 0 ? NULL : bsearch(&key, all->entry, all->count, sizeof(key), entry_order);
}

static void policies_read(struct entries *all, const struct counts_field *const *field, size_t count)
{
    struct part part;

    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &all->entry[all->count];

        if (part_of(&part, field[i]) != PART_POLICY)
            continue;
        if (!policy_fill(all->out, &entry->policy, field[i])) {
            all->out->broken++;
            continue;
        }
        memcpy(entry->id, part.id, ID_LEN);
        all->count++;
    }
    qsort(all->entry, all->count, sizeof(*all->entry), entry_order);
}

/* Returns 0, or -1 without memory; what cannot be read is counted as broken. */
static int failure_read(struct entries *all, struct entry *entry, const struct part *part, uint64_t sessions)
{
    const json_t *json = object(all->out, part->detail + 1, part->detail_len - 1);
    const char *result = member(json, "result-type");
    struct counted_policy *p = &entry->policy;
    struct counted_failure *f;

    if (result == NULL) {
        all->out->broken++;
        return 0;
    }
    if (p->failures == entry->room) {
        size_t room = entry->room * 2 + 4;

        f = realloc(p->failure, room * sizeof(*f));
        if (f == NULL)
            return -1;
        p->failure = f;
        entry->room = room;
    }
    f = &p->failure[p->failures++];
    *f = (struct counted_failure){.sessions = sessions};
    f->failure.sending_ip = member(json, "sending-mta-ip");
    f->failure.mx_name = member(json, "receiving-mx-hostname");
    f->failure.mx_helo = member(json, "receiving-mx-helo");
    f->failure.receiving_ip = member(json, "receiving-ip");
    f->failure.additional = member(json, "additional-information");
    f->failure.reason = member(json, "failure-reason-code");
    if (!tlsrpt_result_of_name(&f->failure.result, result) && f->failure.reason == NULL)
        f->failure.reason = result;
    return 0;
}

static int number_read(struct entries *all, const struct counts_field *field)
{
    struct part part;
    enum part_kind kind = part_of(&part, field);
    struct entry *entry = part.id != NULL ? entry_find(all, part.id) : NULL;
    uint64_t n;

    if (kind == PART_POLICY || kind == PART_NUMBER)
        return 0;
    if (kind == PART_BROKEN || !number(&n, field) || (kind != PART_LEFT_OUT && entry == NULL)) {
        all->out->broken++;
        return 0;
    }
    if (kind == PART_LEFT_OUT)
        all->out->left_out = n;
    else if (kind == PART_SUCCESSFUL)
        entry->policy.successful = n;
    else if (kind == PART_FAILED)
        entry->policy.failed = n;
    else
        return failure_read(all, entry, &part, n);
    return 0;
}

static int report_order(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->policy.record, y->policy.record);

    if (order == 0)
        order = (int)x->policy.policy.type - (int)y->policy.policy.type;
    return order != 0 ? order : entry_order(a, b);
}

static int policies_keep(struct entries *all)
{
    struct counts *out = all->out;

    qsort(all->entry, all->count, sizeof(*all->entry), report_order);
    out->policy = calloc(all->count + 1, sizeof(*out->policy));
    if (out->policy == NULL)
        return -1;
    for (; out->policies < all->count; out->policies++)
        out->policy[out->policies] = all->entry[out->policies].policy;
    all->count = 0;
    return 0;
}

/* --- fields in one order, each once --- */

static int field_order(const void *a, const void *b)
{
    const struct counts_field *x = *(const struct counts_field *const *)a, *y = *(const struct counts_field *const *)b;
    int order = memcmp(x->name, y->name, x->name_len < y->name_len ? x->name_len : y->name_len);

    return order != 0 ? order : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

static size_t fields_sort(const struct counts_field **sorted, const struct counts_field *field, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        sorted[i] = &field[i];
    qsort(sorted, count, sizeof(const struct counts_field *), field_order);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || field_order(&sorted[kept - 1], &sorted[i]) != 0)
            sorted[kept++] = sorted[i];
    return kept;
}

static int fields_read(struct entries *all, const struct counts_field *const *field, size_t count)
{
    policies_read(all, field, count);
    for (size_t i = 0; i < count; i++)
        if (number_read(all, field[i]) != 0)
            return -1;
    return policies_keep(all);
}

int counts_read(struct counts *out, int32_t day, const char *domain, const struct counts_field *field, size_t count)
{
    struct entries all = {.out = out};
    const struct counts_field **sorted = calloc(count + 1, sizeof(const struct counts_field *));
    int rc = -1;

    memset(out, 0, sizeof(*out));
    out->day = day;
    (void)snprintf(out->domain, sizeof(out->domain), "%s", domain);
    out->memory = json_array();
    all.entry = calloc(count + 1, sizeof(*all.entry));
    if (sorted != NULL && out->memory != NULL && all.entry != NULL)
        rc = fields_read(&all, sorted, fields_sort(sorted, field, count));
    for (size_t i = 0; i < all.count; i++)
        policy_clear(&all.entry[i].policy);
    free(all.entry);
    free(sorted);
    if (rc != 0)
        counts_clear(out);
    return rc;
}

void counts_clear(struct counts *c)
{
    for (size_t i = 0; i < c->policies; i++)
        policy_clear(&c->policy[i]);
    free(c->policy);
    json_decref(c->memory);
    memset(c, 0, sizeof(*c));
}
