/* address.t.c - the forms of addresses that are read and those that are refused. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* "FAMILY HOST PORT" or "unix PATH" */
static void describe(char *out, size_t cap, const struct address *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->sa;
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;
    char host[INET6_ADDRSTRLEN];

    if (a->sa.ss_family == AF_UNIX) {
        assert_int_equal(a->len, offsetof(struct sockaddr_un, sun_path) + strlen(un->sun_path) + 1);
        snprintf(out, cap, "unix %s", un->sun_path);
    } else if (a->sa.ss_family == AF_INET) {
        assert_int_equal(a->len, sizeof(*v4));
        snprintf(out, cap, "4 %s %d", inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)), ntohs(v4->sin_port));
    } else {
        assert_int_equal(a->sa.ss_family, AF_INET6);
        assert_int_equal(a->len, sizeof(*v6));
        snprintf(out, cap, "6 %s %d", inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)), ntohs(v6->sin6_port));
    }
}

struct row {
    const char *text;
    const char *want; /* NULL: refused */
    const char *why;  /* in the sentence */
};

#define P50  "12345678901234567890123456789012345678901234567890"
#define P107 "/" P50 P50 "123456"

static const struct row listen_rows[] = {
    {"unix:/run/postern/x.sock", "unix /run/postern/x.sock", NULL},
    {"unix:" P107, "unix " P107, NULL},
    {"unix:" P107 "7", NULL, "longer than the 107"},
    {"unix:/run/with:colon", "unix /run/with:colon", NULL},
    {"unix:run/x", NULL, "absolute"},
    {"unix:", NULL, "absolute"},
    {"unix:/run/", NULL, "absolute"},
    {"inet:192.0.2.1:25", "4 192.0.2.1 25", NULL},
    {"tcp:127.0.0.1:6379", "4 127.0.0.1 6379", NULL},
    {"inet:[2001:db8::1]:65535", "6 2001:db8::1 65535", NULL},
    {"inet:[::]:1", "6 :: 1", NULL},
    {"inet:[::ffff:192.0.2.1]:1", "6 ::ffff:192.0.2.1 1", NULL},
    {"inet:*:25", "4 0.0.0.0 25", NULL},
    {"inet:127.0.0.1", NULL, "port"},
    {"inet:127.0.0.1:", NULL, "port"},
    {"inet:127.0.0.1:0", NULL, "port"},
    {"inet:127.0.0.1:65536", NULL, "port"},
    {"inet:127.0.0.1:184467440737095516170", NULL, "port"},
    {"inet:127.0.0.1:025", NULL, "port"},
    {"inet:127.0.0.1:+25", NULL, "port"},
    {"inet:127.0.0.1:25 ", NULL, "port"},
    {"inet:2001:db8::1:25", NULL, "IP address"},
    {"inet:[::1:25", NULL, "IP address"},
    {"inet:[*]:25", NULL, "IP address"},
    {"inet::25", NULL, "IP address"},
    {"inet:localhost:25", NULL, "IP address"},
    {"inet:127.1:25", NULL, "IP address"},
    {"inet:[fe80::1%lo]:25", NULL, "IP address"},
    {"127.0.0.1:25", NULL, "unix:/path"},
    {"INET:127.0.0.1:25", NULL, "unix:/path"},
    {"/run/x", NULL, "unix:/path"},
    {"", NULL, "unix:/path"},
    {"inet:" P50 P50 P50, NULL, "too long"},
};

static const struct row resolver_rows[] = {
    {"127.0.0.1", "4 127.0.0.1 53", NULL},
    {"127.0.0.1:5353", "4 127.0.0.1 5353", NULL},
    {"[::1]", "6 ::1 53", NULL},
    {"[::1]:5353", "6 ::1 5353", NULL},
    {"::1", NULL, "no IP address"},
    {"2001:db8::53:x", NULL, "port"},
    {"*", NULL, "IP address"},
    {"*:53", NULL, "IP address"},
    {"127.0.0.1:", NULL, "port"},
    {"127.0.0.1:0", NULL, "port"},
    {"dns.example:53", NULL, "IP address"},
    {"", NULL, "IP address"},
    {"[", NULL, "IP address"},
    {"]", NULL, "IP address"},
    {":53", NULL, "IP address"},
};

static void check_row(const struct row *r, int rc, const struct address *a, const struct err *e)
{
    char got[200];

    if (r->want == NULL) {
        if (rc != -1 || strstr(e->text, r->why) == NULL)
            fail_msg("\"%s\": returned %d, said \"%s\"", r->text, rc, e->text);
        return;
    }
    if (rc != 0)
        fail_msg("\"%s\": refused: %s", r->text, e->text);
    describe(got, sizeof(got), a);
    assert_string_equal(got, r->want);
    assert_string_equal(a->text, r->text);
}

static void test_listen(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(listen_rows) / sizeof(listen_rows[0]); i++) {
        struct address a;
        struct err e = {""};
        int rc = address_parse(&a, listen_rows[i].text, &e);

        check_row(&listen_rows[i], rc, &a, &e);
    }
}

/* The first and the last of a range. */
static const struct {
    const char *text;
    size_t count;
    const char *first, *last;
} range_rows[] = {
    {"inet:127.0.1.1-16:8689", 16, "inet:127.0.1.1:8689", "inet:127.0.1.16:8689"},
    {"tcp:192.0.2.0-255:25", 256, "tcp:192.0.2.0:25", "tcp:192.0.2.255:25"},
    {"inet:127.0.0.7-7:25", 1, "inet:127.0.0.7:25", "inet:127.0.0.7:25"},
    {"inet:127.0.0.1:25", 1, "inet:127.0.0.1:25", "inet:127.0.0.1:25"},
    {"inet:[::1]:25", 1, "inet:[::1]:25", "inet:[::1]:25"},
    {"unix:/run/a.1-4:25", 1, "unix:/run/a.1-4:25", "unix:/run/a.1-4:25"},
    {"unix:/run/a", 1, "unix:/run/a", "unix:/run/a"},
    {"nothing", 1, "nothing", "nothing"},
    {"", 1, "", ""},
    {":", 1, ":", ":"},
    {"inet:127.0.0.1-:25", 1, "inet:127.0.0.1-:25", "inet:127.0.0.1-:25"}, /* no address, as address_parse says */
    {"inet:127.0.0.2-1:25", 0, NULL, NULL},
    {"inet:127.0.0.1-256:25", 1, "inet:127.0.0.1-256:25", "inet:127.0.0.1-256:25"},
    {"inet:127.0.0.-3:25", 0, NULL, NULL},
    {"inet:127.0.0.99999-99999:25", 1, "inet:127.0.0.99999-99999:25", "inet:127.0.0.99999-99999:25"},
    {"inet:-3:25", 0, NULL, NULL},
    {"3:", 1, "3:", "3:"},
    {P50 P50 P50, 0, NULL, NULL},
};

static void test_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(range_rows) / sizeof(range_rows[0]); i++) {
        char out[ADDRESS_TEXT];
        struct err e = {""};
        size_t count = address_range(out, range_rows[i].text, 0, &e);

        if (count != range_rows[i].count)
            fail_msg("\"%s\": %zu: %s", range_rows[i].text, count, e.text);
        if (count == 0) {
            assert_true(e.text[0] != '\0');
            continue;
        }
        assert_string_equal(out, range_rows[i].first);
        assert_int_equal(address_range(out, range_rows[i].text, count - 1, &e), count);
        assert_string_equal(out, range_rows[i].last);
    }
}

static const struct {
    const char *text;
    bool near;
} near_rows[] = {{"unix:/run/x", true},      {"inet:127.0.1.9:1", true},  {"inet:[::1]:1", true},
                 {"inet:*:1", false},        {"inet:128.0.0.1:1", false}, {"inet:[::]:1", false},
                 {"inet:[fe80::1]:1", false}};

static void test_near(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(near_rows) / sizeof(near_rows[0]); i++) {
        struct address a;
        struct err e = {""};

        assert_int_equal(address_parse(&a, near_rows[i].text, &e), 0);
        if (address_is_near(&a) != near_rows[i].near)
            fail_msg("%s", near_rows[i].text);
    }
}

static void test_resolver(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(resolver_rows) / sizeof(resolver_rows[0]); i++) {
        struct address a;
        struct err e = {""};
        int rc = address_parse_port(&a, resolver_rows[i].text, 53, &e);

        check_row(&resolver_rows[i], rc, &a, &e);
    }
}

/* Each process has its own. */
static void test_nth(void **state)
{
    static const struct {
        const char *text;
        unsigned n;
        struct row row; /* its text: what the address reads as */
    } rows[] = {
        {"unix:/run/x", 1, {"unix:/run/x", "unix /run/x", NULL}},
        {"unix:/run/x", 2, {"unix:/run/x.2", "unix /run/x.2", NULL}},
        {"unix:/run/x", 64, {"unix:/run/x.64", "unix /run/x.64", NULL}},
        {"unix:" P107, 1, {"unix:" P107, "unix " P107, NULL}},
        {"unix:" P107, 2, {"unix:" P107, NULL, "longer than the 107"}},
        {"inet:192.0.2.1:25", 1, {"inet:192.0.2.1:25", "4 192.0.2.1 25", NULL}},
        {"inet:192.0.2.1:25", 3, {"inet:192.0.2.1:27", "4 192.0.2.1 27", NULL}},
        {"tcp:[::1]:65534", 2, {"tcp:[::1]:65535", "6 ::1 65535", NULL}},
        {"tcp:[::1]:65535", 2, {"tcp:[::1]:65535", NULL, "port"}},
        {"run/x", 1, {"run/x", NULL, "unix:/path"}},
        {"run/x", 2, {"run/x", NULL, "unix:/path"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct address a;
        struct err e = {""};
        int rc = address_nth(&a, rows[i].text, rows[i].n, &e);

        check_row(&rows[i].row, rc, &a, &e);
    }
}

static void test_ip(void **state)
{
    static const struct {
        const char *ip;
        uint16_t port;
        const char *want; /* NULL: refused */
    } rows[] = {
        {"192.0.2.1", 25, "4 192.0.2.1 25"},
        {"2001:db8::1", 65535, "6 2001:db8::1 65535"},
        {"::", 25, "6 :: 25"},
        {"192.0.2.1", 0, NULL},
        {"*", 25, NULL},
        {"[::1]", 25, NULL},
        {"fe80::1%lo", 25, NULL},
        {"192.0.2", 25, NULL},
        {"127.0.0.1-2", 25, NULL},
        {"mx.example", 25, NULL},
        {"", 25, NULL},
        {P107 P107, 25, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct address a;
        char got[200] = "";

        if (address_of_ip(&a, rows[i].ip, rows[i].port) == 0)
            describe(got, sizeof(got), &a);
        assert_string_equal(got, rows[i].want != NULL ? rows[i].want : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen),   cmocka_unit_test(test_range), cmocka_unit_test(test_near),
        cmocka_unit_test(test_resolver), cmocka_unit_test(test_nth),   cmocka_unit_test(test_ip),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
