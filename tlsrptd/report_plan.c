/* report_plan.c - see report_plan.h. */
#include "report_plan.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "tlsrpt_record.h"

static bool something_failed(const struct counts *c)
{
    for (size_t i = 0; i < c->policies; i++)
        if (c->policy[i].failed > 0 || c->policy[i].failures > 0)
            return true;
    return false;
}

static bool is_same(const struct report_destination *a, const struct report_destination *b)
{
    if (a->kind != b->kind || strcmp(a->record, b->record) != 0)
        return false;
    return a->kind == RUA_MAILTO ? strcmp(a->address, b->address) == 0 : strcmp(a->uri, b->uri) == 0;
}

static bool is_there(const struct report_plan *p, const struct report_destination *d)
{
    for (size_t i = 0; i < p->count; i++)
        if (is_same(&p->destination[i], d))
            return true;
    return false;
}

static int add_copy(struct report_plan *p, const struct report_destination *d)
{
    struct report_destination *all = realloc(p->destination, (p->count + 1) * sizeof(*all));
    struct report_destination *own;

    if (all == NULL)
        return -1;
    p->destination = all;
    own = &all[p->count];
    *own = *d;
    own->uri = strdup(d->uri);
    own->record = strdup(d->record);
    p->count++;
    return own->uri != NULL && own->record != NULL ? 0 : -1;
}

static int add(struct report_plan *p, char *record, char *uri, size_t max, struct err *e)
{
    struct report_destination d = {.uri = uri, .record = record};

    if (rua_uri_check(&d.kind, uri, strlen(uri), e) != 0 || d.kind == RUA_OTHER)
        return 0;
    if (d.kind == RUA_MAILTO && rua_mailto_address(d.address, uri, strlen(uri), e) != 0)
        return 0;
    if (is_there(p, &d))
        return 0;
    if (p->count == max) {
        p->left_out++;
        return 0;
    }
    return add_copy(p, &d);
}

/* A record that is broken, or names no usable destination, gets no report. */
static int add_record(struct report_plan *p, const char *text, size_t max, struct err *e)
{
    struct tlsrpt_record *record = malloc(sizeof(*record));
    char *copy = strdup(text);
    int rc = record != NULL && copy != NULL ? 0 : -1;
    int valid = rc == 0 ? tlsrpt_record_parse(record, text, strlen(text), e) : -1;

    if (valid == 0)
        err_set(e, "its TLSRPT record is none");
    if (valid == 1 && record->rua_count == 0)
        err_set(e, "its TLSRPT record names no destination that reports can be sent to");
    for (size_t i = 0; valid == 1 && rc == 0 && i < record->rua_count; i++)
        rc = add(p, copy, record->rua[i], max, e);
    free(record);
    free(copy);
    return rc;
}

int report_plan_make(struct report_plan *out, const struct counts *c, bool success, size_t max, struct err *e)
{
    const char *const *record = NULL;
    size_t records = report_records(&record, c);
    int rc = 0;

    memset(out, 0, sizeof(*out));
    if (records == 0)
        err_set(e, "nothing was counted");
    if (records > 0 && !success && !something_failed(c)) {
        err_set(e, "nothing failed, and report_success is off");
        records = 0;
    }
    for (size_t i = 0; rc == 0 && i < records; i++)
        rc = add_record(out, record[i], max, e);
    free((void *)record);
    if (rc != 0)
        report_plan_clear(out);
    return rc;
}

void report_plan_clear(struct report_plan *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->destination[i].uri);
        free(p->destination[i].record);
    }
    free(p->destination);
    memset(p, 0, sizeof(*p));
}
