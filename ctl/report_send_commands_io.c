/* report_send_commands_io.c - posternctl report build and send. */
#include "ask_io.h"
#include "ctl.h"
#include "output_io.h"
#include "random_octets.h"
#include "report_day_io.h"
#include "report_rows.h"
#include "report_signed_io.h"
#include "utc_day.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TLSRPTD       "postern-tlsrptd"
#define SEND_WAIT_MS  3600000 /* many reports, each with its time */
#define UNIQUE_OCTETS 12

/* --- build --- */

struct building {
    const struct report_day *day;
    bool mail;
    struct buf text;
    size_t more; /* mails that are not printed */
    struct err e;
    int rc;
};

static struct report_settings settings_of(const struct conf_tlsrptd *conf)
{
    const char *at = strrchr(conf->contact, '@');

    return (struct report_settings){
        .organization = conf->organization, .contact = conf->contact, .submitter = at != NULL ? at + 1 : ""};
}

/* One mail goes out; more would be one text. */
static int mail_add(struct building *b, const struct report *r, const char *record)
{
    const struct conf_tlsrptd *conf = &b->day->conf->tlsrptd;
    char unique[2 * UNIQUE_OCTETS + 1];
    size_t mails = 0;
    int rc = 0;

    random_hex(unique, UNIQUE_OCTETS);
    if (b->text.len == 0)
        rc = report_signed(&b->text, &mails, r, record, conf, unique, b->day->now, &b->e);
    else
        b->more++;
    if (mails > 1)
        b->more += mails - 1;
    return rc;
}

static int record_add(struct building *b, const struct counts *c, const char *record)
{
    const struct report_settings s = settings_of(&b->day->conf->tlsrptd);
    struct report report;
    int rc;

    if (report_build(&report, c, record, &s, &b->e) != 0)
        return -1;
    if (b->mail) {
        rc = mail_add(b, &report, record);
    } else {
        buf_add(&b->text, report.json.data, report.json.len);
        buf_char(&b->text, '\n');
        rc = 0;
    }
    report_clear(&report);
    return rc;
}

static void build(void *ctx, const struct report_domain *d)
{
    const struct counts *c = d->counts;
    struct building *b = ctx;
    const char *const *record = NULL;
    size_t records = report_records(&record, c);

    b->rc = records > 0 ? 0 : err_set(&b->e, "nothing was counted of %s on that day", c->domain);
    for (size_t i = 0; i < records && b->rc == 0; i++)
        b->rc = record_add(b, c, record[i]);
    free((void *)record);
}

static int build_print(struct building *b)
{
    if (b->rc != 0) {
        report_error("%s", b->e.text);
        return CTL_NO;
    }
    if (b->mail && b->text.len == 0) {
        report_error("%s: no destination takes mail; without --mail the report itself is printed", b->day->domain);
        return CTL_NO;
    }
    if (b->more > 0)
        report_error("this is one mail of %zu: there are more destinations, or more records", b->more + 1);
    return output_verbatim(&b->text);
}

static int build_check(const struct ctl *ctl, const struct report_day *d)
{
    if (d->domain[0] == '\0') {
        report_error("report build: --domain is missing");
        return CTL_USAGE;
    }
    if (d->conf->tlsrptd.contact[0] == '\0') {
        report_error("%s: tlsrptd.contact is not set, and a report must have one", ctl->conf_file);
        return CTL_NO;
    }
    return CTL_YES;
}

int run_report_build(const struct ctl *ctl)
{
    struct report_day day;
    struct building b = {.day = &day, .mail = (ctl->options & CTL_MAIL_FORM) != 0};
    int rc = ctl->domain == NULL ? report_day_begin(&day, ctl) : report_day_open(&day, ctl);

    buf_init(&b.text, CTL_OUTPUT_MAX);
    if (rc == CTL_YES)
        rc = build_check(ctl, &day);
    if (rc == CTL_YES)
        rc = report_day_each(&day, build, &b);
    if (rc == CTL_YES)
        rc = build_print(&b);
    buf_clear(&b.text);
    report_day_end(&day);
    return rc;
}

/* --- send --- */

static long long number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* Takes the object {"rows":[...],"left_out":…,"left_out_unsent":…}. */
static int print_sent(const struct ctl *ctl, json_t *object)
{
    json_t *rows = json_object_get(object, "rows");
    long long more = number_of(object, "left_out");
    struct buf text;
    int rc;

    if (ctl->options & CTL_JSON)
        return output_json(object);
    buf_init(&text, CTL_OUTPUT_MAX);
    if (json_array_size(rows) > 0)
        report_destinations_print(&text, rows, ctl->colour);
    else
        buf_str(&text, "there is nothing to send\n");
    if (more > 0)
        buf_printf(&text, "and %lld more, of which %lld are not sent\n", more, number_of(object, "left_out_unsent"));
    rc = output_and_clear(&text);
    json_decref(object);
    return rc;
}

static bool all_sent(const json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *state = json_string_value(json_object_get(json_array_get(rows, i), "state"));

        if (state == NULL || strcmp(state, "sent") != 0)
            return false;
    }
    return true;
}

static int send_now(const struct ctl *ctl, const struct report_day *d)
{
    const char *address = d->conf->tlsrptd.listen;
    struct answer a = {.status = CALL_TEMP};
    char arg[UTC_DAY_BUF + DOMAIN_BUF + 10], day[UTC_DAY_BUF];
    json_t *object = NULL;
    bool sent;
    int rc;

    utc_day_text(day, d->day);
    (void)snprintf(arg, sizeof(arg), "%s %s%s", day, d->domain[0] != '\0' ? d->domain : "*",
                   ctl->options & CTL_AGAIN ? " again" : "");
    if (ask_program(&a, TLSRPTD, address, "report-send", arg, SEND_WAIT_MS) == 0)
        object = answer_object(&a, TLSRPTD, address, "");
    answer_clear(&a);
    if (object == NULL)
        return CTL_NO;
    sent = all_sent(json_object_get(object, "rows")) && number_of(object, "left_out_unsent") == 0;
    rc = print_sent(ctl, object);
    return rc == CTL_YES && !sent ? CTL_NO : rc;
}

struct planning {
    json_t *rows;
    int64_t now;
    bool again;
};

static void plan(void *ctx, const struct report_domain *d)
{
    struct planning *p = ctx;
    json_t *rows = report_plan_json(d, p->again, p->now);

    (void)json_array_extend(p->rows, rows);
    json_decref(rows);
}

static int send_plan(const struct ctl *ctl, struct report_day *d)
{
    struct planning p = {.rows = json_array(), .now = d->now, .again = (ctl->options & CTL_AGAIN) != 0};
    int rc = report_day_each(d, plan, &p);

    if (rc == CTL_YES)
        rc = print_sent(ctl, json_pack("{s:O}", "rows", p.rows));
    json_decref(p.rows);
    return rc;
}

int run_report_send(const struct ctl *ctl)
{
    bool dry = (ctl->options & CTL_DRY_RUN) != 0;
    struct report_day day;
    int rc = dry ? report_day_open(&day, ctl) : report_day_begin(&day, ctl);

    if (rc == CTL_YES)
        rc = dry ? send_plan(ctl, &day) : send_now(ctl, &day);
    report_day_end(&day);
    return rc;
}
