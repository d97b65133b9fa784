/* post_address.t.c - where a report may be POSTed (check H5). */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "post_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const struct row {
    const char *address;
    bool ok;
} rows[] = {
    {"8.8.8.8", true},
    {"1.0.0.1", true},
    {"9.255.255.255", true},
    {"10.0.0.0", false},
    {"10.255.255.255", false},
    {"11.0.0.0", true},
    {"0.0.0.0", false},
    {"0.1.2.3", false},
    {"100.63.255.255", true},
    {"100.64.0.1", false},
    {"100.127.255.255", false},
    {"100.128.0.0", true},
    {"126.255.255.255", true},
    {"127.0.0.1", false},
    {"127.255.255.255", false},
    {"128.0.0.1", true},
    {"169.253.255.255", true},
    {"169.254.169.254", false},
    {"169.255.0.0", true},
    {"172.15.255.255", true},
    {"172.16.0.1", false},
    {"172.31.255.255", false},
    {"172.32.0.0", true},
    {"192.0.0.8", false},
    {"192.0.2.1", false},
    {"192.0.3.1", true},
    {"192.88.99.1", false},
    {"192.167.255.255", true},
    {"192.168.0.1", false},
    {"192.169.0.0", true},
    {"198.17.255.255", true},
    {"198.18.0.1", false},
    {"198.19.255.255", false},
    {"198.20.0.0", true},
    {"198.51.100.7", false},
    {"203.0.113.7", false},
    {"223.255.255.255", true},
    {"224.0.0.1", false},
    {"239.255.255.255", false},
    {"240.0.0.1", false},
    {"255.255.255.255", false},
    {"::", false},
    {"::1", false},
    {"::8.8.8.8", false},
    {"::ffff:8.8.8.8", true},
    {"::ffff:127.0.0.1", false},
    {"::ffff:10.1.1.1", false},
    {"64:ff9b::808:808", true},
    {"64:ff9b::7f00:1", false},
    {"64:ff9b:1::1", false},
    {"100::1", false},
    {"1fff::1", false},
    {"2000::1", true},
    {"2001::1", false},
    {"2001:1ff::1", false},
    {"2001:200::1", true},
    {"2001:db8::1", false},
    {"2001:db9::1", true},
    {"2002:808:808::1", true},
    {"2002:7f00:1::1", false},
    {"2002:c0a8:1::1", false},
    {"2606:4700::1", true},
    {"3fff::1", false},
    {"3fff:1000::1", true},
    {"4000::1", false},
    {"fc00::1", false},
    {"fd12::1", false},
    {"fe80::1", false},
    {"fec0::1", false},
    {"ff02::1", false},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sockaddr_in in4 = {.sin_family = AF_INET};
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
        bool is4 = inet_pton(AF_INET, rows[i].address, &in4.sin_addr) == 1;

        if (!is4)
            assert_int_equal(inet_pton(AF_INET6, rows[i].address, &in6.sin6_addr), 1);
        if (post_address_is_public(is4 ? (const struct sockaddr *)&in4 : (const struct sockaddr *)&in6,
                                   is4 ? sizeof(in4) : sizeof(in6)) != rows[i].ok)
            fail_msg("%s", rows[i].address);
    }
}

static void test_others(void **state)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x08080808)};
    const struct sockaddr other = {.sa_family = AF_UNIX};

    (void)state;
    assert_false(post_address_is_public((const struct sockaddr *)&in4, 4)); /* cut */
    assert_false(post_address_is_public(&other, sizeof(other)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_others)};

    return cmocka_run_group_tests_name("post_address", tests, NULL, NULL);
}
