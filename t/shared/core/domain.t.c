/* domain.t.c - tests of domain.c. */
#include "domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define TEXT(s) (s), sizeof(s) - 1
#define L63     "abcdefghijklmnopqrstuvwxyz0123456789-bcdefghijklmnopqrstuvwxyz0"
#define N253                \
    L63 "." L63 "." L63 "." \
        "abcdefghijklmnopqrstuvwxyz0123456789-bcdefghijklmnopqrstuvwxy"

static const struct name_case {
    const char *name;
    const char *in;
    size_t len;
    const char *out; /* NULL: refused */
} names[] = {
    {"plain", TEXT("example.com"), "example.com"},
    {"A6 case", TEXT("EXAMPLE.Com"), "example.com"},
    {"all letters", TEXT("AZaz09.x"), "azaz09.x"},
    {"A6 final dot", TEXT("example.com."), "example.com"},
    {"one label", TEXT("localhost"), "localhost"},
    {"underscore", TEXT("_dmarc.my_host.example"), "_dmarc.my_host.example"},
    {"hyphens within", TEXT("a-b--c.example"), "a-b--c.example"},
    {"digits but in the last label", TEXT("1.2.3.example"), "1.2.3.example"},
    {"last label begins with digits", TEXT("a.1x"), "a.1x"},
    {"A-label", TEXT("XN--BCHER-kva.example"), "xn--bcher-kva.example"},
    {"A-label that decodes to nothing is left alone", TEXT("xn--a.example"), "xn--a.example"},
    {"label of 63", TEXT(L63 ".example"), L63 ".example"},
    {"name of 253", TEXT(N253), N253},
    {"name of 253 and final dot", TEXT(N253 "."), N253},

    {"empty", TEXT(""), NULL},
    {"dot", TEXT("."), NULL},
    {"two dots", TEXT(".."), NULL},
    {"leading dot", TEXT(".example.com"), NULL},
    {"empty label", TEXT("good..loc"), NULL},
    {"two final dots", TEXT("example.com.."), NULL},
    {"label of 64", TEXT("x" L63 ".example"), NULL},
    {"last label of 64", TEXT("example.x" L63), NULL},
    {"name of 254", TEXT("x" N253), NULL},
    {"name of 254, short labels", TEXT(L63 "." L63 "." L63 "." L63), NULL},
    {"name of 254, dot on the limit",
     TEXT(L63 "." L63 "." L63 ".abcdefghijklmnopqrstuvwxyz0123456789-bcdefghijklmnopqrstuvwxy.z"), NULL},
    {"hyphen", TEXT("-"), NULL},
    {"leading hyphen", TEXT("a.-b.example"), NULL},
    {"trailing hyphen", TEXT("a.b-.example"), NULL},
    {"last label ends with hyphen", TEXT("example-"), NULL},
    {"blank", TEXT("a b.example"), NULL},
    {"leading blank", TEXT(" example.com"), NULL},
    {"trailing blank", TEXT("example.com "), NULL},
    {"TAB", TEXT("example.com\t"), NULL},
    {"line feed", TEXT("example.com\n"), NULL},
    {"NUL inside", TEXT("example.com\0.evil.example"), NULL},
    {"NUL at the end", TEXT("example.com\0"), NULL},
    {"DEL", TEXT("example\177.com"), NULL},
    {"slash", TEXT("example.com/x"), NULL},
    {"colon", TEXT("example.com:25"), NULL},
    {"star", TEXT("*.example.com"), NULL},
    {"at", TEXT("@example.com"), NULL},
    {"just around letters", TEXT("`.example"), NULL},
    {"bracket", TEXT("[example.com]"), NULL},
    {"number", TEXT("12345"), NULL},
    {"last label a number", TEXT("example.1"), NULL},
    {"IPv4 address", TEXT("192.0.2.1"), NULL},
    {"IPv4 address and final dot", TEXT("192.0.2.1."), NULL},
};

/* U+3002 etc. are written as octets: \343\200\202. */
static const struct name_case idn[] = {
    {"small u umlaut", TEXT("b\303\274cher.example"), "xn--bcher-kva.example"},
    {"capital letters map", TEXT("B\303\234CHER.Example"), "xn--bcher-kva.example"},
    {"decomposed", TEXT("bu\314\210cher.example"), "xn--bcher-kva.example"},
    {"final dot", TEXT("b\303\274cher.example."), "xn--bcher-kva.example"},
    {"non-transitional sharp s", TEXT("fa\303\237.example"), "xn--fa-hia.example"},
    {"non-transitional final sigma", TEXT("\316\262\317\214\316\273\316\277\317\202.example"), "xn--nxasmm1c.example"},
    {"Chinese", TEXT("\344\276\213\345\255\220.\346\265\213\350\257\225"), "xn--fsqu00a.xn--0zwm56d"},
    {"ideographic full stop", TEXT("good\343\200\202example"), "good.example"},
    {"ideographic full stop at the end", TEXT("good.example\343\200\202"), "good.example"},
    {"fullwidth full stop", TEXT("good\357\274\216example"), "good.example"},
    {"fullwidth letters", TEXT("\357\274\247ood.example"), "good.example"},
    {"underscore beside", TEXT("_dmarc.b\303\274cher.example"), "_dmarc.xn--bcher-kva.example"},
    {"A-label beside", TEXT("xn--bcher-kva.b\303\274cher.example"), "xn--bcher-kva.xn--bcher-kva.example"},
    {"soft hyphen is nothing", TEXT("go\302\255od.example"), "good.example"},

    {"full stops only", TEXT("\343\200\202"), NULL},
    {"empty label by full stop", TEXT("good.\343\200\202example"), NULL},
    {"leading full stop", TEXT("\343\200\202example"), NULL},
    {"two final full stops", TEXT("good.example\343\200\202."), NULL},
    {"soft hyphen only", TEXT("\302\255"), NULL},
    {"soft hyphen leaves a hyphen first", TEXT("\302\255-a.example"), NULL},
    {"no-break space", TEXT("a\302\240b.example"), NULL},
    {"ideographic space", TEXT("a\343\200\200b.example"), NULL},
    {"line separator", TEXT("a\342\200\250b.example"), NULL},
    {"next line (C1)", TEXT("a\302\205b.example"), NULL},
    {"fullwidth slash", TEXT("a\357\274\217b.example"), NULL},
    {"fullwidth colon", TEXT("example.com\357\274\23225"), NULL},
    {"fullwidth digits make an address", TEXT("\357\274\221\357\274\222\357\274\223.0.2.1"), NULL},
    {"replacement character", TEXT("a\357\277\275.example"), NULL},
    {"right-to-left override", TEXT("a\342\200\256b.example"), NULL},
    {"begins with a combining mark", TEXT("\314\210a.example"), NULL},
    {"A-label that decodes to nothing, beside a U-label", TEXT("xn--a.b\303\274cher.example"), NULL},
    {"NUL inside", TEXT("b\303\274cher.example\0.evil"), NULL},
    {"blank beside", TEXT("b\303\274 cher.example"), NULL},
    {"UTF-8: lone continuation", TEXT("a\200.example"), NULL},
    {"UTF-8: never an octet of it", TEXT("a\377.example"), NULL},
    {"UTF-8: cut short", TEXT("a\303"), NULL},
    {"UTF-8: cut in the label", TEXT("a\303.example"), NULL},
    {"UTF-8: overlong dot", TEXT("a\300\256b.example"), NULL},
    {"UTF-8: overlong NUL", TEXT("a\300\200b.example"), NULL},
    {"UTF-8: surrogate", TEXT("a\355\240\200b.example"), NULL},
    {"UTF-8: beyond U+10FFFF", TEXT("a\364\220\200\200b.example"), NULL},
    {"Latin-1", TEXT("b\374cher.example"), NULL},
};

static void check_name(const struct name_case *c)
{
    char *exact = malloc(c->len > 0 ? c->len : 1); /* so that a look beyond the end is seen */
    char out[DOMAIN_BUF];
    char again[DOMAIN_BUF];
    struct err e = {""};
    int rc;

    assert_non_null(exact);
    memcpy(exact, c->in, c->len);
    rc = domain_normalise(out, exact, c->len, &e);
    free(exact);
    if (rc != (c->out != NULL ? 0 : -1))
        fail_msg("%s: %d (%s)", c->name, rc, rc == 0 ? out : e.text);
    if (c->out == NULL) {
        assert_string_not_equal(e.text, "");
        return;
    }
    if (strcmp(out, c->out) != 0)
        fail_msg("%s: %s, not %s", c->name, out, c->out);
    assert_int_equal(domain_normalise(again, out, strlen(out), NULL), 0);
    assert_true(domain_equal(again, out));
}

static void normalises_ascii(void **state)
{
    size_t i;

    (void)state;
    assert_int_equal(strlen(N253), DOMAIN_MAX);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        check_name(&names[i]);
}

static void normalises_unicode(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(idn) / sizeof(idn[0]); i++)
        check_name(&idn[i]);
}

/* Each octet alone in a label: the set that is taken is exactly this. */
static void takes_these_octets_only(void **state)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    unsigned c;

    (void)state;
    for (c = 0; c < 256; c++) {
        char in[] = "a?b.example";
        char out[DOMAIN_BUF];
        int upper = c >= 'A' && c <= 'Z';
        int want = (c != 0 && strchr(good, (int)c) != NULL) || upper || c == '-' || c == '.';
        in[1] = (char)c;
        assert_int_equal(domain_normalise(out, in, sizeof(in) - 1, NULL), want ? 0 : -1);
        if (upper)
            assert_int_equal(out[1], c + 32);
    }
}

/* Long names of long U-labels are measured as A-labels. */
static void measures_a_labels(void **state)
{
    char in[4000];
    char out[DOMAIN_BUF];
    size_t len = 0;
    int i;

    (void)state;
    for (i = 0; i < 100; i++) { /* 100 times the same letter is longer than 63 as A-label, also if only just */
        in[len++] = '\303';
        in[len++] = '\274';
    }
    assert_int_equal(domain_normalise(out, in, len, NULL), -1);
    assert_int_equal(domain_normalise(out, in, 40, NULL), 0);
    assert_memory_equal(out, "xn--", 4);
    assert_true(strlen(out) <= LABEL_MAX);
    for (len = 0; len < sizeof(in); len++)
        in[len] = "a\303\274a."[len % 5];
    assert_int_equal(domain_normalise(out, in, len, NULL), -1);
    assert_int_equal(domain_normalise(out, in, 1025, NULL), -1);
    assert_int_equal(domain_normalise(out, in, 200, NULL), -1); /* 40 labels "xn--aa-hoa." are 440 octets */
    assert_int_equal(domain_normalise(out, in, 100, NULL), 0);
    assert_int_equal(strlen(out), 20 * 11 - 1);
}

static void compares(void **state)
{
    (void)state;
    assert_true(domain_equal("example.com", "example.com"));
    assert_false(domain_equal("example.com", "example.co"));
    assert_false(domain_equal("example.com", "a.example.com"));
}

static const struct name_case addresses[] = {
    {"IPv4", TEXT("192.0.2.1"), "192.0.2.1"},
    {"IPv4, longest", TEXT("255.255.255.255"), "255.255.255.255"},
    {"IPv6", TEXT("2001:db8::1"), "2001:db8::1"},
    {"RFC 5952 case", TEXT("2001:DB8::ABCD"), "2001:db8::abcd"},
    {"RFC 5952 leading zeros", TEXT("2001:0db8:0000:0000:0000:0000:0000:0001"), "2001:db8::1"},
    {"RFC 5952 one zero group stays", TEXT("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1"},
    {"RFC 5952 one zero group written out", TEXT("2001:db8::1:1:1:1:1"), "2001:db8:0:1:1:1:1:1"},
    {"RFC 5952 longest run", TEXT("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1"},
    {"RFC 5952 first of equals", TEXT("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1"},
    {"all zeros", TEXT("::"), "::"},
    {"loopback", TEXT("::1"), "::1"},
    {"mapped", TEXT("::FFFF:192.0.2.1"), "::ffff:192.0.2.1"},
    {"mapped in hexadecimal", TEXT("::ffff:c000:201"), "::ffff:192.0.2.1"},
    {"tagged", TEXT("IPv6:2001:db8::1"), "2001:db8::1"},
    {"tagged, any case", TEXT("ipV6:2001:db8::1"), "2001:db8::1"},
    {"longest text", TEXT("IPv6:0000:0000:0000:0000:0000:ffff:255.255.255.255"), "::ffff:255.255.255.255"},

    {"empty", TEXT(""), NULL},
    {"name", TEXT("example.com"), NULL},
    {"hexadecimal name", TEXT("abcd"), NULL},
    {"three parts", TEXT("192.0.2"), NULL},
    {"five parts", TEXT("192.0.2.1.1"), NULL},
    {"final dot", TEXT("192.0.2.1."), NULL},
    {"256", TEXT("192.0.2.256"), NULL},
    {"leading zero (octal?)", TEXT("192.0.2.010"), NULL},
    {"one number", TEXT("3221225985"), NULL},
    {"hexadecimal IPv4", TEXT("0xc0.0.2.1"), NULL},
    {"blank", TEXT("192.0.2.1 "), NULL},
    {"blank first", TEXT(" 192.0.2.1"), NULL},
    {"NUL", TEXT("192.0.2.1\0"), NULL},
    {"NUL, then more", TEXT("::1\0:junk"), NULL},
    {"tag and IPv4", TEXT("IPv6:192.0.2.1"), NULL},
    {"tag only", TEXT("IPv6:"), NULL},
    {"tag twice", TEXT("IPv6:IPv6:::1"), NULL},
    {"tag of IPv4", TEXT("IPv4:192.0.2.1"), NULL},
    {"two runs", TEXT("2001::1::1"), NULL},
    {"nine groups", TEXT("1:2:3:4:5:6:7:8:9"), NULL},
    {"seven groups", TEXT("1:2:3:4:5:6:7"), NULL},
    {"five digits", TEXT("2001:db8::12345"), NULL},
    {"zone", TEXT("fe80::1%eth0"), NULL},
    {"prefix length", TEXT("2001:db8::/32"), NULL},
    {"brackets", TEXT("[::1]"), NULL},
    {"three colons", TEXT(":::"), NULL},
    {"too long", TEXT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"), NULL},
};

static void normalises_addresses(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        const struct name_case *c = &addresses[i];
        char *exact = malloc(c->len > 0 ? c->len : 1);
        char out[ADDRESS_BUF];
        int rc;

        assert_non_null(exact);
        memcpy(exact, c->in, c->len);
        rc = address_normalise(out, exact, c->len);
        free(exact);
        if (rc != (c->out != NULL))
            fail_msg("%s: %d", c->name, rc);
        if (c->out != NULL && strcmp(out, c->out) != 0)
            fail_msg("%s: %s, not %s", c->name, out, c->out);
    }
}

static void tells_networks(void **state)
{
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
        {"2001:db8:1:2::1", "2001:db8:1:2::"},
        {"2001:db8:1:3::1", "2001:db8:1:3::"},
        {"::1", "::"},
    };
    char out[ADDRESS_BUF];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        address_network(out, rows[i][0]);
        assert_string_equal(out, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalises_ascii),
        cmocka_unit_test(normalises_unicode),
        cmocka_unit_test(takes_these_octets_only),
        cmocka_unit_test(measures_a_labels),
        cmocka_unit_test(compares),
        cmocka_unit_test(normalises_addresses),
        cmocka_unit_test(tells_networks),
    };
    return cmocka_run_group_tests_name("domain", tests, NULL, NULL);
}
