/* datagram_queue.t.c - tests of datagram_queue.c: in order, whole, bounded; from one thread to another. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "datagram_queue.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define LONGEST 1000
#define MANY    300000

/* The length and the first octets of the nth entry. */
static size_t make(char *out, unsigned n)
{
    size_t len = (size_t)n * 7919 % (LONGEST + 1);

    memset(out, (int)('a' + n % 26), LONGEST);
    return len < 12 ? len : (size_t)snprintf(out, LONGEST, "%010u:", n) + len - 11;
}

static void front_is(struct datagram_queue *q, unsigned n)
{
    char want[LONGEST + 1];
    size_t len = make(want, n);
    struct datagram got;

    assert_true(datagram_queue_front(q, &got));
    assert_int_equal(got.at, n);
    assert_int_equal(got.len, len);
    assert_memory_equal(got.octets, want, len);
    datagram_queue_pop(q);
}

static void bounded_and_in_order(void **state)
{
    struct datagram_queue *q = datagram_queue_new(5000, LONGEST);
    unsigned in = 0, out = 0;
    char text[LONGEST + 1];
    struct datagram got;

    (void)state;
    assert_false(datagram_queue_front(q, &got));
    for (int round = 0; round < 2000; round++) {
        size_t len = make(text, in);

        while (datagram_queue_put(q, in, text, len)) {
            in++;
            len = make(text, in);
            assert_in_range(datagram_queue_octets(q), 1, 4 * 2 * 1040);
        }
        assert_in_range(in - out, 4, 4 * 2 * 1040 / 16);
        for (int i = round % 7; i >= 0 && out < in; i--)
            front_is(q, out++);
    }
    while (out < in)
        front_is(q, out++);
    assert_int_equal(datagram_queue_octets(q), 0);
    assert_false(datagram_queue_front(q, &got));
    datagram_queue_free(q);
}

/* What is in front stays until it is popped. */
static void front_stays(void **state)
{
    struct datagram_queue *q = datagram_queue_new(0, LONGEST);
    struct datagram one, two;

    (void)state;
    assert_true(datagram_queue_put(q, 5, "one", 3));
    assert_true(datagram_queue_put(q, 6, "", 0));
    assert_true(datagram_queue_front(q, &one));
    assert_true(datagram_queue_front(q, &two));
    assert_ptr_equal(one.octets, two.octets);
    datagram_queue_pop(q);
    assert_true(datagram_queue_front(q, &two));
    assert_int_equal(two.at, 6);
    assert_int_equal(two.len, 0);
    datagram_queue_pop(q);
    datagram_queue_free(q);
}

static void *fill(void *arg)
{
    char text[LONGEST + 1];

    for (unsigned n = 0; n < MANY; n++) {
        size_t len = make(text, n);

        while (!datagram_queue_put(arg, n, text, len))
            sched_yield();
    }
    return NULL;
}

static void between_threads(void **state)
{
    struct datagram_queue *q = datagram_queue_new(200000, LONGEST);
    struct datagram got;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, fill, q), 0);
    for (unsigned n = 0; n < MANY; n++) {
        while (!datagram_queue_front(q, &got))
            sched_yield();
        front_is(q, n);
    }
    pthread_join(thread, NULL);
    datagram_queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounded_and_in_order),
        cmocka_unit_test(front_stays),
        cmocka_unit_test(between_threads),
    };
    return cmocka_run_group_tests_name("datagram_queue", tests, NULL, NULL);
}
