/* report_commands_io.c - posternctl report read, list and show. */
#include "ctl.h"
#include "input_io.h"
#include "output_io.h"
#include "print.h"
#include "report_day_io.h"
#include "report_file_io.h"
#include "report_notes.h"
#include "report_rows.h"
#include "report_table.h"
#include "utc_day.h"

#include <string.h>

/* --- read --- */

static void note_add(void *ctx, const char *note)
{
    buf_str(ctx, "\nnote: ");
    print_text(ctx, note, strlen(note));
}

static void note_report(void *ctx, const char *note)
{
    (void)ctx;
    report_error("note: %s", note);
}

static int print_found(const struct ctl *ctl, const struct report_found *f)
{
    struct buf text;

    if (ctl->options & CTL_JSON) {
        report_notes(f, note_report, NULL);
        return output_json(json_incref(f->json));
    }
    buf_init(&text, CTL_OUTPUT_MAX);
    report_print(&text, f->json, ctl->colour);
    report_notes(f, note_add, &text);
    buf_char(&text, '\n');
    return output_and_clear(&text);
}

int report_file_read(struct report_found *out, const char *path)
{
    struct err e = {""};
    struct buf octets;
    int rc;

    buf_init(&octets, REPORT_READ_JSON_MAX);
    rc = input_read(&octets, path, &e);
    if (rc < 0)
        report_error("%s", e.text);
    else if (rc == 0)
        report_error("%.300s: longer than %d octets", path, REPORT_READ_JSON_MAX);
    else if (report_find(out, buf_text(&octets), octets.len, &e) != 0)
        report_error("%.300s: %s", path, e.text);
    buf_clear(&octets);
    if (rc < 0)
        return CTL_USAGE;
    return rc == 0 || e.text[0] != '\0' ? CTL_NO : CTL_YES;
}

int run_report_read(const struct ctl *ctl)
{
    struct report_found found;
    int rc = report_file_read(&found, ctl->word[0]);

    if (rc != CTL_YES)
        return rc;
    rc = print_found(ctl, &found);
    report_found_clear(&found);
    return rc;
}

/* --- list and show --- */

typedef json_t *row_fn(const struct report_domain *d);

struct rows {
    json_t *array;
    row_fn *make;
    bool failed;
};

static void take_row(void *ctx, const struct report_domain *d)
{
    struct rows *rows = ctx;

    if (d->counts->policies > 0 || d->counts->broken > 0 || d->count > 0)
        rows->failed |= json_array_append_new(rows->array, rows->make(d)) != 0;
}

static void show_print(struct buf *out, const json_t *domains, bool colour)
{
    for (size_t i = 0; i < json_array_size(domains); i++) {
        const json_t *d = json_array_get(domains, i);

        if (i > 0)
            buf_str(out, "\n\n");
        print_tinted(out, json_string_value(json_object_get(d, "domain")), TINT_HEAD, colour);
        buf_char(out, '\n');
        report_missing_print(out, d);
        report_print_policies(out, json_object_get(d, "policies"), colour);
        if (json_array_size(json_object_get(d, "reports")) == 0)
            continue;
        buf_char(out, '\n');
        report_destinations_print(out, json_object_get(d, "reports"), colour);
    }
}

/* Takes the array. */
static int print_rows(const struct ctl *ctl, const struct report_day *d, json_t *rows,
                      void (*print)(struct buf *out, const json_t *domains, bool colour))
{
    char day[UTC_DAY_BUF];
    struct buf text;

    utc_day_text(day, d->day);
    if (ctl->options & CTL_JSON)
        return output_json(json_pack("{s:s, s:o}", "day", day, "domains", rows));
    buf_init(&text, CTL_OUTPUT_MAX);
    if (json_array_size(rows) > 0)
        print(&text, rows, ctl->colour);
    else
        buf_printf(&text, "%s: nothing was counted%s%s\n", day, d->domain[0] != '\0' ? " of " : "", d->domain);
    json_decref(rows);
    return output_and_clear(&text);
}

static int run_rows(const struct ctl *ctl, row_fn *make,
                    void (*print)(struct buf *out, const json_t *domains, bool colour))
{
    struct rows rows = {.make = make};
    struct report_day day;
    int rc = report_day_open(&day, ctl);

    if (rc == CTL_YES) {
        rows.array = json_array();
        rc = report_day_each(&day, take_row, &rows);
    }
    if (rc == CTL_YES && rows.failed) {
        report_error("no memory for the answer");
        rc = CTL_NO;
    }
    if (rc == CTL_YES)
        rc = print_rows(ctl, &day, json_incref(rows.array), print);
    json_decref(rows.array);
    report_day_end(&day);
    return rc;
}

int run_report_list(const struct ctl *ctl)
{
    return run_rows(ctl, report_sums_json, report_sums_print);
}

int run_report_show(const struct ctl *ctl)
{
    return run_rows(ctl, report_domain_json, show_print);
}
