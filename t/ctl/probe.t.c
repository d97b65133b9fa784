/* probe.t.c - tests of probe.c: verdicts by table. */
#include "probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW      INT64_C(1800000000)
#define DAY      INT64_C(86400)
#define MX       "mx.example.com"

/* --- a probe of one address --- */

struct row {
    const char *name;
    enum probe_stage stage;
    int later, unrouted;
    enum dest_dane dane;
    enum tls_client_result by_dane, by_pkix;
    const char *policy; /* mode; NULL: none */
    int unnamed;
    enum probe_verdict any, sts, by_tlsa, all;
    const char *says; /* of all */
};

#define OK    TLS_CLIENT_VERIFIED
#define NO    TLS_CLIENT_BROKEN
#define TRUST TLS_CLIENT_UNTRUSTED
#define NONE  DEST_DANE_NONE
#define GOOD  PROBE_GOOD
#define BAD   PROBE_BAD
#define LATER PROBE_LATER

static const struct row rows[] = {
    {"good, nothing published", PROBE_DONE, 0, 0, NONE, NO, OK, NULL, 0, GOOD, GOOD, GOOD, GOOD, ""},
    {"untrusted, nothing published", PROBE_DONE, 0, 0, NONE, NO, TRUST, NULL, 0, GOOD, BAD, GOOD, GOOD, ""},
    {"untrusted, enforce", PROBE_DONE, 0, 0, NONE, NO, TRUST, "enforce", 0, GOOD, BAD, GOOD, BAD, "self-signed"},
    {"untrusted, testing", PROBE_DONE, 0, 0, NONE, NO, TRUST, "testing", 0, GOOD, BAD, GOOD, BAD, "self-signed"},
    {"untrusted, mode none", PROBE_DONE, 0, 0, NONE, NO, TRUST, "none", 0, GOOD, BAD, GOOD, GOOD, ""},
    {"good, enforce", PROBE_DONE, 0, 0, NONE, NO, OK, "enforce", 0, GOOD, GOOD, GOOD, GOOD, ""},
    {"not in the policy", PROBE_DONE, 0, 0, NONE, NO, OK, "enforce", 1, GOOD, BAD, GOOD, BAD, "does not name"},
    {"no memory", PROBE_DONE, 0, 0, NONE, NO, TLS_CLIENT_LOCAL, "enforce", 0, GOOD, LATER, GOOD, LATER, ""},
    {"cut off", PROBE_GREETED, 0, 0, NONE, NO, NO, NULL, 0, BAD, BAD, BAD, BAD, "because"},
    {"cut off, not in the policy", PROBE_GREETED, 1, 0, NONE, NO, NO, "enforce", 1, LATER, BAD, LATER, BAD, "name"},
    {"later", PROBE_CONNECTED, 1, 0, NONE, NO, NO, "enforce", 0, LATER, LATER, LATER, LATER, "because"},
    {"no way there", PROBE_UNREACHABLE, 0, 1, NONE, NO, NO, NULL, 0, LATER, LATER, LATER, LATER, "no way"},
    {"TLS, but no EHLO", PROBE_TLS, 0, 0, NONE, NO, OK, NULL, 0, BAD, BAD, BAD, BAD, "because"},
    {"DANE", PROBE_DONE, 0, 0, DEST_DANE_USABLE, OK, TRUST, NULL, 0, GOOD, BAD, GOOD, GOOD, ""},
    {"DANE, another key", PROBE_DONE, 0, 0, DEST_DANE_USABLE, TLS_CLIENT_TLSA, OK, NULL, 0, GOOD, GOOD, BAD, BAD,
     "no TLSA record fits"},
    {"DANE, usage 2, a name", PROBE_DONE, 0, 0, DEST_DANE_USABLE, TLS_CLIENT_NAME, OK, NULL, 0, GOOD, GOOD, BAD, BAD,
     "usage 2"},
    {"DANE, usage 2 and no memory", PROBE_DONE, 0, 0, DEST_DANE_USABLE, TLS_CLIENT_LOCAL, OK, NULL, 0, GOOD, GOOD,
     LATER, LATER, "memory"},
    {"DANE good, MTA-STS not", PROBE_DONE, 0, 0, DEST_DANE_USABLE, OK, TRUST, "enforce", 0, GOOD, BAD, GOOD, BAD, ""},
    {"DANE unusable", PROBE_DONE, 0, 0, DEST_DANE_UNUSABLE, NO, TRUST, NULL, 0, GOOD, BAD, GOOD, GOOD, ""},
    {"TLSA not known", PROBE_DONE, 0, 0, DEST_DANE_TEMP, NO, OK, NULL, 0, GOOD, GOOD, LATER, LATER, "TLSA"},
    {"TLSA not known, no STARTTLS", PROBE_GREETED, 0, 0, DEST_DANE_TEMP, NO, NO, NULL, 0, BAD, BAD, BAD, BAD, ""},
};

static void set_policy(struct dest *d, const char *mode)
{
    char body[200];
    struct err e;

    (void)snprintf(body, sizeof(body), "version: STSv1\nmode: %s\nmx: %s\nmax_age: 86400\n", mode, MX);
    assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, strlen(body), NOW, &e), 0);
    d->sts.record = DEST_STS_FOUND;
}

static struct cert_facts *cert_add(struct probe_address *at, const char *subject, const char *issuer, int64_t days)
{
    struct cert_facts *c = &at->chain[at->chain_count++];

    (void)snprintf(c->subject, sizeof(c->subject), "CN=%s", subject);
    (void)snprintf(c->issuer, sizeof(c->issuer), "CN=%s", issuer);
    c->self_issued = strcmp(subject, issuer) == 0;
    c->not_before = NOW - 100 * DAY;
    c->not_after = NOW + days * DAY;
    return c;
}

static struct probe *probe_make(const char *policy)
{
    struct probe *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->dest = dest_new("example.com");
    p->dest->mx = DEST_MX_LIST;
    p->now = NOW;
    p->warn_before = 21 * DAY;
    assert_non_null(dest_add_host(p->dest, MX, 10));
    if (policy != NULL)
        set_policy(p->dest, policy);
    p->hosts = 1;
    p->host[0] = (struct probe_host){.host = &p->dest->host[0], .in_policy = true, .count = 1};
    p->host[0].at[0] = (struct probe_address){.address = "192.0.2.1", .stage = PROBE_DONE, .looked = NOW};
    return p;
}

static struct tls_client_judgement judged(enum tls_client_result result)
{
    return (struct tls_client_judgement){result, result == TRUST ? "self-signed certificate" : ""};
}

static void test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct probe *p = probe_make(row->policy);
        struct probe_host *host = &p->host[0];
        struct probe_address *at = &host->at[0];
        struct err e = {""};

        print_message("%s\n", row->name);
        p->dest->host[0].dane = row->dane;
        host->in_policy = row->unnamed == 0;
        at->stage = row->stage;
        at->later = row->later != 0;
        at->unrouted = row->unrouted != 0;
        (void)snprintf(at->why, sizeof(at->why), "%s", row->stage == PROBE_DONE ? "" : "because");
        at->dane = judged(row->by_dane);
        at->pkix = judged(row->by_pkix);
        cert_add(at, "x", "x", 90);
        assert_int_equal(probe_any(at, &e), row->any);
        assert_int_equal(probe_sts(host, at, &e), row->sts);
        assert_int_equal(probe_dane(host, at, &e), row->by_tlsa);
        e.text[0] = '\0';
        assert_int_equal(probe_all(p, &e), row->all);
        assert_non_null(strstr(e.text, row->says));
        assert_int_equal(e.text[0] == '\0', row->all == GOOD);
        probe_free(p);
    }
}

/* --- hosts and addresses --- */

static void test_unrouted_beside_good(void **state)
{
    struct probe *p = probe_make(NULL);
    struct err e = {""};

    (void)state;
    p->host[0].count = 2;
    p->host[0].at[1] = (struct probe_address){.address = "2001:db8::1", .unrouted = true};
    assert_int_equal(probe_all(p, &e), GOOD);
    p->host[0].at[1].unrouted = false;
    assert_int_equal(probe_all(p, &e), BAD);
    assert_string_equal(e.text, MX " [2001:db8::1]: it was not asked");
    probe_free(p);
}

static void test_worst_is_told(void **state)
{
    struct probe *p = probe_make(NULL);
    struct err e = {""};

    (void)state;
    p->host[0].count = 3;
    p->host[0].at[1] = (struct probe_address){.address = "192.0.2.2", .later = true, .why = "slow"};
    p->host[0].at[2] = (struct probe_address){.address = "192.0.2.3", .why = "closed"};
    assert_int_equal(probe_all(p, &e), BAD);
    assert_string_equal(e.text, MX " [192.0.2.3]: closed");
    probe_free(p);
}

static void test_no_host(void **state)
{
    static const struct {
        enum dest_mx mx;
        enum probe_verdict want;
    } none[] = {{DEST_MX_TEMP, LATER},
                {DEST_MX_NODOMAIN, BAD},
                {DEST_MX_NULL, BAD},
                {DEST_MX_IMPLICIT, BAD},
                {DEST_MX_LIST, BAD}};
    struct probe *p = probe_make(NULL);

    (void)state;
    p->hosts = 0;
    for (size_t i = 0; i < COUNT(none); i++) {
        struct err e = {""};

        p->dest->mx = none[i].mx;
        assert_int_equal(probe_all(p, &e), none[i].want);
        assert_non_null(strstr(e.text, "example.com"));
    }
    probe_free(p);
}

static void test_sts_broken(void **state)
{
    struct probe *p = probe_make(NULL);
    struct err e = {""};

    (void)state;
    p->dest->sts.record = DEST_STS_TEMP;
    assert_int_equal(probe_all(p, &e), LATER);
    p->dest->sts.record = DEST_STS_FOUND;
    p->dest->sts.failure = DEST_STS_FETCH_ERROR;
    assert_int_equal(probe_all(p, &e), BAD);
    p->dest->sts.failure = DEST_STS_OK;
    p->dest->sts.record = DEST_STS_INVALID;
    assert_int_equal(probe_all(p, &e), BAD);
    probe_free(p);
}

static void test_ending(void **state)
{
    struct probe *p = probe_make(NULL);
    struct err e = {""};

    (void)state;
    assert_false(probe_ending(p, &e));
    cert_add(&p->host[0].at[0], "x", "y", 21);
    assert_false(probe_ending(p, &e));
    p->host[0].at[0].chain[0].not_after--;
    assert_true(probe_ending(p, &e));
    assert_string_equal(e.text, MX " [192.0.2.1]: the certificate ends in 20 days");
    p->host[0].at[0].chain[0].not_after = NOW - 3 * DAY;
    assert_true(probe_ending(p, &e));
    assert_non_null(strstr(e.text, "has ended 3 days ago"));
    p->host[0].at[0].chain[0].not_after = NOW - 3600;
    assert_true(probe_ending(p, &e));
    assert_non_null(strstr(e.text, "has ended less than a day ago"));
    p->host[0].at[0].chain[0].not_after = NOW + 3600;
    assert_true(probe_ending(p, &e));
    assert_non_null(strstr(e.text, "ends in less than a day"));
    p->host[0].at[0].chain[0].not_after = NOW + DAY;
    assert_true(probe_ending(p, &e));
    assert_non_null(strstr(e.text, "ends in 1 day"));
    assert_null(strstr(e.text, "1 days"));
    probe_free(p);
}

/* --- chains --- */

static void test_chain_why(void **state)
{
    static const struct {
        const char *chain[4][2]; /* subject, issuer */
        int64_t days[4];
        enum tls_client_result result;
        const char *words, *says;
    } chains[] = {
        {{{"x", "x"}}, {9}, TRUST, "self-signed certificate", "self-signed, so nobody"},
        {{{"x", "m"}}, {9}, TRUST, "unable to get local issuer certificate", "the certificate of CN=m is missing"},
        {{{"x", "m"}, {"m", "r"}}, {9, 9}, TRUST, "unable to get local issuer certificate", "of CN=r is missing"},
        {{{"x", "m"}, {"m", "r"}, {"r", "r"}},
         {9, 9, 9},
         TRUST,
         "self-signed certificate in certificate chain",
         "not one that senders trust: CN=r"},
        {{{"x", "m"}, {"n", "r"}, {"m", "n"}},
         {9, 9, 9},
         TRUST,
         "unable to get local issuer certificate",
         "out of order, and CN=r is not in it"},
        {{{"x", "m"}}, {-2}, TLS_CLIENT_EXPIRED, "certificate has expired", "has expired 2 days ago"},
        {{{"x", "m"}, {"m", "r"}},
         {9, -1},
         TLS_CLIENT_EXPIRED,
         "certificate has expired",
         "certificate 2 of the chain, CN=m"},
        {{{"x", "m"}}, {9}, TLS_CLIENT_NAME, "hostname mismatch", "no host names"},
        {{{"x", "m"}}, {9}, TRUST, "CA md too weak", "CA md too weak"},
        {{{"a", "b"}, {"b", "a"}}, {9, 9}, TRUST, "unable to get local issuer certificate", "missing|order"},
        {{{NULL}}, {0}, TLS_CLIENT_EXPIRED, "certificate has expired", "certificate has expired"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(chains); i++) {
        struct probe *p = probe_make(NULL);
        struct probe_address *at = &p->host[0].at[0];
        struct err e = {""};

        for (size_t c = 0; c < 4 && chains[i].chain[c][0] != NULL; c++)
            cert_add(at, chains[i].chain[c][0], chains[i].chain[c][1], chains[i].days[c]);
        at->pkix = (struct tls_client_judgement){chains[i].result, chains[i].words};
        probe_chain_why(at, MX, &e);
        if (strchr(chains[i].says, '|') == NULL)
            assert_non_null(strstr(e.text, chains[i].says));
        assert_true(e.text[0] != '\0'); /* and a chain that goes round ends */
        probe_free(p);
    }
}

static void test_crooked(void **state)
{
    struct probe *p = probe_make(NULL);
    struct probe_address *at = &p->host[0].at[0];

    (void)state;
    cert_add(at, "x", "m", 9);
    cert_add(at, "m", "r", 9);
    assert_false(probe_chain_crooked(at));
    cert_add(at, "r", "r", 9);
    assert_false(probe_chain_crooked(at));
    at->chain_count = 1;
    cert_add(at, "r", "r", 9);
    cert_add(at, "m", "r", 9);
    assert_true(probe_chain_crooked(at));
    probe_free(p);
}

/* --- for people and programs --- */

static void test_print_and_json(void **state)
{
    struct probe *p = probe_make("testing");
    struct probe_address *at = &p->host[0].at[0];
    struct buf out;
    json_t *j;

    (void)state;
    cert_add(at, "x", "x", 9);
    at->pkix = judged(TRUST);
    at->dane = judged(NO);
    (void)snprintf(at->greeting, sizeof(at->greeting), "\x1b[31m\xff");
    buf_init(&out, 100000);
    probe_print(&out, p, false);
    assert_true(buf_ok(&out));
    assert_null(strchr(buf_text(&out), '\x1b'));
    assert_non_null(strstr(buf_text(&out), "wrong: " MX " [192.0.2.1]: the certificate is self-signed"));
    assert_non_null(strstr(buf_text(&out), "-> get a certificate"));
    assert_non_null(strstr(buf_text(&out), "note: example.com: its MTA-STS policy is in mode testing"));
    buf_clear(&out);
    at->greeting[0] = '\0';
    p->host[0].count = 2;
    p->host[0].at[1] = *at; /* another address with the same: told once */
    j = probe_json(p);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "verdict")), "bad");
    assert_true(json_is_true(json_object_get(j, "ending_soon")));
    assert_int_equal(json_array_size(json_object_get(j, "findings")), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(j, "findings"), 1), "about")),
                        MX " [192.0.2.1] and 1 more");
    json_decref(j);
    probe_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),       cmocka_unit_test(test_unrouted_beside_good),
        cmocka_unit_test(test_worst_is_told),  cmocka_unit_test(test_no_host),
        cmocka_unit_test(test_sts_broken),     cmocka_unit_test(test_ending),
        cmocka_unit_test(test_chain_why),      cmocka_unit_test(test_crooked),
        cmocka_unit_test(test_print_and_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
