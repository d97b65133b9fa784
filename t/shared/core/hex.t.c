/* hex.t.c - tests of hex.h. */
#include "hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_write(void **state)
{
    char text[12];

    (void)state;
    memset(text, 'x', sizeof(text));
    hex_write(text, "\x00\x0f\xf0\x7f\xff", 5);
    assert_memory_equal(text, "000ff07fff\0x", sizeof(text));
    hex_write(text, "", 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_write)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
