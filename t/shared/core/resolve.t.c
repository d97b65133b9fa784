/* Tests of resolve.c: the queue of steps, the early end, the TLSRPT record, how long a record lives. */
#include "resolve_world.h"

#define TLSRPT "TXT _smtp._tls." DOMAIN
#define RUA    "v=TLSRPTv1; rua=mailto:tls@d.example"
#define MX     "MX " DOMAIN, "s 600 10 mx.example"
#define MX_A   "A mx.example", "s 600 192.0.2.1"
#define S64    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define S512   S64 S64 S64 S64 S64 S64 S64 S64

static void test_first_steps(void **state)
{
    struct resolve_options options = resolve_options_default();
    struct resolve *r = resolve_new(DOMAIN, NULL, false, NOW, &options);
    struct resolve_action act;
    static const char *const names[] = {DOMAIN, "_mta-sts." DOMAIN, "_smtp._tls." DOMAIN};
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(resolve_next(r, &act), 1);
        assert_int_equal(act.what, RESOLVE_QUERY);
        assert_int_equal(act.type, i == 0 ? DNS_MX : DNS_TXT);
        assert_string_equal(act.name, names[i]);
    }
    assert_int_equal(resolve_next(r, &act), 0);
    assert_false(resolve_done(r));
    resolve_free(r);
    resolve_free(NULL);
}

/* Results for steps that were not started, or that do not exist, change nothing. */
static void test_unknown_slots(void **state)
{
    struct resolve_options options = resolve_options_default();
    struct resolve *r = resolve_new(DOMAIN, NULL, false, NOW, &options);
    const struct resolve_fetch fetch = {.body = "x", .len = 1};
    struct resolve_action act;
    struct dns_answer a;
    (void)state;

    for (unsigned slot = 0; slot < RESOLVE_ACTIONS_MAX + 2; slot++) {
        dns_answer_fail(&a, "early");
        resolve_dns(r, slot, &a);
        resolve_fetched(r, slot, &fetch, NOW);
    }
    resolve_dns(r, UINT32_MAX, &a);
    assert_false(resolve_done(r));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(resolve_next(r, &act), 1);
        resolve_fetched(r, act.slot, &fetch, NOW); /* a query's slot */
        assert_false(resolve_done(r));
    }
    resolve_free(r);
}

static void test_bad_domain(void **state)
{
    struct resolve_options options = resolve_options_default();
    (void)state;
    assert_null(resolve_new("", NULL, false, NOW, &options));
}

/* A name so long that the records' names cannot exist: only MX and addresses are asked for. */
static void test_long_domain(void **state)
{
    static const char name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
                               "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
                               "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
                               "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.xx";
    struct resolve_options options = resolve_options_default();
    struct resolve *r = resolve_new(name, NULL, false, NOW, &options);
    struct resolve_action act;
    struct dns_answer a;
    struct dest *d;
    size_t count = 0;
    (void)state;

    assert_non_null(r);
    for (; resolve_next(r, &act) == 1; count++) {
        assert_string_equal(act.name, name);
        read_answer(&a, act.type, act.name, act.type == DNS_A ? "s 60 192.0.2.1" : "s 60 nodata");
        resolve_dns(r, act.slot, &a);
        dns_answer_clear(&a);
    }
    assert_int_equal(count, 3);
    assert_true(resolve_done(r));
    d = resolve_take(r, NOW);
    assert_int_equal(d->sts.record, DEST_STS_NONE);
    assert_int_equal(d->host[0].dane, DEST_DANE_NONE);
    check_json(d);
    dest_free(d);
    resolve_free(r);
}

static const struct {
    const char *what, *answer;
    const char *want;
} tlsrpt_rows[] = {
    {"valid", "i 1 " RUA, RUA},
    {"among others", "i 1 hello|" RUA, RUA},
    {"none", "i 1 nodata", ""},
    {"no such name", "i 1 nx", ""},
    {"two", "i 1 " RUA "|" RUA, ""},
    {"broken", "i 1 v=TLSRPTv1; rua=", ""},
    {"failed: as before", "fail SERVFAIL", "v=TLSRPTv1; rua=mailto:before@d.example"},
    {"never: as before", "never", "v=TLSRPTv1; rua=mailto:before@d.example"},
    {"too long to keep", "i 1 " RUA "; a=" S512 "; b=" S512, ""},
};

/* Never fatal, and its TTL of 1 s does not shorten the record's life. */
static void test_tlsrpt(void **state)
{
    struct dest *before = dest_new(DOMAIN);
    (void)state;

    (void)snprintf(before->tlsrpt, sizeof(before->tlsrpt), "v=TLSRPTv1; rua=mailto:before@d.example");
    for (size_t i = 0; i < sizeof(tlsrpt_rows) / sizeof(tlsrpt_rows[0]); i++) {
        const struct line line[LINES_MAX] = {{MX}, {MX_A}, {TLSRPT, tlsrpt_rows[i].answer}};
        struct world w = {.line = line, .previous = before, .options = resolve_options_default()};

        print_message("%s\n", tlsrpt_rows[i].what);
        for (unsigned order = 0; order < ORDERS; order++) {
            struct dest *d = world_run(&w, order);

            assert_string_equal(d->tlsrpt, tlsrpt_rows[i].want);
            assert_int_equal(d->valid_until - NOW, 600);
            check_json(d);
            dest_free(d);
        }
    }
    dest_free(before);
}

/* What was known of another domain says nothing about this one. */
static void test_previous_of_another(void **state)
{
    static const char body[] = "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 86400\n";
    struct dest *before = dest_new("other.example");
    struct world w = {.previous = before, .options = resolve_options_default()};
    struct dest *d;
    (void)state;

    (void)snprintf(before->tlsrpt, sizeof(before->tlsrpt), RUA);
    assert_int_equal(dest_sts_set_policy(&before->sts, "1", body, sizeof(body) - 1, NOW, NULL), 0);
    w.line = (const struct line[LINES_MAX]){{TLSRPT, "fail time-out"}};
    d = world_run(&w, 0);
    assert_string_equal(d->tlsrpt, "");
    assert_false(d->sts.has_policy);
    dest_free(d);
    dest_free(before);
}

static const struct {
    const char *what;
    struct line line[8];
    const char *mx, *sts;
    int64_t life;
} early_rows[] = {
    {"nothing at all",
     {{"MX " DOMAIN, "never"}, {"TXT _mta-sts." DOMAIN, "never"}, {TLSRPT, "never"}},
     "temp",
     "temp (no answer in time)",
     30},
    {"MX missing", {{"MX " DOMAIN, "never"}}, "temp", "none", 30},
    {"TXT missing",
     {{MX}, {MX_A}, {"TXT _mta-sts." DOMAIN, "never"}},
     "list+s mx.example/10/none+s",
     "temp (no answer in time)",
     30},
    {"TXT missing, short TTL",
     {{"MX " DOMAIN, "s 5 10 mx.example"}, {MX_A}, {"TXT _mta-sts." DOMAIN, "never"}},
     "list+s mx.example/10/none+s",
     "temp (no answer in time)",
     5},
    {"AAAA missing", {{MX}, {MX_A}, {"AAAA mx.example", "never"}}, "list+s mx.example/10/temp", "none", 30},
    {"AAAA missing, cannot be DANE",
     {{"MX " DOMAIN, "i 600 10 mx.example"}, {MX_A}, {"AAAA mx.example", "never"}},
     "list mx.example/10/none",
     "none",
     600},
    {"TLSA missing", {{MX}, {MX_A}, {"TLSA _25._tcp.mx.example", "never"}}, "list+s mx.example/10/temp+s", "none", 30},
    {"CNAME missing",
     {{MX}, {"A mx.example", "i 60 >e.example 192.0.2.1"}, {"CNAME mx.example", "never"}},
     "list+s mx.example/10/temp",
     "none",
     30},
    {"policy host's address missing",
     {{MX}, {MX_A}, {"TXT _mta-sts." DOMAIN, "s 600 v=STSv1; id=1;"}, {"A mta-sts." DOMAIN, "never"}},
     "list+s mx.example/10/none+s",
     "temp (the policy was not fetched: not in time)",
     30},
    {"fetch missing",
     {{MX},
      {MX_A},
      {"TXT _mta-sts." DOMAIN, "s 600 v=STSv1; id=1;"},
      {"A mta-sts." DOMAIN, "s 600 192.0.2.1"},
      {"FETCH mta-sts." DOMAIN, "never"}},
     "list+s mx.example/10/none+s",
     "temp (the policy was not fetched: not in time)",
     30},
};

static void test_early(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(early_rows) / sizeof(early_rows[0]); i++) {
        struct line line[LINES_MAX] = {{NULL, NULL}};
        struct world w = {.line = line, .options = resolve_options_default()};

        print_message("%s\n", early_rows[i].what);
        memcpy(line, early_rows[i].line, sizeof(early_rows[i].line));
        for (unsigned order = 0; order < ORDERS; order++) {
            struct dest *d = world_run(&w, order);
            struct buf b;

            buf_init(&b, 10000);
            show_mx(&b, d);
            assert_string_equal(buf_text(&b), early_rows[i].mx);
            buf_reset(&b);
            show_sts(&b, d);
            assert_string_equal(buf_text(&b), early_rows[i].sts);
            assert_int_equal(d->valid_until - NOW, early_rows[i].life);
            check_json(d);
            buf_clear(&b);
            dest_free(d);
        }
    }
}

/* B-6: the least TTL that the record rests on, within its bounds. */
static void test_life(void **state)
{
    static const struct {
        const char *what, *mx, *txt;
        int64_t ttl_min;
        int64_t life;
    } rows[] = {
        {"as DNS says", "s 600 0 .", "i 700 nodata", 0, 600},
        {"the TXT record's", "s 600 0 .", "i 70 nodata", 0, 70},
        {"no life at all is a second", "s 0 0 .", "i 700 nodata", 0, 1},
        {"no more than the maximum", "s 86400 0 .", "i 86400 nodata", 0, RESOLVE_TTL_MAX},
        {"minimum", "s 5 0 .", "i 700 nodata", 60, 60},
        {"minimum does not cut", "s 500 0 .", "i 700 nodata", 60, 500},
        {"minimum beyond the maximum", "s 5 0 .", "i 700 nodata", 9999, RESOLVE_TTL_MAX},
        {"minimum does not prolong a failure", "s 600 0 .", "fail SERVFAIL", 60, RESOLVE_TEMP_TTL},
        {"a failure does not prolong", "s 5 0 .", "fail SERVFAIL", 0, 5},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct line line[LINES_MAX] = {{"MX " DOMAIN, rows[i].mx}, {"TXT _mta-sts." DOMAIN, rows[i].txt}};
        struct world w = {.line = line, .options = resolve_options_default()};
        struct dest *d;

        print_message("%s\n", rows[i].what);
        w.options.ttl_min = rows[i].ttl_min;
        d = world_run(&w, 0);
        assert_int_equal(d->resolved, NOW);
        assert_int_equal(d->valid_until - NOW, rows[i].life);
        dest_free(d);
    }
}

/* As many actions as there can be: every host behind an alias, nothing at its end. */
static void test_most_actions(void **state)
{
    struct resolve_options options = resolve_options_default();
    struct resolve *r = resolve_new(DOMAIN, NULL, false, NOW, &options);
    char mx[2000] = "s 60 ", *at = mx + strlen(mx);
    const struct resolve_fetch fetch = {.failure = DEST_STS_FETCH_ERROR};
    struct resolve_action act;
    struct dns_answer a;
    size_t count = 0;
    (void)state;

    for (unsigned i = 0; i < DEST_HOSTS_MAX + 4; i++)
        at += sprintf(at, "%s1 h%u.example", i > 0 ? "|" : "", i);
    for (; resolve_next(r, &act) == 1; count++) {
        if (act.what == RESOLVE_FETCH) {
            resolve_fetched(r, act.slot, &fetch, NOW);
            continue;
        }
        read_answer(&a, act.type, act.name,
                    act.type == DNS_MX    ? mx
                    : act.type == DNS_TXT ? "s 60 v=STSv1; id=1;"
                    : act.type == DNS_A   ? "s 60 >end.example 192.0.2.1"
                                          : "s 60 nodata");
        resolve_dns(r, act.slot, &a);
        dns_answer_clear(&a);
    }
    assert_true(resolve_done(r));
    assert_int_equal(count, RESOLVE_ACTIONS_MAX - DEST_HOSTS_MAX); /* CNAME and TLSA at the end exclude each other */
    resolve_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_steps),  cmocka_unit_test(test_unknown_slots),
        cmocka_unit_test(test_bad_domain),   cmocka_unit_test(test_long_domain),
        cmocka_unit_test(test_tlsrpt),       cmocka_unit_test(test_previous_of_another),
        cmocka_unit_test(test_early),        cmocka_unit_test(test_life),
        cmocka_unit_test(test_most_actions),
    };

    return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
