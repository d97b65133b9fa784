/* relay_walk.t.c - tests of relay_walk.c: which addresses are tried, in which order, and how many (S4). */
#include "relay_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Hosts, each a string with an address a letter. */
static struct dest *given(struct relay_path *p, const char *const *hosts)
{
    struct dest *d = dest_new("example.net");
    struct relay_path_in in = {.kind = NEXTHOP_DOMAIN, .dest = d};

    d->mx = DEST_MX_LIST;
    d->mx_secure = true;
    for (unsigned i = 0; hosts[i] != NULL; i++) {
        char name[40];
        struct dest_host *host;

        (void)snprintf(name, sizeof(name), "mx%u.example.net", i);
        host = dest_add_host(d, name, (uint16_t)(i + 1));
        assert_non_null(host);
        for (const char *c = hosts[i]; *c != '\0'; c++)
            host->address[host->address_count++][0] = *c;
    }
    relay_path_plan(p, &in, 0);
    return d;
}

/* What is tried, when each try fails as the letter says: s(ession), c(onnect), t(imeout); the last goes on. */
static void walk(void **state)
{
    static const struct {
        const char *name;
        const char *hosts[6];
        const char *fails, *want;
    } table[] = {
        {"one", {"a"}, "s", "a"},
        {"all of a host, then the next", {"ab", "cd"}, "s", "abcd"},
        {"also when they do not connect", {"ab", "cd"}, "c", "abcd"},
        {"nor in time", {"ab", "cd"}, "t", "abcd"},
        {"four sessions beyond the first", {"abcdefgh", "ij", "kl"}, "s", "abcdeik"},
        {"spread over hosts", {"ab", "cde", "fgh", "i"}, "s", "abcdefgi"},
        {"connections count by themselves", {"abcdefgh", "ij"}, "c", "abcdefghij"},
        {"one beside the other", {"abcdefgh", "ijklmnop"}, "cccssssssss", "abcdefghi"},
        {"thirty-two connections",
         {"abcdefgh", "ijklmnop", "qrstuvwx", "yzABCDEF", "GHIJKLMN"},
         "t",
         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJK"},
        {"twice the same", {"aab", "bba"}, "s", "abba"},
        {"twice the same at the end", {"aba"}, "s", "ab"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct relay_path p;
        struct dest *d = given(&p, table[i].hosts);
        const char *fails = table[i].fails;
        struct relay_walk w;
        char got[300];
        size_t n = 0;
        enum relay_failed what;

        print_message("%s\n", table[i].name);
        relay_walk_begin(&w, 0);
        do {
            assert_true(n + 1 < sizeof(got));
            got[n++] = *relay_walk_address(&w, &p);
            what = *fails == 's'   ? RELAY_FAILED_REQUIRETLS
                   : *fails == 'c' ? RELAY_FAILED_CONNECT
                                   : RELAY_FAILED_CONNECT_TIMEOUT;
            fails += fails[1] != '\0';
        } while (relay_walk_on(&w, &p, what));
        got[n] = '\0';
        assert_string_equal(got, table[i].want);
        dest_free(d);
    }
}

/* As many as there can be. */
static void bound(void **state)
{
    const char *hosts[DEST_HOSTS_MAX + 1] = {NULL};
    struct relay_path p;
    struct relay_walk w;
    size_t n = 1;
    struct dest *d;

    (void)state;
    for (size_t i = 0; i < DEST_HOSTS_MAX; i++)
        hosts[i] = "abcdefgh";
    d = given(&p, hosts);
    relay_walk_begin(&w, 0);
    while (relay_walk_on(&w, &p, n % 2 ? RELAY_FAILED_LOST : RELAY_FAILED_CONNECT))
        n++;
    assert_true(n <= DEST_HOSTS_MAX + RELAY_FURTHER_SESSIONS + RELAY_FURTHER_CONNECTS);
    assert_int_equal(w.host, DEST_HOSTS_MAX);
    dest_free(d);
}

/* A connection that was kept stands for the address it goes to, unless it had ended. */
static void kept(void **state)
{
    static const struct {
        const char *address;
        bool ended;
        const char *want;
    } table[] = {{"b", false, "acd"},  {"a", false, "bcd"}, {"c", false, "abd"},
                 {"x", false, "abcd"}, {"b", true, "abcd"}, {"x", true, "abcd"}};
    static const char *const hosts[] = {"abc", "d", NULL};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct relay_path p;
        struct dest *d = given(&p, hosts);
        struct relay_walk w;
        char got[8] = "";
        size_t n = 0;

        relay_walk_begin(&w, 0);
        assert_true(relay_walk_host_begins(&w));
        relay_walk_instead(&w, &p, table[i].address);
        if (table[i].ended) {
            relay_walk_host_again(&w);
            got[n++] = *relay_walk_address(&w, &p);
        }
        while (relay_walk_on(&w, &p, RELAY_FAILED_SIZE)) {
            assert_int_equal(relay_walk_host_begins(&w), w.host == 1);
            got[n++] = *relay_walk_address(&w, &p);
        }
        assert_string_equal(got, table[i].want);
        dest_free(d);
    }
}

static void share(void **state)
{
    static const struct {
        const char *hosts[12];
        size_t host;
        int64_t left, want;
    } table[] = {
        {{"abc"}, 0, 9000, 0},
        {{"abc", "d"}, 0, 9000, 4500},
        {{"abc", "d"}, 1, 9000, 0},
        {{"a", "b", "c"}, 0, 9000, 3000},
        {{"a", "b", "c"}, 1, 9000, 4500},
        {{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, 0, 8000, 1000},
        {{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, 7, 9000, 3000},
        {{"a", "b"}, 0, 1, 1},
        {{"a", "b"}, 0, 0, 1},
        {{"a", "b"}, 0, -5, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct relay_path path;
        struct dest *d = given(&path, table[i].hosts);
        const struct relay_walk w = {.host = table[i].host};

        if (relay_walk_share(&w, &path, table[i].left) != table[i].want)
            fail_msg("case %zu: %lld", i, (long long)relay_walk_share(&w, &path, table[i].left));
        dest_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(walk), cmocka_unit_test(bound), cmocka_unit_test(kept),
                                       cmocka_unit_test(share)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
