/* list_rows.t.c - entries in order, what differs, who signs, and what people are shown of it. */
#include "list_import.h"
#include "list_line.h"
#include "list_text.h"
#include "list_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1795255200) /* 2026-11-21T10:00:00Z */

static void rows_read(struct list_import *out, enum list_id list, const char *text)
{
    list_import_read(out, list, text, strlen(text), false, "F");
    assert_int_equal(out->bad, 0);
}

static void test_changes(void **state)
{
    static const struct {
        const char *before, *after;
        bool replace;
        const char *text;
    } cases[] = {
        {"", "", false, "require: 0 added, 0 changed, 0 removed, 0 as they were\n"},
        {"", "a.example secure", false,
         "require: 1 added, 0 changed, 0 removed, 0 as they were\n  + a.example secure\n"},
        {"a.example secure", "a.example verify", false,
         "require: 0 added, 1 changed, 0 removed, 0 as they were\n  ~ a.example verify\n    was: a.example secure\n"},
        {"a.example secure", "a.example secure by=anna", false,
         "require: 0 added, 1 changed, 0 removed, 0 as they were\n"
         "  ~ a.example secure by=anna\n    was: a.example secure\n"},
        {"a.example secure # x", "a.example secure # x", true,
         "require: 0 added, 0 changed, 0 removed, 1 as they were\n"},
        {"a.example secure\nc.example secure", "b.example secure\nd.example secure", false,
         "require: 2 added, 0 changed, 0 removed, 2 as they were\n  + b.example secure\n  + d.example secure\n"},
        {"a.example secure\nc.example secure", "b.example secure\nd.example secure", true,
         "require: 2 added, 0 changed, 2 removed, 0 as they were\n  + b.example secure\n  + d.example secure\n"
         "  - a.example secure\n  - c.example secure\n"},
        {"",
         "a.b secure\nb.b secure\nc.b secure\nd.b secure\ne.b secure\nf.b secure\ng.b secure\nh.b secure\ni.b secure\n"
         "j.b secure\nk.b secure\nl.b secure",
         false,
         "require: 12 added, 0 changed, 0 removed, 0 as they were\n  + a.b secure\n  + b.b secure\n  + c.b secure\n"
         "  + d.b secure\n  + e.b secure\n  + f.b secure\n  + g.b secure\n  + h.b secure\n  + i.b secure\n"
         "  + j.b secure\n    ...\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct list_import before, after;
        struct buf out;

        rows_read(&before, LIST_REQUIRE, cases[i].before);
        rows_read(&after, LIST_REQUIRE, cases[i].after);
        buf_init(&out, 100000);
        list_changes_print(&out, LIST_REQUIRE, &before.rows, &after.rows, cases[i].replace, true);
        assert_string_equal(buf_text(&out), cases[i].text);
        buf_clear(&out);
        list_import_clear(&before);
        list_import_clear(&after);
    }
}

static void test_sign(void **state)
{
    struct list_import before, after;
    struct buf out;

    (void)state;
    rows_read(&before, LIST_REQUIRE,
              "changed.example secure by=anna created=2026-01-01T00:00:00Z\n"
              "same.example secure by=anna created=2026-01-01T00:00:00Z\n"
              "unsigned.example secure\n");
    rows_read(&after, LIST_REQUIRE,
              "changed.example verify\nnew.example secure\nsame.example secure\nsigned.example secure by=carl\n"
              "unsigned.example secure\n");
    list_rows_sign(&after.rows, &before.rows, "berta", NOW);
    buf_init(&out, 100000);
    list_export_print(&out, &after.rows);
    assert_string_equal(buf_text(&out), "changed.example verify by=berta created=2026-11-21T10:00:00Z\n"
                                        "new.example secure by=berta created=2026-11-21T10:00:00Z\n"
                                        "same.example secure by=anna created=2026-01-01T00:00:00Z\n"
                                        "signed.example secure by=carl created=2026-11-21T10:00:00Z\n"
                                        "unsigned.example secure\n");
    buf_clear(&out);
    list_import_clear(&before);
    list_import_clear(&after);
}

static void test_foreign(void **state)
{
    static const struct {
        const char *field, *json;
    } fields[] = {
        {"b.example", "{\"v\":1,\"expires\":5}"},
        {"b.example", "{\"v\":1,\"comment\":\"again\"}"},
        {"\033[2J", "{\"v\":1}"},
        {"", "{\"v\":1}"},
        {"a.example", "{"},
    };
    struct list_rows rows = {0};
    struct buf out;
    json_t *json;

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        list_rows_add_json(&rows, LIST_EXCLUDE, fields[i].field, strlen(fields[i].field), fields[i].json,
                           strlen(fields[i].json));
    list_rows_sort(&rows);
    list_rows_unique(&rows);
    assert_int_equal(rows.count, 4);
    assert_null(rows.row[0].entry);
    buf_init(&out, 100000);
    list_print(&out, LIST_EXCLUDE, &rows, NOW, false);
    assert_true(buf_ok(&out));
    assert_null(strchr(buf_text(&out), '\033'));
    assert_non_null(strstr(buf_text(&out), "exclude (no TLS to these): 4 entries\n"));
    assert_non_null(strstr(buf_text(&out), "\n\"\" "));
    assert_non_null(strstr(buf_text(&out), "a.example  unreadable: no JSON"));
    buf_clear(&out);
    assert_int_equal(list_export_print(&out, &rows), 3);
    buf_clear(&out);
    json = list_json(LIST_EXCLUDE, &rows, NOW);
    assert_int_equal(json_array_size(json_object_get(json, "entries")), 4);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(json, "entries"), 1), "pattern")), "\\x1b[2J");
    assert_non_null(json_object_get(json_array_get(json_object_get(json, "entries"), 1), "unreadable"));
    json_decref(json);
    list_rows_clear(&rows);
}

static void test_table(void **state)
{
    struct list_import i;
    struct buf out;
    json_t *json;

    (void)state;
    rows_read(
        &i, LIST_EXCLUDE,
        "over.example override expires=2026-11-21T09:00:00Z\nsoon.example by=anna expires=2026-11-21T11:00:00Z # x");
    buf_init(&out, 100000);
    list_print(&out, LIST_EXCLUDE, &i.rows, NOW, false);
    assert_string_equal(buf_text(&out),
                        "exclude (no TLS to these): 2 entries\n"
                        "PATTERN       VALUE     BY    CREATED  EXPIRES                                COMMENT\n"
                        "over.example  override                 2026-11-21T09:00:00Z (1 h ago): ended\n"
                        "soon.example            anna           2026-11-21T11:00:00Z (in 1 h)          x\n");
    buf_clear(&out);
    json = list_json(LIST_EXCLUDE, &i.rows, NOW);
    assert_true(json_is_false(json_object_get(json_array_get(json_object_get(json, "entries"), 0), "live")));
    assert_true(json_is_true(json_object_get(json_array_get(json_object_get(json, "entries"), 1), "live")));
    json_decref(json);
    list_import_clear(&i);
}

static void test_expires(void **state)
{
    static const struct {
        const char *text;
        int64_t at; /* 0: refused */
    } cases[] = {
        {"2026-11-21T10:00:01Z", NOW + 1},
        {"2026-11-22", NOW + 14 * 3600},
        {"90s", NOW + 90},
        {"30d", NOW + 30 * 86400},
        {"2026-11-21T10:00:00Z", 0},
        {"2026-11-21", 0},
        {"0s", 0},
        {"-5m", 0},
        {"", 0},
        {"soon", 0},
        {"2026-13-01", 0},
        {"2026-11-22 ", 0},
        {"99999999999999999999d", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = {""};
        int64_t at = 0;

        if (cases[i].at == 0) {
            assert_int_equal(list_words_expires(&at, cases[i].text, NOW, &e), -1);
            assert_true(strncmp(e.text, "--expires ", 10) == 0);
        } else {
            assert_int_equal(list_words_expires(&at, cases[i].text, NOW, &e), 0);
            assert_int_equal(at, cases[i].at);
        }
    }
}

static void test_past(void **state)
{
    struct err e = {""};
    int64_t at = 0;

    (void)state;
    assert_int_equal(list_words_past(&at, "2026-11-21T10:01:00Z", NOW, &e), 0);
    assert_int_equal(at, NOW + 60);
    assert_int_equal(list_words_past(&at, "2026-11-21T10:01:01Z", NOW, &e), -1);
    assert_int_equal(list_words_past(&at, "5m", NOW, &e), -1);
}

static void test_words(void **state)
{
    char pattern[] = "A.Example", fallback[] = "plain-for", hour[] = "1h";
    char *word[] = {pattern, fallback, hour};
    const struct list_entry_in in = {.author = "anna", .comment = "x", .created = NOW};
    struct err e = {""};
    struct list_entry *entry = list_words_entry(LIST_FALLBACK, word, 3, &in, &e);

    (void)state;
    assert_non_null(entry);
    assert_string_equal(entry->pattern, "a.example");
    assert_string_equal(entry->value_text, "plain-for 1h");
    assert_int_equal(entry->value.seconds, 3600);
    free(entry);
    assert_null(list_words_entry(LIST_FALLBACK, word, 2, &in, &e));
    assert_null(list_words_entry(LIST_LOCAL, word, 2, &in, &e));
    pattern[0] = '@';
    assert_null(list_words_entry(LIST_LOCAL, word, 1, &in, &e));
    assert_non_null(strstr(e.text, "mail addresses"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes), cmocka_unit_test(test_sign),    cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_table),   cmocka_unit_test(test_expires), cmocka_unit_test(test_past),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
