/* published_store.t.c - tests of published_store_io.c on a real Redis: two operators, and what others left there. */
#include "../shared/io/redis_server.h" /* before cmocka.h */

#include "published_store_io.h"

#define POLICIES "p:published:policies"
#define HEAD     "p:published:"

static struct redis_ask *ask_open(void)
{
    char prefix[] = "p:", none[] = "";
    const struct conf_redis conf = {.url = server.url, .prefix = prefix, .username = none, .password = none};
    struct err e = {""};
    struct redis_ask *a = redis_ask_open(&conf, &e);

    if (a == NULL)
        fail_msg("%s", e.text);
    other_do(&server, "FLUSHALL");
    return a;
}

static struct published policy_of(char *mx, const char *domain, char **list)
{
    struct published p = {.policy = {.mode = STS_MODE_TESTING, .max_age = 86400, .mx = list, .mx_count = 1},
                          .id = "a1",
                          .changed = 7,
                          .since = 6,
                          .by = "root"};

    list[0] = mx;
    (void)snprintf(p.domain, sizeof(p.domain), "%s", domain);
    return p;
}

static int put(struct redis_ask *a, const struct published_stored *seen, const char *host)
{
    char mx[64], *list[1];
    struct published p = policy_of(mx, seen->domain, list);
    struct err e = {""};
    int rc;

    (void)snprintf(mx, sizeof(mx), "%s", host);
    rc = published_store_write(a, seen, &p, &e);
    assert_true((rc < 0) == (e.text[0] != '\0'));
    return rc;
}

static void look(struct redis_ask *a, const char *domain, struct published_stored *out)
{
    struct err e = {""};

    if (published_store_read(a, domain, out, &e) != 0)
        fail_msg("%s", e.text);
}

static void test_one(void **state)
{
    struct published_stored seen, old;
    struct redis_ask *a = ask_open();

    (void)state;
    look(a, "example.com", &old);
    assert_false(old.there);
    assert_int_equal(put(a, &old, "mx1.example.com"), 1);
    look(a, "example.com", &seen);
    assert_true(seen.there);
    assert_string_equal(seen.why.text, "");
    assert_string_equal(seen.policy.policy.mx[0], "mx1.example.com");
    assert_int_equal(put(a, &old, "mx2.example.com"), 0); /* who still thinks that there is none */
    assert_int_equal(put(a, &seen, "mx2.example.com"), 1);
    assert_int_equal(put(a, &seen, "mx3.example.com"), 0); /* who still thinks that it is the first */
    assert_int_equal(published_store_remove(a, &seen, NULL), 0);
    assert_int_equal(other_do(&server, "HSETNX " HEAD " n 0"), 0);
    assert_int_equal(other_do(&server, "HINCRBY " HEAD " n 0"), 2); /* only edits that were made count */
    published_stored_clear(&seen);
    look(a, "example.com", &seen);
    assert_string_equal(seen.policy.policy.mx[0], "mx2.example.com");
    assert_int_equal(published_store_remove(a, &seen, NULL), 1);
    assert_int_equal(other_do(&server, "HLEN " POLICIES), 0);
    assert_int_equal(other_do(&server, "HSTRLEN " HEAD " g"), 16);
    assert_int_equal(other_do(&server, "HSTRLEN " HEAD " e3"), strlen("example.com"));
    published_stored_clear(&seen);
    published_stored_clear(&seen);
    published_stored_clear(&old);
    redis_ask_close(a);
}

/* What cannot be read is told, and can be replaced and taken away. */
static void test_broken(void **state)
{
    static char big[PUBLISHED_JSON_MAX + 100];
    static const char *const values[] = {"", "{}", "no JSON", big};
    struct redis_ask *a = ask_open();

    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct published_stored seen;

        for (int remove = 0; remove < 2; remove++) {
            other_do(&server, "HSET " POLICIES " example.com %s", values[i]);
            look(a, "example.com", &seen);
            assert_true(seen.there && seen.why.text[0] != '\0' && seen.policy.domain[0] == '\0');
            if (remove)
                assert_int_equal(published_store_remove(a, &seen, NULL), 1);
            else
                assert_int_equal(put(a, &seen, "mx.example.com"), 1);
            published_stored_clear(&seen);
        }
        assert_int_equal(other_do(&server, "HLEN " POLICIES), 0);
    }
    redis_ask_close(a);
}

static void test_refused(void **state)
{
    struct published_stored seen;
    struct redis_ask *a = ask_open();
    struct err e = {""};

    (void)state;
    look(a, "example.com", &seen);
    assert_int_equal(put(a, &seen, "MX.example.com"), -1); /* what stsd would not serve is not written */
    other_do(&server, "SET " POLICIES " x");
    assert_int_equal(put(a, &seen, "mx.example.com"), -1);
    assert_int_equal(published_store_read(a, "example.com", &seen, &e), -1);
    assert_non_null(strstr(e.text, "WRONGTYPE"));
    redis_ask_close(a);
}

static void test_all(void **state)
{
    struct published_all all;
    struct redis_ask *a = ask_open();

    (void)state;
    assert_int_equal(published_store_read_all(a, &all, NULL), 0);
    assert_int_equal(all.count, 0);
    for (int i = 999; i >= 0; i--) {
        struct published_stored none = {.there = false};

        (void)snprintf(none.domain, sizeof(none.domain), "d%03d.example", i);
        assert_int_equal(put(a, &none, "mx.example.com"), 1);
    }
    other_do(&server, "HSET " POLICIES " %0300d x", 7);
    assert_int_equal(published_store_read_all(a, &all, NULL), 0);
    assert_int_equal(all.count, 1001);
    assert_non_null(strstr(all.row[0].why.text, "no domain"));
    assert_string_equal(all.row[1].policy.domain, "d000.example");
    assert_string_equal(all.row[1000].policy.policy.mx[0], "mx.example.com");
    published_all_clear(&all);
    redis_ask_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one), cmocka_unit_test(test_broken),
                                       cmocka_unit_test(test_refused), cmocka_unit_test(test_all)};

    return cmocka_run_group_tests(tests, server_setup, server_teardown);
}
