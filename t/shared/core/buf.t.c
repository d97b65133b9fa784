/* buf.t.c - tests of buf.c. */
#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* Lets the test of a refused allocation run under AddressSanitizer, which else ends the program. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* What must hold after every call. */
static void check(const struct buf *b)
{
    assert_true(b->len <= b->max);
    assert_int_equal(strlen(buf_text(b)), b->len); /* no test here adds a NUL */
    if (b->data != NULL)
        assert_true(b->cap > b->len);
    else
        assert_int_equal(b->cap, 0);
}

static void starts_empty(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_true(buf_ok(&b));
    assert_string_equal(buf_text(&b), "");
    assert_null(b.data);
    check(&b);
    buf_reset(&b);
    buf_clear(&b);
    buf_clear(&b);
    assert_true(buf_ok(&b));
    assert_int_equal(b.max, 10);
}

static void adds_all_kinds(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_str(&b, "one ");
    buf_char(&b, '2');
    buf_add(&b, " three and", 6);
    buf_add(&b, NULL, 0);
    buf_str(&b, "");
    buf_printf(&b, "%s", "");
    buf_printf(&b, " %d %s", 4, "five");
    assert_true(buf_ok(&b));
    assert_string_equal(buf_text(&b), "one 2 three 4 five");
    check(&b);
    buf_clear(&b);
    assert_string_equal(buf_text(&b), "");
}

static void keeps_nul_octets(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_add(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    buf_clear(&b);
}

/* Lengths around the limit, by each way in: full to the last octet is fine, one more adds nothing. */
static void holds_the_limit(void **state)
{
    static const size_t limits[] = {0, 1, 2, 63, 64, 65, 127, 128, 129, 1000};
    char text[1002];
    size_t i;

    (void)state;
    memset(text, 'x', sizeof(text));
    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct buf b;
        size_t max = limits[i];

        buf_init(&b, max);
        buf_add(&b, text, max);
        assert_true(buf_ok(&b));
        assert_int_equal(b.len, max);
        check(&b);
        buf_char(&b, 'y');
        assert_false(buf_ok(&b));
        assert_int_equal(b.len, max);
        check(&b);
        buf_clear(&b);

        buf_printf(&b, "%.*s", (int)max, text);
        assert_true(buf_ok(&b));
        assert_int_equal(b.len, max);
        buf_reset(&b);
        buf_printf(&b, "%.*s", (int)max + 1, text);
        assert_false(buf_ok(&b));
        assert_int_equal(b.len, 0);
        check(&b);
        buf_clear(&b);
    }
}

static void error_sticks(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 5);
    buf_str(&b, "abc");
    buf_str(&b, "def");
    buf_char(&b, 'g');
    buf_printf(&b, "h");
    buf_add(&b, "i", 1);
    buf_add(&b, "", 0);
    assert_false(buf_ok(&b));
    assert_string_equal(buf_text(&b), "abc");
    buf_reset(&b);
    assert_true(buf_ok(&b));
    assert_string_equal(buf_text(&b), "");
    buf_str(&b, "12345");
    assert_true(buf_ok(&b));
    assert_string_equal(buf_text(&b), "12345");
    buf_clear(&b);
}

/* A formatted part that does not fit leaves no trace, also when some of it would have. */
static void printf_is_all_or_nothing(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 70);
    buf_str(&b, "start");
    buf_printf(&b, "%s", "0123456789012345678901234567890123456789012345678901234567890123456789");
    assert_false(buf_ok(&b));
    assert_string_equal(buf_text(&b), "start");
    check(&b);
    buf_clear(&b);
}

static void reset_keeps_the_memory(void **state)
{
    struct buf b;
    char *data;

    (void)state;
    buf_init(&b, 100);
    buf_str(&b, "something");
    data = b.data;
    buf_reset(&b);
    assert_string_equal(buf_text(&b), "");
    assert_ptr_equal(b.data, data);
    buf_str(&b, "other");
    assert_ptr_equal(b.data, data);
    assert_string_equal(buf_text(&b), "other");
    buf_clear(&b);
}

static void reserve_makes_room(void **state)
{
    struct buf b;
    char *data;

    (void)state;
    buf_init(&b, 200);
    buf_str(&b, "ab");
    assert_true(buf_reserve(&b, 198));
    data = b.data;
    assert_string_equal(buf_text(&b), "ab");
    buf_printf(&b, "%0198d", 0);
    assert_true(buf_ok(&b));
    assert_ptr_equal(b.data, data);
    assert_true(buf_reserve(&b, 0));
    assert_false(buf_reserve(&b, 1));
    assert_false(buf_ok(&b));
    assert_false(buf_reserve(&b, 0));
    assert_int_equal(b.len, 200);
    buf_clear(&b);
}

static void no_memory_is_an_error(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, SIZE_MAX);
    buf_str(&b, "kept");
    assert_false(buf_reserve(&b, SIZE_MAX));
    buf_reset(&b);
    buf_str(&b, "kept");
    assert_false(buf_reserve(&b, PTRDIFF_MAX - 100));
    assert_false(buf_ok(&b));
    assert_string_equal(buf_text(&b), "kept");
    check(&b);
    buf_clear(&b);
}

static void grows_by_single_octets(void **state)
{
    struct buf b;
    size_t i;

    (void)state;
    buf_init(&b, 5000);
    for (i = 0; i < 5000; i++)
        buf_char(&b, (char)('a' + i % 26));
    assert_true(buf_ok(&b));
    check(&b);
    assert_int_equal(b.len, 5000);
    assert_int_equal(b.cap, 5001);
    for (i = 0; i < 5000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_empty),           cmocka_unit_test(adds_all_kinds),
        cmocka_unit_test(keeps_nul_octets),       cmocka_unit_test(holds_the_limit),
        cmocka_unit_test(error_sticks),           cmocka_unit_test(printf_is_all_or_nothing),
        cmocka_unit_test(reset_keeps_the_memory), cmocka_unit_test(reserve_makes_room),
        cmocka_unit_test(no_memory_is_an_error),  cmocka_unit_test(grows_by_single_octets),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
