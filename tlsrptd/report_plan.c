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

/* In whatever record. */
static bool is_same_place(const struct report_destination *a, const struct report_destination *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == RUA_MAILTO ? strcmp(a->address, b->address) == 0 : strcmp(a->uri, b->uri) == 0;
}

static bool is_there(const struct report_plan *p, const struct report_destination *d)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->destination[i].record, d->record) == 0 && is_same_place(&p->destination[i], d))
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

/* Returns whether reports can be sent there. */
static bool read_uri(struct report_destination *d, struct err *e)
{
    if (rua_uri_check(&d->kind, d->uri, strlen(d->uri), e) != 0 || d->kind == RUA_OTHER)
        return false;
    return d->kind != RUA_MAILTO || rua_mailto_address(d->address, d->uri, strlen(d->uri), e) == 0;
}

static int add(struct report_plan *p, char *record, char *uri, size_t max, struct err *e)
{
    struct report_destination d = {.uri = uri, .record = record};

    if (!read_uri(&d, e) || is_there(p, &d))
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

static bool is_named(const struct report_destination *d, struct tlsrpt_record *record)
{
    for (size_t i = 0; i < record->rua_count; i++) {
        struct report_destination named = {.uri = record->rua[i]};

        if (read_uri(&named, NULL) && is_same_place(d, &named))
            return true;
    }
    return false;
}

static void destination_clear(struct report_destination *d)
{
    free(d->uri);
    free(d->record);
}

size_t report_plan_confirm(struct report_plan *p, const char *record, size_t max)
{
    struct tlsrpt_record *now = malloc(sizeof(*now));
    bool valid = now != NULL && tlsrpt_record_parse(now, record, strlen(record), NULL) == 1;
    size_t kept = 0, dropped = 0;

    for (size_t i = 0; i < p->count; i++) {
        bool named = valid && is_named(&p->destination[i], now);

        dropped += named ? 0 : 1;
        p->left_out += named && kept == max ? 1 : 0;
        if (named && kept < max)
            p->destination[kept++] = p->destination[i];
        else
            destination_clear(&p->destination[i]);
    }
    p->count = kept;
    free(now);
    return dropped;
}

void report_plan_clear(struct report_plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        destination_clear(&p->destination[i]);
    free(p->destination);
    memset(p, 0, sizeof(*p));
}
