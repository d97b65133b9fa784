/* report_details.c - see report_details.h. */
#include "report_details.h"

#include "domain.h"
#include "report_text.h"

#include <stdlib.h>
#include <string.h>

#define SESSIONS_OCTETS \
    42                   /* of ,"failed-session-count":9007199254740991 and the comma behind the entry, and one more */
#define OTHER_OCTETS 128 /* at most, of an entry that stands for those left out */

json_t *report_number(uint64_t n)
{
    return json_integer(n < (uint64_t)REPORT_NUMBER_MAX ? (json_int_t)n : (json_int_t)REPORT_NUMBER_MAX);
}

json_t *report_string(const char *text, size_t max)
{
    json_t *made = NULL;
    struct buf fit;

    buf_init(&fit, max);
    report_text(&fit, text, max);
    if (buf_ok(&fit))
        made = json_stringn(buf_text(&fit), fit.len);
    buf_clear(&fit);
    return made;
}

/* --- one entry --- */

/* What is not known is left out. Returns 0 or -1. */
static int text_set(json_t *entry, const char *key, const char *text, size_t max)
{
    if (text == NULL || text[0] == '\0')
        return 0;
    return json_object_set_new(entry, key, report_string(text, max));
}

/* J16: what is no address is left out. */
static int address_set(json_t *entry, const char *key, const char *text)
{
    char address[ADDRESS_BUF];

    if (text == NULL || address_normalise(address, text, strlen(text)) != 1)
        return 0;
    return json_object_set_new(entry, key, json_string(address));
}

/* J15: what these two leave open, a reason must say. */
static const char *reason_of(const struct tlsrpt_failure *f)
{
    if (f->reason != NULL && f->reason[0] != '\0')
        return f->reason;
    if (strcmp(tlsrpt_result_name(f->result), "validation-failure") == 0)
        return "unspecified";
    return f->result == TLSRPT_CERTIFICATE_NOT_TRUSTED ? "chain-not-trusted" : NULL;
}

static json_t *entry_make(const struct tlsrpt_failure *f)
{
    json_t *entry = json_object();

    if (json_object_set_new(entry, "result-type", json_string(tlsrpt_result_name(f->result))) == 0 &&
        address_set(entry, "sending-mta-ip", f->sending_ip) == 0 &&
        text_set(entry, "receiving-mx-hostname", f->mx_name, TLSRPT_NAME_MAX) == 0 &&
        text_set(entry, "receiving-mx-helo", f->mx_helo, TLSRPT_HELO_MAX) == 0 &&
        address_set(entry, "receiving-ip", f->receiving_ip) == 0 &&
        text_set(entry, "additional-information", f->additional, TLSRPT_ADDITIONAL_MAX) == 0 &&
        text_set(entry, "failure-reason-code", reason_of(f), TLSRPT_REASON_MAX) == 0)
        return entry;
    json_decref(entry);
    return NULL;
}

static int detail_set(struct report_detail *d, const struct tlsrpt_failure *f)
{
    json_t *entry = entry_make(f);
    char *text = entry != NULL ? json_dumps(entry, JSON_COMPACT) : NULL;

    if (text == NULL) {
        json_decref(entry);
        return -1;
    }
    json_decref(d->entry);
    free(d->text);
    d->entry = entry;
    d->text = text;
    d->result = f->result;
    return 0;
}

/* --- all of them --- */

static int by_policy_and_text(const void *a, const void *b)
{
    const struct report_detail *x = a, *y = b;

    if (x->policy != y->policy)
        return x->policy < y->policy ? -1 : 1;
    return strcmp(x->text, y->text);
}

static int by_sessions(const void *a, const void *b)
{
    const struct report_detail *x = a, *y = b;

    if (x->sessions != y->sessions)
        return x->sessions > y->sessions ? -1 : 1;
    return by_policy_and_text(a, b);
}

static int by_policy_and_sessions(const void *a, const void *b)
{
    const struct report_detail *x = a, *y = b;

    return x->policy != y->policy ? (x->policy < y->policy ? -1 : 1) : by_sessions(a, b);
}

static void sort(struct report_details *d, int (*by)(const void *, const void *))
{
    if (d->count > 0)
        qsort(d->detail, d->count, sizeof(d->detail[0]), by);
}

static void detail_clear(struct report_detail *d)
{
    json_decref(d->entry);
    free(d->text);
}

static void merge(struct report_details *d)
{
    size_t kept = 0;

    sort(d, by_policy_and_text);
    for (size_t i = 0; i < d->count; i++) {
        if (kept > 0 && by_policy_and_text(&d->detail[kept - 1], &d->detail[i]) == 0) {
            d->detail[kept - 1].sessions = report_sum(d->detail[kept - 1].sessions, d->detail[i].sessions);
            detail_clear(&d->detail[i]);
        } else {
            d->detail[kept++] = d->detail[i];
        }
    }
    d->count = kept;
}

static int collect(struct report_details *d, const struct counts *c, const char *record)
{
    size_t room = 0;

    for (size_t i = 0; i < c->policies; i++)
        room += c->policy[i].failures;
    d->detail = calloc(room > 0 ? room : 1, sizeof(d->detail[0]));
    if (d->detail == NULL)
        return -1;
    for (size_t i = 0; i < c->policies; i++) {
        const struct counted_policy *p = &c->policy[i];

        if (strcmp(p->record, record) != 0)
            continue;
        for (size_t k = 0; k < p->failures; k++) {
            struct report_detail *one = &d->detail[d->count];

            if (p->failure[k].sessions == 0)
                continue;
            if (detail_set(one, &p->failure[k].failure) != 0)
                return -1;
            one->sessions = p->failure[k].sessions;
            one->policy = i;
            d->count++;
        }
    }
    return 0;
}

static size_t cost(const struct report_detail *d)
{
    return strlen(d->text) + SESSIONS_OCTETS;
}

static size_t total_cost(const struct report_details *d)
{
    size_t total = 0;

    for (size_t i = 0; i < d->count; i++)
        total += cost(&d->detail[i]);
    return total;
}

/* The detail of that kind and policy which stands for those left out. */
static int become_other(struct report_detail *d, size_t *left_out)
{
    const struct tlsrpt_failure other = {.result = d->result, .reason = "other"};
    struct report_detail made = {.entry = NULL};

    if (detail_set(&made, &other) != 0)
        return -1;
    *left_out += strcmp(made.text, d->text) != 0 ? 1 : 0;
    detail_clear(d);
    d->entry = made.entry;
    d->text = made.text;
    return 0;
}

/* How many kinds of details there are, of all policies, when they are merged: then those of a kind stand together. */
static size_t kinds(const struct report_details *d)
{
    size_t count = 0;

    for (size_t i = 0; i < d->count; i++)
        if (i == 0 || d->detail[i].policy != d->detail[i - 1].policy || d->detail[i].result != d->detail[i - 1].result)
            count++;
    return count;
}

/* Returns 0; 1: what stands for those left out would be too much; -1 without memory. */
static int reduce(struct report_details *d, size_t *left_out, size_t max)
{
    size_t others = kinds(d) * OTHER_OCTETS, taken = others, kept = 0;

    if (total_cost(d) <= max)
        return 0;
    if (others > max)
        return 1;
    sort(d, by_sessions);
    while (kept < d->count && taken + cost(&d->detail[kept]) <= max)
        taken += cost(&d->detail[kept++]);
    for (; kept < d->count; kept++)
        if (become_other(&d->detail[kept], left_out) != 0)
            return -1;
    merge(d);
    return 0;
}

int report_details_make(struct report_details *out, size_t *left_out, const struct counts *c, const char *record,
                        size_t max)
{
    int rc;

    memset(out, 0, sizeof(*out));
    *left_out = 0;
    rc = collect(out, c, record);
    if (rc == 0) {
        merge(out);
        rc = reduce(out, left_out, max);
    }
    if (rc == 0)
        sort(out, by_policy_and_sessions);
    else
        report_details_clear(out);
    return rc;
}

void report_details_clear(struct report_details *d)
{
    for (size_t i = 0; i < d->count; i++)
        detail_clear(&d->detail[i]);
    free(d->detail);
    memset(d, 0, sizeof(*d));
}
