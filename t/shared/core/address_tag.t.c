/* address_tag.t.c - tests of address_tag.c. */
#include "address_tag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const struct address_tag tag = {'+', "requiretls"};

/* Without the tag, with it; R6: the tag is in the address itself, in each form that an envelope may have. */
static const struct {
    const char *plain, *tagged;
} forms[] = {
    {"<user@example.com>", "<user+requiretls@example.com>"},
    {"user@example.com", "user+requiretls@example.com"},
    {"<user+x@example.com>", "<user+x+requiretls@example.com>"},
    {"<user+requiretls+x@example.com>", "<user+requiretls+x+requiretls@example.com>"},
    {"<userrequiretls@example.com>", "<userrequiretls+requiretls@example.com>"},
    {"<user-requiretls@example.com>", "<user-requiretls+requiretls@example.com>"},
    {"<requiretls@example.com>", "<requiretls+requiretls@example.com>"},
    {"<+requiretls@example.com>", "<+requiretls+requiretls@example.com>"},
    {"<user+@example.com>", "<user++requiretls@example.com>"},
    {"<\"a b\"@example.com>", "<\"a b+requiretls\"@example.com>"},
    {"\"a b\"@example.com", "\"a b+requiretls\"@example.com"},
    {"<\"a@b\"@example.com>", "<\"a@b+requiretls\"@example.com>"},
    {"<\"a>b\"@example.com>", "<\"a>b+requiretls\"@example.com>"},
    {"<\"a\\\"b\"@example.com>", "<\"a\\\"b+requiretls\"@example.com>"},
    {"<\"a\\\\\"@example.com>", "<\"a\\\\+requiretls\"@example.com>"},
    {"<\"a b\".c@example.com>", "<\"a b\".c+requiretls@example.com>"},
    {"<a\\ b@example.com>", "<a\\ b+requiretls@example.com>"},
    {"<a\\\"@example.com>", "<a\\\"+requiretls@example.com>"},
    {"<b\303\274cher@b\303\274cher.example>", "<b\303\274cher+requiretls@b\303\274cher.example>"},
    {"<@a.example,@b.example:user@example.com>", "<@a.example,@b.example:user+requiretls@example.com>"},
    {"<@[IPv6:::1]:user@example.com>", "<@[IPv6:::1]:user+requiretls@example.com>"},
    {"<user@[192.0.2.1]>", "<user+requiretls@[192.0.2.1]>"},
    {"<user@[IPv6:2001:db8::1]>", "<user+requiretls@[IPv6:2001:db8::1]>"},
    {"<postmaster>", "<postmaster+requiretls>"},
    {"postmaster", "postmaster+requiretls"},
    {"<a@b@example.com>", "<a@b+requiretls@example.com>"},
    {"<user.@example.com>", "<user.+requiretls@example.com>"},
};

static void test_forms(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 200);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const char *plain = forms[i].plain, *tagged = forms[i].tagged;
        struct err e = {""};

        print_message("%s\n", plain);
        assert_int_equal(address_tag_has(&tag, plain, strlen(plain), &e), 0);
        assert_int_equal(address_tag_has(&tag, tagged, strlen(tagged), &e), 1);
        buf_reset(&out);
        assert_int_equal(address_tag_add(&out, &tag, plain, strlen(plain), &e), 0);
        assert_string_equal(buf_text(&out), tagged);
        buf_reset(&out);
        assert_int_equal(address_tag_add(&out, &tag, tagged, strlen(tagged), &e), 0);
        assert_string_equal(buf_text(&out), tagged);
        buf_reset(&out);
        assert_int_equal(address_tag_remove(&out, &tag, tagged, strlen(tagged), &e), 1);
        assert_string_equal(buf_text(&out), plain);
        buf_reset(&out);
        assert_int_equal(address_tag_remove(&out, &tag, plain, strlen(plain), &e), 0);
        assert_string_equal(buf_text(&out), plain);
    }
    buf_clear(&out);
}

/* Tags that are not written as we write them. */
static const struct {
    const char *tagged, *plain;
} removed[] = {
    {"<user+REQUIRETLS@example.com>", "<user@example.com>"},
    {"<user+RequireTLS@EXAMPLE.com>", "<user@EXAMPLE.com>"},
    {"<user+requiretls+requiretls@example.com>", "<user@example.com>"},
    {"<user+requiretls+RequireTLS@example.com>", "<user@example.com>"},
    {"<+requiretls+requiretls@example.com>", "<+requiretls@example.com>"},
    {"<\"a b\\+require\\tls\"@example.com>", "<\"a b\"@example.com>"},
    {"<\"user\"+requiretls@example.com>", "<\"user\"@example.com>"},
    {"<\"user+require\"tls@example.com>", "<\"user\"@example.com>"},
    {"<user\"+requiretls\"@example.com>", "<user\"\"@example.com>"},
};

static void test_removed(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 200);
    for (size_t i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
        const char *tagged = removed[i].tagged;

        print_message("%s\n", tagged);
        assert_int_equal(address_tag_has(&tag, tagged, strlen(tagged), NULL), 1);
        buf_reset(&out);
        assert_int_equal(address_tag_remove(&out, &tag, tagged, strlen(tagged), NULL), 1);
        assert_string_equal(buf_text(&out), removed[i].plain);
        assert_int_equal(address_tag_has(&tag, buf_text(&out), out.len, NULL), 0);
    }
    buf_clear(&out);
}

static const struct {
    const char *address;
    size_t len;
    const char *why;
} bad[] = {
#define S(s) s, sizeof(s) - 1
    {S(""), "empty"},
    {S("<>"), "empty"},
    {S("<"), "only one of"},
    {S(">"), "only one of"},
    {S("<user@example.com"), "only one of"},
    {S("user@example.com>"), "only one of"},
    {S("<user@example.com> NOTIFY=NEVER"), "only one of"},
    {S("<user@example.com> <x>"), "bracket"},
    {S("user name@example.com"), "blank"},
    {S("<user@exa mple.com>"), "blank"},
    {S("@example.com"), "before the @"},
    {S("<@a.example:@example.com>"), "before the @"},
    {S("<@a.example:>"), "before the @"},
    {S("<@a .example:u@d>"), "source route"},
    {S("<\"\"@example.com>"), "before the @"},
    {S("user@"), "behind the @"},
    {S("\"user@example.com"), "quote"},
    {S("user@\"example.com\""), "quote in the domain"},
    {S("user@exa\\mple.com"), "quote in the domain"},
    {S("<user\\>"), "backslash"},
    {S("us\0er@example.com"), "control"},
    {S("user@example.com\r\nRCPT"), "control"},
    {S("\"a\\\nb\"@example.com"), "control"},
};

static void test_bad(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 200);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = {""};

        print_message("%s\n", bad[i].address);
        assert_int_equal(address_tag_has(&tag, bad[i].address, bad[i].len, &e), -1);
        if (strstr(e.text, bad[i].why) == NULL)
            fail_msg("%s", e.text);
        assert_int_equal(address_tag_add(&out, &tag, bad[i].address, bad[i].len, &e), -1);
        assert_int_equal(address_tag_remove(&out, &tag, bad[i].address, bad[i].len, &e), -1);
        assert_int_equal(out.len, 0);
    }
}

static void test_limits(void **state)
{
    char *text = malloc(ADDRESS_TAG_MAX + 1);
    struct buf out;

    (void)state;
    assert_non_null(text);
    memset(text, 'a', ADDRESS_TAG_MAX + 1);
    assert_int_equal(address_tag_has(&tag, text, ADDRESS_TAG_MAX, NULL), 0);
    assert_int_equal(address_tag_has(&tag, text, ADDRESS_TAG_MAX + 1, NULL), -1);
    free(text);
    buf_init(&out, 25); /* one octet too few */
    assert_int_equal(address_tag_add(&out, &tag, "user@example.com", 15 + 1, NULL), -1);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
    buf_init(&out, 17); /* no octet more than a tagged one has */
    assert_int_equal(address_tag_add(&out, &tag, "user+requiretls@d", 17, NULL), 0);
    buf_clear(&out);
}

static void test_other_tags(void **state)
{
    static const struct address_tag optional = {'-', "tlsoptional"};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_int_equal(address_tag_add(&out, &optional, "<a+requiretls@d>", 16, NULL), 0);
    assert_string_equal(buf_text(&out), "<a+requiretls-tlsoptional@d>");
    assert_int_equal(address_tag_has(&tag, buf_text(&out), out.len, NULL), 0);
    assert_int_equal(address_tag_has(&optional, "<a+tlsoptional@d>", 17, NULL), 0);
    buf_clear(&out);
}

static const struct {
    const char *tagged, *plain;
    size_t first, second;
} mixed[] = {
    {"<user@d>", "<user@d>", 0, 0},
    {"<user+requiretls@d>", "<user@d>", 1, 0},
    {"<user-tls+requiretls@d>", "<user@d>", 1, 1},
    {"<user+requiretls-TLS@d>", "<user@d>", 1, 1},
    {"<user-tls+RequireTLS-tls+x-tls+requiretls-tls@d>", "<user-tls+RequireTLS-tls+x@d>", 1, 2},
    {"<-tls+requiretls@d>", "<-tls@d>", 1, 0},
    {"\"a b-tls\"+requiretls@d", "\"a b\"@d", 1, 1},
};

static void test_mixed(void **state)
{
    static const struct address_tag both[] = {{'+', "requiretls"}, {'-', "tls"}};
    size_t seen[2];
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t i = 0; i < sizeof(mixed) / sizeof(mixed[0]); i++) {
        const char *tagged = mixed[i].tagged;

        buf_reset(&out);
        assert_int_equal(address_tags_remove(&out, seen, both, 2, tagged, strlen(tagged), NULL),
                         mixed[i].first + mixed[i].second);
        assert_string_equal(buf_text(&out), mixed[i].plain);
        assert_int_equal(seen[0], mixed[i].first);
        assert_int_equal(seen[1], mixed[i].second);
    }
    assert_int_equal(address_tags_remove(&out, seen, both, 2, "<>", 2, NULL), -1);
    buf_clear(&out);
}

static void test_split(void **state)
{
    const char *address = "<@a,@b:\"x y\"@example.com>";
    struct address_split s;

    (void)state;
    assert_int_equal(address_split(&s, address, strlen(address), NULL), 0);
    assert_int_equal(s.local_at, 7);
    assert_int_equal(s.local_len, 5);
    assert_int_equal(s.domain_len, 11);
    assert_memory_equal(address + s.domain_at, "example.com", 11);
    assert_int_equal(address_split(&s, "<@[IPv6:::1]:u@d>", 17, NULL), 0);
    assert_int_equal(s.local_at, 13);
    assert_int_equal(address_split(&s, "postmaster", 10, NULL), 0);
    assert_int_equal(s.domain_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),  cmocka_unit_test(test_removed),    cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_other_tags), cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
