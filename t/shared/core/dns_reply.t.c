/* Tests of dns_reply.c: which replies are ours, what they say, for how long, and whom AD is believed. */
#include "dns_msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "dns_packet.h"

#define D        "d.example"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct packet p;

static enum dns_verdict parse(struct dns_answer *a, enum dns_type type, bool trust)
{
    struct err e = {""};
    enum dns_verdict v = dns_reply_parse(a, p.data, p.len, D, type, PACKET_ID, trust, &e);

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

static void test_ours(void **state)
{
    static const struct {
        const char *what;
        size_t at; /* of the octet that is changed */
        uint8_t octet;
        enum dns_verdict verdict;
    } rows[] = {
        {"as built", 0, 0x12, DNS_REPLY_TAKEN},
        {"another id", 1, 0x35, DNS_REPLY_NOT_OURS},
        {"a query", 2, 0x01, DNS_REPLY_NOT_OURS},
        {"another opcode", 2, 0xa1, DNS_REPLY_NOT_OURS},
        {"truncated", 2, 0x83, DNS_REPLY_TRUNCATED},
        {"no question", 5, 0, DNS_REPLY_NOT_OURS},
        {"two questions", 5, 2, DNS_REPLY_NOT_OURS},
        {"256 questions", 4, 1, DNS_REPLY_NOT_OURS},
        {"more answers than octets", 6, 1, DNS_REPLY_BROKEN},
        {"an answer more than there is", 7, 2, DNS_REPLY_BROKEN},
        {"question for another name", 13, 'e', DNS_REPLY_NOT_OURS},
        {"question in upper case", 13, 'D', DNS_REPLY_TAKEN},
        {"'@' is no letter", 14, 7 | 0x40, DNS_REPLY_NOT_OURS},
        {"question for another type", 24, 16, DNS_REPLY_NOT_OURS},
        {"question for another class", 26, 3, DNS_REPLY_NOT_OURS},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dns_answer a;

        print_message("%s\n", rows[i].what);
        good_mx();
        p.data[rows[i].at] = rows[i].octet;
        assert_int_equal(parse(&a, DNS_MX, false), rows[i].verdict);
        dns_answer_clear(&a);
    }
}

static void test_too_long(void **state)
{
    struct dns_answer a;
    (void)state;

    good_mx();
    p.len = DNS_REPLY_MAX + 1;
    assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_NOT_OURS);
}

static void test_truncated_and_broken(void **state)
{
    struct dns_answer a;
    (void)state;

    good_mx();
    p.data[2] |= FLAG_TC >> 8;
    p.len -= 3;
    assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_TRUNCATED);
}

static void test_rcode(void **state)
{
    static const struct {
        const char *what;
        unsigned rcode, high;
        int ede; /* -1: no such option */
        enum dns_status status;
        const char *why;
    } rows[] = {
        {"NOERROR", 0, 0, -1, DNS_NODATA, ""},
        {"NXDOMAIN", 3, 0, -1, DNS_NXDOMAIN, ""},
        {"SERVFAIL", 2, 0, -1, DNS_FAILED, "SERVFAIL"},
        {"SERVFAIL, bogus", 2, 0, 6, DNS_FAILED, "SERVFAIL (DNSSEC bogus)"},
        {"SERVFAIL, other", 2, 0, 0, DNS_FAILED, "SERVFAIL"},
        {"SERVFAIL, unknown code", 2, 0, 4711, DNS_FAILED, "SERVFAIL"},
        {"NOERROR, stale answer", 0, 0, 3, DNS_NODATA, ""},
        {"REFUSED", 5, 0, -1, DNS_FAILED, "REFUSED"},
        {"FORMERR", 1, 0, -1, DNS_FAILED, "FORMERR"},
        {"BADVERS hides behind NOERROR", 0, 1, -1, DNS_FAILED, "rcode 16"},
        {"and one behind NXDOMAIN", 3, 1, -1, DNS_FAILED, "rcode 19"},
        {"highest", 15, 255, -1, DNS_FAILED, "rcode 4095"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t option[6] = {0, 15, 0, 2, (uint8_t)(rows[i].ede >> 8), (uint8_t)rows[i].ede};
        struct dns_answer a;

        print_message("%s\n", rows[i].what);
        begin(REPLY | FLAG_AD | rows[i].rcode, DNS_MX);
        put_opt(&p, rows[i].high, option, rows[i].ede < 0 ? 0 : sizeof(option));
        assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_TAKEN);
        assert_int_equal(a.status, rows[i].status);
        assert_string_equal(a.why, rows[i].why);
        assert_int_equal(a.secure, rows[i].status != DNS_FAILED);
        assert_int_equal(a.unheard, rows[i].status == DNS_FAILED && strncmp(rows[i].why, "SERVFAIL", 8) != 0);
        dns_answer_clear(&a);
    }
}

static void test_failed_has_no_records(void **state)
{
    struct dns_answer a;
    (void)state;

    begin(REPLY | FLAG_AD | SERVFAIL, DNS_MX);
    put_mx(&p, D, 600, 10, "mx.evil.example");
    assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FAILED);
    assert_int_equal(a.count, 0);
    dns_answer_clear(&a);
}

/* AD counts only from a resolver that is trusted, for positive and negative answers. */
static void test_secure(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        bool ad = (i & 1) != 0, trust = (i & 2) != 0, negative = (i & 4) != 0, nx = (i & 8) != 0;
        struct dns_answer a;

        begin(REPLY | (ad ? FLAG_AD : 0) | (nx && negative ? NXDOMAIN : 0), DNS_A);
        if (!negative)
            put_a(&p, D, 60, "\300\0\2\1");
        assert_int_equal(parse(&a, DNS_A, trust), DNS_REPLY_TAKEN);
        assert_int_equal(a.secure, ad && trust);
        dns_answer_clear(&a);
    }
}

static void test_nxdomain_with_records(void **state)
{
    struct dns_answer a;
    (void)state;

    good_mx();
    p.data[3] |= NXDOMAIN;
    assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_BROKEN);
}

/* Records of other names, types and classes are passed over, wherever they stand. */
static void test_strangers(void **state)
{
    struct dns_answer a;
    (void)state;

    begin(REPLY, DNS_A);
    put_a(&p, "other.example", 1, "\300\0\2\11");
    put_mx(&p, D, 1, 10, "mx.example");
    put_a(&p, "D.Example", 500, "\300\0\2\1");
    put_a(&p, D, 400, "\300\0\2\2");
    p.data[p.len - 11] = 3; /* CHAOS */
    put_rr(&p, ADDITIONAL, D, 1, 1, "\300\0\2\3", 4);
    assert_int_equal(parse(&a, DNS_A, false), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FOUND);
    assert_int_equal(a.count, 1);
    assert_string_equal(a.rr[0].address, "192.0.2.1");
    assert_int_equal(a.ttl, 500);
    assert_string_equal(a.name, D);
    assert_false(a.aliased);
    dns_answer_clear(&a);
}

static void test_chain(void **state)
{
    struct dns_answer a;
    (void)state;

    begin(REPLY, DNS_A); /* in reverse order, in mixed case */
    put_a(&p, "end.example", 300, "\300\0\2\1");
    put_cname(&p, "B.example", 100, "End.Example");
    put_cname(&p, D, 200, "b.EXAMPLE");
    assert_int_equal(parse(&a, DNS_A, false), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FOUND);
    assert_true(a.aliased);
    assert_string_equal(a.name, "end.example");
    assert_int_equal(a.ttl, 100);
    dns_answer_clear(&a);
}

static void test_chain_into_nothing(void **state)
{
    static const unsigned rcodes[] = {0, NXDOMAIN};
    (void)state;

    for (size_t i = 0; i < COUNT(rcodes); i++) {
        struct dns_answer a;

        begin(REPLY | rcodes[i], DNS_TLSA);
        put_cname(&p, D, 50, "end.other");
        put_soa(&p, "other", 300, 200);
        assert_int_equal(parse(&a, DNS_TLSA, false), DNS_REPLY_TAKEN);
        assert_int_equal(a.status, rcodes[i] == 0 ? DNS_NODATA : DNS_NXDOMAIN);
        assert_string_equal(a.name, "end.other");
        assert_int_equal(a.ttl, 50);
        dns_answer_clear(&a);
    }
}

static void put_chain(unsigned links)
{
    char from[32] = D, to[32];

    begin(REPLY, DNS_A);
    for (unsigned i = 0; i < links; i++) {
        (void)snprintf(to, sizeof(to), "link%u.example", i);
        put_cname(&p, from, 60, to);
        memcpy(from, to, sizeof(from));
    }
    put_a(&p, from, 60, "\300\0\2\1");
}

static void test_chain_length(void **state)
{
    struct dns_answer a;
    (void)state;

    put_chain(DNS_CNAMES_MAX);
    assert_int_equal(parse(&a, DNS_A, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FOUND);
    assert_string_equal(a.name, "link15.example");
    dns_answer_clear(&a);

    put_chain(DNS_CNAMES_MAX + 1);
    assert_int_equal(parse(&a, DNS_A, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FAILED);
    assert_string_equal(a.why, "CNAME chain too long, or a loop");
    assert_false(a.unheard);
    dns_answer_clear(&a);

    begin(REPLY | FLAG_AD, DNS_A);
    put_cname(&p, D, 60, "b.example");
    put_cname(&p, "b.example", 60, D);
    assert_int_equal(parse(&a, DNS_A, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FAILED);
    assert_false(a.secure);
    dns_answer_clear(&a);
}

/* A name in the middle may be anything; the last must be a host name, as it becomes a TLSA base. */
static void test_chain_through_odd_names(void **state)
{
    struct dns_answer a;
    (void)state;

    begin(REPLY, DNS_A);
    put_cname(&p, D, 60, "a/b.example");
    put_cname(&p, "a/b.example", 60, "good.example");
    put_a(&p, "good.example", 60, "\300\0\2\1");
    assert_int_equal(parse(&a, DNS_A, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FOUND);
    dns_answer_clear(&a);

    begin(REPLY, DNS_A);
    put_cname(&p, D, 60, "a/b.example");
    put_a(&p, "a/b.example", 60, "\300\0\2\1");
    assert_int_equal(parse(&a, DNS_A, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FAILED);
    dns_answer_clear(&a);

    begin(REPLY, DNS_A);
    put_cname(&p, D, 60, "");
    assert_int_equal(parse(&a, DNS_A, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_NODATA);
    assert_string_equal(a.name, "");
    dns_answer_clear(&a);

    begin(REPLY, DNS_TXT); /* a wildcard alias of a hosting company: no more than "no such record" */
    put_cname(&p, D, 60, "foo-.example");
    assert_int_equal(parse(&a, DNS_TXT, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_NODATA);
    dns_answer_clear(&a);
}

/* Asked for the CNAME itself, it is not followed. */
static void test_cname_wanted(void **state)
{
    struct dns_answer a;
    (void)state;

    begin(REPLY | FLAG_AD, DNS_CNAME);
    put_cname(&p, D, 60, "B.example");
    put_cname(&p, "b.example", 10, "c.example");
    assert_int_equal(parse(&a, DNS_CNAME, true), DNS_REPLY_TAKEN);
    assert_int_equal(a.status, DNS_FOUND);
    assert_int_equal(a.count, 1);
    assert_string_equal(a.rr[0].name, "b.example");
    assert_string_equal(a.name, D);
    assert_false(a.aliased);
    assert_int_equal(a.ttl, 60);
    dns_answer_clear(&a);
}

static void test_ttl(void **state)
{
    static const struct {
        const char *what;
        uint32_t first, second;
        uint32_t ttl;
    } rows[] = {
        {"the least", 300, 200, 200},
        {"zero", 0, 200, 0},
        {"cut at a day", 86401, 90000, 86400},
        {"top bit set is zero (RFC 2181 8)", 300, 0x80000000U, 0},
        {"largest", 0x7fffffff, 0x7fffffff, 86400},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dns_answer a;

        print_message("%s\n", rows[i].what);
        begin(REPLY, DNS_A);
        put_a(&p, D, rows[i].first, "\300\0\2\1");
        put_a(&p, D, rows[i].second, "\300\0\2\2");
        assert_int_equal(parse(&a, DNS_A, true), DNS_REPLY_TAKEN);
        assert_int_equal(a.count, 2);
        assert_int_equal(a.ttl, rows[i].ttl);
        dns_answer_clear(&a);
    }
}

static void test_negative_ttl(void **state)
{
    static const struct {
        const char *what, *zone;
        uint32_t ttl, minimum, want;
    } rows[] = {
        {"B-6 MINIMUM", "example", 900, 300, 300},
        {"B-6 TTL of the SOA", "example", 120, 300, 120},
        {"B-6 zone of the name itself", D, 120, 300, 120},
        {"B-6 the root's", "", 120, 300, 120},
        {"B-6 in upper case", "EXAMPLE", 120, 300, 120},
        {"B-6 a zone elsewhere", "other.example", 120, 300, 0},
        {"B-6 a zone below", "x.d.example", 120, 300, 0},
        {"B-6 the end of a label", "ample", 120, 300, 0},
        {"B-6 none at all", NULL, 0, 0, 0},
        {"B-6 a week", "example", 604800, 604800, 86400},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dns_answer a;

        print_message("%s\n", rows[i].what);
        begin(REPLY | (i % 2 == 0 ? NXDOMAIN : 0), DNS_MX);
        if (rows[i].zone != NULL)
            put_soa(&p, rows[i].zone, rows[i].ttl, rows[i].minimum);
        assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_TAKEN);
        assert_int_equal(a.status, i % 2 == 0 ? DNS_NXDOMAIN : DNS_NODATA);
        assert_int_equal(a.ttl, rows[i].want);
        dns_answer_clear(&a);
    }
}

/* A server that neither resolves nor has the zone itself knows of no absence: a referral looks like one. */
static void test_lame(void **state)
{
    static const struct {
        unsigned flags;
        enum dns_verdict without, with; /* records */
    } rows[] = {
        {0x8180, DNS_REPLY_TAKEN, DNS_REPLY_TAKEN},  /* RA */
        {0x8500, DNS_REPLY_TAKEN, DNS_REPLY_TAKEN},  /* AA */
        {0x8100, DNS_REPLY_BROKEN, DNS_REPLY_TAKEN}, /* neither */
        {0x8100 | NXDOMAIN, DNS_REPLY_BROKEN, DNS_REPLY_BROKEN},
        {0x8100 | SERVFAIL, DNS_REPLY_TAKEN, DNS_REPLY_TAKEN},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int with = 0; with < 2; with++) {
            struct dns_answer a;

            begin(rows[i].flags, DNS_MX);
            if (with)
                put_mx(&p, D, 600, 10, "mx.d.example");
            assert_int_equal(parse(&a, DNS_MX, true), with ? rows[i].with : rows[i].without);
            dns_answer_clear(&a);
        }
    }
}

/* MX records are taken up to a bound; of the other types all count, as far as a message goes. */
static void test_many_records(void **state)
{
    struct dns_answer a;
    (void)state;

    for (unsigned n = DNS_MX_MAX; n <= DNS_MX_MAX + 1; n++) {
        begin(REPLY, DNS_MX);
        for (unsigned i = 0; i < n; i++)
            put_mx(&p, D, 1000 - i, i, "mx.d.example");
        assert_int_equal(parse(&a, DNS_MX, true), DNS_REPLY_TAKEN);
        assert_int_equal(a.count, DNS_MX_MAX);
        assert_int_equal(a.truncated, n > DNS_MX_MAX);
        assert_int_equal(a.ttl, 1000 - n + 1);
        dns_answer_clear(&a);
    }
}

static void test_full_message(void **state)
{
    struct dns_answer a;
    unsigned n = 0;
    (void)state;

    begin(REPLY, DNS_TXT);
    while (p.len < DNS_REPLY_MAX - 50 && ++n > 0)
        put_rr(&p, ANSWER, D, DNS_TXT, 60, "\4none", 5);
    put_rr(&p, ANSWER, D, DNS_TXT, 60, "\4last", 5);
    assert_int_equal(parse(&a, DNS_TXT, true), DNS_REPLY_TAKEN);
    assert_true(n > 2000);
    assert_int_equal(a.count, n + 1);
    assert_false(a.truncated);
    assert_string_equal(a.rr[n].text, "last");
    dns_answer_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ours),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_truncated_and_broken),
        cmocka_unit_test(test_rcode),
        cmocka_unit_test(test_failed_has_no_records),
        cmocka_unit_test(test_secure),
        cmocka_unit_test(test_nxdomain_with_records),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_chain_into_nothing),
        cmocka_unit_test(test_chain_length),
        cmocka_unit_test(test_chain_through_odd_names),
        cmocka_unit_test(test_cname_wanted),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_negative_ttl),
        cmocka_unit_test(test_many_records),
        cmocka_unit_test(test_lame),
        cmocka_unit_test(test_full_message),
    };

    return cmocka_run_group_tests_name("dns_reply", tests, NULL, NULL);
}
