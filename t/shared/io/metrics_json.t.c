/* metrics_json.t.c - numbers as members of an object. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "metrics_json.h"

#include <stdlib.h>

static void test_members(void **state)
{
    static const struct metric table[] = {
        {"a_plain_total", "Plain.", "counter", 0},         {"a_there", "There.", "gauge", 2},
        {"a_kind_total{k=\"x\"}", "Kinds.", "counter", 0}, {"a_kind_total{k=\"y\"}", NULL, NULL, 7},
        {"a_kind_total{k=\"z\"}", NULL, NULL, 8},          {"a_none_total{k=\"x\"}", "None yet.", "counter", 0},
    };
    json_t *object = json_pack("{ss}", "there", "already");
    char *text;

    (void)state;
    metrics_json(object, table, 6, 1, 2);
    text = json_dumps(object, JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(text, "{\"kind_total\":{\"y\":7,\"z\":8},\"plain_total\":0,\"there\":\"already\"}");
    free(text);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_members)};

    return cmocka_run_group_tests_name("metrics_json", tests, NULL, NULL);
}
