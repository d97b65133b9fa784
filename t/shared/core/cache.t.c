/* Tests of shared/core/cache.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t secret[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static size_t freed;

static void count_free(void *value)
{
    freed++;
    free(value);
}

static void put(struct cache *c, const char *key)
{
    char *value = strdup(key);

    assert_non_null(value);
    assert_int_equal(cache_put(c, key, strlen(key), value), 0);
}

static bool has(const struct cache *c, const char *key)
{
    const char *value = cache_peek(c, key, strlen(key));

    if (value != NULL)
        assert_string_equal(value, key);
    return value != NULL;
}

static void test_put_get_remove(void **state)
{
    struct cache *c = cache_new(10, count_free, secret);

    (void)state;
    freed = 0;
    assert_null(cache_get(c, "a", 1));
    put(c, "a");
    put(c, "a.example");
    assert_true(has(c, "a"));
    assert_true(has(c, "a.example"));
    assert_false(has(c, "a.exampl"));
    put(c, "a"); /* replaced: the old value is freed */
    assert_int_equal(freed, 1);
    assert_int_equal(cache_count(c), 2);
    assert_true(cache_remove(c, "a", 1));
    assert_false(cache_remove(c, "a", 1));
    assert_false(has(c, "a"));
    assert_int_equal(cache_flush(c), 1);
    assert_int_equal(cache_count(c), 0);
    assert_int_equal(freed, 3);
    cache_free(c);
    cache_free(NULL);
}

static void test_key_too_long(void **state)
{
    struct cache *c = cache_new(10, NULL, secret);
    char key[CACHE_KEY_MAX + 1];

    (void)state;
    memset(key, 'x', sizeof(key));
    assert_int_equal(cache_put(c, key, sizeof(key), key), -1);
    assert_int_equal(cache_put(c, key, sizeof(key) - 1, key), 0);
    cache_free(c);
}

/* A name in use survives any number of names that are seen once. */
static void test_sieve_keeps_what_is_used(void **state)
{
    struct cache *c = cache_new(100, count_free, secret);
    char key[32];

    (void)state;
    freed = 0;
    put(c, "daily.example");
    for (int i = 0; i < 10000; i++) {
        snprintf(key, sizeof(key), "once%d.example", i);
        put(c, key);
        assert_non_null(cache_get(c, "daily.example", strlen("daily.example")));
        assert_true(cache_count(c) <= 100);
    }
    assert_int_equal(cache_evictions(c), 10001 - 100);
    assert_int_equal(freed, 10001 - 100);
    cache_free(c);
    assert_int_equal(freed, 10001);
}

static void test_evicts_when_all_are_used(void **state)
{
    struct cache *c = cache_new(3, count_free, secret);

    (void)state;
    put(c, "a");
    put(c, "b");
    put(c, "c");
    cache_get(c, "a", 1);
    cache_get(c, "b", 1);
    cache_get(c, "c", 1);
    put(c, "d"); /* the hand forgave all of them, then took the oldest */
    assert_false(has(c, "a"));
    assert_true(has(c, "b") && has(c, "c") && has(c, "d"));
    cache_remove(c, "b", 1); /* where the hand stands */
    put(c, "e");
    put(c, "f");
    assert_int_equal(cache_count(c), 3);
    cache_free(c);
}

static void test_grows_and_walks(void **state)
{
    struct cache *c = cache_new(0, count_free, secret);
    const void *cursor = NULL;
    const char *key;
    const char *value;
    char name[32];
    size_t seen = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        put(c, name);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        assert_true(has(c, name));
    }
    while ((value = cache_next(c, &cursor, &key)) != NULL) {
        assert_string_equal(key, value);
        seen++;
    }
    assert_int_equal(seen, 5000);
    cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get_remove),           cmocka_unit_test(test_key_too_long),
        cmocka_unit_test(test_sieve_keeps_what_is_used), cmocka_unit_test(test_evicts_when_all_are_used),
        cmocka_unit_test(test_grows_and_walks),
    };

    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
