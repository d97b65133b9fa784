/* Tests of policyd/verdict.c: what is not known of the lists, or of the MX hosts that entries may fit, is not plain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verdict.h"

#include <stdlib.h>
#include <string.h>

#define NOW 1000000

static const uint8_t secret[16] = {7};

/* "u": a host with usable TLSA records, "x" with unusable ones, "n" without; NULL: the MX look-up has failed. */
static struct dest *facts(const char *hosts)
{
    struct dest *d = dest_new("example.com");
    char name[] = "a.mx.example";

    assert_non_null(d);
    d->resolved = NOW;
    d->valid_until = NOW + 600;
    d->sts.record = DEST_STS_NONE;
    if (hosts == NULL)
        return d;
    d->mx = DEST_MX_LIST;
    d->mx_secure = true;
    for (; *hosts != '\0'; hosts++, name[0]++) {
        struct dest_host *host = dest_add_host(d, name, 10);

        assert_non_null(host);
        host->dane = *hosts == 'u' ? DEST_DANE_USABLE : *hosts == 'x' ? DEST_DANE_UNUSABLE : DEST_DANE_NONE;
    }
    return d;
}

static void put(struct lists *lists, enum list_id list, const char *pattern, const char *value)
{
    const struct list_entry_in in = {.value = value, .author = "", .comment = ""};
    struct list_pattern p;
    struct list_entry *entry;

    assert_int_equal(list_pattern_parse(&p, pattern, strlen(pattern), NULL), 0);
    entry = list_entry_new(list, &p, &in, NULL);
    assert_non_null(entry);
    assert_int_equal(list_put(lists->list[list], entry), 0);
}

static const struct {
    const char *hosts;
    bool dane;
    bool known;          /* the lists */
    const char *require; /* a pattern there, or NULL */
    const char *answer;
} rows[] = {
    {"n", true, true, NULL, "default"},
    {"n", true, false, NULL, "temp"},
    {"uu", true, false, NULL, "dane-only"},
    {"un", true, false, NULL, "temp"}, /* an entry may demand TLS of the host without TLSA records */
    {"xn", true, false, NULL, "temp"},
    {"n", false, true, "a.mx.example", "encrypt"},
    {"n", false, true, "z.mx.example", "default"},
    {NULL, false, true, "a.mx.example", "temp"},
    {NULL, false, true, "example.com", "encrypt"},
    {NULL, false, true, NULL, "default"},
};

static void test_unknown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct verdict_rules rules = {.options = {.dane = rows[i].dane, .sts = true}};
        struct dest *dest = facts(rows[i].hosts);
        struct lists lists;
        struct verdict_in in = {.hop = {.kind = NEXTHOP_DOMAIN, .name = "example.com"}, .dest = dest};
        struct decision d;
        const char *answer;

        assert_int_equal(lists_init(&lists, secret), 0);
        if (rows[i].require != NULL)
            put(&lists, LIST_REQUIRE, rows[i].require, "encrypt");
        in.lists = rows[i].known ? &lists : NULL;
        verdict(&d, &in, &rules, NOW);
        answer = d.temp ? "temp" : tls_level_name(d.level);
        if (strcmp(answer, rows[i].answer) != 0)
            fail_msg("row %zu: %s (%s)", i, answer, d.reason[d.reason_count - 1]);
        lists_clear(&lists);
        dest_free(dest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unknown)};

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
