/* attempt_judge.t.c - tests of attempt_judge.c: what is told of an attempt, by facts and by what the log says of it. */
#include "attempt_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW      1795341600

enum sts { NO_STS, ENFORCE, TESTING, NONE, OTHER, TESTING_OTHER };
enum dane { NO_TLSA, USABLE, UNUSABLE, TEMP };

static struct dest *dest_made(enum sts sts, enum dane tlsa)
{
    static const enum dest_dane dane[] = {DEST_DANE_NONE, DEST_DANE_USABLE, DEST_DANE_UNUSABLE, DEST_DANE_TEMP};
    static const char *const modes[] = {"", "enforce", "testing", "none", "enforce", "testing"};
    struct dest *d = dest_new("a.test");
    struct dest_host *host = dest_add_host(d, "mx.a.test", 10);
    char body[200];
    int len = snprintf(body, sizeof(body), "version: STSv1\nmode: %s\nmx: %s\nmax_age: 86400\n", modes[sts],
                       sts == OTHER || sts == TESTING_OTHER ? "mx.b.test" : "*.a.test");
    struct tlsa rr;

    d->resolved = NOW;
    d->mx = DEST_MX_LIST;
    d->mx_secure = tlsa != NO_TLSA;
    host->dane = dane[tlsa];
    if (tlsa == USABLE || tlsa == UNUSABLE) {
        assert_int_equal(tlsa_parse(&rr, "3 1 1 ab", 8, NULL), 0);
        assert_int_equal(dest_add_tlsa(host, &rr), 0);
        (void)snprintf(host->tlsa_base, sizeof(host->tlsa_base), "mx.a.test");
    }
    if (sts != NO_STS)
        assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, (size_t)len, NOW, NULL), 0);
    (void)snprintf(d->tlsrpt, sizeof(d->tlsrpt), "v=TLSRPTv1; rua=mailto:r@a.test");
    return d;
}

static struct tls_attempt attempt_made(const char *host)
{
    struct tls_attempt a = {.at = NOW};

    (void)snprintf(a.domain, sizeof(a.domain), "a.test");
    (void)snprintf(a.host, sizeof(a.host), "%s", host);
    (void)snprintf(a.address, sizeof(a.address), "192.0.2.1");
    return a;
}

/* "1:ok 2:203/reason": each policy and what it says; "" when nothing is told. */
static void summarise(void *ctx, const struct tlsrpt_event *event)
{
    struct buf *out = ctx;

    assert_string_equal(event->domain, "a.test");
    assert_string_equal(event->record, "v=TLSRPTv1; rua=mailto:r@a.test");
    for (size_t i = 0; i < event->policies; i++) {
        const struct tlsrpt_policy *p = &event->policy[i];

        buf_printf(out, "%s%d:", out->len > 0 ? " " : "", (int)p->type);
        assert_int_equal(p->failed, p->failures == 1);
        if (!p->failed) {
            buf_str(out, "ok");
            continue;
        }
        buf_printf(out, "%d/%s", (int)p->failure->result, p->failure->reason);
        assert_string_equal(p->failure->receiving_ip, "192.0.2.1");
    }
}

static void told_is(const char *name, const struct tls_attempt *a, const struct dest *d, bool plain, const char *want)
{
    struct buf got;

    buf_init(&got, 1000);
    assert_int_equal(attempt_judge(a, d, plain, summarise, &got), 0);
    if (strcmp(buf_text(&got), want) != 0)
        fail_msg("%s: %s, not %s", name, buf_text(&got), want);
    buf_clear(&got);
}

#define S ATTEMPT_SENT
#define G ATTEMPT_NO_SECURITY
#define L ATTEMPT_LOST

#define V ATTEMPT_TLS, ATTEMPT_VERIFIED, ATTEMPT_FAULT_NONE
#define T ATTEMPT_TLS, ATTEMPT_TRUSTED, ATTEMPT_FAULT_NONE
#define U ATTEMPT_TLS, ATTEMPT_UNTRUSTED, ATTEMPT_FAULT_NONE
#define A ATTEMPT_TLS, ATTEMPT_ANONYMOUS, ATTEMPT_FAULT_NONE
#define I ATTEMPT_TLS, ATTEMPT_UNTRUSTED, ATTEMPT_FAULT_ISSUER
#define N ATTEMPT_TLS, ATTEMPT_UNTRUSTED, ATTEMPT_FAULT_NAME
#define X ATTEMPT_TLS, ATTEMPT_UNTRUSTED, ATTEMPT_FAULT_EXPIRED
#define D ATTEMPT_TLS, ATTEMPT_UNTRUSTED, ATTEMPT_FAULT_TLSA
#define O ATTEMPT_TLS, ATTEMPT_TRUSTED, ATTEMPT_FAULT_NAME
#define C ATTEMPT_NO_TLS, ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE
#define M ATTEMPT_NOT_OFFERED, ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE
#define R ATTEMPT_REFUSED, ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE
#define H ATTEMPT_HANDSHAKE_FAILED, ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE

static const struct {
    const char *name;
    enum sts sts;
    enum dane tlsa;
    enum attempt_tls tls;
    enum attempt_trust trust;
    enum attempt_fault fault;
    enum attempt_end end;
    const char *want;
} rows[] = {
    /* As Postfix 3.12 tells by datagrams where it can; the names are those of samples/README. */
    {"verified-sts", ENFORCE, NO_TLSA, V, S, "2:ok"},
    {"verified-verify", NO_STS, NO_TLSA, V, S, "9:ok"},
    {"trusted-may", NO_STS, NO_TLSA, T, S, "9:ok"},
    {"untrusted-may", NO_STS, NO_TLSA, I, S, "9:ok"},
    {"untrusted-secure", ENFORCE, NO_TLSA, I, G, "2:203/unable_to_get"},
    {"untrusted-secure, own wish", NO_STS, NO_TLSA, I, G, "9:203/unable_to_get"},
    {"expired-may", NO_STS, NO_TLSA, X, S, "9:ok"},
    {"expired-secure", ENFORCE, NO_TLSA, X, G, "2:204/unable_to_get"},
    {"mismatch-secure 3.7", ENFORCE, NO_TLSA, N, G, "2:202/unable_to_get"},
    {"mismatch-secure 3.12", ENFORCE, NO_TLSA, O, G, "2:202/unable_to_get"},
    {"mismatch-secure, not told why", ENFORCE, NO_TLSA, T, G, "2:202/unable_to_get"},
    {"anonymous-may", NO_STS, NO_TLSA, A, S, "9:ok"},
    {"nostarttls-encrypt", NO_STS, NO_TLSA, M, G, "9:201/starttls-absent"},
    {"nostarttls-secure", ENFORCE, NO_TLSA, M, G, "2:201/starttls-absent"},
    {"refusetls-may", NO_STS, NO_TLSA, R, S, "9:201/starttls-refused"},
    {"refusetls-secure", ENFORCE, NO_TLSA, R, G, "2:201/starttls-refused"},
    {"reset-secure", ENFORCE, NO_TLSA, H, G, "2:205/tls-handshake-failure"},
    {"reset-may", NO_STS, NO_TLSA, H, S, "9:205/tls-handshake-failure"},
    {"closetls", NO_STS, NO_TLSA, T, L, "9:ok"},
    {"dane-verified", NO_STS, USABLE, V, S, "1:ok"},
    {"dane-mismatch", NO_STS, USABLE, D, G, "1:203/unable_to_get"},
    {"dane-nostarttls", NO_STS, USABLE, M, G, "1:201/starttls-absent"},
    {"dane-notlsa", NO_STS, NO_TLSA, T, S, "9:ok"},
    {"tls-then-450", NO_STS, NO_TLSA, T, ATTEMPT_ANSWERED, "9:ok"},
    {"sts-mxmismatch", OTHER, NO_TLSA, N, G, "2:205/not-in-policy"},
    {"sts-mxmismatch 3.12", OTHER, NO_TLSA, C, ATTEMPT_MX_UNNAMED, "2:205/not-in-policy"},

    /* Testing: of these no Postfix tells. */
    {"testing-ok", TESTING, NO_TLSA, T, S, "2:ok"},
    {"testing-untrusted", TESTING, NO_TLSA, U, S, "2:203/unable_to_get"},
    {"testing, issuer", TESTING, NO_TLSA, I, S, "2:203/unable_to_get"},
    {"testing, expired", TESTING, NO_TLSA, X, S, "2:204/unable_to_get"},
    {"testing, another name", TESTING, NO_TLSA, O, S, "2:202/unable_to_get"},
    {"testing, anonymous", TESTING, NO_TLSA, A, S, "2:203/unable_to_get"},
    {"testing-nostarttls", TESTING, NO_TLSA, C, S, "2:201/starttls-absent"},
    {"testing-nostarttls, then 450", TESTING, NO_TLSA, C, ATTEMPT_ANSWERED, "2:201/starttls-absent"},
    {"testing-refused", TESTING, NO_TLSA, R, S, "2:201/starttls-refused"},
    {"testing-refused, encrypt", TESTING, NO_TLSA, R, G, "2:201/starttls-refused"},
    {"testing, not offered, encrypt", TESTING, NO_TLSA, M, G, "2:201/starttls-absent"},
    {"testing, not offered, lost", TESTING, NO_TLSA, C, L, ""},
    {"testing, another name 3.7", TESTING, NO_TLSA, N, S, "2:202/unable_to_get"},
    {"testing, name not looked at", TESTING, NO_TLSA, T, ATTEMPT_ANSWERED, "2:ok"},
    {"testing, verified", TESTING, NO_TLSA, V, S, "2:ok"},
    {"testing, untrusted, then lost", TESTING, NO_TLSA, U, L, "2:203/unable_to_get"},
    {"testing, handshake, then in clear", TESTING, NO_TLSA, H, S, "2:205/tls-handshake-failure"},
    {"testing, handshake", TESTING, NO_TLSA, H, L, "2:205/tls-handshake-failure"},
    {"testing, not named", TESTING_OTHER, NO_TLSA, T, S, "2:205/not-in-policy"},
    {"testing, not named, nor trusted", TESTING_OTHER, NO_TLSA, U, S, "2:205/not-in-policy"},
    {"testing, not named, 3.12", TESTING_OTHER, NO_TLSA, C, ATTEMPT_MX_UNNAMED, "2:205/not-in-policy"},
    {"testing, not named, nor TLS", TESTING_OTHER, NO_TLSA, C, S, "2:201/starttls-absent"},
    {"mode none is no policy", NONE, NO_TLSA, I, S, "9:ok"},

    /* J19: side by side. */
    {"J19 both", ENFORCE, USABLE, V, S, "1:ok 2:ok"},
    {"J19 both, testing", TESTING, USABLE, V, S, "1:ok 2:ok"},
    {"J19 not named", OTHER, USABLE, V, S, "1:ok 2:205/not-in-policy"},
    {"J19 no STARTTLS", ENFORCE, USABLE, M, G, "1:201/starttls-absent 2:201/starttls-absent"},
    {"J19 handshake", TESTING, USABLE, H, G, "1:205/tls-handshake-failure 2:205/tls-handshake-failure"},
    {"J19 no TLSA fits", ENFORCE, USABLE, D, G, "1:203/unable_to_get"},
    {"J19 no TLSA fits, not named", OTHER, USABLE, D, G, "1:203/unable_to_get 2:205/not-in-policy"},
    {"J19 the MTA has no DANE", ENFORCE, USABLE, I, G, "1:203/unable_to_get 2:203/unable_to_get"},
    {"J19 nobody looked", TESTING, USABLE, I, S, "1:ok 2:203/unable_to_get"},
    {"J19 testing, no STARTTLS", TESTING, USABLE, M, G, "1:201/starttls-absent 2:201/starttls-absent"},
    {"J19 testing, refused", TESTING, USABLE, R, G, "1:201/starttls-refused 2:201/starttls-refused"},
    {"J19 testing, no TLSA fits", TESTING, USABLE, D, G, "1:203/unable_to_get"},
    {"J19 testing, not named", TESTING_OTHER, USABLE, V, S, "1:ok 2:205/not-in-policy"},
    {"J19 mode none", NONE, USABLE, V, S, "1:ok"},
    {"J19 3.12 passed it over", OTHER, USABLE, C, ATTEMPT_MX_UNNAMED, "2:205/not-in-policy"},

    {"no record is usable", NO_STS, UNUSABLE, U, S, "1:304/no-usable-record"},
    {"no record is usable, STS", ENFORCE, UNUSABLE, V, S, "1:304/no-usable-record 2:ok"},
    {"no record is usable, no STARTTLS", NO_STS, UNUSABLE, M, G, "1:201/starttls-absent"},
    {"TLSA look-up", ENFORCE, TEMP, C, G, "1:305/tlsa-temp"},
    {"TLSA look-up, yet TLS", ENFORCE, TEMP, T, S, "1:305/tlsa-temp 2:ok"},
    {"TLSA look-up went well for the MTA", NO_STS, TEMP, V, S, "1:ok"},

    /* No session, or none that a policy is for. */
    {"lost before TLS", ENFORCE, USABLE, C, L, ""},
    {"passed over, without a policy", NO_STS, NO_TLSA, C, ATTEMPT_MX_UNNAMED, ""},
    {"clear, no policy", NO_STS, NO_TLSA, C, S, "9:201/starttls-absent"},
    {"own wish, not told why", NO_STS, NO_TLSA, V, G, "9:205/unable_to_get"},
};

static void judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dest *d = dest_made(rows[i].sts, rows[i].tlsa);
        struct tls_attempt a = attempt_made("mx.a.test");

        a.tls = rows[i].tls;
        a.trust = rows[i].trust;
        a.fault = rows[i].fault;
        a.end = rows[i].end;
        (void)snprintf(a.reason, sizeof(a.reason), "unable_to get");
        told_is(rows[i].name, &a, d, false, rows[i].want);
        d->tlsrpt[0] = '\0';
        told_is("W3 no TLSRPT record", &a, d, false, "");
        dest_free(d);
    }
}

/* J15: where the MTA says no reason, there is one. */
static void reasons(void **state)
{
    static const struct {
        enum attempt_tls tls;
        enum attempt_trust trust;
        enum attempt_fault fault;
        const char *want;
    } all[] = {{U, "2:203/certificate-not-trusted"},
               {N, "2:202/hostname-mismatch"},
               {X, "2:204/certificate-expired"},
               {A, "2:203/no-certificate"}};
    struct dest *d = dest_made(TESTING, NO_TLSA);

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct tls_attempt a = attempt_made("mx.a.test");

        a.tls = all[i].tls;
        a.trust = all[i].trust;
        a.fault = all[i].fault;
        told_is("reason", &a, d, false, all[i].want);
    }
    dest_free(d);
}

/* Plain text that was wanted, and hosts that are none of the domain's. */
static void not_told(void **state)
{
    struct dest *d = dest_made(ENFORCE, USABLE);
    struct tls_attempt a = attempt_made("mx.a.test");

    (void)state;
    told_is("plain text was wanted", &a, d, true, "");
    a.tls = ATTEMPT_TLS;
    a.trust = ATTEMPT_VERIFIED;
    told_is("but then there was TLS", &a, d, true, "1:ok 2:ok");

    a = attempt_made("smarthost.test");
    told_is("smart host", &a, d, false, "");
    a.end = ATTEMPT_MX_UNNAMED;
    told_is("not named by a policy that is not ours", &a, d, false, "2:205/not-in-policy");
    a.end = ATTEMPT_SENT;
    d->mx_truncated = true;
    told_is("smart host, and a domain with too many hosts to know them all", &a, d, false, "");
    assert_true(attempt_is_direct(&a, d)); /* for fallback */
    a = attempt_made("mx.a.test");
    told_is("one of very many hosts that is known", &a, d, false, "1:201/starttls-absent 2:201/starttls-absent");
    a = attempt_made("");
    told_is("address", &a, d, false, "");
    d->sts.expires = NOW;
    d->mx_truncated = false;
    a = attempt_made("mx.a.test");
    a.tls = ATTEMPT_TLS;
    told_is("a policy that has ended", &a, d, false, "1:ok");
    dest_free(d);
}

static void demands(void **state)
{
    static const struct {
        enum sts sts;
        enum dane tlsa;
        bool want;
    } all[] = {{NO_STS, NO_TLSA, false}, {NONE, NO_TLSA, false}, {ENFORCE, NO_TLSA, true},
               {TESTING, NO_TLSA, true}, {NO_STS, USABLE, true}, {NO_STS, TEMP, true}};

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct dest *d = dest_made(all[i].sts, all[i].tlsa);

        assert_int_equal(attempt_policy_demands(d), all[i].want);
        dest_free(d);
    }
}

static void fallback(void **state)
{
    static const struct {
        enum attempt_tls tls;
        enum attempt_end end;
        int want; /* -1: nothing */
    } all[] = {
        {ATTEMPT_TLS, ATTEMPT_SENT, FALLBACK_TLS_DONE},
        {ATTEMPT_TLS, ATTEMPT_ANSWERED, FALLBACK_TLS_DONE},
        {ATTEMPT_TLS, ATTEMPT_LOST, FALLBACK_LATER_FAILED},
        {ATTEMPT_TLS, ATTEMPT_NO_SECURITY, FALLBACK_HANDSHAKE_FAILED},
        {ATTEMPT_HANDSHAKE_FAILED, ATTEMPT_LOST, FALLBACK_HANDSHAKE_FAILED},
        {ATTEMPT_REFUSED, ATTEMPT_SENT, FALLBACK_HANDSHAKE_FAILED},
        {ATTEMPT_NOT_OFFERED, ATTEMPT_NO_SECURITY, FALLBACK_HANDSHAKE_FAILED},
        {ATTEMPT_NOT_OFFERED, ATTEMPT_SENT, FALLBACK_PLAIN_DONE},
        {ATTEMPT_NO_TLS, ATTEMPT_SENT, FALLBACK_PLAIN_DONE},
        {ATTEMPT_NO_TLS, ATTEMPT_ANSWERED, FALLBACK_PLAIN_DONE},
        {ATTEMPT_NO_TLS, ATTEMPT_LOST, -1},
        {ATTEMPT_NO_TLS, ATTEMPT_NO_SECURITY, -1},
        {ATTEMPT_NO_TLS, ATTEMPT_MX_UNNAMED, -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct tls_attempt a = attempt_made("mx.a.test");
        enum fallback_event event = FALLBACK_TLS_DONE;

        a.tls = all[i].tls;
        a.end = all[i].end;
        assert_int_equal(attempt_fallback(&event, &a), all[i].want >= 0);
        if (all[i].want >= 0)
            assert_int_equal(event, all[i].want);
    }
}

static void event_fallback(void **state)
{
    static const struct {
        const char *name;
        enum tlsrpt_policy_type type[2]; /* of the second 0: there is none */
        int result[2];                   /* 0: it came off */
        const char *reason;
        int want;
        const char *host;
    } all[] = {
        {"success", {TLSRPT_POLICY_NONE}, {0}, "", FALLBACK_TLS_DONE, ""},
        {"success by DANE", {TLSRPT_POLICY_TLSA}, {0}, "", FALLBACK_TLS_DONE, "mx.tlsa.test"},
        {"no STARTTLS", {TLSRPT_POLICY_STS}, {201}, "", FALLBACK_HANDSHAKE_FAILED, "mx.a.test"},
        {"handshake", {TLSRPT_POLICY_NONE}, {205}, "tls-handshake-failure", FALLBACK_HANDSHAKE_FAILED, "mx.a.test"},
        {"certificate", {TLSRPT_POLICY_TLSA}, {203}, "", FALLBACK_HANDSHAKE_FAILED, "mx.a.test"},
        {"not named", {TLSRPT_POLICY_STS}, {205}, "not-in-policy", -1, "mx.a.test"},
        {"fetch", {TLSRPT_POLICY_STS}, {301}, "", -1, "mx.a.test"},
        {"TLSA look-up", {TLSRPT_POLICY_TLSA}, {305}, "", -1, "mx.a.test"},
        {"one well", {TLSRPT_POLICY_TLSA, TLSRPT_POLICY_STS}, {0, 202}, "", FALLBACK_TLS_DONE, "mx.tlsa.test"},
        {"none well", {TLSRPT_POLICY_TLSA, TLSRPT_POLICY_STS}, {203, 202}, "", FALLBACK_HANDSHAKE_FAILED, "mx.a.test"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct tlsrpt_failure f[2];
        struct tlsrpt_policy p[2];
        struct tlsrpt_event event = {.domain = "a.test", .policy = p};
        enum fallback_event got = FALLBACK_TLS_DONE;
        const char *host = NULL;

        for (; event.policies < 2 && all[i].type[event.policies] != 0; event.policies++) {
            size_t n = event.policies;
            bool failed = all[i].result[n] != 0;

            f[n] = (struct tlsrpt_failure){
                .result = (enum tlsrpt_result)all[i].result[n], .mx_name = "mx.a.test", .reason = all[i].reason};
            p[n] = (struct tlsrpt_policy){.type = all[i].type[n],
                                          .domain = all[i].type[n] == TLSRPT_POLICY_TLSA ? "mx.tlsa.test" : "a.test",
                                          .failure = &f[n],
                                          .failures = failed,
                                          .failed = failed};
        }
        if (tlsrpt_event_fallback(&got, &host, &event) != (all[i].want >= 0))
            fail_msg("%s", all[i].name);
        if (all[i].want >= 0 && (int)got != all[i].want)
            fail_msg("%s: %s", all[i].name, fallback_event_name(got));
        assert_string_equal(host, all[i].host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judged),  cmocka_unit_test(reasons),  cmocka_unit_test(not_told),
        cmocka_unit_test(demands), cmocka_unit_test(fallback), cmocka_unit_test(event_fallback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
