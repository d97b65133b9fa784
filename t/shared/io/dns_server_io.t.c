/* dns_server_io.t.c - which resolvers are asked, and whose AD is believed. */
#include "dns_server_io.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* needs some of the above */

static void test_trusted(void **state)
{
    static const struct {
        const char *address;
        bool trust_ad, trusted;
    } cases[] = {
        {"127.0.0.1:53", false, true},      {"127.8.9.10:53", false, true},
        {"[::1]:53", false, true},          {"[::ffff:127.0.0.1]:53", false, true},
        {"192.0.2.1:53", false, false},     {"128.0.0.1:53", false, false},
        {"[2001:db8::1]:53", false, false}, {"[::ffff:192.0.2.1]:53", false, false},
        {"[::]:53", false, false},          {"0.0.0.0:53", false, false},
        {"192.0.2.1:53", true, true},       {"[2001:db8::1]:53", true, true},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address a;
        struct err e;

        print_message("  %s\n", cases[i].address);
        assert_int_equal(address_parse_port(&a, cases[i].address, 53, &e), 0);
        assert_int_equal(dns_server_trusted((struct sockaddr *)&a.sa, cases[i].trust_ad), cases[i].trusted);
    }
}

static void test_resolv_conf(void **state)
{
    static const char text[] =
        "# a comment\nsearch example.com\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nnameserver ::1\n"
        "nameserver nonsense\noptions trust-ad\nnameserver 127.0.0.53";
    char path[] = "/tmp/postern-dns-test-XXXXXX";
    struct dns_server out[DNS_SERVERS_MAX];
    char one[] = "192.0.2.1";
    char *many[DNS_SERVERS_MAX + 2] = {NULL};
    struct err e;
    int fd = mkstemp(path);
    size_t i;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    assert_int_equal(dns_servers_read(out, NULL, path, true, &e), 3);
    assert_int_equal(out[1].at.sa.ss_family, AF_INET6);
    assert_int_equal(((struct sockaddr_in *)&out[2].at.sa)->sin_addr.s_addr, htonl(0x7f000035));
    assert_int_equal(((struct sockaddr_in *)&out[2].at.sa)->sin_port, htons(53));
    assert_int_equal(dns_servers_read(out, NULL, path, false, &e), 2); /* not the one that is not believed */
    assert_int_equal(out[0].at.sa.ss_family, AF_INET6);
    unlink(path);

    assert_int_equal(dns_servers_read(out, NULL, path, false, &e), 1);
    assert_int_equal(((struct sockaddr_in *)&out[0].at.sa)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_true(out[0].trusted);

    for (i = 0; i < DNS_SERVERS_MAX; i++)
        many[i] = one;
    assert_int_equal(dns_servers_read(out, many, path, false, &e), DNS_SERVERS_MAX);
    many[DNS_SERVERS_MAX] = many[0];
    assert_int_equal(dns_servers_read(out, many, path, false, &e), 0);
}

/* B-3: where one is believed the others are not asked: they would say of a bogus domain that it is insecure. */
static void test_only_believed(void **state)
{
    static const struct {
        char *list[4];
        bool trust_ad;
        const char *want[4];
    } cases[] = {
        {{"127.0.0.1", "192.0.2.1"}, false, {"127.0.0.1"}},
        {{"192.0.2.1", "[::1]", "192.0.2.2"}, false, {"[::1]"}},
        {{"192.0.2.1", "[::1]", "127.0.0.1"}, false, {"[::1]", "127.0.0.1"}},
        {{"192.0.2.1", "192.0.2.2"}, false, {"192.0.2.1", "192.0.2.2"}},
        {{"127.0.0.1", "192.0.2.1"}, true, {"127.0.0.1", "192.0.2.1"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dns_server out[DNS_SERVERS_MAX];
        size_t count = dns_servers_read(out, cases[i].list, "/nonexistent", cases[i].trust_ad, NULL);

        for (size_t n = 0; n < count; n++)
            assert_string_equal(out[n].at.text, cases[i].want[n]);
        assert_null(cases[i].want[count]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trusted),
        cmocka_unit_test(test_resolv_conf),
        cmocka_unit_test(test_only_believed),
    };

    return cmocka_run_group_tests_name("dns_server_io", tests, NULL, NULL);
}
