/* cert_choose.t.c - tests of cert_choose.c. */
#include "cert_choose.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "make_cert.h"

/* An entry for each: its kind of key, names, and days. */
static const struct one {
    const char *key, *sans;
    int64_t from, to;
    bool trouble, other_key, by_other;
} store[] = {
    {"P-256", "DNS:a.example", -9, 9, false, false, false},    /* 0 */
    {"P-256", "DNS:*.example", -9, 90, false, false, false},   /* 1 */
    {"P-256", "DNS:a.example", -9, 8, false, false, false},    /* 2 */
    {"rsa2048", "DNS:a.example", -9, -1, false, false, false}, /* 3: expired */
    {"rsa2048", "DNS:*.example", -9, 5, false, false, false},  /* 4 */
    {"ed25519", "DNS:a.example", 3, 9, false, false, false},   /* 5: not yet */
    {"P-256", "DNS:old.test", -9, -2, false, false, false},    /* 6: expired */
    {"rsa2048", "DNS:old.test", -9, -1, false, false, false},  /* 7: expired later */
    {"P-256", "DNS:broken.test", -9, 9, true, false, false},   /* 8 */
    {"P-256", "DNS:broken.test", -9, 9, false, true, false},   /* 9 */
    {"P-256", "DNS:a.example", -9, 50, false, true, false},    /* 10: would be best */
    {"P-256", "DNS:two.test", -9, 90, false, false, false},
    {"rsa2048", "DNS:two.test", -9, 9, false, false, true}, /* 12: of an authority */
};

#define STORED (sizeof(store) / sizeof(store[0]))

static const struct {
    const char *host;
    size_t count, out[CERT_CHOICES_MAX];
    int64_t day;
} cases[] = {
    {"a.example", 2, {0, 4}, 0}, {"b.example", 2, {1, 4}, 0}, {"a.example", 3, {0, 5, 4}, 4},
    {"a.example", 1, {1}, 20},   {"a.example", 1, {0}, 100}, /* all have ended: its own name goes first */
    {"old.test", 1, {7}, 0},     {"broken.test", 0, {0}, 0},  {"none.test", 0, {0}, 0},
    {"x.a.example", 0, {0}, 0},  {"two.test", 1, {12}, 0},    {"two.test", 1, {11}, 10}, /* its end is over */
};

static void chooses(void **state)
{
    static struct cert_entry entry[STORED];
    struct cert_entries all = {entry, STORED};

    (void)state;
    for (size_t i = 0; i < STORED; i++) {
        struct made m = {"x", store[i].sans, store[i].from, store[i].to, false, false};

        entry[i].live.key = make_key(store[i].key);
        entry[i].live.cert[0] = make_cert(&m, entry[i].live.key, NULL, NULL);
        entry[i].live.count = 1;
        assert_int_equal(cert_facts_read(&entry[i].leaf, entry[i].live.cert[0], NULL), 0);
        entry[i].leaf.self_issued = !store[i].by_other;
        if (store[i].trouble)
            memcpy(entry[i].trouble, "x", 2);
        if (store[i].other_key) {
            EVP_PKEY_free(entry[i].live.key);
            entry[i].live.key = make_key("P-256");
        }
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t out[CERT_CHOICES_MAX] = {0};
        size_t count = cert_choose(out, &all, cases[i].host, MADE_NOW + cases[i].day * MADE_DAY);

        if (count != cases[i].count || memcmp(out, cases[i].out, count * sizeof(out[0])) != 0)
            fail_msg("case %zu, %s: %zu: %zu %zu %zu", i, cases[i].host, count, out[0], out[1], out[2]);
    }
    for (size_t i = 0; i < STORED; i++)
        cert_entry_clear(&entry[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses),
    };
    return cmocka_run_group_tests_name("cert_choose", tests, NULL, NULL);
}
