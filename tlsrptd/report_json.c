/* report_json.c - see report_json.h. It is built without details first, so that their room is known. */
#include "report_json.h"

#include "domain.h"
#include "report_details.h"
#include "report_time.h"
#include "utc_day.h"

#include <jansson.h>
#include <string.h>

#define ORGANIZATION_MAX 1024 /* octets */
#define CONTACT_MAX      512

static json_t *strings(const char *const *text, size_t count, size_t max)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(array, report_string(text[i], max)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

/* J9: in the one form, and where that cannot be, the domain of the report. */
static json_t *policy_domain(const struct tlsrpt_policy *p, const char *domain)
{
    char one_form[DOMAIN_BUF];

    if (p->type == TLSRPT_POLICY_NONE || p->domain == NULL ||
        domain_normalise(one_form, p->domain, strlen(p->domain), NULL) != 0)
        return json_string(domain);
    return json_string(one_form);
}

/* J6 to J10. */
static json_t *policy_make(const struct tlsrpt_policy *p, const char *domain)
{
    json_t *o = json_object();
    size_t count = p->type != TLSRPT_POLICY_NONE ? p->strings : 0;

    if (json_object_set_new(o, "policy-type", json_string(tlsrpt_policy_type_name(p->type))) == 0 &&
        json_object_set_new(o, "policy-string", strings(p->string, count, TLSRPT_STRINGS_MAX)) == 0 &&
        json_object_set_new(o, "policy-domain", policy_domain(p, domain)) == 0 &&
        (p->type != TLSRPT_POLICY_STS ||
         json_object_set_new(o, "mx-host", strings(p->mx, p->mx_count, TLSRPT_NAME_MAX)) == 0))
        return o;
    json_decref(o);
    return NULL;
}

/* J11. */
static json_t *summary_make(const struct counted_policy *p)
{
    return json_pack("{so, so}", "total-successful-session-count", report_number(p->successful),
                     "total-failure-session-count", report_number(p->failed));
}

/* A policy with an empty array of details. */
static json_t *element_make(const struct counted_policy *p, const char *domain)
{
    json_t *o = json_object();

    if (json_object_set_new(o, "policy", policy_make(&p->policy, domain)) == 0 &&
        json_object_set_new(o, "summary", summary_make(p)) == 0 &&
        json_object_set_new(o, "failure-details", json_array()) == 0)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *policies_make(const struct counts *c, const char *record)
{
    json_t *array = json_array();

    for (size_t i = 0; i < c->policies; i++)
        if (strcmp(c->policy[i].record, record) == 0 &&
            json_array_append_new(array, element_make(&c->policy[i], c->domain)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

/* J3: the whole day. */
static json_t *date_range(int32_t day)
{
    char begin[REPORT_TIME_BUF], end[REPORT_TIME_BUF];

    report_time_text(begin, utc_day_begins(day));
    report_time_text(end, utc_day_begins(day + 1) - 1);
    return json_pack("{ss, ss}", "start-datetime", begin, "end-datetime", end);
}

/* J2. */
static json_t *report_make(const struct counts *c, const char *record, const struct report_head *head)
{
    json_t *o = json_object();

    if (json_object_set_new(o, "organization-name", report_string(head->organization, ORGANIZATION_MAX)) == 0 &&
        json_object_set_new(o, "date-range", date_range(c->day)) == 0 &&
        json_object_set_new(o, "contact-info", report_string(head->contact, CONTACT_MAX)) == 0 &&
        json_object_set_new(o, "report-id", json_string(head->id)) == 0 &&
        json_object_set_new(o, "policies", policies_make(c, record)) == 0)
        return o;
    json_decref(o);
    return NULL;
}

/* --- details into it --- */

/* The element that stands for policy number `policy` of the counts. */
static json_t *element_of(json_t *report, const struct counts *c, const char *record, size_t policy)
{
    size_t before = 0;

    for (size_t i = 0; i < policy; i++)
        before += strcmp(c->policy[i].record, record) == 0 ? 1 : 0;
    return json_array_get(json_object_get(report, "policies"), before);
}

static int details_add(json_t *report, const struct report_details *d, const struct counts *c, const char *record)
{
    json_t *array = NULL;

    for (size_t i = 0; i < d->count; i++) {
        const struct report_detail *one = &d->detail[i];

        if (i == 0 || one->policy != d->detail[i - 1].policy)
            array = json_object_get(element_of(report, c, record, one->policy), "failure-details");
        if (json_object_set_new(one->entry, "failed-session-count", report_number(one->sessions)) != 0 ||
            json_array_append(array, one->entry) != 0)
            return -1;
    }
    return 0;
}

static int write_into(const char *text, size_t len, void *ctx)
{
    struct buf *out = ctx;

    buf_add(out, text, len);
    return buf_ok(out) ? 0 : -1;
}

int report_json(struct buf *out, size_t *left_out, const struct counts *c, const char *record,
                const struct report_head *head)
{
    json_t *report = report_make(c, record, head);
    size_t bare = report != NULL ? json_dumpb(report, NULL, 0, JSON_COMPACT) : 0;
    struct report_details details;
    int rc = bare == 0 ? -1 : 0;

    if (rc == 0 && bare > out->max - out->len)
        rc = 1;
    if (rc == 0)
        rc = report_details_make(&details, left_out, c, record, out->max - out->len - bare);
    if (rc == 0) {
        if (details_add(report, &details, c, record) != 0 ||
            json_dump_callback(report, write_into, out, JSON_COMPACT) != 0)
            rc = -1;
        report_details_clear(&details);
    }
    json_decref(report);
    return rc;
}
