/* publications.t.c - tests of publications.c. */
#include "publications.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const char *json(int changed)
{
    static char text[200];

    (void)snprintf(
        text, sizeof(text),
        "{\"v\":1,\"mode\":\"testing\",\"max_age\":1,\"mx\":[\"a\"],\"id\":\"i%d\",\"changed\":%d,\"since\":0,"
        "\"by\":\"\"}",
        changed, changed);
    return text;
}

/* "b5 a3": domains of one letter and when they were changed */
static void fill(struct publications *p, const char *text)
{
    *p = (struct publications){0};
    for (; *text != '\0'; text += text[2] == ' ' ? 3 : 2) {
        const char *value = json(text[1] - '0');

        assert_int_equal(publications_add(p, text, 1, value, strlen(value), NULL), 0);
    }
    publications_sort(p);
}

static void expect(const struct publications *p, const char *text)
{
    char got[200] = "";

    for (size_t i = 0; i < p->count; i++) {
        assert_ptr_equal(publications_find(p, p->row[i].domain), &p->row[i]);
        (void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s%d%s", i == 0 ? "" : " ", p->row[i].domain,
                       (int)p->row[i].changed, p->row[i].lacking ? "!" : "");
    }
    assert_string_equal(got, text);
}

static void test_order(void **state)
{
    struct publications p;
    struct err e = {""};

    (void)state;
    fill(&p, "c1 a1 b3 b5 b4 a0");
    expect(&p, "a1 b5 c1");
    assert_null(publications_find(&p, "d"));
    assert_null(publications_find(&p, ""));
    assert_int_equal(publications_put(&p, "b", 1, json(2), strlen(json(2)), NULL), 1);
    assert_int_equal(publications_put(&p, "d", 1, json(2), strlen(json(2)), NULL), 0);
    assert_int_equal(publications_put(&p, "0a", 2, json(7), strlen(json(7)), NULL), 0);
    expect(&p, "0a7 a1 b2 c1 d2");
    assert_int_equal(publications_put(&p, "A", 1, json(2), strlen(json(2)), &e), -1);
    assert_int_equal(publications_put(&p, "a\0b", 3, json(2), strlen(json(2)), &e), -1);
    assert_int_equal(publications_put(&p, "a", 1, "{}", 2, &e), -1);
    assert_true(publications_remove(&p, "a", 1));
    assert_true(publications_remove(&p, "d", 1));
    assert_false(publications_remove(&p, "a", 1));
    assert_false(publications_remove(&p, "", 0));
    expect(&p, "0a7 b2 c1");
    publications_clear(&p);
    publications_clear(&p);
    expect(&p, "");
}

static void test_merge(void **state)
{
    static const struct {
        const char *there, *known, *both;
        int lacking;
    } rows[] = {
        {"", "", "", 0},
        {"a1 b1", "", "a1 b1", 0},
        {"", "a1 b1", "a1! b1!", 2},
        {"a1 b2 c3", "a2 b2 c2 d4", "a2! b2 c3 d4!", 2},
        {"b1", "a1 b1 c1", "a1! b1 c1!", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct publications p, known;

        fill(&p, rows[i].there);
        fill(&known, rows[i].known);
        assert_int_equal(publications_merge(&p, &known), rows[i].lacking);
        expect(&p, rows[i].both);
        expect(&known, "");
        publications_clear(&p);
    }
}

static void test_file(void **state)
{
    struct lists_stamp stamp = {.generation = "0123456789abcdef", .count = 7}, seen;
    struct publications p, again;
    struct err e = {""};
    size_t left_out;
    struct buf file;

    (void)state;
    buf_init(&file, 4096);
    fill(&p, "a1 b2");
    publications_write(&file, &p, &stamp);
    assert_true(buf_ok(&file));
    assert_int_equal(strncmp(file.data, "postern-published 1\nstamp\t0123456789abcdef\t7\na\t{", 48), 0);
    assert_int_equal(publications_read(&again, &seen, &left_out, file.data, file.len, &e), 0);
    assert_string_equal(seen.generation, stamp.generation);
    assert_int_equal(seen.count, stamp.count);
    assert_int_equal(left_out, 0);
    expect(&again, "a1 b2");
    publications_clear(&again);
    for (size_t len = 0; len < file.len; len++) {
        assert_int_equal(publications_read(&again, &seen, &left_out, file.data, len, &e), -1);
        assert_int_equal(again.count, 0);
        assert_string_equal(seen.generation, "");
    }
    file.data[60] ^= 1;
    assert_int_equal(publications_read(&again, &seen, &left_out, file.data, file.len, &e), -1);
    assert_non_null(strstr(e.text, "damaged"));
    buf_clear(&file);
    publications_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_merge),
                                       cmocka_unit_test(test_file)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
