/* list_entry.t.c - tests of list_entry.c: what goes into an entry, and what comes back out of Redis. */
#include "list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static struct list_entry *make(enum list_id list, const char *pattern, const struct list_entry_in *in, struct err *e)
{
    struct list_pattern p;

    assert_int_equal(list_pattern_parse(&p, pattern, strlen(pattern), e), 0);
    return list_entry_new(list, &p, in, e);
}

static void test_there_and_back(void **state)
{
    static const struct list_entry_in in = {.value = "secure",
                                            .author = "anna",
                                            .comment = "Bank \"x\" \303\274",
                                            .created = 1700000000,
                                            .expires = 1800000000};
    struct list_entry *entry, *back;
    struct buf json;
    struct err e = {""};

    (void)state;
    entry = make(LIST_REQUIRE, "Example.COM", &in, &e);
    assert_non_null(entry);
    buf_init(&json, LIST_JSON_MAX);
    list_entry_to_json(&json, entry);
    assert_true(buf_ok(&json));
    back = list_entry_from_json(LIST_REQUIRE, "example.com", 11, buf_text(&json), json.len, &e);
    if (back == NULL)
        fail_msg("%s: %s", buf_text(&json), e.text);
    assert_int_equal(back->value.level, LEVEL_SECURE);
    assert_string_equal(back->pattern, "example.com");
    assert_string_equal(back->value_text, "secure");
    assert_string_equal(back->author, "anna");
    assert_string_equal(back->comment, in.comment);
    assert_int_equal(back->created, in.created);
    assert_int_equal(back->expires, in.expires);
    assert_false(back->override);
    free(entry);
    free(back);
    buf_clear(&json);
}

/* What a line of text can say, and no more. */
static void test_limits(void **state)
{
    static const struct list_entry_in in = {
        .value = "", .author = "", .comment = "  why  ", .created = 1, .expires = LIST_TIME_MAX};
    struct list_entry *entry = make(LIST_EXCLUDE, "example.com", &in, NULL);

    (void)state;
    assert_non_null(entry);
    assert_string_equal(entry->comment, "why  ");
    assert_int_equal(entry->expires, LIST_TIME_MAX);
    free(entry);
}

static const struct {
    enum list_id list;
    const char *pattern;
    struct list_entry_in in;
    const char *why;
} refused[] = {
    {LIST_REQUIRE, "a.example", {"secure", "", "", 0, 0, true}, "override means nothing"},
    {LIST_PROTOCOLS, "a.example", {"TLSv1.2", "", "", 0, 0, true}, "override means nothing"},
    {LIST_REQUIRE, "a.example", {"", "", "", 0, 0, false}, "a value is missing"},
    {LIST_EXCLUDE, "a.example", {"", "", "two\nlines", 0, 0, false}, "control character"},
    {LIST_EXCLUDE, "a.example", {"", "", "\377", 0, 0, false}, "not UTF-8"},
    {LIST_EXCLUDE, "a.example", {"", "", "", -1, 0, false}, "time"},
    {LIST_EXCLUDE, "a.example", {"", "", "", 0, INT64_MAX, false}, "time"},
    {LIST_EXCLUDE, "a.example", {"", "", "", 0, LIST_TIME_MAX + 1, false}, "after 9999"},
    {LIST_EXCLUDE,
     "a.example",
     {"", "12345678901234567890123456789012345678901234567890123456789012345", "", 0, 0, false},
     "author is longer"},
    {LIST_INBOUND_REQUIRE, "[a.example]", {"", "", "", 0, 0, false}, "write a.example without brackets"},
    {LIST_LOCAL, "192.0.2.0/24", {"", "", "", 0, 0, false}, "of domains"},
    {LIST_LOCAL, "[a.example]", {"", "", "", 0, 0, false}, "of domains"},
    {LIST_REQUIRETLS, "[a.example]", {"enforce", "", "", 0, 0, false}, "brackets: write a.example"},
    {LIST_REQUIRETLS, "a.example", {"opportunistic", "", "", 0, 0, true}, "override means nothing"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct err e = {""};
        struct list_entry *entry = make(refused[i].list, refused[i].pattern, &refused[i].in, &e);

        if (entry != NULL)
            fail_msg("row %zu was taken", i);
        if (strstr(e.text, refused[i].why) == NULL)
            fail_msg("row %zu: %s", i, e.text);
    }
}

static const struct {
    const char *pattern;
    const char *json;
    const char *why; /* NULL: fine */
} stored[] = {
    {"a.example", "{\"v\":1,\"value\":\"secure\"}", NULL},
    {"a.example", "{\"v\":1,\"value\":\"secure\",\"note\":\"of a later version\"}", NULL},
    {"a.example", "", "no JSON"},
    {"a.example", "secure", "no JSON"},
    {"a.example", "{\"v\":1,\"value\":\"secure\"} x", "no JSON"},
    {"a.example", "{\"v\":1,\"value\":\"secure\",\"value\":\"encrypt\"}", "no JSON"},
    {"a.example", "[1]", "not a JSON object"},
    {"a.example", "{\"value\":\"secure\"}", "version 0"},
    {"a.example", "{\"v\":2,\"value\":\"secure\"}", "version 2"},
    {"a.example", "{\"v\":\"1\",\"value\":\"secure\"}", "v: not a whole number"},
    {"a.example", "{\"v\":1,\"value\":7}", "value: not a string"},
    {"a.example", "{\"v\":1,\"value\":\"se\\u0000cure\"}", ""},
    {"a.example", "{\"v\":1,\"value\":\"may\"}", "no level"},
    {"a.example", "{\"v\":1,\"value\":\"secure\",\"expires\":1.5}", "expires: not a whole number"},
    {"a.example", "{\"v\":1,\"value\":\"secure\",\"override\":\"yes\"}", "override: not true or false"},
    {"A.example", "{\"v\":1,\"value\":\"secure\"}", "must be written a.example"},
    {"a.example.", "{\"v\":1,\"value\":\"secure\"}", "must be written a.example"},
    {"192.0.2.1/32", "{\"v\":1,\"value\":\"secure\"}", "must be written 192.0.2.1"},
    {"a b", "{\"v\":1,\"value\":\"secure\"}", ""},
};

static void test_stored(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
        struct err e = {""};
        struct list_entry *entry = list_entry_from_json(LIST_REQUIRE, stored[i].pattern, strlen(stored[i].pattern),
                                                        stored[i].json, strlen(stored[i].json), &e);

        if ((entry != NULL) != (stored[i].why == NULL))
            fail_msg("%s %s: %s", stored[i].pattern, stored[i].json, entry != NULL ? "taken" : e.text);
        if (stored[i].why != NULL && strstr(e.text, stored[i].why) == NULL)
            fail_msg("%s: %s", stored[i].json, e.text);
        free(entry);
    }
}

static void test_too_long(void **state)
{
    static char json[LIST_JSON_MAX + 1];
    struct err e = {""};

    (void)state;
    memset(json, ' ', sizeof(json));
    assert_null(list_entry_from_json(LIST_EXCLUDE, "a.example", 9, json, sizeof(json), &e));
    assert_non_null(strstr(e.text, "longer than 4096"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_limits),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_stored),         cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
