/* counters.t.c - tests of counters.c: each counter has a name, and those of hosts are named as the failures are. */
#include "counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static void names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNTERS; i++) {
        if (relayd_counters[i].name == NULL) /* a later place of a histogram */
            assert_true((i > HISTOGRAM_DELIVERY && i <= HISTOGRAM_DELIVERY_LAST) ||
                        (i > HISTOGRAM_CONNECT && i <= HISTOGRAM_CONNECT_LAST));
        if (relayd_counters[i].name == NULL)
            continue;
        assert_non_null(relayd_counters[i].name);
        assert_true((relayd_counters[i].help == NULL) == (relayd_counters[i].type == NULL));
        assert_true(strchr(relayd_counters[i].name, '{') != NULL || relayd_counters[i].help != NULL);
        for (size_t other = 0; other < i; other++)
            if (relayd_counters[other].name != NULL)
                assert_string_not_equal(relayd_counters[i].name, relayd_counters[other].name);
    }
}

static void hosts(void **state)
{
    (void)state;
    for (enum relay_failed what = RELAY_FAILED_NOTHING; what < RELAY_FAILED_COUNT; what++) {
        const char *name = what == RELAY_FAILED_NOTHING ? "verified" : relay_failed_name(what);
        bool connects = what <= RELAY_FAILED_TLS_EHLO_PERM;
        char want[100];

        if (what != RELAY_FAILED_NOTHING && what < RELAY_FAILED_LOCAL)
            continue;
        (void)snprintf(want, sizeof(want), "postern_relayd_%s_total{%s=\"%s\"}", connects ? "connects" : "declined",
                       connects ? "outcome" : "why", name);
        assert_string_equal(relayd_counters[counter_of(what)].name, want);
        count_host(what);
        assert_int_equal(relayd_counters[counter_of(what)].value, 1);
    }
    count_host(RELAY_FAILED_NULL_MX);
    for (size_t i = 0; i < COUNTERS; i++)
        assert_int_equal(relayd_counters[i].value, i >= COUNT_VERIFIED && i <= COUNT_DECLINED_LAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(hosts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
