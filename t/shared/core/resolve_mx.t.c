/* Tests of resolve_mx.c: MX hosts and DANE (RFC 7672; checks B-1 to B-6). Every row runs with its results in several
 * orders. */
#include "resolve_world.h"

#define H   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 32 octets */
#define G   "3 1 1 " H
#define BAD "1 1 1 " H
#define MX  "mx.example"
#define T   "TLSA _25._tcp." MX
#define E   "end.example"
#define TE  "TLSA _25._tcp." E

#define L63  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define L48  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv"
#define N244 L63 "." L63 "." L63 ".abc." L48 /* "_25._tcp." fits before it */
#define N245 L63 "." L63 "." L63 ".abcd." L48

/* One host, its MX look-up authenticated. */
#define ONE "MX " DOMAIN, "s 600 10 " MX

struct row {
    const char *what;
    struct line line[LINES_MAX];
    const char *want;
    const char *not_asked; /* a query that must not be made, or NULL */
    int64_t life;          /* of the record; 0: not looked at */
    bool no_dane;
};

static const struct row mx_rows[] = {
    {"no MX is D itself", {{"A d.example", "s 60 192.0.2.1"}}, "implicit+s d.example/0/none+s", NULL, 60, false},
    {"no MX, not authenticated",
     {{"MX d.example", "i 60 nodata"}, {"A d.example", "s 60 192.0.2.1"}},
     "implicit d.example/0/none+s",
     "TLSA _25._tcp.d.example",
     60,
     false},
    {"implicit host with DANE",
     {{"A d.example", "s 60 192.0.2.1"}, {"TLSA _25._tcp.d.example", "s 50 " G}},
     "implicit+s d.example/0/usable@d.example:1+s",
     NULL,
     50,
     false},
    {"implicit host without address", {{"MX d.example", "s 70 nodata"}}, "implicit+s", NULL, 70, false},
    {"no such domain", {{"MX d.example", "i 60 nx"}}, "nodomain", "A d.example", 60, false},
    {"no such domain, authenticated", {{"MX d.example", "s 60 nx"}}, "nodomain+s", "A d.example", 60, false},
    {"B-5 null MX", {{"MX d.example", "s 600 0 ."}}, "null+s", "A d.example", 600, false},
    {"B-5 null MX with another preference", {{"MX d.example", "s 600 10 ."}}, "null+s", NULL, 600, false},
    {"B-5 the root beside others says nothing",
     {{"MX d.example", "s 600 0 .|10 " MX}, {"A " MX, "s 600 192.0.2.1"}},
     "list+s mx.example/10/none+s",
     NULL,
     600,
     false},
    {"MX look-up failed", {{"MX d.example", "fail SERVFAIL"}}, "temp", "A d.example", 30, false},
    {"by preference, then name; doubles once",
     {{"MX d.example", "i 600 20 a.example|10 c.example|10 b.example|30 b.example|5 z.example"},
      {"A a.example", "i 600 192.0.2.1"},
      {"A b.example", "i 600 192.0.2.1"},
      {"A c.example", "i 600 192.0.2.1"},
      {"A z.example", "i 600 192.0.2.1"}},
     "list z.example/5/none b.example/10/none c.example/10/none a.example/20/none",
     NULL,
     600,
     false},
};

static const struct row dane_rows[] = {
    {"B-1 all authenticated",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {"AAAA " MX, "s 400 2001:db8::1"}, {T, "s 300 " G "|2 0 1 " H}},
     "list+s mx.example/10/usable@mx.example:2+s",
     NULL,
     300,
     false},
    {"B-1 the MX look-up is not",
     {{"MX " DOMAIN, "i 600 10 " MX}, {"A " MX, "s 5 192.0.2.1"}, {T, "s 5 " G}},
     "list mx.example/10/none+s",
     T,
     600,
     false},
    {"B-1 the addresses are not",
     {{ONE}, {"A " MX, "i 500 192.0.2.1"}, {T, "s 5 " G}},
     "list+s mx.example/10/none",
     T,
     500,
     false},
    {"B-1 one family is not",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {"AAAA " MX, "i 500 2001:db8::1"}, {T, "s 300 " G}},
     "list+s mx.example/10/none",
     T,
     500,
     false},
    {"B-1 an absent family does not count",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {"AAAA " MX, "i 500 nodata"}, {T, "s 300 " G}},
     "list+s mx.example/10/usable@mx.example:1+s",
     NULL,
     300,
     false},
    {"B-1 IPv6 only",
     {{ONE}, {"AAAA " MX, "s 500 2001:db8::1"}, {T, "s 300 " G}},
     "list+s mx.example/10/usable@mx.example:1+s",
     NULL,
     300,
     false},
    {"B-1 the TLSA records are not",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {T, "i 300 " G}},
     "list+s mx.example/10/none+s",
     NULL,
     300,
     false},
    {"DANE is off",
     {{ONE}, {"A " MX, "s 5 192.0.2.1"}, {"AAAA " MX, "fail SERVFAIL"}, {T, "s 5 " G}},
     "list+s mx.example/10/none+s",
     T,
     600,
     true},
    {"B-2 usable and not",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {T, "s 300 " BAD "|" G}},
     "list+s mx.example/10/usable@mx.example:2+s",
     NULL,
     300,
     false},
    {"B-3 none usable",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {T, "s 300 " BAD "|0 0 1 " H}},
     "list+s mx.example/10/unusable@mx.example:2+s",
     NULL,
     300,
     false},
    {"B-3 authenticated absence",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {T, "s 200 nodata"}},
     "list+s mx.example/10/none+s",
     NULL,
     200,
     false},
    {"B-3 no such name",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {T, "s 200 nx"}},
     "list+s mx.example/10/none+s",
     NULL,
     200,
     false},
    {"B-3 TLSA bogus",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {T, "fail SERVFAIL"}},
     "list+s mx.example/10/temp@mx.example:0+s",
     NULL,
     30,
     false},
    {"A bogus, AAAA good: one family is enough",
     {{ONE}, {"A " MX, "fail SERVFAIL"}, {"AAAA " MX, "s 500 2001:db8::1"}, {T, "s 300 " G}},
     "list+s mx.example/10/usable@mx.example:1+s",
     NULL,
     300,
     false},
    {"AAAA timed out, A good",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {"AAAA " MX, "fail time-out"}, {T, "s 300 " G}},
     "list+s mx.example/10/usable@mx.example:1+s",
     NULL,
     300,
     false},
    {"AAAA timed out, A insecure: no DANE, nothing is held",
     {{ONE}, {"A " MX, "i 500 192.0.2.1"}, {"AAAA " MX, "fail time-out"}, {T, "s 300 " G}},
     "list+s mx.example/10/none",
     T,
     500,
     false},
    {"B-3 AAAA timed out, no A",
     {{ONE}, {"AAAA " MX, "fail time-out"}, {T, "s 300 " G}},
     "list+s mx.example/10/temp",
     T,
     30,
     false},
    {"B-3 A failed, no AAAA: not gone", {{ONE}, {"A " MX, "fail time-out"}}, "list+s mx.example/10/temp", T, 30, false},
    {"A failed, but DANE cannot count",
     {{"MX " DOMAIN, "i 600 10 " MX}, {"A " MX, "fail time-out"}},
     "list mx.example/10/none",
     T,
     600,
     false},
    {"B-5 no address, no host",
     {{"MX " DOMAIN, "s 600 10 " MX "|20 b.example"},
      {"A " MX, "s 100 nx"},
      {"AAAA " MX, "s 100 nx"},
      {"A b.example", "s 500 192.0.2.1"}},
     "list+s b.example/20/none+s",
     T,
     100,
     false},
    {"B-5 none left", {{ONE}, {"A " MX, "s 100 nx"}}, "list+s", T, 100, false},
    {"B-6 negative TLSA shortens",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {T, "s 7 nodata"}},
     "list+s mx.example/10/none+s",
     NULL,
     7,
     false},
    {"B-6 negative AAAA shortens",
     {{ONE}, {"A " MX, "s 500 192.0.2.1"}, {"AAAA " MX, "s 9 nodata"}},
     "list+s mx.example/10/none+s",
     NULL,
     9,
     false},
    {"each host for itself",
     {{"MX " DOMAIN, "s 600 10 a.example|10 b.example|10 c.example|10 e.example"},
      {"A a.example", "s 500 192.0.2.1"},
      {"TLSA _25._tcp.a.example", "s 500 " G},
      {"A b.example", "i 500 192.0.2.1"},
      {"A c.example", "s 500 192.0.2.1"},
      {"TLSA _25._tcp.c.example", "fail SERVFAIL"},
      {"A e.example", "s 500 192.0.2.1"},
      {"TLSA _25._tcp.e.example", "s 500 " BAD}},
     "list+s a.example/10/usable@a.example:1+s b.example/10/none c.example/10/temp@c.example:0+s "
     "e.example/10/unusable@e.example:1+s",
     NULL,
     30,
     false},
};

static const struct row alias_rows[] = {
    {"B-1 records at the end of the chain",
     {{ONE}, {"A " MX, "s 500 >" E " 192.0.2.1"}, {TE, "s 300 " G}},
     "list+s mx.example/10/usable@end.example:1+s",
     T,
     300,
     false},
    {"B-1 none at the end: the name",
     {{ONE}, {"A " MX, "s 500 >" E " 192.0.2.1"}, {TE, "s 200 nx"}, {T, "s 300 " G}},
     "list+s mx.example/10/usable@mx.example:1+s",
     NULL,
     200,
     false},
    {"B-1 unauthenticated at the end: the name",
     {{ONE}, {"A " MX, "s 500 >" E " 192.0.2.1"}, {TE, "i 200 " G}, {T, "s 300 " BAD}},
     "list+s mx.example/10/unusable@mx.example:1+s",
     NULL,
     200,
     false},
    {"B-1 unusable at the end stays",
     {{ONE}, {"A " MX, "s 500 >" E " 192.0.2.1"}, {TE, "s 200 " BAD}, {T, "s 300 " G}},
     "list+s mx.example/10/unusable@end.example:1+s",
     T,
     200,
     false},
    {"B-3 bogus at the end",
     {{ONE}, {"A " MX, "s 500 >" E " 192.0.2.1"}, {TE, "fail SERVFAIL"}, {T, "s 300 " G}},
     "list+s mx.example/10/temp@end.example:0+s",
     T,
     30,
     false},
    {"neither", {{ONE}, {"A " MX, "s 500 >" E " 192.0.2.1"}}, "list+s mx.example/10/none+s", NULL, 500, false},
    {"B-1 insecure chain, its first link authenticated",
     {{ONE}, {"A " MX, "i 500 >" E " 192.0.2.1"}, {"CNAME " MX, "s 400 " E}, {T, "s 300 " G}, {TE, "s 300 " G}},
     "list+s mx.example/10/usable@mx.example:1",
     TE,
     300,
     false},
    {"B-1 first link not authenticated",
     {{ONE}, {"A " MX, "i 500 >" E " 192.0.2.1"}, {"CNAME " MX, "i 400 " E}, {T, "s 300 " G}},
     "list+s mx.example/10/none",
     T,
     400,
     false},
    {"B-1 first link gone",
     {{ONE}, {"A " MX, "i 500 >" E " 192.0.2.1"}, {"CNAME " MX, "s 400 nodata"}, {T, "s 300 " G}},
     "list+s mx.example/10/none",
     T,
     400,
     false},
    {"B-3 first link bogus",
     {{ONE}, {"A " MX, "i 500 >" E " 192.0.2.1"}, {"CNAME " MX, "fail SERVFAIL"}, {T, "s 300 " G}},
     "list+s mx.example/10/temp",
     T,
     30,
     false},
    {"insecure without an alias asks for none",
     {{ONE}, {"A " MX, "i 500 192.0.2.1"}},
     "list+s mx.example/10/none",
     "CNAME " MX,
     500,
     false},
    {"no room for _25._tcp at the end: the name",
     {{ONE}, {"A " MX, "s 500 >" N245 " 192.0.2.1"}, {T, "s 300 " G}},
     "list+s mx.example/10/usable@mx.example:1+s",
     NULL,
     300,
     false},
    {"no room at the name",
     {{"MX " DOMAIN, "s 600 10 " N245}, {"A " N245, "s 500 192.0.2.1"}},
     "list+s " N245 "/10/none+s",
     NULL,
     500,
     false},
    {"just room",
     {{"MX " DOMAIN, "s 600 10 " N244}, {"A " N244, "s 500 192.0.2.1"}, {"TLSA _25._tcp." N244, "s 300 " G}},
     "list+s " N244 "/10/usable@" N244 ":1+s",
     NULL,
     300,
     false},
};

static void run_row(const struct row *row)
{
    for (unsigned order = 0; order < ORDERS; order++) {
        struct world w = {.line = row->line, .options = resolve_options_default()};
        struct dest *d;
        struct buf b;

        w.options.dane = !row->no_dane;
        d = world_run(&w, order);
        buf_init(&b, 10000);
        show_mx(&b, d);
        assert_string_equal(buf_text(&b), row->want);
        if (row->not_asked != NULL)
            assert_false(world_asked(&w, row->not_asked));
        if (row->life > 0)
            assert_int_equal(d->valid_until - NOW, row->life);
        check_json(d);
        buf_clear(&b);
        dest_free(d);
    }
}

static void run_rows(const struct row *row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("%s\n", row[i].what);
        run_row(&row[i]);
    }
}

static void test_mx(void **state)
{
    (void)state;
    run_rows(mx_rows, sizeof(mx_rows) / sizeof(mx_rows[0]));
}

static void test_dane(void **state)
{
    (void)state;
    run_rows(dane_rows, sizeof(dane_rows) / sizeof(dane_rows[0]));
}

static void test_alias(void **state)
{
    (void)state;
    run_rows(alias_rows, sizeof(alias_rows) / sizeof(alias_rows[0]));
}

/* More exchanges than are kept: the most preferred ones, whatever their order. */
static void test_many_hosts(void **state)
{
    for (unsigned n = DEST_HOSTS_MAX; n <= DEST_HOSTS_MAX + 1; n++) {
        char answer[4000] = "s 600 ", *at = answer + strlen(answer);
        struct line line[LINES_MAX] = {{"MX " DOMAIN, answer}};
        struct world w = {.line = line, .options = resolve_options_default()};
        struct dest *d;

        for (unsigned i = 0; i < n; i++)
            at += sprintf(at, "%s%u h%u.example", i > 0 ? "|" : "", 1000 - i, i);
        line[1] = (struct line){"A h0.example", "s 600 192.0.2.1"};
        line[2] = (struct line){"A h1.example", "s 600 192.0.2.1"};
        d = world_run(&w, 2);
        assert_int_equal(d->mx_truncated, n > DEST_HOSTS_MAX);
        assert_int_equal(d->host_count, n > DEST_HOSTS_MAX ? 1 : 2); /* h0 is the least preferred */
        check_json(d);
        dest_free(d);
    }
    (void)state;
}

/* What dns_msg.h left out makes the list incomplete too. */
static void test_truncated_answer(void **state)
{
    struct resolve_options options = resolve_options_default();
    struct resolve *r = resolve_new(DOMAIN, NULL, false, NOW, &options);
    struct resolve_action act;
    struct dns_answer a;
    struct dest *d;
    (void)state;

    while (resolve_next(r, &act) == 1) {
        read_answer(&a, act.type, act.name,
                    act.type == DNS_MX  ? "s 60 10 " MX
                    : act.type == DNS_A ? "s 60 192.0.2.1"
                                        : "s 60 nodata");
        a.truncated = true;
        resolve_dns(r, act.slot, &a);
        dns_answer_clear(&a);
    }
    d = resolve_take(r, NOW);
    assert_true(d->mx_truncated);
    assert_int_equal(d->host_count, 1);
    dest_free(d);
    resolve_free(r);
}

/* Usable records go first where there are too many, and all hosts together keep what a record can hold. */
static void test_many_tlsa(void **state)
{
    char answer[20000] = "s 600 ", *at = answer + strlen(answer);
    const struct line line[LINES_MAX] = {{ONE}, {"A " MX, "s 600 192.0.2.1"}, {T, answer}};
    struct world w = {.line = line, .options = resolve_options_default()};
    struct dest *d;
    (void)state;

    for (unsigned i = 0; i < DEST_TLSA_MAX + 3; i++)
        at += sprintf(at, "%s|", BAD);
    (void)sprintf(at, "%s", G);
    d = world_run(&w, 0);
    assert_int_equal(d->host[0].dane, DEST_DANE_USABLE);
    assert_int_equal(d->host[0].tlsa_count, DEST_TLSA_MAX);
    assert_int_equal(d->host[0].tlsa[0].usage, 3);
    assert_int_equal(d->host[0].tlsa[1].usage, 1);
    check_json(d);
    dest_free(d);
}

/* Records that cannot be read may be usable ones: without others that are, nothing is known now. */
static void test_unread_tlsa(void **state)
{
    static const struct {
        const char *answer;
        enum dest_dane want;
    } rows[] = {{"s 60 " BAD, DEST_DANE_TEMP}, {"s 60 " BAD "|" G, DEST_DANE_USABLE}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct resolve_options options = resolve_options_default();
        struct resolve *r = resolve_new(DOMAIN, NULL, false, NOW, &options);
        struct resolve_action act;
        struct dns_answer a;
        struct dest *d;

        while (resolve_next(r, &act) == 1) {
            read_answer(&a, act.type, act.name,
                        act.type == DNS_MX     ? "s 60 10 " MX
                        : act.type == DNS_A    ? "s 60 192.0.2.1"
                        : act.type == DNS_TLSA ? rows[i].answer
                                               : "s 60 nodata");
            a.truncated = act.type == DNS_TLSA;
            resolve_dns(r, act.slot, &a);
            dns_answer_clear(&a);
        }
        d = resolve_take(r, NOW);
        assert_int_equal(d->host[0].dane, rows[i].want);
        check_json(d);
        dest_free(d);
        resolve_free(r);
    }
}

static void feed_large_tlsa(struct resolve *r, unsigned slot)
{
    static uint8_t octets[TLSA_DATA_MAX];
    struct dns_rr rr[DEST_TLSA_MAX];
    struct dns_answer a = {.status = DNS_FOUND, .secure = true, .ttl = 60, .rr = rr, .count = DEST_TLSA_MAX};

    memset(rr, 0, sizeof(rr));
    for (size_t i = 0; i < DEST_TLSA_MAX; i++)
        rr[i].tlsa = (struct tlsa){3, 0, 9, TLSA_DATA_MAX, octets};
    rr[0].tlsa = (struct tlsa){3, 1, 1, 32, octets};
    resolve_dns(r, slot, &a);
}

static void test_large_tlsa(void **state)
{
    struct resolve_options options = resolve_options_default();
    struct resolve *r = resolve_new(DOMAIN, NULL, false, NOW, &options);
    struct resolve_action act;
    struct dns_answer a;
    struct dest *d;
    (void)state;

    while (resolve_next(r, &act) == 1) {
        if (act.type == DNS_TLSA) {
            feed_large_tlsa(r, act.slot);
            continue;
        }
        read_answer(&a, act.type, act.name,
                    act.type == DNS_MX  ? "s 60 1 a.example|2 b.example|3 c.example|4 e.example|5 f.example"
                    : act.type == DNS_A ? "s 60 192.0.2.1"
                                        : "s 60 nodata");
        resolve_dns(r, act.slot, &a);
        dns_answer_clear(&a);
    }
    d = resolve_take(r, NOW);
    assert_int_equal(d->host_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(d->host[i].dane, DEST_DANE_USABLE);
        assert_int_equal(d->host[i].tlsa[0].matching_type, 1);
    }
    assert_int_equal(d->host[0].tlsa_count, DEST_TLSA_MAX);
    assert_int_equal(d->host[4].tlsa_count, 1);
    check_json(d);
    dest_free(d);
    resolve_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mx),         cmocka_unit_test(test_dane),        cmocka_unit_test(test_alias),
        cmocka_unit_test(test_many_hosts), cmocka_unit_test(test_many_tlsa),   cmocka_unit_test(test_truncated_answer),
        cmocka_unit_test(test_large_tlsa), cmocka_unit_test(test_unread_tlsa),
    };

    return cmocka_run_group_tests_name("resolve_mx", tests, NULL, NULL);
}
