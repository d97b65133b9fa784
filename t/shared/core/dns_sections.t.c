/* Tests of dns_sections.c, through dns_reply_parse: the bounds of records, options, compression. */
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

/* In memory of its own, no octet more, so that reading past the end is seen. */
static enum dns_verdict parse(struct dns_answer *a, enum dns_type type, bool trust)
{
    uint8_t *copy = malloc(p.len + 1);
    struct err e = {""};
    enum dns_verdict v;

    assert_non_null(copy);
    memcpy(copy + 1, p.data, p.len);
    v = dns_reply_parse(a, copy + 1, p.len, D, type, PACKET_ID, trust, &e);
    free(copy);
    assert_int_equal(v == DNS_REPLY_BROKEN, e.text[0] != '\0');
    if (v != DNS_REPLY_TAKEN)
        assert_null(a->rr);
    return v;
}

static void begin(unsigned flags, enum dns_type type)
{
    packet_begin(&p, flags, D, type);
}

static void good_mx(void)
{
    begin(REPLY, DNS_MX);
    put_mx(&p, D, 600, 10, "mx1.d.example");
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    good_mx();
    for (size_t whole = p.len, len = 0; len < whole; len++) {
        struct dns_answer a;

        p.len = len;
        assert_int_equal(parse(&a, DNS_MX, true), len < 27 ? DNS_REPLY_NOT_OURS : DNS_REPLY_BROKEN);
    }
}

/* Octets that remain in a record must not become a record of their own. */
static void test_smuggled_record(void **state)
{
    static const char rdata[] = "\300\0\2\1\1d\7example\0\0\1\0\1\0\0\0\74\0\4\300\0\2\2";
    struct dns_answer a;
    (void)state;

    begin(REPLY, DNS_A);
    put_rr(&p, ANSWER, D, DNS_A, 60, rdata, sizeof(rdata) - 1);
    put_a(&p, D, 60, "\300\0\2\3");
    assert_int_equal(parse(&a, DNS_A, true), DNS_REPLY_BROKEN);
}

/* Records that nobody asked for may hold anything. */
static void test_odd_additional(void **state)
{
    struct dns_answer a;
    (void)state;

    begin(REPLY, DNS_A);
    put_a(&p, D, 60, "\300\0\2\3");
    put_rr(&p, AUTHORITY, "example", 2, 60, "\300", 1);
    put_rr(&p, ADDITIONAL, "ns.example", 1, 60, "\300", 1);
    assert_int_equal(parse(&a, DNS_A, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.count, 1);
    dns_answer_clear(&a);
}

static void test_octets_after_the_end(void **state)
{
    struct dns_answer a;
    (void)state;

    good_mx();
    put_octets(&p, "\0", 1);
    assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_BROKEN);
}

static void test_options_over_the_end(void **state)
{
    struct dns_answer a;
    (void)state;

    begin(REPLY | SERVFAIL, DNS_MX);
    put_opt(&p, 0, "\0\12\0\2ab", 6);
    p.data[p.len - 7] = 200;
    assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_BROKEN);
}

static void test_odd_options(void **state)
{
    static const struct {
        const char *what, *options;
        size_t len;
        const char *why;
    } rows[] = {
        {"behind another option", "\0\12\0\2ab\0\17\0\2\0\7", 12, "SERVFAIL (signature expired)"},
        {"with extra text", "\0\17\0\6\0\11text", 10, "SERVFAIL (DNSKEY missing)"},
        {"the first of two", "\0\17\0\2\0\6\0\17\0\2\0\7", 12, "SERVFAIL (DNSSEC bogus)"},
        {"over the end", "\0\17\0\3\0\6", 6, "SERVFAIL"},
        {"too short", "\0\17\0\1\6", 5, "SERVFAIL"},
        {"half an option", "\0\17\0", 3, "SERVFAIL"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dns_answer a;

        print_message("%s\n", rows[i].what);
        begin(REPLY | SERVFAIL, DNS_MX);
        put_opt(&p, 0, rows[i].options, rows[i].len);
        assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_TAKEN);
        assert_string_equal(a.why, rows[i].why);
        dns_answer_clear(&a);
    }
}

/* One record of the type at the name, its owner written in `len` octets of compression. */
static enum dns_verdict parse_owner(struct dns_answer *a, const char *owner, size_t len)
{
    begin(REPLY, DNS_A);
    put_octets(&p, owner, len);
    put_octets(&p, "\0\1\0\1\0\0\0\74\0\4\300\0\2\1", 14);
    count_up(&p, ANSWER);
    return parse(a, DNS_A, true);
}

static void test_compression(void **state)
{
    struct dns_answer a;
    (void)state;

    assert_int_equal(parse_owner(&a, "\300\14", 2), DNS_REPLY_TAKEN); /* the question's name */
    assert_int_equal(a.count, 1);
    dns_answer_clear(&a);
    assert_int_equal(parse_owner(&a, "\1d\300\16", 4), DNS_REPLY_TAKEN);
    assert_int_equal(a.count, 1);
    dns_answer_clear(&a);
    assert_int_equal(parse_owner(&a, "\300\33", 2), DNS_REPLY_BROKEN);    /* itself */
    assert_int_equal(parse_owner(&a, "\1d\300\33", 4), DNS_REPLY_BROKEN); /* itself, growing */
    assert_int_equal(parse_owner(&a, "\377\377", 2), DNS_REPLY_BROKEN);   /* past the end */
    assert_int_equal(parse_owner(&a, "\100d", 2), DNS_REPLY_BROKEN);      /* reserved label type */
}

/* An owner behind so many pointers, which stand in a record that is skipped. */
static enum dns_verdict parse_pointers(struct dns_answer *a, unsigned pointers)
{
    unsigned last = 12; /* the question's name */
    uint8_t chain[300];

    begin(REPLY, DNS_A);
    for (size_t i = 0; i + 1 < pointers; i++) {
        chain[2 * i] = (uint8_t)(0xc0 | last >> 8);
        chain[2 * i + 1] = (uint8_t)last;
        last = (unsigned)(p.len + 11 + 2 * i);
    }
    put_rr(&p, ANSWER, "", 10, 60, chain, 2 * (size_t)(pointers - 1));
    put_u16(&p, 0xc000 | last);
    put_octets(&p, "\0\1\0\1\0\0\0\74\0\4\300\0\2\1", 14);
    count_up(&p, ANSWER);
    return parse(a, DNS_A, true);
}

static void test_many_pointers(void **state)
{
    struct dns_answer a;
    (void)state;

    assert_int_equal(parse_pointers(&a, 64), DNS_REPLY_TAKEN);
    assert_int_equal(a.count, 1);
    dns_answer_clear(&a);
    assert_int_equal(parse_pointers(&a, 65), DNS_REPLY_BROKEN);
}

/* The same in the data: each name points at itself, at the octet where it stands. */
static void test_pointers_in_data(void **state)
{
    struct dns_answer a;
    uint8_t rdata[24] = {0};
    (void)state;

    begin(REPLY, DNS_CNAME);
    rdata[0] = 0xc0;
    rdata[1] = (uint8_t)(p.len + 11 + 10);
    put_rr(&p, ANSWER, D, DNS_CNAME, 60, rdata, 2);
    assert_int_equal(parse(&a, DNS_CNAME, true), DNS_REPLY_BROKEN);

    begin(REPLY, DNS_MX);
    rdata[2] = 0xc0;
    rdata[3] = (uint8_t)(p.len + 11 + 10 + 2);
    put_rr(&p, ANSWER, D, DNS_MX, 60, rdata, 4);
    assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_BROKEN);

    begin(REPLY, DNS_MX);
    memset(rdata, 0, sizeof(rdata));
    rdata[1] = 0xc0;
    rdata[2] = (uint8_t)(p.len + 11 + 10 + 1);
    put_rr(&p, AUTHORITY, D, TYPE_SOA, 60, rdata, 23);
    assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),     cmocka_unit_test(test_smuggled_record),
        cmocka_unit_test(test_odd_additional),   cmocka_unit_test(test_octets_after_the_end),
        cmocka_unit_test(test_odd_options),      cmocka_unit_test(test_options_over_the_end),
        cmocka_unit_test(test_compression),      cmocka_unit_test(test_many_pointers),
        cmocka_unit_test(test_pointers_in_data),
    };

    return cmocka_run_group_tests_name("dns_sections", tests, NULL, NULL);
}
