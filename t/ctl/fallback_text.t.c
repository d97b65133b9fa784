/* fallback_text.t.c - the fallback states as people see them. */
#include "fallback_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1795255200) /* 2026-11-21T10:00:00Z */

static void add(struct fallback_rows *rows, const char *nexthop, const char *host, const char *json)
{
    fallback_rows_add_json(rows, nexthop, host, strlen(host), json, strlen(json));
}

static void test_rows(void **state)
{
    struct fallback_rows rows = {0};
    const json_t *all;
    struct buf out;
    json_t *json;

    (void)state;
    add(&rows, "example.com", "mx2.example.com",
        "{\"v\":1,\"handshake\":1795255140,\"tls\":1795248000,\"plain\":1795255200}");
    add(&rows, "[192.0.2.1]", "192.0.2.1", "{\"v\":1,\"later\":1795251600}");
    add(&rows, "example.com", "mx1.example.com", "{\033");
    add(&rows, "example.com", "mx1.example.com", "{\033");
    fallback_rows_add_wrong(&rows, "example.net", "no hash");
    fallback_rows_sort(&rows);
    assert_int_equal(rows.count, 4);
    buf_init(&out, 10000);
    fallback_print(&out, &rows, NOW, false);
    assert_string_equal(buf_text(&out),
                        "NEXT HOP     MX HOST          HANDSHAKE FAILED                FAILED LATER                    "
                        "TLS WENT WELL                   PLAIN ATTEMPT\n"
                        "[192.0.2.1]  192.0.2.1        -                               2026-11-21T09:00:00Z (1 h ago)  "
                        "-                               -\n"
                        "example.com  mx1.example.com  unreadable: no JSON object\n"
                        "example.com  mx2.example.com  2026-11-21T09:59:00Z (1 m ago)  -                               "
                        "2026-11-21T08:00:00Z (2 h ago)  2026-11-21T10:00:00Z (now)\n"
                        "example.net                   unreadable: no hash\n");
    buf_clear(&out);
    json = fallback_json(&rows);
    all = json_object_get(json, "fallback");
    assert_int_equal(json_array_size(all), 4);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 0), "later")), 1795251600);
    assert_null(json_object_get(json_array_get(all, 0), "handshake"));
    assert_string_equal(json_string_value(json_object_get(json_array_get(all, 3), "unreadable")), "no hash");
    json_decref(json);
    fallback_rows_clear(&rows);
    fallback_print(&out, &rows, NOW, false);
    assert_string_equal(buf_text(&out), "no TLS outcome is known\n");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
