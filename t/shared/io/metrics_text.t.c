/* metrics_text.t.c - the text for Prometheus, histograms, and requests. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "metrics_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct metric sample[] = {
    {"a_requests_total{map=\"postfix\"}", "Requests.", "counter", 3},
    {"a_requests_total{map=\"QUERY\"}", NULL, NULL, 0},
    {"a_entries", "Answers in memory.", "gauge", UINT64_MAX},
};

static const char sample_text[] = "# HELP a_requests_total Requests.\n"
                                  "# TYPE a_requests_total counter\n"
                                  "a_requests_total{map=\"postfix\"} 3\n"
                                  "a_requests_total{map=\"QUERY\"} 0\n"
                                  "# HELP a_entries Answers in memory.\n"
                                  "# TYPE a_entries gauge\n"
                                  "a_entries 18446744073709551615\n";

static void test_render(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    metrics_render(&b, sample, 0, 1);
    assert_string_equal(buf_text(&b), "");
    metrics_render(&b, sample, 3, 1);
    assert_true(buf_ok(&b));
    assert_string_equal(buf_text(&b), sample_text);
    buf_clear(&b);
    buf_init(&b, 100);
    metrics_render(&b, sample, 3, 1);
    assert_false(buf_ok(&b));
    buf_clear(&b);
}

/* A histogram between others, in a table of its own row: b_total, the histogram, b_now. */
#define PLACES (METRIC_HISTOGRAM + 2)

static void fill(struct metric row[PLACES])
{
    memset(row, 0, PLACES * sizeof(*row));
    row[0] = (struct metric){"b_total", "Counted.", "counter", 7};
    row[1] = (struct metric){"b_seconds", "Took.", "histogram", 0};
    row[1 + METRIC_HISTOGRAM] = (struct metric){"b_now", "At present.", "gauge", 5};
}

static void test_buckets(void **state)
{
    struct metric row[PLACES];

    (void)state;
    for (size_t i = 0; i < METRIC_BUCKETS; i++) {
        assert_true(i == 0 || metric_bounds[i] > metric_bounds[i - 1]);
        fill(row);
        metric_observe(row + 1, metric_bounds[i]);
        assert_int_equal(row[1 + i].value, 1);
        metric_observe(row + 1, metric_bounds[i] + 1);
        assert_int_equal(row[1 + i].value, 1);
        assert_int_equal(row[2 + i].value, 1); /* the last of these: above all */
        assert_int_equal(row[METRIC_HISTOGRAM].value, 2 * metric_bounds[i] + 1);
        metric_observe(row + 1, -1);
        assert_int_equal(row[1].value, i == 0 ? 2 : 1);
        assert_int_equal(row[METRIC_HISTOGRAM].value, 2 * metric_bounds[i] + 1);
        assert_int_equal(row[0].value, 7);
        assert_int_equal(row[1 + METRIC_HISTOGRAM].value, 5);
    }
}

static void test_histogram(void **state)
{
    struct metric rows[2 * PLACES];
    struct buf b;

    (void)state;
    fill(rows);
    fill(rows + PLACES);
    metric_observe(rows + 1, 400);
    metric_observe(rows + 1, 2000000);
    metric_observe(rows + PLACES + 1, 2000100);
    metric_observe(rows + PLACES + 1, INT64_C(31000000));
    metrics_clear_gauges(rows + PLACES, PLACES); /* a histogram is none */
    buf_init(&b, 8192);
    metrics_render(&b, rows, PLACES, 2);
    assert_true(buf_ok(&b));
    assert_string_equal(buf_text(&b), "# HELP b_total Counted.\n"
                                      "# TYPE b_total counter\n"
                                      "b_total 14\n"
                                      "# HELP b_seconds Took.\n"
                                      "# TYPE b_seconds histogram\n"
                                      "b_seconds_bucket{le=\"0.0005\"} 1\n"
                                      "b_seconds_bucket{le=\"0.001\"} 1\n"
                                      "b_seconds_bucket{le=\"0.0025\"} 1\n"
                                      "b_seconds_bucket{le=\"0.005\"} 1\n"
                                      "b_seconds_bucket{le=\"0.01\"} 1\n"
                                      "b_seconds_bucket{le=\"0.025\"} 1\n"
                                      "b_seconds_bucket{le=\"0.05\"} 1\n"
                                      "b_seconds_bucket{le=\"0.1\"} 1\n"
                                      "b_seconds_bucket{le=\"0.25\"} 1\n"
                                      "b_seconds_bucket{le=\"0.5\"} 1\n"
                                      "b_seconds_bucket{le=\"1\"} 1\n"
                                      "b_seconds_bucket{le=\"2.5\"} 3\n"
                                      "b_seconds_bucket{le=\"5\"} 3\n"
                                      "b_seconds_bucket{le=\"10\"} 3\n"
                                      "b_seconds_bucket{le=\"30\"} 3\n"
                                      "b_seconds_bucket{le=\"+Inf\"} 4\n"
                                      "b_seconds_sum 35.0005\n"
                                      "b_seconds_count 4\n"
                                      "# HELP b_now At present.\n"
                                      "# TYPE b_now gauge\n"
                                      "b_now 5\n");
    buf_clear(&b);
}

static void test_process(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    metrics_render_process(&b, "1\"2\\3\n4", 1793491200);
    assert_string_equal(buf_text(&b), "# HELP postern_build_info 1, with the version of this program.\n"
                                      "# TYPE postern_build_info gauge\n"
                                      "postern_build_info{version=\"1\\\"2\\\\3\\n4\"} 1\n"
                                      "# HELP process_start_time_seconds When this program was started, seconds since "
                                      "the epoch.\n"
                                      "# TYPE process_start_time_seconds gauge\n"
                                      "process_start_time_seconds 1793491200\n");
    buf_clear(&b);
}

static void note(void *ctx, const char *family, const char *labels, uint64_t value)
{
    buf_printf(ctx, "%s [%s] %" PRIu64 "\n", family, labels, value);
}

static void test_each(void **state)
{
    static const struct metric more[] = {{"a_x_total{a=\"1\",b=\"2\"}", "X.", "counter", 3}};
    struct metric row[PLACES];
    struct buf b;

    (void)state;
    fill(row);
    metric_observe(row + 1, 1500000);
    buf_init(&b, 4096);
    metrics_each(sample, 2, 1, 2, note, &b);
    metrics_each(more, 1, 1, 2, note, &b);
    metrics_each(row, PLACES, 1, 2, note, &b);
    assert_string_equal(buf_text(&b), "requests_total [postfix] 3\nrequests_total [QUERY] 0\nx_total [1 2] 3\ntotal [] "
                                      "7\nseconds [count] 1\nseconds [milliseconds] 1500\nnow [] 5\n");
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render),  cmocka_unit_test(test_buckets), cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_process), cmocka_unit_test(test_each),

    };

    return cmocka_run_group_tests_name("metrics_text", tests, NULL, NULL);
}
