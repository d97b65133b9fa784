/* txt_record.t.c - tests of txt_record.c; what needs a whole record is tested in sts_record.t.c and tlsrpt_record.t.c.
 */
#include "txt_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void begins(void **state)
{
    static const struct {
        const char *text;
        int want;
        size_t pos;
    } rows[] = {
        {"v=STSv1;", 1, 8},
        {"v=STSv1; id=a", 1, 9},
        {"v=STSv1 \t;\t id=a", 1, 12},
        {"v=STSv1;;", 1, 8},
        {"v=STSv1", -1, 7},
        {"v=STSv1 \t ", -1, 10},
        {"v=STSv10;", 0, 0},
        {"v=STSv1 id=a;", 0, 0},
        {" v=STSv1;", 0, 0},
        {"v=STSv", 0, 0},
        {"", 0, 0},
        {"V=STSv1;", 0, 0},
        {"v=stsv1;", 0, 0},
        {"v = STSv1;", 0, 0},
        {"v=STSv1,", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t pos = 0;
        print_message("begins: \"%s\"\n", rows[i].text);
        assert_int_equal(txt_record_begin(&pos, "v=STSv1", rows[i].text, strlen(rows[i].text)), rows[i].want);
        assert_int_equal(pos, rows[i].pos);
    }
}

static void cuts_fields(void **state)
{
    static const char txt[] = "v=X; a=1 ;\tb.c-d_E=\t2 3\t ;c=;d=e=f; ";
    static const struct {
        const char *name, *value;
        size_t at;
    } want[] = {{"a", "1", 8}, {"b.c-d_E", "\t2 3", 20}, {"c", "", 29}, {"d", "e=f", 32}};
    struct txt_field f;
    struct err e;
    size_t pos;

    (void)state;
    assert_int_equal(txt_record_begin(&pos, "v=X", txt, strlen(txt)), 1);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_int_equal(txt_field_next(&f, &pos, txt, strlen(txt), &e), 1);
        assert_true(txt_field_is(&f, want[i].name));
        assert_int_equal(f.value_len, strlen(want[i].value));
        assert_memory_equal(f.value, want[i].value, f.value_len);
        assert_int_equal(f.value_at, want[i].at);
    }
    assert_int_equal(txt_field_next(&f, &pos, txt, strlen(txt), &e), 0);
}

static void tells_names_apart(void **state)
{
    static const char txt[] = "idx=1";
    struct txt_field f;
    struct err e;
    size_t pos = 0;

    (void)state;
    assert_int_equal(txt_field_next(&f, &pos, txt, strlen(txt), &e), 1);
    assert_true(txt_field_is(&f, "idx"));
    assert_false(txt_field_is(&f, "id"));
    assert_false(txt_field_is(&f, "idxx"));
    assert_false(txt_field_is(&f, "Idx"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins),
        cmocka_unit_test(cuts_fields),
        cmocka_unit_test(tells_names_apart),
    };
    return cmocka_run_group_tests_name("txt_record", tests, NULL, NULL);
}
