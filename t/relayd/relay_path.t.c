/* relay_path.t.c - tests of relay_path.c: which MX hosts REQUIRETLS mail may go to (S1 to S3, S5, S7, S8, S10, B3). */
#include "relay_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define NOW  1795341600 /* 2026-11-22T10:00:00Z */
#define DAY  86400
#define HOLD 14400

/* FETCH: a record, no policy, the fetch failed; PKIX: the same for the certificate of the policy host. UNKNOWN: the
 * record cannot be looked up; LONG: nor could it be for longer than HOLD. */
enum sts { NONE, TESTING, MODE_NONE, ENFORCE, EXPIRED, FETCH, WEBPKI, UNKNOWN, LONG, TESTING_FETCH, ENFORCE_UNKNOWN };

static void give_policy(struct dest *d, const char *mode, int64_t age)
{
    char body[160];
    int n = snprintf(body, sizeof(body), "version: STSv1\nmode: %s\nmx: *.example.net\nmax_age: %d\n", mode, DAY);

    assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, (size_t)n, NOW - age, NULL), 0);
    d->sts.record = DEST_STS_FOUND;
    (void)snprintf(d->sts.id, sizeof(d->sts.id), "1");
}

static void give_failure(struct dest *d, enum dest_sts_failure failure)
{
    d->sts.record = DEST_STS_FOUND;
    d->sts.failure = failure;
    (void)snprintf(d->sts.id, sizeof(d->sts.id), "1");
    (void)snprintf(d->sts.why, sizeof(d->sts.why), "the reason");
}

static void give_unknown(struct dest *d, int64_t since)
{
    d->sts.record = DEST_STS_TEMP;
    d->sts.temp_since = NOW - since;
}

static void give_sts(struct dest *d, enum sts sts)
{
    switch (sts) {
    case NONE:
        break;
    case TESTING:
        give_policy(d, "testing", 60);
        break;
    case MODE_NONE:
        give_policy(d, "none", 60);
        break;
    case ENFORCE:
        give_policy(d, "enforce", DAY - 1);
        break;
    case EXPIRED:
        give_policy(d, "enforce", DAY);
        break;
    case FETCH:
        give_failure(d, DEST_STS_FETCH_ERROR);
        break;
    case WEBPKI:
        give_failure(d, DEST_STS_WEBPKI_INVALID);
        break;
    case UNKNOWN:
        give_unknown(d, HOLD - 1);
        break;
    case LONG:
        give_unknown(d, HOLD);
        break;
    case TESTING_FETCH:
        give_policy(d, "testing", 60);
        give_failure(d, DEST_STS_FETCH_ERROR);
        break;
    case ENFORCE_UNKNOWN:
        give_policy(d, "enforce", 60);
        give_unknown(d, 60);
        break;
    }
}

/* One host a word: its name, n u x t for how DANE stands there, '-' when it has no address; preference 10, 20, …. */
static void give_hosts(struct dest *d, const char *hosts)
{
    uint16_t preference = 10;
    char name[64], dane[4];
    int used = 0;

    for (; sscanf(hosts, "%63s %3s%n", name, dane, &used) == 2;
         hosts += used, preference = (uint16_t)(preference + 10)) {
        struct dest_host *host = dest_add_host(d, name, preference);

        host->dane = dane[0] == 'u'   ? DEST_DANE_USABLE
                     : dane[0] == 'x' ? DEST_DANE_UNUSABLE
                     : dane[0] == 't' ? DEST_DANE_TEMP
                                      : DEST_DANE_NONE;
        host->address_count = dane[1] == '-' ? 0 : 1;
        if (host->dane != DEST_DANE_NONE)
            (void)snprintf(host->tlsa_base, sizeof(host->tlsa_base), "tlsa.%s", name);
        (void)snprintf(host->address[0], sizeof(host->address[0]), "192.0.2.1");
    }
}

/* "NAME:dane" or "NAME:pkix" or "NAME:dane+pkix" or, PKIX only noted, "NAME:dane(pkix)" for the hosts that may be used,
 * then "!NAME:WHY", all with a blank in front; or "WHY" of the domain. */
static void describe(char *out, size_t size, const struct relay_path *p)
{
    size_t used = 0;

    out[0] = '\0';
    if (p->failed != RELAY_FAILED_NOTHING)
        (void)snprintf(out, size, " %s", relay_failed_name(p->failed));
    for (size_t i = 0; i < p->count; i++) {
        const struct relay_candidate *c = &p->candidate[i];
        const char *how = c->dane && c->pkix ? "dane+pkix"
                          : c->pkix_noted    ? "dane(pkix)"
                          : c->dane          ? "dane"
                          : c->pkix          ? "pkix"
                                             : "";

        assert_true((i < p->usable) == (c->barred == RELAY_FAILED_NOTHING));
        used += (size_t)snprintf(out + used, size - used, " %s%s:%s", i < p->usable ? "" : "!", c->host->name,
                                 i < p->usable ? how : relay_failed_name(c->barred));
    }
}

#define SECURE   true
#define INSECURE false
#define A        "mx.example.net" /* the policy names it */
#define B        "b.example.org"  /* it does not */

struct row {
    const char *name;
    bool secure;
    enum sts sts;
    const char *hosts;
    const char *want;
    int code;
    const char *enhanced;
};

static const struct row rows[] = {
    {"S1 enforce names it", INSECURE, ENFORCE, A " n", " " A ":pkix", 0, NULL},
    {"S1 DNSSEC vouches for it", SECURE, NONE, A " n", " " A ":pkix", 0, NULL},
    {"S1 neither does", INSECURE, NONE, A " n", " !" A ":unauthenticated", 550, "5.7.10"},
    {"S1 testing does not", INSECURE, TESTING, A " n", " !" A ":unauthenticated", 550, "5.7.10"},
    {"S1 mode none does not", INSECURE, MODE_NONE, A " n", " !" A ":unauthenticated", 550, "5.7.10"},
    {"S1 an expired policy does not", INSECURE, EXPIRED, A " n", " !" A ":unauthenticated", 550, "5.7.10"},
    {"S1 testing beside DNSSEC", SECURE, TESTING, A " n", " " A ":pkix", 0, NULL},
    {"S1 testing bars nobody", SECURE, TESTING, B " n", " " B ":pkix", 0, NULL},
    {"S1 enforce does not name it", INSECURE, ENFORCE, B " n", " !" B ":not-in-policy", 550, "5.7.10"},
    {"S1 enforce goes beside DNSSEC", SECURE, ENFORCE, B " n", " !" B ":not-in-policy", 550, "5.7.10"},
    {"S1 enforce goes beside DANE", SECURE, ENFORCE, B " u", " !" B ":not-in-policy", 550, "5.7.10"},
    {"S1 not in the policy is final", SECURE, ENFORCE, B " t-", " !" B ":not-in-policy", 550, "5.7.10"},
    {"A6 one label", INSECURE, ENFORCE, "a.b.example.net n", " !a.b.example.net:not-in-policy", 550, "5.7.10"},
    {"S1 some named", INSECURE, ENFORCE, B " n " A " n", " " A ":pkix !" B ":not-in-policy", 550, "5.7.10"},
    {"S8 record unknown", INSECURE, UNKNOWN, A " n", " !" A ":policy-temp", 451, "4.4.3"},
    {"S8 record unknown for long", INSECURE, LONG, A " n", " !" A ":policy-temp", 451, "4.4.3"},
    {"S8 record unknown, policy kept", INSECURE, ENFORCE_UNKNOWN, A " n", " " A ":pkix", 0, NULL},
    {"S8 policy not fetched", INSECURE, FETCH, A " n", " !" A ":policy-fetch", 451, "4.4.3"},
    {"S8 a later policy not fetched", INSECURE, TESTING_FETCH, A " n", " !" A ":policy-fetch", 451, "4.4.3"},
    {"S8 policy host with a bad certificate", INSECURE, WEBPKI, A " n", " !" A ":unauthenticated", 550, "5.7.10"},
    {"S8 policy not fetched, DNSSEC", SECURE, FETCH, A " n", " " A ":pkix", 0, NULL},
    {"S8 record unknown, DNSSEC", SECURE, UNKNOWN, A " n", " !" A ":policy-temp", 451, "4.4.3"},
    {"S8 record unknown for long, DNSSEC", SECURE, LONG, A " n", " " A ":pkix", 0, NULL},
    {"S8 record unknown, DANE", SECURE, UNKNOWN, A " u", " " A ":dane", 0, NULL},
    {"S8 record unknown, TLSA unusable", SECURE, UNKNOWN, A " x", " !" A ":policy-temp", 451, "4.4.3"},
    {"S2 DANE", SECURE, NONE, A " u", " " A ":dane", 0, NULL},
    {"S2 DANE and testing", SECURE, TESTING, B " u", " " B ":dane(pkix)", 0, NULL},
    {"S2 DANE and enforce", SECURE, ENFORCE, A " u", " " A ":dane+pkix", 0, NULL},
    {"S2 unusable TLSA", SECURE, NONE, A " x", " " A ":pkix", 0, NULL},
    {"S2 unusable TLSA and enforce", SECURE, ENFORCE, A " x", " " A ":pkix", 0, NULL},
    {"B-1 TLSA without a secure MX", INSECURE, NONE, A " u", " !" A ":unauthenticated", 550, "5.7.10"},
    {"B-1 the same and enforce", INSECURE, ENFORCE, A " u", " " A ":pkix", 0, NULL},
    {"B-1 TEMP without a secure MX, enforce", INSECURE, ENFORCE, A " t", " " A ":pkix", 0, NULL},
    {"B-3 bogus TLSA", SECURE, NONE, A " t", " !" A ":tlsa-temp", 451, "4.4.3"},
    {"A11 bogus TLSA, not rescued", SECURE, ENFORCE, A " t", " !" A ":tlsa-temp", 451, "4.4.3"},
    {"B-3 bogus at one", SECURE, NONE, A " t " B " u", " " B ":dane !" A ":tlsa-temp", 451, "4.4.3"},
    {"S8 no address now", INSECURE, ENFORCE, A " n-", " !" A ":address-temp", 451, "4.4.3"},
    {"S8 no address now, so no TLSA", SECURE, NONE, A " t-", " !" A ":address-temp", 451, "4.4.3"},
    {"S8 no address now, DANE", SECURE, NONE, A " u-", " !" A ":address-temp", 451, "4.4.3"},
    {"S5 no address, but barred for good", INSECURE, NONE, A " n-", " !" A ":unauthenticated", 550, "5.7.10"},
    {"S8 one for good, one for now", SECURE, ENFORCE, B " u " A " t", " !" B ":not-in-policy !" A ":tlsa-temp", 451,
     "4.4.3"},
    {"each by its own", SECURE, NONE, A " n " B " u c.example.com x", " " A ":pkix " B ":dane c.example.com:pkix", 0,
     NULL},
};

static struct dest *make(const struct row *row, enum dest_mx mx)
{
    struct dest *d = dest_new("example.net");

    assert_non_null(d);
    d->mx = mx;
    d->mx_secure = row->secure;
    give_hosts(d, row->hosts);
    give_sts(d, row->sts);
    return d;
}

static void check_reply(const struct relay_path *p, int code, const char *enhanced)
{
    struct relay_tally t = {0};
    struct relay_reply reply;

    relay_path_tally(&t, p);
    assert_int_equal(t.count, p->count - p->usable + (p->failed != RELAY_FAILED_NOTHING ? 1 : 0));
    if (t.count == 0)
        return;
    relay_tally_reply(&reply, &t, "example.net");
    print_message("    %d %s %s\n", reply.code, reply.enhanced, reply.text);
    assert_int_equal(reply.code, code);
    assert_string_equal(reply.enhanced, enhanced);
}

static void hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct dest *d = make(row, DEST_MX_LIST);
        struct relay_path_in in = {.kind = NEXTHOP_DOMAIN, .dest = d, .sts_unknown_hold = HOLD, .seed = i};
        struct relay_path p;
        char text[400];

        print_message("%s\n", row->name);
        relay_path_plan(&p, &in, NOW);
        describe(text, sizeof(text), &p);
        assert_string_equal(text, row->want);
        if (row->enhanced != NULL)
            check_reply(&p, row->code, row->enhanced);
        else
            assert_int_equal(p.usable, p.count);
        dest_free(d);
    }
}

static void domains(void **state)
{
    static const struct {
        const char *name;
        enum nexthop_kind kind;
        bool known;
        enum dest_mx mx;
        enum decide_age age;
        const char *hosts;
        const char *want;
        int code;
        const char *enhanced;
    } table[] = {
        {"nothing known", NEXTHOP_DOMAIN, false, 0, DECIDE_FRESH, "", " no-facts", 451, "4.4.3"},
        {"stale", NEXTHOP_DOMAIN, true, DEST_MX_LIST, DECIDE_STALE, A " n", " stale", 451, "4.4.3"},
        {"stale, null MX", NEXTHOP_DOMAIN, true, DEST_MX_NULL, DECIDE_STALE, "", " stale", 451, "4.4.3"},
        {"S8 MX TEMP, enforced", NEXTHOP_DOMAIN, true, DEST_MX_TEMP, DECIDE_FRESH, "", " mx-temp", 451, "4.4.3"},
        {"NXDOMAIN", NEXTHOP_DOMAIN, true, DEST_MX_NODOMAIN, DECIDE_FRESH, "", " no-domain", 550, "5.1.2"},
        {"B-5 null MX", NEXTHOP_DOMAIN, true, DEST_MX_NULL, DECIDE_FRESH, "", " null-mx", 556, "5.1.10"},
        {"B-5 no addresses", NEXTHOP_DOMAIN, true, DEST_MX_LIST, DECIDE_FRESH, "", " no-host", 550, "5.4.4"},
        {"no MX, no address", NEXTHOP_DOMAIN, true, DEST_MX_IMPLICIT, DECIDE_FRESH, "", " no-host", 550, "5.4.4"},
        {"literal", NEXTHOP_ADDRESS, false, 0, DECIDE_FRESH, "", " literal", 550, "5.7.10"},
        {"[host]", NEXTHOP_HOST, true, DEST_MX_LIST, DECIDE_FRESH, A " n", " literal", 550, "5.7.10"},
        {"S2 no MX, the domain", NEXTHOP_DOMAIN, true, DEST_MX_IMPLICIT, DECIDE_FRESH, A " n", " " A ":pkix", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct row row = {.secure = true, .sts = ENFORCE, .hosts = table[i].hosts};
        struct dest *d = table[i].known ? make(&row, table[i].mx) : NULL;
        struct relay_path_in in = {.kind = table[i].kind, .dest = d, .age = table[i].age};
        struct relay_path p;
        char text[400];

        print_message("%s\n", table[i].name);
        relay_path_plan(&p, &in, NOW);
        describe(text, sizeof(text), &p);
        assert_string_equal(text, table[i].want);
        check_reply(&p, table[i].code, table[i].enhanced);
        dest_free(d);
    }
}

/* We are B, the second of three by preference, or not among them. */
static void loops(void **state)
{
    static const struct {
        const char *own, *hosts, *want;
        int code;
        const char *enhanced;
    } table[] = {
        {NULL, A " n " B " n", " " A ":pkix " B ":pkix", 0, NULL},
        {"", A " n " B " n", " " A ":pkix " B ":pkix", 0, NULL},
        {"[192.0.2.1]", A " n " B " n", " " A ":pkix " B ":pkix", 0, NULL},
        {"other.example.org", A " n " B " n", " " A ":pkix " B ":pkix", 0, NULL},
        {"xb.example.org", A " n " B " n", " " A ":pkix " B ":pkix", 0, NULL},
        {B, A " n " B " n c.example.org u", " " A ":pkix !" B ":loop !c.example.org:loop", 550, "5.4.6"},
        {"B.Example.ORG", A " n " B " n c.example.org u", " " A ":pkix !" B ":loop !c.example.org:loop", 550, "5.4.6"},
        {B, B " n " A " n", " !" B ":loop !" A ":loop", 550, "5.4.6"},
        {B, B " n", " !" B ":loop", 550, "5.4.6"},
        {B, A " t " B " n", " !" A ":tlsa-temp !" B ":loop", 451, "4.4.3"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct row row = {.secure = true, .hosts = table[i].hosts};
        struct dest *d = make(&row, DEST_MX_LIST);
        struct relay_path_in in = {.kind = NEXTHOP_DOMAIN, .dest = d, .own_name = table[i].own};
        struct relay_path p;
        char text[400];

        print_message("%s\n", table[i].own != NULL ? table[i].own : "NULL");
        relay_path_plan(&p, &in, NOW);
        describe(text, sizeof(text), &p);
        assert_string_equal(text, table[i].want);
        if (table[i].enhanced != NULL)
            check_reply(&p, table[i].code, table[i].enhanced);
        dest_free(d);
    }
}

/* Of one preference with us: neither is tried, whatever the order in the record. */
static void loop_of_equals(void **state)
{
    struct dest *d = dest_new("example.net");
    struct relay_path_in in = {.kind = NEXTHOP_DOMAIN, .dest = d, .own_name = B};
    struct relay_path p;
    char text[400];

    (void)state;
    d->mx = DEST_MX_LIST;
    d->mx_secure = true;
    dest_add_host(d, "c.example.org", 20)->address_count = 1;
    dest_add_host(d, B, 20)->address_count = 1;
    dest_add_host(d, A, 10)->address_count = 1;
    relay_path_plan(&p, &in, NOW);
    describe(text, sizeof(text), &p);
    assert_string_equal(text, " " A ":pkix !c.example.org:loop !" B ":loop");
    dest_free(d);
}

static void words(void **state)
{
    static const struct {
        enum sts sts;
        const char *want;
    } table[] = {
        {TESTING, "REQUIRETLS mail for example.net cannot be delivered: " A
                  " is authenticated neither by DNSSEC nor by an MTA-STS policy in mode enforce"
                  " (its policy is in mode testing)"},
        {WEBPKI, "REQUIRETLS mail for example.net cannot be delivered: " A
                 " is authenticated neither by DNSSEC nor by an MTA-STS policy in mode enforce (the reason)"},
        {FETCH, "REQUIRETLS mail for example.net cannot be delivered now: " A
                " could be authenticated by an MTA-STS policy only, which could not be fetched (the reason)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct row row = {.sts = table[i].sts, .hosts = A " n"};
        struct dest *d = make(&row, DEST_MX_LIST);
        struct relay_path_in in = {.kind = NEXTHOP_DOMAIN, .dest = d};
        struct relay_tally t = {0};
        struct relay_reply reply;
        struct relay_path p;

        relay_path_plan(&p, &in, NOW);
        relay_path_tally(&t, &p);
        relay_tally_reply(&reply, &t, d->domain);
        assert_string_equal(reply.text, table[i].want);
        dest_free(d);
    }
}

/* B-4: SNI and names by the TLSA base, PKIX by the MX host. */
static void names(void **state)
{
    const struct row row = {.secure = true, .hosts = "mx.example.net u n.example.net n"};
    struct dest *d = make(&row, DEST_MX_LIST);
    struct relay_path_in in = {.kind = NEXTHOP_DOMAIN, .dest = d};
    const char *name[RELAY_NAMES_MAX] = {NULL, NULL};
    struct relay_path p;

    (void)state;
    relay_path_plan(&p, &in, NOW);
    assert_int_equal(p.usable, 2);
    assert_string_equal(relay_candidate_sni(&p.candidate[0]), "tlsa.mx.example.net");
    assert_int_equal(relay_candidate_names(name, &p, &p.candidate[0]), 2);
    assert_string_equal(name[0], "tlsa.mx.example.net");
    assert_string_equal(name[1], "example.net");
    assert_string_equal(relay_candidate_sni(&p.candidate[1]), "n.example.net");
    assert_int_equal(relay_candidate_names(name, &p, &p.candidate[1]), 0);
    (void)snprintf(d->host[0].tlsa_base, sizeof(d->host[0].tlsa_base), "example.net");
    assert_int_equal(relay_candidate_names(name, &p, &p.candidate[0]), 1);
    dest_free(d);
}

/* In any order in the record; by preference in the plan; each order of the three equals by some seed, none far too
 * often. */
static void order(void **state)
{
    static const struct {
        const char *name;
        uint16_t preference;
    } host[] = {{"z.example.net", 30},
                {"a.example.net", 20},
                {"b.example.net", 20},
                {"c.example.net", 20},
                {"f.example.net", 10}};
    struct dest *d = dest_new("example.net");
    struct relay_path_in in = {.kind = NEXTHOP_DOMAIN, .dest = d};
    unsigned seen[3][3] = {{0}};
    struct relay_path p, again;

    (void)state;
    d->mx = DEST_MX_LIST;
    d->mx_secure = true;
    for (size_t i = 0; i < COUNT(host); i++)
        dest_add_host(d, host[i].name, host[i].preference)->address_count = 1;
    for (in.seed = 0; in.seed < 3000; in.seed++) {
        relay_path_plan(&p, &in, NOW);
        relay_path_plan(&again, &in, NOW);
        assert_int_equal(p.usable, 5);
        assert_string_equal(p.candidate[0].host->name, "f.example.net");
        assert_string_equal(p.candidate[4].host->name, "z.example.net");
        for (size_t i = 0; i < 3; i++) {
            assert_ptr_equal(p.candidate[i + 1].host, again.candidate[i + 1].host);
            seen[i][p.candidate[i + 1].host->name[0] - 'a']++;
        }
    }
    for (size_t i = 0; i < 9; i++)
        assert_in_range(seen[i / 3][i % 3], 850, 1150);
    dest_free(d);
}

static void as_many_as_fit(void **state)
{
    struct dest *d = dest_new("example.net");
    struct relay_path_in in = {.kind = NEXTHOP_DOMAIN, .dest = d};
    struct relay_path p;
    char name[40];

    (void)state;
    d->mx = DEST_MX_LIST;
    d->mx_secure = true;
    for (unsigned i = 0; i < DEST_HOSTS_MAX + 1; i++) {
        struct dest_host *host;

        (void)snprintf(name, sizeof(name), "mx%u.example.net", i);
        host = dest_add_host(d, name, 10);
        if (host != NULL)
            host->address_count = i % 2;
    }
    relay_path_plan(&p, &in, NOW);
    assert_int_equal(p.count, DEST_HOSTS_MAX);
    assert_int_equal(p.usable, DEST_HOSTS_MAX / 2);
    dest_free(d);
}

static void offer(void **state)
{
    static const struct {
        const char *name;
        bool before, after, null_path, say;
        enum relay_failed want;
    } table[] = {
        {"S7 offered", true, true, false, true, RELAY_FAILED_NOTHING},
        {"S3 offered under TLS only", false, true, false, true, RELAY_FAILED_NOTHING},
        {"S3 offered in clear only", true, false, false, false, RELAY_FAILED_REQUIRETLS_BARE},
        {"S3 not offered", false, false, false, false, RELAY_FAILED_REQUIRETLS},
        {"B3 offered", false, true, true, true, RELAY_FAILED_NOTHING},
        {"B3 not offered", false, false, true, false, RELAY_FAILED_NOTHING},
        {"B3 in clear only", true, false, true, false, RELAY_FAILED_NOTHING},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct relay_offer o = {.before = table[i].before, .after = table[i].after};
        bool say;

        print_message("%s\n", table[i].name);
        assert_int_equal(relay_path_offer(&say, &o, table[i].null_path), table[i].want);
        assert_int_equal(say, table[i].say);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops),   cmocka_unit_test(loop_of_equals), cmocka_unit_test(hosts),
        cmocka_unit_test(domains), cmocka_unit_test(words),          cmocka_unit_test(names),
        cmocka_unit_test(order),   cmocka_unit_test(as_many_as_fit), cmocka_unit_test(offer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
