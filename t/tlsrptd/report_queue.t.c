/* report_queue.t.c - the domains of the open days, in the order of their time. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "report_queue.h"
#include "domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_schedule.h"

#define DAY   20779
#define NEVER INT64_MAX
#define MANY  3000

#define CONTACT "tls@example.org"

static void test_order(void **state)
{
    static char name[MANY][32];
    static const char *domain[MANY];
    struct report_queue *q = report_queue_new();
    struct report_entry *entry;
    int64_t last = 0;
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(name[i], sizeof(name[i]), "d%06zu.example", i);
        domain[i] = name[i];
    }
    assert_int_equal(report_queue_add(q, DAY, domain, MANY, CONTACT, 14400), 0);
    assert_int_equal(report_queue_add(q, DAY + 1, domain, MANY, CONTACT, 14400), 0);
    assert_int_equal(report_queue_add(q, DAY, domain, MANY, CONTACT, 14400), 0); /* known */
    assert_int_equal(report_queue_waiting(q), 2 * MANY);
    assert_null(report_queue_take(q, report_queue_when(q) - 1));
    while ((entry = report_queue_take(q, NEVER)) != NULL) {
        assert_true(entry->at >= last);
        assert_true(entry->at >= report_due(entry->day, entry->domain, CONTACT, 14400));
        last = entry->at;
        if (++taken % 7 == 0)
            report_queue_give_back(q, entry, entry->at + 1);
    }
    assert_int_equal(taken, 2 * MANY + taken / 7);
    assert_true(report_queue_when(q) == -1);
    assert_int_equal(report_queue_add(q, DAY, domain, MANY, CONTACT, 14400), 0); /* finished: not again */
    assert_int_equal(report_queue_waiting(q), 0);
    report_queue_free(q);
}

/* More of a day come in later; names that are none, or not in their order, are passed over. */
static void test_more(void **state)
{
    static const char *const first[] = {"", "b", "d"}, *const then[] = {"a", "b", "b", "c", "a", "d", "e"};
    char longest[DOMAIN_BUF + 1];
    const char *one[] = {longest};
    struct report_queue *q = report_queue_new();

    (void)state;
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(report_queue_add(q, DAY, first, 3, CONTACT, 0), 0);
    assert_int_equal(report_queue_waiting(q), 2);
    assert_non_null(report_queue_take(q, NEVER));
    assert_int_equal(report_queue_add(q, DAY, then, 7, CONTACT, 0), 0);
    assert_int_equal(report_queue_waiting(q), 4);
    assert_int_equal(report_queue_add(q, DAY, one, 1, CONTACT, 0), 0);
    assert_int_equal(report_queue_waiting(q), 4);
    assert_int_equal(report_queue_add(q, DAY, NULL, 0, CONTACT, 0), 0);
    report_queue_free(q);
}

/* What is left when a day is forgotten is still in its order. */
static void test_forget(void **state)
{
    static char name[MANY][32];
    static const char *domain[MANY];
    struct report_queue *q = report_queue_new();
    struct report_entry *entry;
    int64_t last = 0;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(name[i], sizeof(name[i]), "d%06zu.example", i);
        domain[i] = name[i];
    }
    for (int32_t day = DAY; day < DAY + 4; day++)
        assert_int_equal(report_queue_add(q, day, domain, MANY, CONTACT, 4 * 86400), 0);
    report_queue_forget(q, DAY + 2);
    assert_int_equal(report_queue_waiting(q), 2 * MANY);
    while ((entry = report_queue_take(q, NEVER)) != NULL) {
        assert_in_range(entry->day, DAY + 2, DAY + 3);
        assert_true(entry->at >= last);
        last = entry->at;
    }
    report_queue_forget(q, DAY + 9);
    report_queue_free(q);
    report_queue_free(NULL);
}

/* Another contact or delay goes for those that were not tried yet, and the order is that of the new times. */
static void test_spread(void **state)
{
    static char name[MANY][32];
    static const char *domain[MANY];
    struct report_queue *q = report_queue_new();
    struct report_entry *entry, *tried;
    int64_t last = 0;
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(name[i], sizeof(name[i]), "d%06zu.example", i);
        domain[i] = name[i];
    }
    assert_int_equal(report_queue_add(q, DAY, domain, MANY, CONTACT, 14400), 0);
    tried = report_queue_take(q, NEVER);
    assert_non_null(tried);
    report_queue_give_back(q, tried, report_due(DAY, "", "", 0) + 20000);
    report_queue_spread(q, "other", 7000);
    while ((entry = report_queue_take(q, NEVER)) != NULL) {
        if (entry == tried)
            assert_int_equal(entry->at, report_due(DAY, "", "", 0) + 20000);
        else
            assert_int_equal(entry->at, report_due(DAY, entry->domain, "other", 7000));
        assert_true(entry->at >= last);
        last = entry->at;
        taken++;
    }
    assert_int_equal(taken, MANY);
    report_queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_more),
        cmocka_unit_test(test_forget),
        cmocka_unit_test(test_spread),
    };

    return cmocka_run_group_tests_name("report_queue", tests, NULL, NULL);
}
