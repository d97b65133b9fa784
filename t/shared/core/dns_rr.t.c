/* Tests of dns_rr.c: each type of record, good and bad, through dns_reply_parse. */
#include "dns_msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "dns_packet.h"

#define D        "d.example"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct packet p;

/* Rdata of the type, alone in an answer. */
static enum dns_verdict parse(struct dns_answer *a, enum dns_type type, const void *rdata, size_t len)
{
    packet_begin(&p, REPLY, D, type);
    put_rr(&p, ANSWER, D, type, 60, rdata, len);
    return dns_reply_parse(a, p.data, p.len, D, type, PACKET_ID, true, NULL);
}

static void test_address(void **state)
{
    static const struct {
        const char *what;
        enum dns_type type;
        const char *rdata;
        size_t len;
        const char *text; /* NULL: no answer comes of it */
    } rows[] = {
        {"A", DNS_A, "\300\0\2\1", 4, "192.0.2.1"},
        {"A of 3 octets", DNS_A, "\300\0\2", 3, NULL},
        {"A of 5 octets", DNS_A, "\300\0\2\1\1", 5, NULL},
        {"A of none", DNS_A, "", 0, NULL},
        {"AAAA", DNS_AAAA, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, "2001:db8::1"},
        {"AAAA, IPv4-mapped", DNS_AAAA, "\0\0\0\0\0\0\0\0\0\0\xff\xff\300\0\2\1", 16, "::ffff:192.0.2.1"},
        {"AAAA of 4 octets", DNS_AAAA, "\x20\1\x0d\xb8", 4, NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dns_answer a;
        enum dns_verdict v = parse(&a, rows[i].type, rows[i].rdata, rows[i].len);

        print_message("%s\n", rows[i].what);
        assert_int_equal(v == DNS_REPLY_TAKEN && a.status == DNS_FOUND, rows[i].text != NULL);
        if (rows[i].text != NULL) {
            assert_int_equal(a.count, 1);
            assert_string_equal(a.rr[0].address, rows[i].text);
        }
        dns_answer_clear(&a);
    }
}

static void test_mx(void **state)
{
    static const struct {
        const char *what;
        const char *rdata;
        size_t len;
        int preference; /* -1: no answer comes of it */
        const char *name;
    } rows[] = {
        {"plain", "\0\12\2mx\7example", 14, 10, "mx.example"},
        {"upper case", "\377\377\2MX\7Example", 14, 65535, "mx.example"},
        {"B-5 null MX", "\0\0", 3, 0, ""},
        {"compressed", "\0\12\2mx\300\14", 7, 10, "mx.d.example"},
        {"no name", "\0\12", 2, -1, NULL},
        {"half a preference", "\0", 1, -1, NULL},
        {"an address for a name", "\0\12\003192\0010\0012\0011", 13, -1, NULL},
        {"a name with a blank", "\0\12\3m x\7example", 15, -1, NULL},
        {"a U-label", "\0\12\3m\303\274\7example", 15, -1, NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dns_answer a;
        enum dns_verdict v = parse(&a, DNS_MX, rows[i].rdata, rows[i].len);

        print_message("%s\n", rows[i].what);
        assert_int_equal(v == DNS_REPLY_TAKEN && a.status == DNS_FOUND && a.count == 1, rows[i].preference >= 0);
        if (rows[i].preference >= 0) {
            assert_int_equal(a.rr[0].preference, rows[i].preference);
            assert_string_equal(a.rr[0].name, rows[i].name);
        } else if (v == DNS_REPLY_TAKEN) {
            assert_int_equal(a.status, DNS_FOUND); /* never "no MX", never a host less without saying so */
            assert_true(a.truncated);
        }
        dns_answer_clear(&a);
    }
}

static void test_mx_some_bad(void **state)
{
    struct dns_answer a;
    (void)state;

    packet_begin(&p, REPLY, D, DNS_MX);
    put_mx(&p, D, 60, 5, "192.0.2.1");
    put_mx(&p, D, 60, 10, "good.example");
    put_mx(&p, D, 60, 15, "b/d.example");
    assert_int_equal(dns_reply_parse(&a, p.data, p.len, D, DNS_MX, PACKET_ID, true, NULL), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FOUND);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.rr[0].preference, 10);
    assert_string_equal(a.rr[0].name, "good.example");
    dns_answer_clear(&a);
}

static void test_txt(void **state)
{
    static const struct {
        const char *what;
        const char *rdata;
        size_t len;
        const char *text; /* NULL: no answer comes of it */
        size_t text_len;
    } rows[] = {
        {"A1 one string", "\5hello", 6, "hello", 5},
        {"A1 joined without blanks", "\3hel\2lo", 7, "hello", 5},
        {"A1 empty strings between", "\0\3hel\0\2lo", 9, "hello", 5},
        {"A1 any octet", "\4a\0\377\n", 5, "a\0\377\n", 4},
        {"empty string", "\0", 1, "", 0},
        {"string over the end", "\6hello", 6, NULL, 0},
        {"second string over the end", "\1a\5hell", 7, NULL, 0},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dns_answer a;
        enum dns_verdict v = parse(&a, DNS_TXT, rows[i].rdata, rows[i].len);

        print_message("%s\n", rows[i].what);
        assert_int_equal(v == DNS_REPLY_TAKEN && a.status == DNS_FOUND, rows[i].text != NULL);
        if (rows[i].text != NULL) {
            assert_int_equal(a.rr[0].text_len, rows[i].text_len);
            assert_memory_equal(a.rr[0].text, rows[i].text, rows[i].text_len);
            assert_int_equal(a.rr[0].text[a.rr[0].text_len], '\0');
        }
        dns_answer_clear(&a);
    }
}

static void test_txt_long(void **state)
{
    enum { STRINGS = 200 };
    uint8_t *rdata = malloc((size_t)STRINGS * 256);
    struct dns_answer a;
    (void)state;

    assert_non_null(rdata);
    memset(rdata, 'x', (size_t)STRINGS * 256);
    for (size_t i = 0; i < STRINGS; i++)
        rdata[i * 256] = 255;
    assert_int_equal(parse(&a, DNS_TXT, rdata, (size_t)STRINGS * 256), DNS_REPLY_TAKEN);
    assert_int_equal(a.rr[0].text_len, STRINGS * 255);
    dns_answer_clear(&a);
    free(rdata);
}

static void test_tlsa(void **state)
{
    uint8_t rdata[3 + 32] = {3, 1, 1};
    struct dns_answer a;
    (void)state;

    memset(rdata + 3, 0xab, 32);
    assert_int_equal(parse(&a, DNS_TLSA, rdata, sizeof(rdata)), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FOUND);
    assert_int_equal(a.rr[0].tlsa.usage, 3);
    assert_int_equal(a.rr[0].tlsa.selector, 1);
    assert_int_equal(a.rr[0].tlsa.matching_type, 1);
    assert_int_equal(a.rr[0].tlsa.len, 32);
    assert_memory_equal(a.rr[0].tlsa.data, rdata + 3, 32);
    dns_answer_clear(&a);

    /* Unknown numbers are kept: whether a record can be used is for tlsa.c to say. */
    assert_int_equal(parse(&a, DNS_TLSA, "\377\200\7\1", 4), DNS_REPLY_TAKEN);
    assert_int_equal(a.rr[0].tlsa.usage, 255);
    assert_int_equal(a.rr[0].tlsa.selector, 128);
    assert_int_equal(a.rr[0].tlsa.matching_type, 7);
    dns_answer_clear(&a);
}

/* B-3: a broken TLSA record must not look like the absence of one. */
static void test_tlsa_bad(void **state)
{
    static uint8_t large[3 + TLSA_DATA_MAX + 1] = {3, 0, 0};
    (void)state;

    for (size_t len = 0; len < 3; len++) {
        struct dns_answer a;
        enum dns_verdict v = parse(&a, DNS_TLSA, "\3\1\1", len);

        assert_true(v == DNS_REPLY_BROKEN || (v == DNS_REPLY_TAKEN && a.status == DNS_FAILED));
        dns_answer_clear(&a);
    }
    for (size_t over = 0; over < 2; over++) {
        struct dns_answer a;
        enum dns_verdict v = parse(&a, DNS_TLSA, large, 3 + TLSA_DATA_MAX + over);

        assert_int_equal(v, over == 0 ? DNS_REPLY_TAKEN : DNS_REPLY_BROKEN);
        dns_answer_clear(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address),  cmocka_unit_test(test_mx),       cmocka_unit_test(test_mx_some_bad),
        cmocka_unit_test(test_txt),      cmocka_unit_test(test_txt_long), cmocka_unit_test(test_tlsa),
        cmocka_unit_test(test_tlsa_bad),
    };

    return cmocka_run_group_tests_name("dns_rr", tests, NULL, NULL);
}
