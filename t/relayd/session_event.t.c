/* session_event.t.c - tests of session_event.c: what is told of a session with an MX host (J12 to J19). */
#include "session_event.h"

#include "tlsrpt_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW      1795341600

enum sts { NO_STS, ENFORCE, TESTING, ENFORCE_OTHER, TESTING_OTHER };
enum dane_facts { NO_TLSA, USABLE, UNUSABLE, TEMP };

#define WELL     RELAY_FAILED_NOTHING
#define UNJUDGED RELAY_FAILED_HANDSHAKE
#define ABSENT   RELAY_FAILED_STARTTLS_ABSENT
#define SELF     RELAY_FAILED_CERT_UNTRUSTED
#define NAME     RELAY_FAILED_CERT_NAME
#define EXPIRED  RELAY_FAILED_CERT_EXPIRED
#define TLSA     RELAY_FAILED_CERT_TLSA

static struct dest *dest_made(enum sts sts, enum dane_facts tlsa, bool wants_reports)
{
    static const enum dest_dane dane[] = {DEST_DANE_NONE, DEST_DANE_USABLE, DEST_DANE_UNUSABLE, DEST_DANE_TEMP};
    struct dest *d = dest_new("a.test");
    struct dest_host *host = dest_add_host(d, "mx.a.test", 10);
    char body[200];
    int len = snprintf(body, sizeof(body), "version: STSv1\nmode: %s\nmx: %s\nmax_age: 86400\n",
                       sts == ENFORCE || sts == ENFORCE_OTHER ? "enforce" : "testing",
                       sts == ENFORCE || sts == TESTING ? "*.a.test" : "mx.b.test");
    struct tlsa rr;

    d->mx_secure = tlsa != NO_TLSA;
    host->dane = dane[tlsa];
    if (tlsa == USABLE || tlsa == UNUSABLE) {
        assert_int_equal(tlsa_parse(&rr, "3 1 1 ab", 8, NULL), 0);
        assert_int_equal(dest_add_tlsa(host, &rr), 0);
        (void)snprintf(host->tlsa_base, sizeof(host->tlsa_base), "mx.a.test");
    }
    if (sts != NO_STS)
        assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, (size_t)len, NOW, NULL), 0);
    if (wants_reports)
        (void)snprintf(d->tlsrpt, sizeof(d->tlsrpt), "v=TLSRPTv1; rua=mailto:r@a.test");
    return d;
}

/* "1:ok 2:303/reason": each policy and what it says. */
static void summary_write(struct buf *out, const json_t *event)
{
    size_t i;
    json_t *p;

    json_array_foreach(json_object_get(event, "policies"), i, p)
    {
        const json_t *failure = json_array_get(json_object_get(p, "failure-details"), 0);

        buf_printf(out, "%s%d:", i > 0 ? " " : "", (int)json_integer_value(json_object_get(p, "policy-type")));
        assert_int_equal(json_integer_value(json_object_get(p, "t")), failure != NULL);
        assert_int_equal(json_integer_value(json_object_get(p, "f")), failure != NULL);
        if (failure == NULL) {
            buf_str(out, "ok");
            continue;
        }
        buf_printf(out, "%d/%s", (int)json_integer_value(json_object_get(failure, "c")),
                   json_string_value(json_object_get(failure, "f")));
        assert_string_equal(json_string_value(json_object_get(failure, "n")), "mx.a.test");
        assert_string_equal(json_string_value(json_object_get(failure, "s")), "192.0.2.1");
        assert_string_equal(json_string_value(json_object_get(failure, "r")), "2001:db8::1");
        assert_string_equal(json_string_value(json_object_get(failure, "h")), "\"helo");
    }
}

static void told_is(const struct session *s, const char *want)
{
    struct buf out, got;
    json_t *json;

    buf_init(&out, TLSRPT_EVENT_MAX);
    buf_init(&got, 1000);
    if (session_event_write(&out, s, NOW)) {
        json = json_loadb(out.data, out.len, 0, NULL);
        assert_non_null(json);
        summary_write(&got, json);
        json_decref(json);
    } else {
        assert_int_equal(out.len, 0);
    }
    assert_string_equal(buf_text(&got), want);
    buf_clear(&out);
    buf_clear(&got);
}

static void outcomes(void **state)
{
    static const struct {
        const char *name;
        enum sts sts;
        enum dane_facts tlsa;
        enum relay_failed what, dane, pkix;
        const char *want;
    } rows[] = {
        {"good by STS", ENFORCE, NO_TLSA, WELL, UNJUDGED, WELL, "2:ok"},
        {"good by DANE", NO_STS, USABLE, WELL, WELL, UNJUDGED, "1:ok"},
        {"J19 good by both", ENFORCE, USABLE, WELL, WELL, WELL, "1:ok 2:ok"},
        {"good without a policy", NO_STS, NO_TLSA, WELL, UNJUDGED, WELL, "9:ok"},

        {"J19 DANE well, STS not", ENFORCE, USABLE, SELF, WELL, SELF, "1:ok 2:203/self-signed_certificate"},
        {"J19 STS well, DANE not", ENFORCE, USABLE, TLSA, TLSA, WELL, "1:203/cert-tlsa 2:ok"},
        {"J19 neither", ENFORCE, USABLE, TLSA, TLSA, NAME, "1:203/cert-tlsa 2:202/cert-name"},
        {"J19 no STARTTLS", ENFORCE, USABLE, ABSENT, UNJUDGED, UNJUDGED, "1:201/starttls-absent 2:201/starttls-absent"},
        {"J19 testing, DANE well", TESTING, USABLE, WELL, WELL, NAME, "1:ok 2:202/cert-name"},
        {"J19 testing, all well", TESTING, USABLE, WELL, WELL, WELL, "1:ok 2:ok"},
        {"testing, not named", TESTING_OTHER, USABLE, WELL, WELL, WELL, "1:ok 2:205/not-in-policy"},
        {"testing, not named, and expired", TESTING_OTHER, USABLE, WELL, WELL, EXPIRED, "1:ok 2:205/not-in-policy"},

        {"expired", ENFORCE, NO_TLSA, EXPIRED, UNJUDGED, EXPIRED, "2:204/cert-expired"},
        {"another name", ENFORCE, NO_TLSA, NAME, UNJUDGED, NAME, "2:202/cert-name"},
        {"not trusted", ENFORCE, NO_TLSA, SELF, UNJUDGED, SELF, "2:203/self-signed_certificate"},
        {"no TLSA match", NO_STS, USABLE, TLSA, TLSA, UNJUDGED, "1:203/cert-tlsa"},
        {"DANE-TA, another name", NO_STS, USABLE, NAME, NAME, UNJUDGED, "1:202/cert-name"},
        {"no policy, not trusted", NO_STS, NO_TLSA, SELF, UNJUDGED, SELF, "9:203/self-signed_certificate"},
        {"no record is usable", NO_STS, UNUSABLE, WELL, UNJUDGED, WELL, "1:304/no-usable-record"},
        {"no record is usable, STS", ENFORCE, UNUSABLE, WELL, UNJUDGED, WELL, "1:304/no-usable-record 2:ok"},
        {"no record is usable, no STARTTLS", NO_STS, UNUSABLE, ABSENT, UNJUDGED, UNJUDGED, "1:201/starttls-absent"},

        {"STARTTLS 454", ENFORCE, NO_TLSA, RELAY_FAILED_STARTTLS_TEMP, UNJUDGED, UNJUDGED, "2:201/starttls-temp"},
        {"STARTTLS 554", ENFORCE, NO_TLSA, RELAY_FAILED_STARTTLS_PERM, UNJUDGED, UNJUDGED, "2:201/starttls-perm"},
        {"no EHLO", ENFORCE, NO_TLSA, RELAY_FAILED_EHLO_PERM, UNJUDGED, UNJUDGED, "2:201/ehlo-perm"},
        {"injection", ENFORCE, NO_TLSA, RELAY_FAILED_STARTTLS_INJECTION, UNJUDGED, UNJUDGED,
         "2:205/starttls-injection"},
        {"handshake", ENFORCE, NO_TLSA, RELAY_FAILED_HANDSHAKE, UNJUDGED, UNJUDGED, "2:205/handshake"},
        {"broken after the certificate", ENFORCE, NO_TLSA, RELAY_FAILED_HANDSHAKE, UNJUDGED, WELL, "2:205/handshake"},
        {"refused", ENFORCE, NO_TLSA, RELAY_FAILED_HANDSHAKE_REFUSED, UNJUDGED, UNJUDGED, "2:205/handshake-refused"},

        {"not named", ENFORCE_OTHER, NO_TLSA, RELAY_FAILED_NOT_IN_POLICY, UNJUDGED, UNJUDGED, "2:205/not-in-policy"},
        {"not named, DANE was not tried", ENFORCE_OTHER, USABLE, RELAY_FAILED_NOT_IN_POLICY, UNJUDGED, UNJUDGED,
         "2:205/not-in-policy"},
        {"TLSA look-up", NO_STS, TEMP, RELAY_FAILED_TLSA_TEMP, UNJUDGED, UNJUDGED, "1:305/tlsa-temp"},
        {"TLSA look-up, STS was not tried", ENFORCE, TEMP, RELAY_FAILED_TLSA_TEMP, UNJUDGED, UNJUDGED,
         "1:305/tlsa-temp"},

        {"no connection", ENFORCE, NO_TLSA, RELAY_FAILED_CONNECT, UNJUDGED, UNJUDGED, ""},
        {"time-out", ENFORCE, NO_TLSA, RELAY_FAILED_CONNECT_TIMEOUT, UNJUDGED, UNJUDGED, ""},
        {"421", ENFORCE, NO_TLSA, RELAY_FAILED_GREETING_TEMP, UNJUDGED, UNJUDGED, ""},
        {"554", ENFORCE, NO_TLSA, RELAY_FAILED_GREETING_PERM, UNJUDGED, UNJUDGED, ""},
        {"lost", ENFORCE, NO_TLSA, RELAY_FAILED_LOST, UNJUDGED, UNJUDGED, ""},
        {"our side", ENFORCE, NO_TLSA, RELAY_FAILED_LOCAL, UNJUDGED, UNJUDGED, ""},
        {"the policy could not be fetched", NO_STS, NO_TLSA, RELAY_FAILED_POLICY_FETCH, UNJUDGED, UNJUDGED, ""},
        {"not authenticated", TESTING, NO_TLSA, RELAY_FAILED_UNAUTHENTICATED, UNJUDGED, UNJUDGED, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int wants = 0; wants < 2; wants++) {
            struct dest *d = dest_made(rows[i].sts, rows[i].tlsa, wants == 1);
            const char *words = "self-signed certificate";
            const struct session s = {
                d,           d->host,       rows[i].what, {rows[i].dane, words}, {rows[i].pkix, words},
                "192.0.2.1", "2001:db8::1", "\"helo"};

            print_message("%s\n", rows[i].name);
            told_is(&s, wants == 1 ? rows[i].want : "");
            dest_free(d);
        }
}

/* A verified session fails no more by what follows; every name of a result is one of the list. */
static void names(void **state)
{
    (void)state;
    for (int what = 0; what < RELAY_FAILED_COUNT; what++) {
        const char *name = relay_failed_tlsrpt((enum relay_failed)what);
        enum tlsrpt_result result;

        assert_true(name[0] == '\0' || tlsrpt_result_of_name(&result, name));
        if (what >= RELAY_FAILED_TLS_EHLO_TEMP)
            assert_string_equal(name, "");
    }
}

static void skipped(void **state)
{
    struct dest *d = dest_new("a.test");
    struct relay_path path = {.dest = d, .usable = 1, .count = 2};

    (void)state;
    dest_add_host(d, "mx1.a.test", 10);
    dest_add_host(d, "mx2.a.test", 20);
    path.candidate[0] = (struct relay_candidate){.host = &d->host[1], .pkix = true};
    path.candidate[1] = (struct relay_candidate){.host = &d->host[0], .barred = RELAY_FAILED_NOT_IN_POLICY};
    assert_true(session_event_skipped(&path, &path.candidate[1])); /* it would have come first */
    assert_false(session_event_skipped(&path, &path.candidate[0]));
    d->host[0].preference = 20;
    assert_false(session_event_skipped(&path, &path.candidate[1]));
    path.candidate[0] = path.candidate[1];
    path.usable = 0;
    path.count = 1;
    assert_true(session_event_skipped(&path, &path.candidate[0]));
    dest_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes),
        cmocka_unit_test(names),
        cmocka_unit_test(skipped),
    };
    return cmocka_run_group_tests_name("session_event", tests, NULL, NULL);
}
