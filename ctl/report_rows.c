/* report_rows.c - see report_rows.h. */
#include "report_rows.h"

#include "member.h"
#include "print.h"
#include "report_plan.h"
#include "report_sender_io.h"
#include "table.h"

#include <string.h>

/* --- counts --- */

static json_t *texts_json(const char *const *text, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(array, json_string(text[i]));
    return array;
}

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        (void)json_object_set_new(object, name, json_string(text));
}

static json_t *failure_json(const struct counted_failure *f)
{
    json_t *object = json_pack("{s:s, s:I}", "result-type", tlsrpt_result_name(f->failure.result),
                               "failed-session-count", (json_int_t)f->sessions);

    set_text(object, "sending-mta-ip", f->failure.sending_ip);
    set_text(object, "receiving-mx-hostname", f->failure.mx_name);
    set_text(object, "receiving-mx-helo", f->failure.mx_helo);
    set_text(object, "receiving-ip", f->failure.receiving_ip);
    set_text(object, "additional-information", f->failure.additional);
    set_text(object, "failure-reason-code", f->failure.reason);
    return object;
}

static json_t *policy_json(const struct counted_policy *p)
{
    json_t *failures = json_array();

    for (size_t i = 0; i < p->failures; i++)
        (void)json_array_append_new(failures, failure_json(&p->failure[i]));
    return json_pack("{s:s, s:{s:s, s:o, s:s, s:o}, s:{s:I, s:I}, s:o}", "record", p->record != NULL ? p->record : "",
                     "policy", "policy-type", tlsrpt_policy_type_name(p->policy.type), "policy-string",
                     texts_json(p->policy.string, p->policy.strings), "policy-domain",
                     p->policy.domain != NULL ? p->policy.domain : "", "mx-host",
                     texts_json(p->policy.mx, p->policy.mx_count), "summary", "total-successful-session-count",
                     (json_int_t)p->successful, "total-failure-session-count", (json_int_t)p->failed, "failure-details",
                     failures);
}

json_t *report_domain_json(const struct report_domain *d)
{
    const struct counts *c = d->counts;
    json_t *policies = json_array();

    for (size_t i = 0; i < c->policies; i++)
        (void)json_array_append_new(policies, policy_json(&c->policy[i]));
    return json_pack("{s:s, s:o, s:I, s:I, s:o}", "domain", c->domain, "policies", policies, "left_out",
                     (json_int_t)c->left_out, "unreadable", (json_int_t)c->broken, "reports",
                     report_destinations_json(d));
}

json_t *report_sums_json(const struct report_domain *d)
{
    const struct counts *c = d->counts;
    uint64_t successful = 0, failed = 0;

    for (size_t i = 0; i < c->policies; i++) {
        successful += c->policy[i].successful;
        failed += c->policy[i].failed;
    }
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "domain", c->domain, "policies", (json_int_t)c->policies,
                     "successful", (json_int_t)successful, "failed", (json_int_t)failed, "left_out",
                     (json_int_t)c->left_out, "unreadable", (json_int_t)c->broken, "reports",
                     report_destinations_json(d));
}

/* --- destinations --- */

static struct report_state state_of(const struct report_destination *to, const struct report_domain *d)
{
    char field[REPORT_FIELD_BUF];

    report_state_field(field, to->uri, to->record);
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->sent[i].field, field) == 0)
            return d->sent[i].state;
    return (struct report_state){.stage = REPORT_NONE};
}

static json_t *destination_json(const char *domain, const char *uri, const struct report_state *s)
{
    json_t *row =
        json_pack("{s:s, s:s, s:s}", "domain", domain, "destination", uri, "state", report_stage_name(s->stage));

    set_text(row, "why", s->why);
    if (s->at > 0)
        (void)json_object_set_new(row, "at", json_integer((json_int_t)s->at));
    if (s->next > 0)
        (void)json_object_set_new(row, "next", json_integer((json_int_t)s->next));
    if (s->tries > 0)
        (void)json_object_set_new(row, "tries", json_integer((json_int_t)s->tries));
    return row;
}

/* How and when it is asked for; NULL: it is not. */
struct asked {
    enum report_claim_how how;
    int64_t now;
};

static json_t *rows_json(const struct report_domain *d, const struct asked *asked)
{
    struct report_plan plan;
    json_t *rows = json_array();

    if (report_plan_make(&plan, d->counts, d->success, REPORT_DESTINATIONS_MAX, NULL) != 0)
        return rows;
    for (size_t i = 0; i < plan.count; i++) {
        struct report_state s = state_of(&plan.destination[i], d);
        json_t *row = destination_json(d->counts->domain, plan.destination[i].uri, &s);

        if (asked != NULL)
            (void)json_object_set_new(row, "send",
                                      json_boolean(report_claim(&s, "", "", asked->now, asked->how) == REPORT_TAKEN));
        (void)json_array_append_new(rows, row);
    }
    report_plan_clear(&plan);
    return rows;
}

json_t *report_destinations_json(const struct report_domain *d)
{
    return rows_json(d, NULL);
}

json_t *report_plan_json(const struct report_domain *d, bool again, int64_t now)
{
    const struct asked asked = {again ? REPORT_AGAIN : REPORT_BY_HAND, now};

    return rows_json(d, &asked);
}

/* --- text --- */

static enum tint state_tint(const char *state)
{
    static const char *const bad[] = {"failed", "given-up", "unknown"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (strcmp(state, bad[i]) == 0)
            return TINT_BAD;
    return strcmp(state, "sent") == 0 ? TINT_GOOD : TINT_NONE;
}

/* "sent", or "sent 2, failed 1" where there are several. */
static void add_states(struct table *t, const json_t *reports)
{
    size_t total = json_array_size(reports), seen = 0;
    struct buf text;
    enum tint tint = TINT_NONE;

    buf_init(&text, 1000);
    for (int stage = REPORT_NONE; stage <= REPORT_UNKNOWN; stage++) {
        const char *name = report_stage_name((enum report_stage)stage);
        size_t n = 0;

        for (size_t i = 0; i < total; i++)
            n += strcmp(member_text(json_array_get(reports, i), "state"), name) == 0;
        if (n == 0)
            continue;
        buf_printf(&text, "%s%s", seen > 0 ? ", " : "", name);
        if (n < total)
            buf_printf(&text, " %zu", n);
        seen += n;
        tint = state_tint(name) != TINT_NONE && tint != TINT_BAD ? state_tint(name) : tint;
    }
    table_add(t, tint, total > 0 ? buf_text(&text) : "no destination");
    buf_clear(&text);
}

static void add_number(struct table *t, enum tint tint, const json_t *object, const char *name)
{
    long long n = json_integer_value(json_object_get(object, name));

    table_addf(t, n > 0 ? tint : TINT_NONE, "%lld", n);
}

void report_missing_print(struct buf *out, const json_t *domain)
{
    long long unreadable = json_integer_value(json_object_get(domain, "unreadable"));
    long long left_out = json_integer_value(json_object_get(domain, "left_out"));

    if (left_out > 0)
        buf_printf(out, "%s: %lld sessions under more policies than are kept are not in it\n",
                   member_text(domain, "domain"), left_out);
    if (unreadable > 0)
        buf_printf(out, "%s: %lld fields in Redis cannot be read, and are not in it\n", member_text(domain, "domain"),
                   unreadable);
}

void report_sums_print(struct buf *out, const json_t *domains, bool colour)
{
    static const char *const head[] = {"DOMAIN", "POLICIES", "SUCCESSFUL", "FAILED", "REPORTS"};
    struct table *t = table_new_headed(head, 5);

    for (size_t i = 0; i < json_array_size(domains); i++) {
        const json_t *d = json_array_get(domains, i);

        table_add(t, TINT_NONE, member_text(d, "domain"));
        add_number(t, TINT_NONE, d, "policies");
        add_number(t, TINT_GOOD, d, "successful");
        add_number(t, TINT_BAD, d, "failed");
        add_states(t, json_object_get(d, "reports"));
    }
    table_print(out, t, 0, colour);
    table_free(t);
    for (size_t i = 0; i < json_array_size(domains); i++)
        report_missing_print(out, json_array_get(domains, i));
}

void report_destinations_print(struct buf *out, const json_t *rows, bool colour)
{
    static const char *const head[] = {"DOMAIN", "DESTINATION", "STATE", "WHY"};
    struct table *t = table_new_headed(head, 4);

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *send = json_object_get(row, "send");

        table_add(t, TINT_NONE, member_text(row, "domain"));
        table_add(t, TINT_NONE, member_text(row, "destination"));
        table_addf(t, state_tint(member_text(row, "state")), "%s%s", member_text(row, "state"),
                   json_is_true(send)    ? ": would be sent"
                   : json_is_false(send) ? ": would not be sent"
                                         : "");
        table_add(t, TINT_NONE, member_text(row, "why"));
    }
    table_print(out, t, 0, colour);
    table_free(t);
}
