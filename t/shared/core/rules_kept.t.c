/* rules_kept.t.c - tests of rules_kept.c: there and back, and files that are damaged in any way. */
#include "rules_kept.h"

#include "siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define RULES "# about cards\n\ncards: body matches \"\\d{16}\" -> requiretls\n"

static const struct lists_stamp stamp = {"0123456789abcdef", 17};

static void write_file(struct buf *out, const struct lists_stamp *s, const char *text)
{
    buf_init(out, RULES_KEPT_MAX);
    rules_kept_write(out, s, text, strlen(text));
    assert_true(buf_ok(out));
}

static void read_back(const struct lists_stamp *s, const char *text, const char *want)
{
    struct lists_stamp seen;
    struct err e = {""};
    struct buf file, out;

    write_file(&file, s, text);
    buf_init(&out, RULES_TEXT_MAX);
    if (rules_kept_read(&seen, &out, file.data, file.len, &e) != 0)
        fail_msg("%s", e.text);
    assert_string_equal(buf_text(&out), want);
    assert_string_equal(seen.generation, s->generation);
    assert_int_equal(seen.count, s->count);
    buf_clear(&out);
    buf_clear(&file);
}

static void test_there_and_back(void **state)
{
    static const struct lists_stamp none = {"", 0};

    (void)state;
    read_back(&stamp, RULES, RULES);
    read_back(&stamp, "", "");
    read_back(&none, RULES, RULES);
    read_back(&stamp, "a: client.tls -> none", "a: client.tls -> none\n");
    read_back(&stamp, "# end\nend\t0123456789abcdef\n", "# end\nend\t0123456789abcdef\n");
    read_back(&stamp, "\n\n", "\n\n");
}

/* Returns whether the octets are refused; *e says why. They are copied, so that reading past them is seen. */
static bool is_refused(const char *data, size_t len, struct err *e)
{
    char *copy = malloc(len + (len == 0));
    struct lists_stamp seen = stamp;
    struct buf out;
    int rc;

    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, data, len);
    buf_init(&out, RULES_TEXT_MAX);
    e->text[0] = '\0';
    rc = rules_kept_read(&seen, &out, copy, len, e);
    if (rc != 0) {
        assert_int_equal(out.len, 0);
        assert_true(seen.generation[0] == '\0' && seen.count == 0);
        assert_true(e->text[0] != '\0');
    }
    buf_clear(&out);
    free(copy);
    return rc != 0;
}

static void test_cut_anywhere(void **state)
{
    struct err e;
    struct buf file;

    (void)state;
    write_file(&file, &stamp, RULES);
    for (size_t len = 0; len < file.len; len++) {
        assert_true(is_refused(file.data, len, &e));
        assert_non_null(strstr(e.text, "truncated"));
    }
    assert_false(is_refused(file.data, file.len, &e));
    buf_clear(&file);
}

static void test_any_octet_changed(void **state)
{
    struct err e;
    struct buf file;

    (void)state;
    write_file(&file, &stamp, RULES);
    for (size_t i = 0; i < file.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            file.data[i] = (char)(file.data[i] ^ 1 << bit);
            assert_true(is_refused(file.data, file.len, &e));
            file.data[i] = (char)(file.data[i] ^ 1 << bit);
        }
    }
    buf_clear(&file);
}

static void test_wrong_files(void **state)
{
    static const struct {
        const char *head;
        const char *why;
    } wrong[] = {
        {"postern-lists 1\nstamp\t\t0\n", "does not begin with"},
        {"postern-rules 2\nstamp\t\t0\n", "another version"},
        {"postern-rules 11\nstamp\t\t0\n", "another version"},
        {"postern-rules 1\n", "no line \"stamp\""},
        {"postern-rules 1\nstamp\t\n", "no line \"stamp\""},
        {"postern-rules 1\nstamps\t\t0\n", "no line \"stamp\""},
        {"postern-rules 1\nstamp\t0123456789abcdef\t0\n", "the stamp of the file"},
        {"postern-rules 1\nstamp\t\t1\n", "the stamp of the file"},
        {"postern-rules 1\nstamp\tx\t1\n", "the stamp of the file"},
    };
    static const uint8_t key[SIPHASH_KEY] = "postern-rules 1";

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct err e;
        struct buf file;

        buf_init(&file, RULES_KEPT_MAX);
        buf_printf(&file, "%send\t", wrong[i].head);
        buf_printf(&file, "%016llx\n", (unsigned long long)siphash(key, file.data, file.len));
        assert_true(is_refused(file.data, file.len, &e));
        if (strstr(e.text, wrong[i].why) == NULL)
            fail_msg("%zu: %s", i, e.text);
        buf_clear(&file);
    }
}

static void test_too_long(void **state)
{
    size_t len = RULES_KEPT_MAX + 1;
    char *data = calloc(1, len);
    struct lists_stamp seen;
    struct err e;
    struct buf file, small;

    (void)state;
    assert_non_null(data);
    assert_true(is_refused(data, len, &e));
    assert_non_null(strstr(e.text, "longer than"));
    free(data);
    write_file(&file, &stamp, RULES);
    buf_init(&small, 10);
    assert_int_equal(rules_kept_read(&seen, &small, file.data, file.len, &e), -1);
    assert_non_null(strstr(e.text, "too long"));
    assert_int_equal(seen.count, 0);
    buf_clear(&small);
    buf_clear(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),    cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_any_octet_changed), cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
