/* facts.t.c - tests of facts.c: how long records are remembered, and who frees them. */
#include "facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#define NOW 1795341600

static const uint8_t secret[16];

static struct facts *keep(struct cache *memory, const char *domain, int64_t valid_until)
{
    struct dest *d = dest_new(domain);

    d->valid_until = valid_until;
    return facts_keep(memory, d, NOW, 1000);
}

static bool recalls(struct cache *memory, const char *domain, int64_t ms)
{
    struct facts *f = facts_recall(memory, domain, ms);
    bool found = f != NULL;

    if (found)
        assert_string_equal(facts_dest(f)->domain, domain);
    facts_release(f);
    return found;
}

static void times(void **state)
{
    static const struct {
        const char *domain;
        int64_t valid_for, ms; /* valid for so many seconds: remembered for so many milliseconds */
    } all[] = {
        {"long.test", 3600, FACTS_SECONDS * 1000},
        {"short.test", 5, 5000},
        {"over.test", -5, 0},
        {"now.test", 0, 0},
    };
    struct cache *memory = facts_memory_new(10, secret);

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        facts_release(keep(memory, all[i].domain, NOW + all[i].valid_for));
        assert_int_equal(recalls(memory, all[i].domain, 1000), all[i].ms > 0);
        if (all[i].ms > 0)
            assert_true(recalls(memory, all[i].domain, 1000 + all[i].ms - 1));
        assert_false(recalls(memory, all[i].domain, 1000 + all[i].ms));
    }
    assert_false(recalls(memory, "never.test", 1000));
    cache_free(memory);
}

/* Who holds facts has them, whatever the memory does. */
static void held(void **state)
{
    struct cache *memory = facts_memory_new(1, secret);
    struct facts *first = keep(memory, "a.test", NOW + 60), *second = keep(memory, "b.test", NOW + 60);

    (void)state;
    assert_false(recalls(memory, "a.test", 1000));
    assert_true(recalls(memory, "b.test", 1000));
    assert_string_equal(facts_dest(first)->domain, "a.test");
    facts_hold(first);
    facts_release(first);
    assert_string_equal(facts_dest(first)->domain, "a.test");
    facts_release(first);
    cache_free(memory);
    assert_string_equal(facts_dest(second)->domain, "b.test");
    facts_release(second);
    facts_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times), cmocka_unit_test(held)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
