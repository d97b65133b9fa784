/* lists_kept.t.c - tests of lists_kept.c: there and back, and files that are damaged in any way. */
#include "lists_kept.h"

#include "siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t secret[16] = {7};
static const struct lists_stamp stamp = {"0123456789abcdef", 17};

static const struct {
    enum list_id list;
    const char *pattern;
    const char *value;
    const char *comment;
    bool override;
    int64_t expires;
} sample[] = {
    {LIST_EXCLUDE, "example.com", "", "", false, 0},
    {LIST_EXCLUDE, ".example.com", "", "tab \xc2\xa0 \"quoted\" \\ # \xe2\x82\xac", true, 1900000000},
    {LIST_REQUIRE, "[mx.example.net]", "secure", "", false, 0},
    {LIST_PROTOCOLS, "192.0.2.0/24", ">=TLSv1.2 ciphers=high", "", false, 0},
    {LIST_INBOUND_EXCLUDE, "2001:db8::/32", "", "", false, 1},
    {LIST_FALLBACK, "example.org", "plain-for 1h", "", false, 0},
};
#define SAMPLES (sizeof sample / sizeof sample[0])

static void fill(struct lists *lists)
{
    assert_int_equal(lists_init(lists, secret), 0);
    for (size_t i = 0; i < SAMPLES; i++) {
        struct list_entry_in in = {.value = sample[i].value,
                                   .author = "anna",
                                   .comment = sample[i].comment,
                                   .created = 1700000000,
                                   .expires = sample[i].expires,
                                   .override = sample[i].override};
        struct list_entry *entry;
        struct list_pattern p;

        assert_int_equal(list_pattern_parse(&p, sample[i].pattern, strlen(sample[i].pattern), NULL), 0);
        entry = list_entry_new(sample[i].list, &p, &in, NULL);
        assert_non_null(entry);
        assert_int_equal(list_put(lists->list[sample[i].list], entry), 0);
    }
}

static void write_sample(struct buf *out, const struct lists_stamp *s)
{
    struct lists lists;

    fill(&lists);
    buf_init(out, LISTS_KEPT_MAX);
    lists_kept_write(out, &lists, s);
    assert_true(buf_ok(out));
    lists_clear(&lists);
}

static const struct list_entry *find(const struct lists *lists, size_t i)
{
    const struct list_entry *entry;
    const void *cursor = NULL;

    while ((entry = list_next(lists->list[sample[i].list], &cursor)) != NULL)
        if (strcmp(entry->pattern, sample[i].pattern) == 0)
            return entry;
    fail_msg("%s is not there", sample[i].pattern);
    return NULL;
}

static void there_and_back(const struct lists_stamp *s)
{
    struct lists_left_out left_out;
    struct lists_stamp back;
    struct lists lists;
    struct err e = {""};
    struct buf file;
    size_t entries;

    write_sample(&file, s);
    if (lists_kept_read(&lists, &back, &left_out, file.data, file.len, secret, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(lists_count(&lists), SAMPLES);
    assert_int_equal(left_out.count, 0);
    assert_memory_equal(&back, s, sizeof back);
    assert_int_equal(lists_kept_head(&back, &entries, file.data, file.len, &e), 0);
    assert_int_equal(entries, SAMPLES);
    assert_memory_equal(&back, s, sizeof back);
    for (size_t i = 0; i < SAMPLES; i++) {
        const struct list_entry *entry = find(&lists, i);

        assert_string_equal(entry->value_text, sample[i].value);
        assert_string_equal(entry->comment, sample[i].comment);
        assert_string_equal(entry->author, "anna");
        assert_int_equal(entry->created, 1700000000);
        assert_int_equal(entry->expires, sample[i].expires);
        assert_int_equal(entry->override, sample[i].override);
    }
    lists_clear(&lists);
    buf_clear(&file);
}

static void test_there_and_back(void **state)
{
    static const struct lists_stamp none;

    (void)state;
    there_and_back(&stamp);
    there_and_back(&none);
}

static void test_empty(void **state)
{
    struct lists_left_out left_out;
    struct lists_stamp back;
    struct lists lists;
    struct buf file;

    (void)state;
    assert_int_equal(lists_init(&lists, secret), 0);
    buf_init(&file, LISTS_KEPT_MAX);
    lists_kept_write(&file, &lists, &stamp);
    lists_clear(&lists);
    assert_int_equal(lists_kept_read(&lists, &back, &left_out, file.data, file.len, secret, NULL), 0);
    assert_int_equal(lists_count(&lists), 0);
    assert_int_equal(back.count, 17);
    lists_clear(&lists);
    buf_clear(&file);
}

/* A file that must be refused, with that word; also when nobody looks at the entries, but for faults there. The octets
 * stand in memory of their own, so that reading past is seen.
 */
static void refused(const char *data, size_t len, const char *why)
{
    struct lists_left_out left_out;
    struct lists_stamp s;
    struct lists lists;
    struct err e = {""};
    char *copy = malloc(len + 1);
    size_t entries;

    assert_non_null(copy);
    memcpy(copy + 1, data, len);
    if (lists_kept_read(&lists, &s, &left_out, copy + 1, len, secret, &e) == 0)
        fail_msg("%zu octets were taken: %.*s", len, (int)len, data);
    if (strstr(e.text, why) == NULL)
        fail_msg("%zu octets: %s, not %s", len, e.text, why);
    for (size_t i = 0; i < LISTS; i++)
        assert_null(lists.list[i]);
    assert_int_equal(s.generation[0], '\0');
    if (strstr(why, "entr") == NULL && lists_kept_head(&s, &entries, copy + 1, len, NULL) == 0)
        fail_msg("%zu octets were taken without the entries: %.*s", len, (int)len, data);
    free(copy);
}

static void test_truncated(void **state)
{
    struct buf file;

    (void)state;
    write_sample(&file, &stamp);
    for (size_t len = 0; len < file.len; len++)
        refused(file.data, len, "truncated");
    buf_clear(&file);
}

static void test_flipped(void **state)
{
    struct buf file;

    (void)state;
    write_sample(&file, &stamp);
    for (size_t at = 0; at < file.len; at++)
        for (unsigned bits = 1; bits < 256; bits++) {
            file.data[at] = (char)(file.data[at] ^ (int)bits);
            refused(file.data, file.len, at == strlen("postern-lists ") && bits != ('1' ^ '\n') ? "version" : "");
            file.data[at] = (char)(file.data[at] ^ (int)bits);
        }
    buf_clear(&file);
}

/* Lines of the sample moved, doubled or dropped, and text behind the end. */
static void test_lines(void **state)
{
    struct buf file, other;
    const char *second, *third;

    (void)state;
    write_sample(&file, &stamp);
    buf_init(&other, LISTS_KEPT_MAX);
    second = strchr(file.data, '\n') + 1;
    second = strchr(second, '\n') + 1;
    third = strchr(second, '\n') + 1;
    buf_add(&other, file.data, (size_t)(second - file.data));
    buf_str(&other, third);
    refused(other.data, other.len, "checksum");
    buf_reset(&other);
    buf_add(&other, file.data, (size_t)(third - file.data));
    buf_str(&other, second);
    refused(other.data, other.len, "checksum");
    buf_reset(&other);
    buf_str(&other, file.data);
    buf_str(&other, file.data);
    refused(other.data, other.len, "checksum");
    buf_reset(&other);
    buf_str(&other, file.data);
    buf_char(&other, '\n');
    refused(other.data, other.len, "truncated");
    buf_clear(&other);
    buf_clear(&file);
}

/* A file with a right checksum over this. */
static void seal(struct buf *out, const char *text)
{
    static const uint8_t key[SIPHASH_KEY] = "postern-lists 1";

    buf_init(out, LISTS_KEPT_MAX);
    buf_str(out, text);
    buf_printf(out, "%016llx\n", (unsigned long long)siphash(key, text, strlen(text)));
}

#define BEGIN "postern-lists 1\n"
#define STAMP BEGIN "stamp\t0123456789abcdef\t5\n"

static const struct {
    const char *text;
    const char *why;
} sealed_bad[] = {
    {"postern-lists 2\nstamp\t\t0\nend\t0\t", "version \"2\", this program reads 1"},
    {"postern-lists \nstamp\t\t0\nend\t0\t", "version"},
    {"postern-list 1\nstamp\t\t0\nend\t0\t", "no snapshot"},
    {"\n\n", "no snapshot"},
    {BEGIN "end\t0\t", "no line \"stamp\""},
    {BEGIN "stamp\t\t1\nend\t0\t", "the stamp of the snapshot: the generation"},
    {BEGIN "stamp\t0123456789abcdef\t0\nend\t0\t", "the stamp of the snapshot: the count"},
    {BEGIN "stamp\t0123456789abcdef\nend\t0\t", "no line \"stamp\""},
    {STAMP "end\t1\t", "has 0 entries and says that it has 1"},
    {STAMP "end\t00\t", "has 0 entries and says that it has 00"},
    {STAMP "exclude\texample.com\t{\"v\":1}\nend\t0\t", "has 1 entries and says that it has 0"},
    {STAMP "exclude\texample.com\nend\t1\t", "no entry: exclude"},
    {STAMP "\nend\t1\t", "no entry"},
    {STAMP "exclude\texample.com\t{}\t\nend\t1\t", "no entry"},
    {STAMP "end\t0\t\t", "truncated"},
};

static void test_sealed_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sealed_bad / sizeof sealed_bad[0]; i++) {
        struct buf file;

        seal(&file, sealed_bad[i].text);
        refused(file.data, file.len, sealed_bad[i].why);
        buf_clear(&file);
    }
}

/* Whole entries that are not valid (any more) are left out, the others stay. */
static void test_left_out(void **state)
{
    static const struct {
        const char *line;
        const char *why;
    } rows[] = {
        {"require\texample.org\t{\"v\":1,\"value\":\"best\"}", "list require, example.org: \"best\" is no level"},
        {"exclude\texample.org\t{\"v\":2}", "list exclude, example.org: v: version 2"},
        {"exclude\tExample.org\t{\"v\":1}", "must be written example.org"},
        {"exclude\texample.org\t", "no JSON"},
        {"exclude\t\t{\"v\":1}", "an empty pattern"},
        {"excluded\texample.org\t{\"v\":1}", "no list \"excluded\""},
        {"\texample.org\t{\"v\":1}", "no list \"\""},
        {"a-very-long-name-for-a-list-that-is-none\texample.org\t{\"v\":1}", "no list \"a-very"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lists_left_out left_out;
        struct lists_stamp s;
        struct lists lists;
        char text[512];
        struct err e = {""};
        struct buf file;

        snprintf(text, sizeof text, STAMP "%s\nlocal\texample.com\t{\"v\":1}\n%s\nend\t3\t", rows[i].line,
                 rows[(i + 1) % 8].line);
        seal(&file, text);
        if (lists_kept_read(&lists, &s, &left_out, file.data, file.len, secret, &e) != 0)
            fail_msg("%s: %s", rows[i].line, e.text);
        assert_int_equal(left_out.count, 2);
        if (strstr(left_out.first.text, rows[i].why) == NULL)
            fail_msg("%s: %s", rows[i].line, left_out.first.text);
        assert_int_equal(lists_count(&lists), 1);
        assert_int_equal(list_count(lists.list[LIST_LOCAL]), 1);
        assert_int_equal(s.count, 5);
        lists_clear(&lists);
        buf_clear(&file);
    }
}

/* What does not fit is told by the buffer. */
static void test_limit(void **state)
{
    struct lists lists;
    struct buf small;

    (void)state;
    fill(&lists);
    buf_init(&small, 100);
    lists_kept_write(&small, &lists, &stamp);
    assert_false(buf_ok(&small));
    buf_clear(&small);
    lists_clear(&lists);
}

/* Sealed, but the last line counts no entries. */
static void test_head_without_count(void **state)
{
    static const char *const counts[] = {"x", "-1", "1 ", "99999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct lists_stamp s;
        struct buf file;
        char text[100];
        size_t entries;

        snprintf(text, sizeof text, STAMP "end\t%s\t", counts[i]);
        seal(&file, text);
        assert_int_equal(lists_kept_head(&s, &entries, file.data, file.len, NULL), -1);
        buf_clear(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_head_without_count),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_sealed_bad),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
