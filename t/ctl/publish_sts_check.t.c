/*
 * publish_sts_check.t.c - what is found wrong with the policy of an own domain, from within and from outside (RFC
 * 8461 3.1, 3.2, 3.3).
 */
#include "publish_sts_check.h"
#include "publish_sts.h"
#include "publish_sts_made.h"

/* --- what is found --- */

static void hosts(void **state)
{
    static const struct {
        const char *published, *facts, *want;
    } rows[] = {
        {"enforce 1 0 0 mx1.example.com", "mx1.example.com", "ok MX mx1.example.com"},
        {"testing 1 0 0 *.example.com", "mx1.example.com mx2.example.com",
         "ok MX mx1.example.com|ok MX mx2.example.com"},
        {"testing 1 0 0 *.example.com", "mx.in.example.com", "bad MX mx.in.example.com|warn mx *.example.com"},
        {"enforce 1 0 0 mx1.example.com,old.example.com", "mx1.example.com mx2.example.com",
         "ok MX mx1.example.com|bad MX mx2.example.com|warn mx old.example.com"},
        {"enforce 1 0 0 mx1.example.com", "-temp", "unknown MX records"},
        {"enforce 1 0 0 mx1.example.com", NULL, "unknown MX records"},
        {"enforce 1 0 0 mx1.example.com", "-null", "bad MX records|warn mx mx1.example.com"},
        {"enforce 1 0 0 mx1.example.com", "-nodomain", "bad MX records|warn mx mx1.example.com"},
        {"none 1 0 0 mx1.example.com", "mx2.example.com", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dest *d = rows[i].facts != NULL ? facts(rows[i].facts) : NULL;
        struct verdicts v = {0};
        struct published p;

        published(&p, rows[i].published);
        sts_judge_hosts(&v, &p.policy, d, "stsd is away");
        expect(&v, rows[i].want, rows[i].published);
        verdicts_clear(&v);
        published_clear(&p);
        dest_free(d);
    }
}

/* Each letter an address: g good, u untrusted, e expired, n another name, s no STARTTLS, l later, r no route. */
static void put_address(struct probe_address *at, char how)
{
    snprintf(at->address, sizeof(at->address), "192.0.2.1");
    at->stage = PROBE_DONE;
    at->looked = NOW;
    at->pkix.words = "";
    at->pkix.result = how == 'g'   ? TLS_CLIENT_VERIFIED
                      : how == 'u' ? TLS_CLIENT_UNTRUSTED
                      : how == 'e' ? TLS_CLIENT_EXPIRED
                                   : TLS_CLIENT_NAME;
    if (strchr("slr", how) == NULL)
        return;
    at->stage = how == 's' ? PROBE_GREETED : PROBE_UNREACHABLE;
    at->later = how == 'l';
    at->unrouted = how == 'r';
    snprintf(at->why, sizeof(at->why), "%s", how == 's' ? "it does not offer STARTTLS" : "no answer");
}

static void tls(void **state)
{
    static const struct {
        const char *hosts, *want;
    } rows[] = {
        {"g", "ok TLS of mx0"},
        {"gg gg", "ok TLS of mx0|ok TLS of mx1"},
        {"u", "bad TLS of mx0"},
        {"e", "bad TLS of mx0"},
        {"n", "bad TLS of mx0"},
        {"s", "bad TLS of mx0"},
        {"gs", "ok TLS of mx0|bad TLS of mx0"},
        {"gl", "ok TLS of mx0|warn TLS of mx0"},
        {"gr", "ok TLS of mx0"},
        {"r", "unknown TLS of mx0"},
        {"ll", "unknown TLS of mx0|unknown TLS of mx0"},
        {"g l", "ok TLS of mx0|unknown TLS of mx1"},
        {"-", "unknown TLS of mx0"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct probe *p = calloc(1, sizeof(*p));
        struct dest_host host[2] = {{.name = "mx0"}, {.name = "mx1"}};
        struct verdicts v = {0};

        p->hosts = 1;
        for (const char *c = rows[i].hosts; *c != '\0'; c++) {
            p->hosts += *c == ' ';
            if (*c != ' ' && *c != '-')
                put_address(&p->host[p->hosts - 1].at[p->host[p->hosts - 1].count++], *c);
        }
        for (size_t k = 0; k < p->hosts; k++)
            p->host[k].host = &host[k];
        sts_judge_probe(&v, p, "");
        expect(&v, rows[i].want, rows[i].hosts);
        verdicts_clear(&v);
        free(p);
    }
}

static void no_probe(void **state)
{
    struct verdicts v = {0};

    (void)state;
    sts_judge_probe(&v, NULL, "stsd is away");
    expect(&v, "unknown TLS of the MX hosts", "no probe");
    verdicts_clear(&v);
}

static void ages(void **state)
{
    static const struct {
        const char *published, *want;
    } rows[] = {
        {"testing 86400 0 0 a", "ok max_age"},    {"testing 0 0 0 a", "warn max_age"},
        {"enforce 604799 0 0 a", "warn max_age"}, {"enforce 604800 0 0 a", "ok max_age"},
        {"none 86400 0 0", "ok max_age"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verdicts v = {0};
        struct published p;

        published(&p, rows[i].published);
        sts_judge_age(&v, &p.policy);
        expect(&v, rows[i].want, rows[i].published);
        verdicts_clear(&v);
        published_clear(&p);
    }
}

/* --- from outside --- */

static void records(void **state)
{
    static const struct {
        enum dns_status status;
        const char *txt[3];
        bool ours;
        const char *want;
    } rows[] = {
        {DNS_FOUND, {"v=STSv1; id=before;"}, true, "ok TXT record"},
        {DNS_FOUND, {"v=spf1 -all", "v=STSv1; id=before;"}, true, "ok TXT record"},
        {DNS_FOUND, {"v=STSv1; id=other;"}, true, "bad TXT record"},
        {DNS_FOUND, {"v=STSv1; id=other;"}, false, "ok TXT record"},
        {DNS_FOUND, {"v=STSv1; id=before;", "v=STSv1; id=before;"}, true, "bad TXT record"},
        {DNS_FOUND, {"v=STSv1; id=be-fore;"}, true, "bad TXT record"},
        {DNS_FOUND, {"v=spf1 -all"}, true, "bad TXT record"},
        {DNS_NODATA, {NULL}, true, "bad TXT record"},
        {DNS_NXDOMAIN, {NULL}, false, "bad TXT record"},
        {DNS_FAILED, {NULL}, true, "unknown TXT record"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dns_rr rr[3] = {{.preference = 0}};
        struct dns_answer answer = {.status = rows[i].status, .rr = rr};
        struct verdicts v = {0};
        struct published p;

        published(&p, "testing 86400 0 0 a");
        for (; answer.count < 3 && rows[i].txt[answer.count] != NULL; answer.count++) {
            rr[answer.count].text = strdup(rows[i].txt[answer.count]);
            rr[answer.count].text_len = strlen(rows[i].txt[answer.count]);
        }
        sts_check_record(&v, "example.com", &answer, rows[i].ours ? &p : NULL);
        expect(&v, rows[i].want, rows[i].txt[0] != NULL ? rows[i].txt[0] : "none");
        for (size_t k = 0; k < answer.count; k++)
            free(rr[k].text);
        verdicts_clear(&v);
        published_clear(&p);
    }
}

static void policy_hosts(void **state)
{
    static const struct {
        enum dns_status a, aaaa;
        const char *want;
    } rows[] = {
        {DNS_FOUND, DNS_FOUND, "ok policy host"},
        {DNS_NODATA, DNS_FOUND, "ok policy host"},
        {DNS_NODATA, DNS_NODATA, "bad policy host"},
        {DNS_FAILED, DNS_NODATA, "unknown policy host"},
        {DNS_FAILED, DNS_FOUND, "warn policy host|ok policy host"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dns_rr rr = {.address = "192.0.2.1"};
        struct dns_answer answer = {.rr = &rr, .count = 1, .why = "SERVFAIL"};
        struct sts_policy_host h = {.count = 0};
        struct verdicts v = {0};

        answer.status = rows[i].a;
        sts_policy_host_add(&h, &answer);
        answer.status = rows[i].aaaa;
        sts_policy_host_add(&h, &answer);
        sts_check_policy_host(&v, "mta-sts.example.com", &h);
        expect(&v, rows[i].want, "policy host");
        verdicts_clear(&v);
    }
}

/* Whether the answer was validated is told of each that there is one of. */
static void validated(void **state)
{
    static const struct {
        bool a, aaaa, ours;
        const char *id, *record, *host;
    } rows[] = {
        {true, true, true, "before", "id before, as it should be (validated by DNSSEC)", "2 addresses (validated"},
        {false, false, true, "before", "id before, as it should be (not validated by DNSSEC)",
         "addresses (not validated"},
        {true, false, true, "other", "id other (validated by DNSSEC), but that of",
         "addresses (not validated by DNSSEC)"},
        {false, true, false, "other", "id other (not validated by DNSSEC)", "addresses (not validated by DNSSEC)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[40];
        struct dns_rr rr = {.text = text, .address = "192.0.2.1"};
        struct dns_answer answer = {.status = DNS_FOUND, .rr = &rr, .count = 1, .secure = rows[i].a};
        struct sts_policy_host h = {.count = 0};
        struct verdicts v = {0};
        struct published p;

        published(&p, "testing 86400 0 0 a");
        rr.text_len = (size_t)snprintf(text, sizeof(text), "v=STSv1; id=%s;", rows[i].id);
        sts_check_record(&v, "example.com", &answer, rows[i].ours ? &p : NULL);
        sts_policy_host_add(&h, &answer);
        answer.secure = rows[i].aaaa;
        sts_policy_host_add(&h, &answer);
        sts_check_policy_host(&v, "mta-sts.example.com", &h);
        assert_int_equal(v.count, 2);
        if (strstr(v.line[0].words, rows[i].record) == NULL || strstr(v.line[1].words, rows[i].host) == NULL)
            fail_msg("%s | %s", v.line[0].words, v.line[1].words);
        verdicts_clear(&v);
        published_clear(&p);
    }
}

#define SERVED "version: STSv1\r\nmode: testing\r\nmx: a\r\nmax_age: 86400\r\n"

static void fetches(void **state)
{
    static const struct {
        enum https_outcome outcome;
        long status;
        const char *type, *body;
        bool ours;
        const char *want;
    } rows[] = {
        {HTTPS_ANSWERED, 200, "text/plain", SERVED, true, "ok HTTPS|ok policy file"},
        {HTTPS_ANSWERED, 200, "text/plain; charset=utf-8", SERVED, false, "ok HTTPS|ok policy file"},
        {HTTPS_ANSWERED, 200, "text/plain", "version: STSv1\nmode: testing\nmax_age: 86400\nmx: a\n", true,
         "ok HTTPS|ok policy file"},
        {HTTPS_ANSWERED, 200, "text/plain", "version: STSv1\nmode: testing\nmax_age: 86401\nmx: a\n", true,
         "ok HTTPS|bad policy file"},
        {HTTPS_ANSWERED, 200, "text/plain", "version: STSv1\nmode: testing\nmax_age: 86400\nmx: b\n", true,
         "ok HTTPS|bad policy file"},
        {HTTPS_ANSWERED, 200, "text/html", SERVED, true, "ok HTTPS|bad policy file"},
        {HTTPS_ANSWERED, 200, NULL, SERVED, true, "ok HTTPS|bad policy file"},
        {HTTPS_ANSWERED, 301, "text/plain", SERVED, true, "ok HTTPS|bad policy file"},
        {HTTPS_ANSWERED, 404, "text/plain", "", true, "ok HTTPS|bad policy file"},
        {HTTPS_ANSWERED, 200, "text/plain", "mode: testing\n", true, "ok HTTPS|bad policy file"},
        {HTTPS_UNTRUSTED, 0, NULL, "", true, "bad HTTPS"},
        {HTTPS_FAILED, 0, NULL, "", true, "bad HTTPS"},
        {HTTPS_UNTRIED, 0, NULL, "", true, "unknown HTTPS"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct https_result r = {rows[i].outcome, rows[i].status,       rows[i].type,
                                       rows[i].body,    strlen(rows[i].body), "so it is"};
        struct sts_policy policy;
        struct verdicts v = {0};
        struct published p;
        bool got;

        published(&p, "testing 86400 0 0 a");
        got = sts_check_fetched(&v, &policy, "mta-sts.example.com", &r, rows[i].ours ? &p : NULL);
        expect(&v, rows[i].want, rows[i].body);
        assert_int_equal(got, policy.mx_count > 0);
        sts_policy_clear(&policy);
        verdicts_clear(&v);
        published_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),     cmocka_unit_test(tls),     cmocka_unit_test(no_probe),
        cmocka_unit_test(ages),      cmocka_unit_test(records), cmocka_unit_test(policy_hosts),
        cmocka_unit_test(validated), cmocka_unit_test(fetches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
