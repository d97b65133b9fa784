/* netstring.t.c - tests of netstring.c. */
#include "netstring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(s) (s), sizeof(s) - 1

struct parse_case {
    const char *name;
    const char *in;
    size_t len;
    size_t max;
    int rc;
    const char *data;
    size_t total;
};

static const struct parse_case cases[] = {
    {"empty", TEXT("0:,"), 10, 1, "", 3},
    {"empty, nothing allowed", TEXT("0:,"), 0, 1, "", 3},
    {"short", TEXT("5:hello,"), 10, 1, "hello", 8},
    {"exactly the limit", TEXT("5:hello,"), 5, 1, "hello", 8},
    {"two digits", TEXT("12:hello world!,"), 100, 1, "hello world!", 16},
    {"another frame follows", TEXT("1:a,1:b,"), 10, 1, "a", 4},
    {"rubbish follows", TEXT("1:a,\0\xff"), 10, 1, "a", 4},
    {"frame as data", TEXT("4:1:a,,"), 10, 1, "1:a,", 7},
    {"nothing yet", TEXT(""), 10, 0, NULL, 0},
    {"a digit only", TEXT("5"), 10, 0, NULL, 0},
    {"zero only", TEXT("0"), 10, 0, NULL, 0},
    {"colon, no data", TEXT("5:"), 10, 0, NULL, 0},
    {"no comma yet", TEXT("5:hello"), 10, 0, NULL, 0},
    {"over the limit by one", TEXT("6:hello!,"), 5, -1, NULL, 0},
    {"over the limit, digits only", TEXT("11"), 10, -1, NULL, 0},
    {"nothing allowed, one asked", TEXT("1"), 0, -1, NULL, 0},
    {"leading zero", TEXT("05:hello,"), 10, -1, NULL, 0},
    {"two zeros", TEXT("00:,"), 10, -1, NULL, 0},
    {"no digit", TEXT(":hello,"), 10, -1, NULL, 0},
    {"a blank first", TEXT(" 5:hello,"), 10, -1, NULL, 0},
    {"a minus", TEXT("-1:hello,"), 10, -1, NULL, 0},
    {"a plus", TEXT("+5:hello,"), 10, -1, NULL, 0},
    {"hexadecimal", TEXT("0x5:hello,"), 10, -1, NULL, 0},
    {"a letter after the digits", TEXT("5a"), 10, -1, NULL, 0},
    {"a blank after the digits", TEXT("5 :hello,"), 10, -1, NULL, 0},
    {"just below '0'", TEXT("5/"), 100, -1, NULL, 0},
    {"a NUL first", TEXT("\0"), 10, -1, NULL, 0},
    {"a high octet first", TEXT("\xb5:"), 10, -1, NULL, 0},
    {"wrong octet for the comma", TEXT("5:hello;"), 10, -1, NULL, 0},
    {"data longer than said", TEXT("4:hello,"), 10, -1, NULL, 0},
    {"an HTTP client", TEXT("GET / HTTP/1.1\r\n"), 10000, -1, NULL, 0},
    {"a TLS client", TEXT("\x16\x03\x01\x02"), 10000, -1, NULL, 0},
    {"largest length there is", TEXT("999999999:"), SIZE_MAX, 0, NULL, 0},
    {"one more", TEXT("1000000000"), SIZE_MAX, -1, NULL, 0},
    {"2^64 and more", TEXT("18446744073709551616:"), SIZE_MAX, -1, NULL, 0},
};

static void parses_the_table(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct parse_case *c = &cases[i];
        char *exact = malloc(c->len > 0 ? c->len : 1); /* so that a look beyond the end is seen */
        struct netstring ns = {NULL, 77, 77};
        int rc;

        assert_non_null(exact);
        memcpy(exact, c->in, c->len);
        rc = netstring_parse(&ns, exact, c->len, c->max);
        if (rc != c->rc)
            fail_msg("%s: %d, not %d", c->name, rc, c->rc);
        if (rc == 1) {
            assert_int_equal(ns.len, strlen(c->data));
            assert_memory_equal(ns.data, c->data, ns.len);
            assert_int_equal(ns.total, c->total);
        }
        free(exact);
    }
}

/* Whatever the network's cuts: a part of a valid frame asks for more, neither found nor refused. */
static void split_at_every_octet(void **state)
{
    static const size_t sizes[] = {0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 9999, 10000};
    char data[10000];
    char frame[sizeof(data) + NETSTRING_OVERHEAD];
    size_t s;

    (void)state;
    memset(data, ',', sizeof(data));
    for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        size_t total = netstring_write(frame, sizeof(frame), data, sizes[s]);
        struct netstring ns;
        size_t cut;

        assert_true(total > sizes[s]);
        for (cut = 0; cut < total; cut++)
            assert_int_equal(netstring_parse(&ns, frame, cut, 10000), 0);
        assert_int_equal(netstring_parse(&ns, frame, total, 10000), 1);
        assert_int_equal(netstring_parse(&ns, frame, total, sizes[s]), 1);
        assert_int_equal(ns.len, sizes[s]);
        assert_int_equal(ns.total, total);
        assert_ptr_equal(ns.data + ns.len + 1, frame + total);
    }
}

/* A peer that sends digits for ever is refused at the digit that passes the limit. */
static void endless_digits(void **state)
{
    char digits[64];
    struct netstring ns;

    (void)state;
    memset(digits, '9', sizeof(digits));
    assert_int_equal(netstring_parse(&ns, digits, 4, 10000), 0);
    assert_int_equal(netstring_parse(&ns, digits, 5, 10000), -1);
    assert_int_equal(netstring_parse(&ns, digits, 9, SIZE_MAX), 0);
    assert_int_equal(netstring_parse(&ns, digits, 10, SIZE_MAX), -1);
    assert_int_equal(netstring_parse(&ns, digits, 64, SIZE_MAX), -1);
    memset(digits, '0', sizeof(digits));
    assert_int_equal(netstring_parse(&ns, digits, 1, SIZE_MAX), 0);
    assert_int_equal(netstring_parse(&ns, digits, 2, SIZE_MAX), -1);
}

/* A length that wraps a 64-bit sum onto a small number must not be taken for that number. */
static void no_wrap(void **state)
{
    char text[32];
    struct netstring ns;
    int n = snprintf(text, sizeof(text), "%s:a,", "18446744073709551617");

    (void)state;
    assert_true(n > 0);
    assert_int_equal(netstring_parse(&ns, text, (size_t)n, SIZE_MAX), -1);
}

static void writes(void **state)
{
    char out[32];

    (void)state;
    memset(out, '#', sizeof(out));
    assert_int_equal(netstring_write(out, sizeof(out), "hello", 5), 8);
    assert_memory_equal(out, "5:hello,#", 9);
    assert_int_equal(netstring_write(out, 3, NULL, 0), 3);
    assert_memory_equal(out, "0:,", 3);
    assert_int_equal(netstring_write(out, 15, "0123456789", 10), 14);
    assert_memory_equal(out, "10:0123456789,#", 15);
}

static void write_refuses_what_does_not_fit(void **state)
{
    char out[32];
    size_t cap;

    (void)state;
    memset(out, '#', sizeof(out));
    for (cap = 0; cap < 14; cap++)
        assert_int_equal(netstring_write(out, cap, "0123456789", 10), 0);
    assert_int_equal(out[0], '#');
    assert_int_equal(netstring_write(out, 14, "0123456789", 10), 14);
    assert_int_equal(out[14], '#');
    assert_int_equal(netstring_write(out, SIZE_MAX, "x", (size_t)NETSTRING_MAX + 1), 0);
    assert_int_equal(netstring_write(out, 2, NULL, 0), 0);
}

static void heads(void **state)
{
    char out[NETSTRING_OVERHEAD];

    (void)state;
    assert_int_equal(netstring_head(out, 0), 2);
    assert_memory_equal(out, "0:", 2);
    assert_int_equal(netstring_head(out, 1000), 5);
    assert_memory_equal(out, "1000:", 5);
    assert_int_equal(netstring_head(out, NETSTRING_MAX), 10);
    assert_memory_equal(out, "999999999:", 10);
    assert_int_equal(netstring_head(out, (size_t)NETSTRING_MAX + 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_the_table),
        cmocka_unit_test(split_at_every_octet),
        cmocka_unit_test(endless_digits),
        cmocka_unit_test(no_wrap),
        cmocka_unit_test(writes),
        cmocka_unit_test(write_refuses_what_does_not_fit),
        cmocka_unit_test(heads),
    };
    return cmocka_run_group_tests_name("netstring", tests, NULL, NULL);
}
