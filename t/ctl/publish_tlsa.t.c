/* publish_tlsa.t.c - the steps of a rollover as DNS and the server go through them, and verdicts about records. */
#include "publish_tlsa.h"

#include "tlsa_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(2000000000)

static struct tlsa_key key_l = {.there = true, .label = "live.pem", .digest = "live"};
static struct tlsa_key key_n = {.there = true, .label = "next.key", .digest = "next"};
static struct tlsa_key key_x = {.there = true, .label = "other", .digest = "other"};
static const struct tlsa_key none = {.there = false};

/* The world: records and shown keys by a letter, L, N or X; "-": an address that gives no TLS. */
static struct tlsa_live dns;
static struct probe probe;
static struct dest_host host = {.name = "mx.example.com", .dane = DEST_DANE_USABLE};

static const struct tlsa_key *key_of(char letter)
{
    return letter == 'L' ? &key_l : letter == 'N' ? &key_n : &key_x;
}

static struct tlsa_view world(const char *records, const char *shown, bool next, int64_t seen)
{
    struct tlsa_view view = {.host = "mx.example.com",
                             .port = 25,
                             .live = &key_l,
                             .next = next ? &key_n : &none,
                             .next_name = "",
                             .dns = &dns,
                             .probe = &probe,
                             .probe_why = "",
                             .tlsa_ttl = 3600,
                             .next_seen = seen,
                             .now = NOW};

    memset(&dns, 0, sizeof(dns));
    memset(&probe, 0, sizeof(probe));
    dns.status = records == NULL ? DNS_FAILED : records[0] != '\0' ? DNS_FOUND : DNS_NODATA;
    dns.secure = dns.address_secure = true;
    dns.ttl = 3600;
    for (; records != NULL && records[dns.count] != '\0'; dns.count++)
        dns.rr[dns.count].tlsa = tlsa_of_digest(key_of(records[dns.count])->digest);
    probe.hosts = 1;
    probe.host[0].host = &host;
    for (; shown[probe.host[0].count] != '\0'; probe.host[0].count++) {
        struct probe_address *at = &probe.host[0].at[probe.host[0].count];

        (void)snprintf(at->address, sizeof(at->address), "192.0.2.%zu", probe.host[0].count);
        at->chain_count = shown[probe.host[0].count] != '-';
        memcpy(at->chain[0].spki_sha256, key_of(shown[probe.host[0].count])->digest, CERT_DIGEST_LEN);
    }
    return view;
}

static const struct {
    const char *name, *records, *shown;
    bool next;
    int64_t seen;       /* before NOW; 0: never */
    const char *states; /* the first letters of the steps' states */
} plans[] = {
    {"nothing there", "", "L", true, 0, "nllll"},
    {"only the old one", "L", "L", true, 0, "nllll"},
    {"both, just seen", "LN", "L", true, 0, "dnlll"},
    {"both, for long", "LN", "L", true, 7200, "ddnll"},
    {"one address of two is switched", "LN", "LN", true, 7200, "ddnll"},
    {"switched", "LN", "NN", true, 0, "dddnl"},
    {"switched and tidy", "N", "N", true, 0, "ddddd"},
    {"switched too early", "L", "N", true, 0, "nllll"},
    {"not known", NULL, "L", true, 0, "lllll"},
    {"one key, nothing there", "", "L", false, 0, "nl"},
    {"one key, there", "L", "L", false, 0, "dl"},
    {"one key, another there", "X", "L", false, 0, "nl"},
    {"one key, not known", NULL, "L", false, 0, "ll"},
};

static void test_plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        struct tlsa_view view =
            world(plans[i].records, plans[i].shown, plans[i].next, plans[i].seen != 0 ? NOW - plans[i].seen : 0);
        char states[TLSA_PLAN_MAX + 1] = "";
        struct tlsa_plan plan;

        tlsa_plan(&plan, &view);
        for (size_t j = 0; j < plan.count; j++)
            states[j] = plan.step[j].state[0];
        if (strcmp(states, plans[i].states) != 0)
            fail_msg("%s: %s", plans[i].name, states);
    }
}

static void test_plan_text(void **state)
{
    struct tlsa_view view = world("", "L", true, 0);
    struct tlsa_plan plan;

    (void)state;
    dns.ttl = 300;
    tlsa_plan(&plan, &view);
    assert_non_null(strstr(plan.step[1].text, "7200 s, and 300 s more"));
    view = world("L", "L", true, 0);
    view.next_name = "mx2";
    dns.ttl = 86400;
    tlsa_plan(&plan, &view);
    assert_non_null(strstr(plan.step[0].text, "beside those that are there"));
    assert_non_null(strstr(plan.step[1].text, "172800 s:"));
    assert_non_null(strstr(plan.step[2].text, "posternctl cert use mx2"));
    assert_non_null(strstr(plan.step[4].text, "live.pem"));
}

static void test_served(void **state)
{
    static const struct {
        const char *shown;
        enum tlsa_served served;
        bool refused;
    } cases[] = {
        {"L", TLSA_SERVED_LIVE, false},    {"LL-", TLSA_SERVED_LIVE, false}, {"N", TLSA_SERVED_NEXT, false},
        {"LN", TLSA_SERVED_BOTH, false},   {"X", TLSA_SERVED_OTHER, true},   {"LX", TLSA_SERVED_OTHER, true},
        {"-", TLSA_SERVED_UNKNOWN, false}, {"", TLSA_SERVED_UNKNOWN, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tlsa_view view = world("", cases[i].shown, true, 0);
        struct verdicts v = {0};

        assert_int_equal(tlsa_served(&view), cases[i].served);
        tlsa_before(&v, &view);
        assert_int_equal(verdicts_worst(&v) == VERDICT_BAD, cases[i].refused);
        verdicts_clear(&v);
    }
}

static bool says(const struct verdicts *v, enum verdict_level level, const char *words)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->line[i].level == level && strstr(v->line[i].words, words) != NULL)
            return true;
    return false;
}

static void test_zone(void **state)
{
    struct tlsa_view view = world("", "L", false, 0);
    struct verdicts v = {0};

    (void)state;
    dns.secure = false;
    tlsa_before(&v, &view);
    assert_true(says(&v, VERDICT_BAD, "TLSA records do nothing"));
    verdicts_clear(&v);
    dns.secure = true;
    (void)snprintf(dns.address_why, sizeof(dns.address_why), "a time-out");
    tlsa_before(&v, &view);
    assert_int_equal(verdicts_worst(&v), VERDICT_UNKNOWN);
    assert_true(says(&v, VERDICT_UNKNOWN, "the addresses of mx.example.com cannot be looked up now: a time-out"));
    verdicts_clear(&v);
    dns.address_secure = false; /* of the one kind that was told, which is enough */
    tlsa_before(&v, &view);
    assert_true(says(&v, VERDICT_BAD, "the addresses of mx.example.com are not validated"));
    verdicts_clear(&v);
    dns.status = DNS_FAILED;
    tlsa_before(&v, &view);
    assert_true(says(&v, VERDICT_BAD, "do not deliver"));
    verdicts_clear(&v);
    dns.unheard = true;
    tlsa_before(&v, &view);
    assert_true(says(&v, VERDICT_UNKNOWN, "cannot be looked up"));
    verdicts_clear(&v);
}

/* One record: its fields, its digest's letter (C: of the certificate), and what is said. */
static const struct {
    uint8_t usage, selector, matching;
    char of;
    enum verdict_level level;
    const char *words;
} records[] = {
    {3, 1, 1, 'L', VERDICT_OK, "fits live.pem"},
    {3, 1, 1, 'N', VERDICT_OK, "fits the next key"},
    {3, 1, 1, 'X', VERDICT_WARN, "fits neither"},
    {3, 0, 1, 'C', VERDICT_WARN, "whole certificate"},
    {2, 1, 1, 'A', VERDICT_WARN, "sends the certificate of this authority"},
    {2, 1, 1, 'L', VERDICT_WARN, "fits neither"},
    {1, 1, 1, 'L', VERDICT_WARN, "cannot be used"},
    {3, 1, 2, 'L', VERDICT_WARN, "cannot be used"}, /* of 32 octets */
    {3, 7, 1, 'L', VERDICT_WARN, "cannot be used"},
};

static void test_records(void **state)
{
    static uint8_t certificate[CERT_DIGEST_LEN] = "certificate", authority[CERT_DIGEST_LEN] = "authority";

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        struct tlsa_view view = world("L", "L", true, 0);
        struct probe_address *at = &probe.host[0].at[0];
        struct tlsa *rr = &dns.rr[0].tlsa;
        struct verdicts v = {0};

        at->chain_count = 2;
        memcpy(at->chain[0].sha256, certificate, CERT_DIGEST_LEN);
        memcpy(at->chain[1].spki_sha256, authority, CERT_DIGEST_LEN);
        rr->usage = records[i].usage;
        rr->selector = records[i].selector;
        rr->matching_type = records[i].matching;
        rr->data = records[i].of == 'C'   ? certificate
                   : records[i].of == 'A' ? authority
                                          : (uint8_t *)key_of(records[i].of)->digest;
        tlsa_check(&v, &view, true);
        if (!says(&v, records[i].level, records[i].words))
            fail_msg("%zu: no \"%s\"", i, records[i].words);
        verdicts_clear(&v);
    }
}

static void test_check(void **state)
{
    struct tlsa_view view = world("", "L", false, 0);
    struct verdicts v = {0};

    (void)state;
    tlsa_check(&v, &view, true);
    assert_true(says(&v, VERDICT_BAD, "there are none at _25._tcp.mx.example.com"));
    verdicts_clear(&v);
    tlsa_check(&v, &view, false);
    assert_int_equal(verdicts_worst(&v), VERDICT_WARN);
    verdicts_clear(&v);

    view = world("N", "-", true, 0);
    tlsa_check(&v, &view, true);
    assert_true(says(&v, VERDICT_BAD, "live.pem: no record fits"));
    assert_true(says(&v, VERDICT_OK, "next.key: a record fits"));
    verdicts_clear(&v);

    view = world("L", "-", true, 0);
    view.probe = NULL;
    view.probe_why = "away";
    tlsa_check(&v, &view, true);
    assert_true(says(&v, VERDICT_WARN, "next.key: no record fits yet"));
    assert_true(says(&v, VERDICT_UNKNOWN, "away"));
    verdicts_clear(&v);
}

static void test_copy(void **state)
{
    struct dns_rr rr[TLSA_LIVE_MAX + 5] = {{0}};
    struct dns_answer answer = {.status = DNS_FOUND, .rr = rr, .count = TLSA_LIVE_MAX + 5, .ttl = 7, .secure = true};
    struct tlsa_live copy;

    (void)state;
    rr[0].tlsa = tlsa_of_digest(key_l.digest);
    assert_int_equal(tlsa_live_copy(&copy, &answer), 0);
    assert_int_equal(copy.count, TLSA_LIVE_MAX);
    assert_true(copy.rr[0].tlsa.data != rr[0].tlsa.data);
    assert_memory_equal(copy.rr[0].tlsa.data, key_l.digest, CERT_DIGEST_LEN);
    tlsa_live_clear(&copy);
    tlsa_live_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans), cmocka_unit_test(test_plan_text), cmocka_unit_test(test_served),
        cmocka_unit_test(test_zone),  cmocka_unit_test(test_records),   cmocka_unit_test(test_check),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
