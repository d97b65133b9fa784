/* report_day_io.c - see report_day_io.h. */
#include "report_day_io.h"

#include "clock.h"
#include "counts_io.h"
#include "output_io.h"
#include "redis_hash_io.h"
#include "utc_day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF  512
#define NAME_BUF (UTC_DAY_BUF + DOMAIN_BUF)
#define SENT_MAX 1024 /* destinations of a domain and day that are looked at */

int report_day_begin(struct report_day *d, const struct ctl *ctl)
{
    struct err e = {""};

    *d = (struct report_day){0};
    if (ctl->domain != NULL && domain_normalise(d->domain, ctl->domain, strlen(ctl->domain), &e) != 0) {
        report_error("\"%.300s\" is no domain name: %s", ctl->domain, e.text);
        return CTL_USAGE;
    }
    if (ctl->day != NULL && !utc_day_parse(&d->day, ctl->day)) {
        report_error("\"%.100s\" is no day; write it like 2026-11-21", ctl->day);
        return CTL_USAGE;
    }
    d->conf = read_conf(ctl);
    if (d->conf == NULL)
        return CTL_USAGE;
    d->now = now_seconds() + d->conf->tlsrptd.clock_offset;
    if (ctl->day == NULL)
        d->day = utc_day(d->now) - 1;
    return CTL_YES;
}

int report_day_open(struct report_day *d, const struct ctl *ctl)
{
    int rc = report_day_begin(d, ctl);

    if (rc == CTL_YES)
        d->ask = open_redis(ctl, d->conf);
    return rc == CTL_YES && d->ask == NULL ? CTL_NO : rc;
}

void report_day_end(struct report_day *d)
{
    redis_ask_close(d->ask);
    conf_free(d->conf);
}

/* --- the domains --- */

struct domains {
    char **name;
    size_t count;
    bool done;
    int rc;
    struct err e;
};

static void take_domains(void *ctx, const char *const *domain, size_t count, const char *why)
{
    struct domains *d = ctx;

    d->done = true;
    d->name = why == NULL && count > 0 ? calloc(count, sizeof(*d->name)) : NULL;
    if (why != NULL || (count > 0 && d->name == NULL)) {
        d->rc = err_set(&d->e, "%s", why != NULL ? why : "no memory");
        return;
    }
    for (; d->count < count && d->rc == 0; d->count++) {
        d->name[d->count] = strdup(domain[d->count]);
        d->rc = d->name[d->count] != NULL ? 0 : err_set(&d->e, "no memory");
    }
}

static int domains_read(struct domains *out, const struct report_day *d)
{
    *out = (struct domains){0};
    if (counts_domains(redis_ask_redis(d->ask), d->day, take_domains, out) != 0)
        return err_set(&out->e, "Redis is away: %s", redis_why(redis_ask_redis(d->ask)));
    redis_ask_wait(d->ask, &out->done);
    return out->done ? out->rc : err_set(&out->e, "the event loop failed");
}

static void domains_clear(struct domains *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->name[i]);
    free(d->name);
}

/* --- one of them --- */

struct sent {
    struct report_sent_row row[SENT_MAX];
    size_t count;
};

static void take_sent(void *ctx, const char *field, size_t field_len, const char *value, size_t value_len)
{
    struct sent *s = ctx;
    struct report_sent_row row = {.field = ""};

    if (field == NULL || s->count == SENT_MAX || field_len >= sizeof(row.field))
        return;
    memcpy(row.field, field, field_len);
    (void)report_state_read(&row.state, value, value_len, NULL); /* what cannot be read is "unknown" */
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->row[i].field, row.field) == 0)
            return; /* told twice */
    s->row[s->count++] = row;
}

static int sent_read(struct sent *out, const struct report_day *d, const char *domain, struct err *e)
{
    char name[NAME_BUF], key[KEY_BUF], day[UTC_DAY_BUF];
    const struct redis_hash hash = {.key = key, .field_max = REPORT_FIELD_BUF, .value_max = REPORT_STATE_JSON_MAX + 1};

    out->count = 0;
    utc_day_text(day, d->day);
    (void)snprintf(name, sizeof(name), "%s:%s", day, domain);
    if (redis_key(redis_ask_redis(d->ask), key, sizeof(key), "tlsrpt-sent", name) == 0)
        return err_set(e, "a name that is too long");
    return redis_hash_read(d->ask, &hash, take_sent, out, e);
}

struct reading {
    report_domain_fn *fn;
    void *ctx;
    const struct sent *sent;
    bool success;
    struct err *e;
    bool done;
    int rc;
};

static void take_counts(void *ctx, const struct counts *c, const char *why)
{
    struct reading *r = ctx;

    r->done = true;
    r->rc = c != NULL ? 0 : err_set(r->e, "%s", why != NULL ? why : "no counts");
    if (c != NULL)
        r->fn(r->ctx, &(struct report_domain){c, r->sent->row, r->sent->count, r->success});
}

static int domain_read(struct report_day *d, const char *domain, struct sent *sent, report_domain_fn *fn, void *ctx,
                       struct err *e)
{
    struct reading r = {
        .fn = fn, .ctx = ctx, .sent = sent, .success = d->conf->tlsrptd.report_success, .e = e, .rc = -1};

    if (sent_read(sent, d, domain, e) != 0)
        return -1;
    if (counts_get(redis_ask_redis(d->ask), d->day, domain, take_counts, &r) != 0)
        return err_set(e, "Redis is away: %s", redis_why(redis_ask_redis(d->ask)));
    redis_ask_wait(d->ask, &r.done);
    return r.done ? r.rc : err_set(e, "the event loop failed");
}

static int each(struct report_day *d, struct sent *sent, report_domain_fn *fn, void *ctx, struct err *e)
{
    struct domains domains;
    int rc;

    if (d->domain[0] != '\0')
        return domain_read(d, d->domain, sent, fn, ctx, e);
    rc = domains_read(&domains, d);
    if (rc != 0)
        *e = domains.e;
    for (size_t i = 0; i < domains.count && rc == 0; i++)
        rc = domain_read(d, domains.name[i], sent, fn, ctx, e);
    domains_clear(&domains);
    return rc;
}

int report_day_each(struct report_day *d, report_domain_fn *fn, void *ctx)
{
    struct sent *sent = calloc(1, sizeof(*sent));
    struct err e = {""};
    int rc = sent != NULL ? each(d, sent, fn, ctx, &e) : err_set(&e, "no memory");

    free(sent);
    if (rc != 0)
        report_error("%s", e.text);
    return rc == 0 ? CTL_YES : CTL_NO;
}
