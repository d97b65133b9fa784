/* metrics_text.c - see metrics_text.h. */
#include "metrics_text.h"

#include <inttypes.h>
#include <string.h>

#define SUM    (METRIC_BUCKETS + 1) /* the place of the sum */
#define SECOND 1000000

const int64_t metric_bounds[METRIC_BUCKETS] = {500,    1000,   2500,    5000,    10000,   25000,    50000,   100000,
                                               250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000};

void metric_observe(struct metric *histogram, int64_t microseconds)
{
    size_t i = 0;

    while (i < METRIC_BUCKETS && microseconds > metric_bounds[i])
        i++;
    histogram[i].value++;
    histogram[SUM].value += microseconds > 0 ? (uint64_t)microseconds : 0;
}

uint64_t metrics_sum(const struct metric *m, size_t count, size_t rows, size_t which)
{
    uint64_t sum = 0;

    for (size_t row = 0; row < rows; row++)
        sum += m[row * count + which].value;
    return sum;
}

void metrics_clear_gauges(struct metric *row, size_t count)
{
    bool gauge = false;

    for (size_t i = 0; i < count; i++) {
        if (row[i].type != NULL) /* else as the one before, of the same family */
            gauge = strcmp(row[i].type, "gauge") == 0;
        if (gauge)
            row[i].value = 0;
    }
}

/* --- the text --- */

/* The name without labels. */
static int family_length(const char *name)
{
    return (int)strcspn(name, "{");
}

static bool is_histogram(const struct metric *m)
{
    return m->type != NULL && strcmp(m->type, "histogram") == 0;
}

/* Microseconds as seconds, without zeros at the end: no float goes through a locale. */
static void add_seconds(struct buf *out, uint64_t microseconds)
{
    uint64_t part = microseconds % SECOND;
    int digits = 6;

    buf_printf(out, "%" PRIu64, microseconds / SECOND);
    if (part == 0)
        return;
    for (; part % 10 == 0; part /= 10)
        digits--;
    buf_printf(out, ".%0*" PRIu64, digits, part);
}

static void render_histogram(struct buf *out, const struct metric *m, size_t count, size_t rows, size_t at)
{
    const char *name = m[at].name;
    uint64_t seen = 0;

    for (size_t i = 0; i < METRIC_BUCKETS; i++) {
        seen += metrics_sum(m, count, rows, at + i);
        buf_printf(out, "%s_bucket{le=\"", name);
        add_seconds(out, (uint64_t)metric_bounds[i]);
        buf_printf(out, "\"} %" PRIu64 "\n", seen);
    }
    seen += metrics_sum(m, count, rows, at + METRIC_BUCKETS);
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, seen, name);
    add_seconds(out, metrics_sum(m, count, rows, at + SUM));
    buf_printf(out, "\n%s_count %" PRIu64 "\n", name, seen);
}

static void render_family(struct buf *out, const char *name, const char *help, const char *type)
{
    int family = family_length(name);

    buf_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", family, name, help, family, name, type);
}

void metrics_render(struct buf *out, const struct metric *m, size_t count, size_t rows)
{
    size_t i = 0;

    while (i < count) {
        if (m[i].type != NULL)
            render_family(out, m[i].name, m[i].help, m[i].type);
        if (is_histogram(&m[i])) {
            render_histogram(out, m, count, rows, i);
            i += METRIC_HISTOGRAM;
        } else {
            buf_printf(out, "%s %" PRIu64 "\n", m[i].name, metrics_sum(m, count, rows, i));
            i++;
        }
    }
}

void metrics_label(struct buf *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            buf_char(out, '\\');
        if (*value == '\n')
            buf_str(out, "\\n");
        else
            buf_char(out, *value);
    }
}

void metrics_render_process(struct buf *out, const char *version, int64_t started)
{
    render_family(out, "postern_build_info", "1, with the version of this program.", "gauge");
    buf_str(out, "postern_build_info{version=\"");
    metrics_label(out, version);
    buf_str(out, "\"} 1\n");
    render_family(out, "process_start_time_seconds", "When this program was started, seconds since the epoch.",
                  "gauge");
    buf_printf(out, "process_start_time_seconds %" PRId64 "\n", started);
}

/* --- for people --- */

/* {a="x",b="y"} as "x y"; our own labels have no escapes. */
static void label_values(struct buf *out, const char *labels)
{
    const char *end;

    while ((labels = strchr(labels, '"')) != NULL && (end = strchr(++labels, '"')) != NULL) {
        if (out->len > 0)
            buf_char(out, ' ');
        buf_add(out, labels, (size_t)(end - labels));
        labels = end + 1;
    }
}

static void each_histogram(const struct metric *m, size_t count, size_t rows, size_t at, const char *family,
                           metrics_each_fn *fn, void *ctx)
{
    uint64_t seen = 0;

    for (size_t i = 0; i <= METRIC_BUCKETS; i++)
        seen += metrics_sum(m, count, rows, at + i);
    fn(ctx, family, "count", seen);
    fn(ctx, family, "milliseconds", metrics_sum(m, count, rows, at + SUM) / 1000);
}

void metrics_each(const struct metric *m, size_t count, size_t rows, size_t skip, metrics_each_fn *fn, void *ctx)
{
    struct buf family, labels;

    buf_init(&family, 1000);
    buf_init(&labels, 1000);
    for (size_t i = 0; i < count; i += is_histogram(&m[i]) ? METRIC_HISTOGRAM : 1) {
        buf_reset(&family);
        buf_reset(&labels);
        buf_add(&family, m[i].name + skip, (size_t)family_length(m[i].name) - skip);
        label_values(&labels, m[i].name);
        if (is_histogram(&m[i]))
            each_histogram(m, count, rows, i, buf_text(&family), fn, ctx);
        else
            fn(ctx, buf_text(&family), buf_text(&labels), metrics_sum(m, count, rows, i));
    }
    buf_clear(&family);
    buf_clear(&labels);
}
