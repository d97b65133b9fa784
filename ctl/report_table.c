/* report_table.c - see report_table.h. */
#include "report_table.h"

#include "member.h"
#include "table.h"

#include <string.h>

#define CELL_MAX ((size_t)1 << 20)

/* A text of any octets, also NUL, as print_text writes it. */
static void add_text(struct table *t, enum tint tint, const json_t *value)
{
    struct buf text;

    buf_init(&text, CELL_MAX);
    if (json_is_string(value))
        print_text(&text, json_string_value(value), json_string_length(value));
    table_add(t, tint, buf_text(&text));
    buf_clear(&text);
}

static void add_member(struct table *t, enum tint tint, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (json_is_string(value) && json_string_length(value) > 0)
        add_text(t, tint, value);
    else
        table_add(t, TINT_NONE, "-");
}

static void add_count(struct table *t, enum tint tint, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (json_is_integer(value))
        table_addf(t, json_integer_value(value) > 0 ? tint : TINT_NONE, "%lld", (long long)json_integer_value(value));
    else
        table_add(t, TINT_NONE, "-");
}

/* --- a policy --- */

/* Each on a row, the first beside its label. */
static void add_texts(struct table *t, const char *label, const json_t *texts)
{
    for (size_t i = 0; i < json_array_size(texts); i++) {
        table_add(t, TINT_NONE, i == 0 ? label : "");
        add_text(t, TINT_NONE, json_array_get(texts, i));
    }
}

static void add_sum(struct table *t, const char *label, enum tint tint, const json_t *entry, const char *name)
{
    table_add(t, TINT_NONE, label);
    add_count(t, tint, json_object_get(entry, "summary"), name);
}

static void print_policy_head(struct buf *out, const json_t *entry, bool colour)
{
    const json_t *policy = json_object_get(entry, "policy");
    struct table *t = table_new(2);

    table_add(t, TINT_HEAD, member_text(policy, "policy-type")[0] != '\0' ? member_text(policy, "policy-type") : "?");
    add_member(t, TINT_HEAD, policy, "policy-domain");
    if (json_object_get(entry, "record") != NULL) {
        table_add(t, TINT_NONE, "  record");
        add_member(t, TINT_NONE, entry, "record");
    }
    add_texts(t, "  policy", json_object_get(policy, "policy-string"));
    add_texts(t, "  mx", json_object_get(policy, "mx-host"));
    add_sum(t, "  successful", TINT_GOOD, entry, "total-successful-session-count");
    add_sum(t, "  failed", TINT_BAD, entry, "total-failure-session-count");
    table_print(out, t, 0, colour);
    table_free(t);
}

/* --- its failures --- */

struct column {
    const char *head, *member;
};

static const struct column columns[] = {
    {"RESULT", "result-type"},         {"SESSIONS", "failed-session-count"},  {"MX HOST", "receiving-mx-hostname"},
    {"ADDRESS", "receiving-ip"},       {"CALLS ITSELF", "receiving-mx-helo"}, {"FROM", "sending-mta-ip"},
    {"REASON", "failure-reason-code"}, {"MORE", "additional-information"},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static bool is_told(const json_t *failures, const char *member)
{
    for (size_t i = 0; i < json_array_size(failures); i++)
        if (json_object_get(json_array_get(failures, i), member) != NULL)
            return true;
    return false;
}

static void print_failures(struct buf *out, const json_t *failures, bool colour)
{
    bool shown[COLUMNS];
    size_t count = 0;
    struct table *t;

    for (size_t i = 0; i < COLUMNS; i++)
        count += shown[i] = i < 2 || is_told(failures, columns[i].member);
    t = table_new(count);
    for (size_t i = 0; i < COLUMNS; i++)
        if (shown[i])
            table_add(t, TINT_HEAD, columns[i].head);
    for (size_t k = 0; k < json_array_size(failures); k++)
        for (size_t i = 0; i < COLUMNS; i++)
            if (shown[i] && i == 1)
                add_count(t, TINT_NONE, json_array_get(failures, k), columns[i].member);
            else if (shown[i])
                add_member(t, TINT_NONE, json_array_get(failures, k), columns[i].member);
    table_print(out, t, 2, colour);
    table_free(t);
}

void report_print_policies(struct buf *out, const json_t *policies, bool colour)
{
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const json_t *entry = json_array_get(policies, i), *failures = json_object_get(entry, "failure-details");

        buf_char(out, '\n');
        print_policy_head(out, entry, colour);
        if (json_array_size(failures) > 0)
            print_failures(out, failures, colour);
    }
}

/* --- a report --- */

static void add_row(struct table *t, const char *label, const json_t *object, const char *name)
{
    table_add(t, TINT_NONE, label);
    add_member(t, TINT_NONE, object, name);
}

void report_print(struct buf *out, const json_t *report, bool colour)
{
    const json_t *range = json_object_get(report, "date-range");
    struct table *t = table_new(2);

    add_row(t, "report", report, "report-id");
    add_row(t, "of", report, "organization-name");
    add_row(t, "contact", report, "contact-info");
    add_row(t, "from", range, "start-datetime");
    add_row(t, "to", range, "end-datetime");
    table_print(out, t, 0, colour);
    table_free(t);
    report_print_policies(out, json_object_get(report, "policies"), colour);
}
