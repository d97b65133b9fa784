/* datagram_memory.t.c - tests of datagram_memory.c: read once, bounded, never another datagram's event. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "datagram_memory.h"

#include <stdio.h>
#include <string.h>

static const uint8_t secret[SIPHASH_KEY] = "0123456789abcde";

static const char *datagram(unsigned n)
{
    static char text[300];

    (void)snprintf(text, sizeof(text),
                   "{\"d\": \"d%u.example\",\"pr\": \"\",\"policies\":[{\"policy-type\":9,\"t\":0,\"f\":0}]}", n);
    return text;
}

static const struct tlsrpt_event_read *read_nth(struct datagram_memory *m, unsigned n)
{
    const char *text = datagram(n);
    const struct tlsrpt_event_read *read = datagram_memory_read(m, text, strlen(text), NULL);
    char want[30];

    assert_non_null(read);
    (void)snprintf(want, sizeof(want), "d%u.example", n);
    assert_string_equal(read->event.domain, want);
    return read;
}

static void read_once(void **state)
{
    struct datagram_memory *m = datagram_memory_new(10, 100000, secret);
    const struct tlsrpt_event_read *first = read_nth(m, 1);

    (void)state;
    (void)read_nth(m, 2);
    assert_ptr_equal(read_nth(m, 1), first);
    assert_int_equal(datagram_memory_count(m), 2);
    datagram_memory_free(m);
}

static void bounded(void **state)
{
    struct datagram_memory *m = datagram_memory_new(10, 1000000, secret);

    (void)state;
    for (unsigned n = 0; n < 1000; n++) {
        (void)read_nth(m, n % 37);
        assert_in_range(datagram_memory_count(m), 1, 10);
    }
    datagram_memory_free(m);
    m = datagram_memory_new(1000, 5000, secret);
    for (unsigned n = 0; n < 1000; n++) {
        (void)read_nth(m, n % 37);
        assert_in_range(datagram_memory_octets(m), 1, 5000);
    }
    datagram_memory_free(m);
}

/* One that is larger than all of the memory is read all the same, and so is one after it. */
static void larger_than_memory(void **state)
{
    struct datagram_memory *m = datagram_memory_new(10, 100, secret);

    (void)state;
    (void)read_nth(m, 1);
    (void)read_nth(m, 2);
    assert_int_equal(datagram_memory_count(m), 0);
    datagram_memory_free(m);
}

static void unreadable(void **state)
{
    struct datagram_memory *m = datagram_memory_new(10, 100000, secret);
    struct err e = {""};

    (void)state;
    (void)read_nth(m, 1);
    assert_null(datagram_memory_read(m, "{", 1, &e));
    assert_string_not_equal(e.text, "");
    assert_null(datagram_memory_read(m, "", 0, &e));
    assert_int_equal(datagram_memory_count(m), 1);
    (void)read_nth(m, 1);
    datagram_memory_free(m);
    datagram_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_once),
        cmocka_unit_test(bounded),
        cmocka_unit_test(larger_than_memory),
        cmocka_unit_test(unreadable),
    };
    return cmocka_run_group_tests_name("datagram_memory", tests, NULL, NULL);
}
