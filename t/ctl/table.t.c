/* table.t.c - aligned columns, with odd text in them. */
#include "table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(struct table *t, size_t indent, bool colour, const char *text)
{
    struct buf out;

    buf_init(&out, 100000);
    table_print(&out, t, indent, colour);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), text);
    buf_clear(&out);
    table_free(t);
}

static void test_aligned(void **state)
{
    struct table *t = table_new(3);

    (void)state;
    table_add(t, TINT_HEAD, "PREF");
    table_add(t, TINT_HEAD, "HOST");
    table_add(t, TINT_HEAD, "DANE");
    table_addf(t, TINT_NONE, "%u", 10U);
    table_add(t, TINT_NONE, "mx1.example.com");
    table_add(t, TINT_NONE, "none");
    expect(t, 2, false, "  PREF  HOST             DANE\n  10    mx1.example.com  none\n");
}

static void test_empty_cells(void **state)
{
    struct table *t = table_new(3);

    (void)state;
    table_add(t, TINT_NONE, "a");
    table_end_row(t);
    table_end_row(t); /* at the start of a row: nothing */
    table_add(t, TINT_NONE, NULL);
    table_add(t, TINT_NONE, "");
    table_add(t, TINT_NONE, "c");
    table_add(t, TINT_NONE, NULL);
    table_add(t, TINT_NONE, NULL);
    table_add(t, TINT_NONE, NULL);
    table_add(t, TINT_NONE, "unfinished");
    expect(t, 1, false, " a\n             c\n\n unfinished\n");
}

static void test_utf8(void **state)
{
    struct table *t = table_new(2);

    (void)state;
    table_add(t, TINT_NONE,
              "b\xc3\xbc"
              "cher");
    table_add(t, TINT_NONE, "1");
    table_add(t, TINT_NONE, "\xe6\x97\xa5\xe6\x9c\xac");
    table_add(t, TINT_NONE, "2");
    table_add(t, TINT_NONE, "\xff\n");
    table_add(t, TINT_NONE, "3");
    expect(t, 0, false,
           "b\xc3\xbc"
           "cher    1\n"
           "\xe6\x97\xa5\xe6\x9c\xac      2\n"
           "\\xff\\x0a  3\n");
}

/* A cell of great width does not push the other rows to the right. */
static void test_wide_cell(void **state)
{
    char wide[TABLE_ALIGN_MAX + 2];
    char text[TABLE_ALIGN_MAX + 40];
    struct table *t = table_new(2);

    (void)state;
    memset(wide, 'w', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = '\0';
    table_add(t, TINT_NONE, wide);
    table_add(t, TINT_NONE, "1");
    table_add(t, TINT_NONE, "short");
    table_add(t, TINT_NONE, "2");
    strcpy(text, wide);
    strcat(text, "  1\nshort  2\n");
    expect(t, 0, false, text);
}

/* When all cells of a column are that wide, there still is a gap. */
static void test_wide_column(void **state)
{
    char wide[TABLE_ALIGN_MAX + 2];
    char text[TABLE_ALIGN_MAX + 40];
    struct table *t = table_new(2);

    (void)state;
    memset(wide, 'w', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = '\0';
    table_add(t, TINT_NONE, wide);
    table_add(t, TINT_NONE, "1");
    strcpy(text, wide);
    strcat(text, "  1\n");
    expect(t, 0, false, text);
}

static void test_colour_keeps_alignment(void **state)
{
    struct table *t = table_new(2);

    (void)state;
    table_add(t, TINT_GOOD, "up");
    table_add(t, TINT_NONE, "1");
    table_add(t, TINT_BAD, "down");
    table_add(t, TINT_NONE, "2");
    expect(t, 0, true, "\033[32mup\033[0m    1\n\033[31mdown\033[0m  2\n");
}

static void test_limits(void **state)
{
    struct buf out;
    struct table *t = table_new(1000);

    (void)state;
    for (int i = 0; i < 1000; i++)
        table_addf(t, TINT_NONE, "%d", i);
    buf_init(&out, 100); /* too little */
    table_print(&out, t, 0, false);
    assert_false(buf_ok(&out));
    buf_clear(&out);
    table_print(&out, NULL, 0, false); /* no memory for the table */
    assert_false(buf_ok(&out));
    table_add(NULL, TINT_NONE, "x");
    table_addf(NULL, TINT_NONE, "x");
    table_end_row(NULL);
    table_free(NULL);
    table_free(t);
    expect(table_new(0), 0, false, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned),     cmocka_unit_test(test_empty_cells),
        cmocka_unit_test(test_utf8),        cmocka_unit_test(test_wide_cell),
        cmocka_unit_test(test_wide_column), cmocka_unit_test(test_colour_keeps_alignment),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
