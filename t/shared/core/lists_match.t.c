/* lists_match.t.c - tests of lists_match.c: which entry goes for which destination, and by what. */
#include "lists_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1000

/* "PATTERN" or "PATTERN@EXPIRES", blank-separated; hosts: "NAME=ADDRESS,ADDRESS", blank-separated, "+": left out. */
static const struct {
    enum list_id list;
    const char *entries;
    const char *hop;
    const char *hosts; /* NULL: no facts */
    const char *hit;   /* "PATTERN by WHAT", NULL: none */
} rows[] = {
    /* the next hop */
    {LIST_EXCLUDE, "a.example", "a.example", NULL, "a.example by next hop a.example"},
    {LIST_EXCLUDE, "a.example", "A.Example:587", NULL, "a.example by next hop a.example"},
    {LIST_EXCLUDE, "a.example", "b.a.example", NULL, NULL},
    {LIST_EXCLUDE, ".a.example", "b.a.example", NULL, ".a.example by next hop b.a.example"},
    {LIST_EXCLUDE, "[a.example]", "a.example", NULL, NULL},
    {LIST_EXCLUDE, "[a.example]", "[a.example]", NULL, "[a.example] by next hop a.example"},
    {LIST_EXCLUDE, "a.example", "[a.example]", NULL, "a.example by MX host a.example"},
    {LIST_EXCLUDE, "a.example [a.example]", "[a.example]:26", NULL, "[a.example] by next hop a.example"},
    {LIST_EXCLUDE, "[192.0.2.1]", "[192.0.2.1]", NULL, "[192.0.2.1] by next hop 192.0.2.1"},
    {LIST_EXCLUDE, "192.0.2.0/24", "[192.0.2.1]", NULL, "192.0.2.0/24 by address 192.0.2.1"},
    {LIST_EXCLUDE, "192.0.2.0/24 [192.0.2.1]", "[192.0.2.1]", NULL, "[192.0.2.1] by next hop 192.0.2.1"},
    {LIST_EXCLUDE, "2001:db8::/32", "[IPv6:2001:db8::1]", NULL, "2001:db8::/32 by address 2001:db8::1"},
    /* what takes away goes only when all MX hosts fit */
    {LIST_EXCLUDE, "mx.b.example", "a.example", "mx.b.example=192.0.2.1", "mx.b.example by MX host mx.b.example"},
    {LIST_EXCLUDE, ".b.example", "a.example", "m1.b.example= m2.b.example=", ".b.example by MX host m1.b.example"},
    {LIST_EXCLUDE, ".b.example", "a.example", "m1.b.example= m2.c.example=", NULL},
    {LIST_EXCLUDE, ".b.example mx.c.example", "a.example",
     "m1.b.example= mx.c.example=", ".b.example by MX host m1.b.example"},
    {LIST_EXCLUDE, ".b.example", "a.example", "m1.b.example= +", NULL},
    {LIST_EXCLUDE, ".b.example", "a.example", "", NULL},
    {LIST_EXCLUDE, "192.0.2.0/24", "a.example", "mx.b.example=192.0.2.1", "192.0.2.0/24 by address 192.0.2.1"},
    {LIST_EXCLUDE, "192.0.2.0/24", "a.example", "mx.b.example=192.0.2.1,198.51.100.1", NULL},
    {LIST_EXCLUDE, "192.0.2.0/24", "a.example", "mx.b.example=198.51.100.1,192.0.2.1", NULL},
    {LIST_EXCLUDE, "192.0.2.0/24 2001:db8::/32", "a.example", "mx.b.example=2001:db8::1,192.0.2.1",
     "2001:db8::/32 by address 2001:db8::1"},
    {LIST_EXCLUDE, "192.0.2.0/24", "a.example", "mx.b.example=", NULL},
    {LIST_FALLBACK, ".b.example", "a.example", "m1.b.example= m2.c.example=", NULL},
    {LIST_STS_EXCLUDE, ".b.example", "a.example", "m1.b.example= m2.c.example=", NULL},
    {LIST_PROTOCOLS, ".b.example", "a.example", "m1.b.example= m2.c.example=", NULL},
    /* what asks for more goes when any fits */
    {LIST_REQUIRE, ".b.example", "a.example", "m1.c.example= m2.b.example=", ".b.example by MX host m2.b.example"},
    {LIST_REQUIRE, ".b.example", "a.example", "m1.b.example= +", ".b.example by MX host m1.b.example"},
    {LIST_REQUIRE, "192.0.2.0/24", "a.example", "m1.c.example=198.51.100.1,192.0.2.7",
     "192.0.2.0/24 by address 192.0.2.7"},
    {LIST_ONLY, "m2.b.example", "a.example", "m1.c.example= m2.b.example=", "m2.b.example by MX host m2.b.example"},
    /* the next hop goes before its hosts, and expired entries do not count */
    {LIST_REQUIRE, ".example m1.c.test", "a.example", "m1.c.test=", ".example by next hop a.example"},
    {LIST_REQUIRE, "a.example@999 m1.c.test", "a.example", "m1.c.test=", "m1.c.test by MX host m1.c.test"},
    {LIST_REQUIRE, "a.example@1000", "a.example", NULL, NULL},
    {LIST_REQUIRE, "a.example@1001", "a.example", NULL, "a.example by next hop a.example"},
    /* these are not about MX hosts, or not about destinations */
    {LIST_LOCAL, "a.example", "a.example", NULL, "a.example by next hop a.example"},
    {LIST_LOCAL, "m1.c.test", "a.example", "m1.c.test=", NULL},
    {LIST_REQUIRETLS, ".example", "a.example", NULL, ".example by next hop a.example"},
    {LIST_REQUIRETLS, "m1.c.test 192.0.2.0/24", "a.example", "m1.c.test=192.0.2.7", NULL},
    {LIST_INBOUND_REQUIRE, "a.example", "a.example", NULL, NULL},
};

static void put_all(struct list *l, enum list_id id, const char *entries)
{
    static const char *const values[LISTS] = {[LIST_REQUIRE] = "secure",
                                              [LIST_PROTOCOLS] = "TLSv1.2",
                                              [LIST_FALLBACK] = "plain",
                                              [LIST_REQUIRETLS] = "opportunistic"};
    char copy[200], *save = NULL;

    snprintf(copy, sizeof(copy), "%s", entries);
    for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        char *at = strchr(word, '@');
        struct list_entry_in in = {.value = values[id] == NULL ? "" : values[id], .author = "", .comment = ""};
        struct list_pattern p;
        struct list_entry *entry;

        if (at != NULL) {
            *at = '\0';
            in.expires = atoi(at + 1);
        }
        assert_int_equal(list_pattern_parse(&p, word, strlen(word), NULL), 0);
        entry = list_entry_new(id, &p, &in, NULL);
        assert_non_null(entry);
        assert_int_equal(list_put(l, entry), 0);
    }
}

static void add_host(struct dest *d, char *word)
{
    char *addresses = strchr(word, '='), *save = NULL;
    struct dest_host *host;

    if (addresses == NULL) {
        d->mx_truncated = true;
        return;
    }
    *addresses++ = '\0';
    host = dest_add_host(d, word, 10);
    assert_non_null(host);
    for (char *a = strtok_r(addresses, ",", &save); a != NULL; a = strtok_r(NULL, ",", &save))
        snprintf(host->address[host->address_count++], ADDRESS_BUF, "%s", a);
}

static struct dest *facts(const char *hosts)
{
    struct dest *d = dest_new("a.example");
    char copy[200], *save = NULL;

    assert_non_null(d);
    d->mx = DEST_MX_LIST;
    snprintf(copy, sizeof(copy), "%s", hosts);
    for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
        add_host(d, word);
    return d;
}

static void lists_fill(struct lists *lists)
{
    static const uint8_t secret[16] = {1};

    assert_int_equal(lists_init(lists, secret), 0);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lists lists;
        struct lists_match m;
        struct nexthop hop;
        struct dest *d = rows[i].hosts == NULL ? NULL : facts(rows[i].hosts);
        const struct lists_hit *hit = &m.hit[rows[i].list];
        char got[400] = "none";

        lists_fill(&lists);
        put_all(lists.list[rows[i].list], rows[i].list, rows[i].entries);
        assert_int_equal(nexthop_parse(&hop, rows[i].hop, strlen(rows[i].hop), NULL), 0);
        lists_match(&m, &lists, &hop, d, NOW);
        if (hit->entry != NULL)
            snprintf(got, sizeof(got), "%s by %s %s", hit->entry->pattern, lists_by_name(hit->by), hit->what);
        if (strcmp(got, rows[i].hit == NULL ? "none" : rows[i].hit) != 0)
            fail_msg("row %zu, %s %s for %s (%s): %s", i, list_name(rows[i].list), rows[i].entries, rows[i].hop,
                     rows[i].hosts == NULL ? "no facts" : rows[i].hosts, got);
        for (size_t k = 0; k < LISTS; k++)
            if (k != rows[i].list)
                assert_null(m.hit[k].entry);
        dest_free(d);
        lists_clear(&lists);
    }
}

static void test_only_in_force(void **state)
{
    struct lists lists;
    struct lists_match m;
    struct nexthop hop;

    (void)state;
    lists_fill(&lists);
    assert_int_equal(nexthop_parse(&hop, "a.example", 9, NULL), 0);
    lists_match(&m, &lists, &hop, NULL, NOW);
    assert_false(m.only);
    put_all(lists.list[LIST_ONLY], LIST_ONLY, "b.example@1001");
    lists_match(&m, &lists, &hop, NULL, NOW);
    assert_true(m.only);
    assert_null(m.hit[LIST_ONLY].entry);
    lists_match(&m, &lists, &hop, NULL, NOW + 1);
    assert_false(m.only);
    lists_clear(&lists);
}

static void test_until(void **state)
{
    struct lists lists;
    struct lists_match m;
    struct nexthop hop;

    (void)state;
    lists_fill(&lists);
    assert_int_equal(nexthop_parse(&hop, "a.example", 9, NULL), 0);
    lists_match(&m, &lists, &hop, NULL, NOW);
    assert_true(lists_match_until(&m) == INT64_MAX);
    put_all(lists.list[LIST_REQUIRE], LIST_REQUIRE, "a.example@2000");
    put_all(lists.list[LIST_EXCLUDE], LIST_EXCLUDE, "a.example@1500");
    put_all(lists.list[LIST_PROTOCOLS], LIST_PROTOCOLS, "a.example");
    lists_match(&m, &lists, &hop, NULL, NOW);
    assert_int_equal(lists_match_until(&m), 1500);
    lists_clear(&lists);
}

/* What rules ask about: domains behind "@", clients by address or name. */
static void test_what(void **state)
{
    static const struct {
        enum list_id list;
        const char *entries, *what, *want; /* NULL: none */
    } asked[] = {
        {LIST_LOCAL, "ours.example .ours.example", "Ours.Example", "ours.example"},
        {LIST_LOCAL, "ours.example .ours.example", "a.ours.example.", ".ours.example"},
        {LIST_LOCAL, "ours.example", "a.ours.example", NULL},
        {LIST_EXCLUDE, "[192.0.2.1]", "[192.0.2.1]", "[192.0.2.1]"},
        {LIST_LOCAL, "ours.example", "", NULL},
        {LIST_LOCAL, "ours.example", "no domain", NULL},
        {LIST_LOCAL, "ours.example@1001", "ours.example", "ours.example"},
        {LIST_LOCAL, "ours.example@1000", "ours.example", NULL},
        {LIST_INBOUND_REQUIRE, "192.0.2.0/24", "192.0.2.7", "192.0.2.0/24"},
        {LIST_INBOUND_REQUIRE, "2001:db8::/32", "2001:DB8::0:1", "2001:db8::/32"},
        {LIST_INBOUND_REQUIRE, "192.0.2.0/24", "198.51.100.1", NULL},
        {LIST_INBOUND_REQUIRE, ".a.example", "mx.a.example", ".a.example"},
        {LIST_INBOUND_REQUIRE, "192.0.2.0/24", "no name", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        const struct list_entry *entry;
        struct lists lists;

        lists_fill(&lists);
        put_all(lists.list[asked[i].list], asked[i].list, asked[i].entries);
        entry = lists_match_what(&lists, asked[i].list, asked[i].what, strlen(asked[i].what), NOW);
        if ((entry == NULL) != (asked[i].want == NULL) || (entry != NULL && strcmp(entry->pattern, asked[i].want) != 0))
            fail_msg("row %zu, %s: %s", i, asked[i].what, entry == NULL ? "none" : entry->pattern);
        lists_clear(&lists);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_only_in_force),
        cmocka_unit_test(test_until),
        cmocka_unit_test(test_what),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
