/* siphash.t.c - tests of siphash.c, against values from another implementation (the hash of octets in Python 3.11). */
#include "siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t zero[SIPHASH_KEY];
static const uint8_t key[SIPHASH_KEY] = {0x29, 0x23, 0xbe, 0x84, 0xe1, 0x6c, 0xd6, 0xae,
                                         0x52, 0x90, 0x49, 0xf1, 0xf1, 0xbb, 0xe9, 0xeb};

/* The text: the octets 0, 1, 2, … */
static const struct {
    const uint8_t *key;
    size_t len;
    uint64_t hash;
} values[] = {
    {zero, 1, UINT64_C(0x68a914128e01e473)},  {zero, 7, UINT64_C(0x2f098ab0c751325a)},
    {zero, 8, UINT64_C(0xead411e67ebe2eea)},  {zero, 9, UINT64_C(0x75927f9d95124362)},
    {zero, 15, UINT64_C(0xf30eb725bb91c9ea)}, {zero, 16, UINT64_C(0x8972188433a5c5b7)},
    {zero, 17, UINT64_C(0x4883c49a2c009c1d)}, {zero, 63, UINT64_C(0x385d3e39e5f37359)},
    {zero, 64, UINT64_C(0x75e05fd5bbc870c6)}, {zero, 256, UINT64_C(0x31ae646afba70308)},
    {key, 1, UINT64_C(0xecd3e5afcecda4b9)},   {key, 7, UINT64_C(0xfd15e78052a69ddf)},
    {key, 8, UINT64_C(0xc0b5739e7e28dd01)},   {key, 20, UINT64_C(0xcd48cd0e7a31cb04)},
};

static void test_values(void **state)
{
    uint8_t text[256];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_true(siphash(values[i].key, text, values[i].len) == values[i].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
