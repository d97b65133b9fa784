/* rua_uri.t.c - tests of rua_uri.c: RFC 8460 3 and 5.3, check W12. */
#include "rua_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(s)     s, sizeof(s) - 1
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define A32      "aaaaaaaabbbbbbbbccccccccdddddddd"

static const struct {
    const char *uri;
    size_t len;
    const char *want; /* "mailto ADDRESS", "https", "other", or "!" and the error text */
} rows[] = {
    {S("mailto:tls@example.net"), "mailto tls@example.net"},
    {S("MailTo:Tls@Example.NET"), "mailto Tls@example.net"},
    {S("mailto:a+b%2Fc=d@example.net."), "mailto a+b/c=d@example.net"},
    {S("mailto:a%21%2c%3f@example.net"), "!octet 0x2c is not allowed in the part of the address before '@'"},
    {S("mailto:a%21%3F@example.net"), "mailto a!?@example.net"},
    {S("mailto:a%40example.net"), "mailto a@example.net"},
    {S("mailto:a@b%C3%BCcher.example"), "mailto a@xn--bcher-kva.example"},
    {S("mailto:" A32 A32 "@a"), "mailto " A32 A32 "@a"},
    {S("mailto:-oQ/tmp@example.net"), "mailto -oQ/tmp@example.net"}, /* W12: data, the sender must treat it so */
    {S("mailto:" A32 A32 "e@a"), "!the part of the address before '@' must have 1 to 64 octets"},
    {S("mailto:@example.net"), "!the part of the address before '@' must have 1 to 64 octets"},
    {S("mailto:"), "!the address has no '@'"},
    {S("mailto:a"), "!the address has no '@'"},
    {S("mailto:a@"), "!the domain of the address: an empty name"},
    {S("mailto:a@b@c"), "!the domain of the address: an octet that no domain name has"},
    {S("mailto:a@b%2Cc@d"), "!the domain of the address: an octet that no domain name has"},
    {S("mailto:a@[192.0.2.1]"), "!the domain of the address: an octet that no domain name has"},
    {S("mailto:a@192.0.2.1"), "!the domain of the address: the last label is a number"},
    {S("mailto:a@b%00.c"), "!the domain of the address: an octet that no domain name has"},
    {S("mailto:a@b%0A.c"), "!the domain of the address: an octet that no domain name has"},
    {S("mailto:a%0D%0ABcc:%20x@example.net"),
     "!octet 0x0d is not allowed in the part of the address before '@'"}, /* W12 */
    {S("mailto:a%20b@example.net"), "!octet 0x20 is not allowed in the part of the address before '@'"},
    {S("mailto:a%00@example.net"), "!octet 0x00 is not allowed in the part of the address before '@'"},
    {S("mailto:%22a%22@example.net"), "!octet 0x22 is not allowed in the part of the address before '@'"},
    {S("mailto:%C3%A9@example.net"), "!octet 0xc3 is not allowed in the part of the address before '@'"},
    {S("mailto:a:b@example.net"), "!octet 0x3a is not allowed in the part of the address before '@'"},
    {S("mailto://a@example.net"), "mailto //a@example.net"},
    {S("mailto:a@example.net?bcc=x@y"),
     "!a mailto: URI for reports must be an address only, without '?' and '#'"}, /* W12 */
    {S("mailto:?to=a@example.net"), "!a mailto: URI for reports must be an address only, without '?' and '#'"},
    {S("mailto:a@example.net#x"), "!a mailto: URI for reports must be an address only, without '?' and '#'"},

    {S("https://example.net"), "https"},
    {S("HTTPS://Example.net/"), "https"},
    {S("https://example.net/a/b%20c?d=e&f=(g)*#h/?"), "https"},
    {S("https://example.net:8443/x"), "https"},
    {S("https://example.net:65535"), "https"},
    {S("https://user:p%40w@example.net:1/x@y"), "https"},
    {S("https://192.0.2.1/x"), "https"},
    {S("https://[2001:db8::1]/x"), "https"},
    {S("https://[::1]:443/x"), "https"},
    {S("https://example.net?x"), "https"},
    {S("https:"), "!\"//\" must follow https:"},
    {S("https:/example.net"), "!\"//\" must follow https:"},
    {S("https:example.net"), "!\"//\" must follow https:"},
    {S("https://"), "!the host of the URI: an empty name"},
    {S("https:///x"), "!the host of the URI: an empty name"},
    {S("https://:443/"), "!the host of the URI: an empty name"},
    {S("https://a@/x"), "!the host of the URI: an empty name"},
    {S("https://a..b/"), "!the host of the URI: an empty label"},
    {S("https://%65xample.net/"), "!the host of the URI: an octet that no domain name has"},
    {S("https://example.net:/"), "!the port of the URI is not between 1 and 65535"},
    {S("https://example.net:0/"), "!the port of the URI is not between 1 and 65535"},
    {S("https://example.net:65536/"), "!the port of the URI is not between 1 and 65535"},
    {S("https://example.net:99999999999999999999999/"), "!the port of the URI is not between 1 and 65535"},
    {S("https://example.net:18446744073709552059/"),
     "!the port of the URI is not between 1 and 65535"}, /* 443 modulo 2^64 */
    {S("https://example.net:44x/"), "!the port of the URI is no number"},
    {S("https://2001:db8::1/"), "!the host of the URI: the last label is a number"},
    {S("https://[2001:db8::1"), "!the host of the URI: an octet that no domain name has"},
    {S("https://[2001:db8::g]/"), "!no IPv6 address between '[' and ']'"},
    {S("https://[192.0.2.1]/"), "!no IPv6 address between '[' and ']'"},
    {S("https://[IPv6:2001:db8::1]/"), "!no IPv6 address between '[' and ']'"},
    {S("https://[]/"), "!no IPv6 address between '[' and ']'"},
    {S("https://[::1]x/"), "!'x' after the host of the URI"},
    {S("https://example.net/[x]"), "!'[' and ']' are only allowed around an IPv6 address"},

    {S("http://example.net/"), "other"},
    {S("file:///etc/passwd"), "other"}, /* W12: never taken */
    {S("directory:/var/tmp"), "other"}, /* W12 */
    {S("mailtox:a@b"), "other"},
    {S("x-1+2.3:"), "other"},
    {S(""), "!a URI begins with a scheme, such as mailto:"},
    {S(":x"), "!a URI begins with a scheme, such as mailto:"},
    {S("1a:x"), "!a URI begins with a scheme, such as mailto:"},
    {S("tls@example.net"), "!a URI begins with a scheme, such as mailto:"},
    {S("noscheme"), "!a URI begins with a scheme, such as mailto:"},
    {S("a_b:x"), "!a URI begins with a scheme, such as mailto:"},
    {S("mailto:a!b@example.net"), "!'!' must be written as %21 in the URI"},
    {S("mailto:a@example.net!10m"), "!'!' must be written as %21 in the URI"},
    {S("https://example.net/a;b"), "!';' must be written as %3B in the URI"},
    {S("https://example.net/a,b"), "!',' must be written as %2C in the URI"},
    {S("http://bad/%"), "!'%' without two hex digits in the URI"},
    {S("http://bad/%a"), "!'%' without two hex digits in the URI"},
    {S("http://bad/%ag"), "!'%' without two hex digits in the URI"},
    {S("http://bad/#a#b"), "!a second '#' in the URI"},
    {S("http://bad/a b"), "!octet 0x20 is not allowed in a URI"},
    {S("http://bad/a\tb"), "!octet 0x09 is not allowed in a URI"},
    {S("http://bad/a\0b"), "!octet 0x00 is not allowed in a URI"},
    {S("http://bad/\r\n"), "!octet 0x0d is not allowed in a URI"},
    {S("http://bad/\xc3\xa9"), "!octet 0xc3 is not allowed in a URI"},
    {S("http://bad/<x>"), "!octet 0x3c is not allowed in a URI"},
    {S("http://bad/\"x"), "!octet 0x22 is not allowed in a URI"},
    {S("http://bad/a\\b"), "!octet 0x5c is not allowed in a URI"},
    {S("http://bad/{x}"), "!octet 0x7b is not allowed in a URI"},
};

static void describe(char *out, size_t cap, const char *uri, size_t len)
{
    char address[RUA_ADDRESS_BUF];
    enum rua_kind kind;
    struct err e = {""};

    if (rua_uri_check(&kind, uri, len, &e) < 0) {
        (void)snprintf(out, cap, "!%s", e.text);
    } else if (kind == RUA_MAILTO) {
        assert_int_equal(rua_mailto_address(address, uri, len, NULL), 0);
        (void)snprintf(out, cap, "mailto %s", address);
    } else {
        assert_int_equal(rua_mailto_address(address, uri, len, NULL), -1);
        (void)snprintf(out, cap, "%s", kind == RUA_HTTPS ? "https" : "other");
    }
}

static void checks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[512];
        char *copy = malloc(rows[i].len == 0 ? 1 : rows[i].len);
        print_message("W12 %s\n", rows[i].uri);
        assert_non_null(copy);
        memcpy(copy, rows[i].uri, rows[i].len);
        describe(got, sizeof got, rows[i].len == 0 ? copy + 1 : copy, rows[i].len);
        free(copy);
        assert_string_equal(got, rows[i].want);
    }
}

/* Put the words over the beginning of the text, without a NUL. */
static void overwrite(char *text, const char *words)
{
    for (size_t i = 0; words[i] != '\0'; i++)
        text[i] = words[i];
}

static void limits_length(void **state)
{
    char uri[RUA_URI_MAX + 2];
    char address[RUA_ADDRESS_BUF];
    enum rua_kind kind;
    struct err e;

    (void)state;
    memset(uri, 'a', sizeof uri);
    overwrite(uri, "https://a/");
    assert_int_equal(rua_uri_check(&kind, uri, RUA_URI_MAX, &e), 0);
    assert_int_equal(rua_uri_check(&kind, uri, RUA_URI_MAX + 1, &e), -1);
    assert_string_equal(e.text, "the URI has 513 octets, but at most 512 are taken");
    overwrite(uri, "mailto:a@");
    assert_int_equal(rua_mailto_address(address, uri, RUA_URI_MAX + 1, &e), -1);
    assert_string_equal(e.text, "the URI has 513 octets, but at most 512 are taken");
    overwrite(uri, "x-other:a");
    assert_int_equal(rua_uri_check(&kind, uri, RUA_URI_MAX + 1, &e), 0);
    assert_int_equal(kind, RUA_OTHER);
}

static void address_by_itself_is_not_decoded(void **state)
{
    char out[RUA_ADDRESS_BUF];
    struct err e = {""};

    (void)state;
    assert_int_equal(rua_address(out, S("a%41@B.Example."), &e), 0);
    assert_string_equal(out, "a%41@b.example");
    assert_int_equal(rua_address(out, S("a@b\r\nBcc: c@d"), &e), -1);
    assert_string_equal(e.text, "the domain of the address: an octet that no domain name has");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_by_itself_is_not_decoded),
        cmocka_unit_test(checks),
        cmocka_unit_test(limits_length),
    };
    return cmocka_run_group_tests_name("rua_uri", tests, NULL, NULL);
}
