/*
 * publish_sts.t.c - what the policy of an own domain becomes, what is found wrong with it, when it may be promoted and
 * when it may go (RFC 8461 3.2, 8.1, 8.3).
 */
#include "publish_sts.h"
#include "publish_sts_check.h"
#include "publish_sts_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW      INT64_C(1795342500) /* 2026-11-22T10:15:00Z */
#define DAY      INT64_C(86400)

/* --- makers --- */

/* "mx1.example.com mx2.example.com"; "-temp", "-null", "-nodomain", "-none" */
static struct dest *facts(const char *hosts)
{
    struct dest *d = dest_new("example.com");
    char *copy = strdup(hosts), *rest = copy;

    assert_non_null(d);
    d->mx = strcmp(hosts, "-temp") == 0       ? DEST_MX_TEMP
            : strcmp(hosts, "-null") == 0     ? DEST_MX_NULL
            : strcmp(hosts, "-nodomain") == 0 ? DEST_MX_NODOMAIN
                                              : DEST_MX_LIST;
    for (char *h = hosts[0] == '-' ? NULL : strsep(&rest, " "); h != NULL; h = strsep(&rest, " "))
        assert_non_null(dest_add_host(d, h, 10));
    free(copy);
    return d;
}

/* "MODE MAX_AGE CHANGED HELD MX,MX" */
static bool published(struct published *out, const char *text)
{
    char mode[20], mx[200] = "", json[600], *c = mx;
    long long max_age, changed, held;
    struct err e = {""};
    int len;

    if (text == NULL)
        return false;
    assert_true(sscanf(text, "%19s %lld %lld %lld %199s", mode, &max_age, &changed, &held, mx) >= 4);
    len = snprintf(json, sizeof(json), "{\"v\":1,\"mode\":\"%s\",\"max_age\":%lld,\"mx\":[", mode, max_age);
    for (char *one = mx[0] != '\0' ? strsep(&c, ",") : NULL; one != NULL; one = strsep(&c, ","))
        len += snprintf(json + len, sizeof(json) - (size_t)len, "%s\"%s\"", one == mx ? "" : ",", one);
    len += snprintf(json + len, sizeof(json) - (size_t)len,
                    "],\"id\":\"before\",\"changed\":%lld,\"since\":%lld,\"held\":%lld,\"by\":\"old\"}",
                    (long long)NOW + changed, (long long)NOW + changed, held == 0 ? 0 : (long long)NOW + held);
    if (published_read(out, "example.com", json, (size_t)len, &e) != 0)
        fail_msg("%s: %s", json, e.text);
    return true;
}

/* "bad MX mx2.example.com|ok max_age" against what there is; words of each are told when it fails. */
static void expect(const struct verdicts *v, const char *want, const char *about)
{
    struct buf got;

    buf_init(&got, 10000);
    for (size_t i = 0; i < v->count; i++)
        buf_printf(&got, "%s%s %s", i > 0 ? "|" : "", verdict_level_name(v->line[i].level), v->line[i].what);
    if (strcmp(buf_text(&got), want) != 0) {
        for (size_t i = 0; i < v->count; i++)
            print_message("%s: %s\n", v->line[i].what, v->line[i].words);
        fail_msg("%s: %s", about, buf_text(&got));
    }
    buf_clear(&got);
}

/* --- what it becomes --- */

static char *const two_patterns[] = {"*.example.com", "mx.example.net"};
static const struct {
    const char *name, *before, *facts;
    struct sts_wish wish;
    int code;
    const char *mode;
    unsigned long max_age;
    const char *mx;
    bool changed;
    int64_t since, held; /* after NOW; held 0: none */
} plan_rows[] = {
    {"new",
     NULL,
     "mx1.example.com mx2.example.com",
     {.mx_count = 0},
     CTL_YES,
     "testing",
     86400,
     "mx1.example.com mx2.example.com",
     true,
     0,
     0},
    {"new, patterns given, DNS away",
     NULL,
     "-temp",
     {.mx = two_patterns, .mx_count = 2},
     CTL_YES,
     "testing",
     86400,
     "*.example.com mx.example.net",
     true,
     0,
     0},
    {"new, no stsd",
     NULL,
     NULL,
     {.mx = two_patterns, .mx_count = 1},
     CTL_YES,
     "testing",
     86400,
     "*.example.com",
     true,
     0,
     0},
    {"new, enforce",
     NULL,
     "mx1.example.com",
     {.has_mode = true, .mode = STS_MODE_ENFORCE},
     CTL_YES,
     "enforce",
     1209600,
     "mx1.example.com",
     true,
     0,
     0},
    {"new, DNS away", NULL, "-temp", {.mx_count = 0}, CTL_LATER, NULL, 0, NULL, false, 0, 0},
    {"new, no stsd, no patterns", NULL, NULL, {.mx_count = 0}, CTL_LATER, NULL, 0, NULL, false, 0, 0},
    {"new, null MX", NULL, "-null", {.mx_count = 0}, CTL_NO, NULL, 0, NULL, false, 0, 0},
    {"new, no domain", NULL, "-nodomain", {.mx_count = 0}, CTL_NO, NULL, 0, NULL, false, 0, 0},
    {"a host that no policy can name", NULL, "m_x.example.com", {.mx_count = 0}, CTL_NO, NULL, 0, NULL, false, 0, 0},
    {"as it was",
     "testing 3600 -99 0 mx1.example.com",
     "mx1.example.com",
     {.mx_count = 0},
     CTL_YES,
     "testing",
     3600,
     "mx1.example.com",
     false,
     -99,
     0},
    {"as it was, DNS away",
     "enforce 1209600 -99 0 mx1.example.com",
     "-temp",
     {.mx_count = 0},
     CTL_YES,
     "enforce",
     1209600,
     "mx1.example.com",
     false,
     -99,
     0},
    {"a host more",
     "enforce 1000 -99 0 *.example.com",
     "mx1.example.com mx.example.net",
     {.mx_count = 0},
     CTL_YES,
     "enforce",
     1000,
     "*.example.com mx.example.net",
     true,
     -99,
     DAY + 1000},
    {"a host less stays until it is said",
     "enforce 1000 -99 0 mx1.example.com,mx2.example.com",
     "mx1.example.com",
     {.mx_count = 0},
     CTL_YES,
     "enforce",
     1000,
     "mx1.example.com mx2.example.com",
     false,
     -99,
     0},
    {"other patterns",
     "enforce 1000 -99 0 mx1.example.com",
     "mx1.example.com",
     {.mx = two_patterns, .mx_count = 1},
     CTL_YES,
     "enforce",
     1000,
     "*.example.com",
     true,
     -99,
     DAY + 1000},
    {"promoted",
     "testing 3600 -99 0 mx1.example.com",
     "mx1.example.com",
     {.has_mode = true, .mode = STS_MODE_ENFORCE},
     CTL_YES,
     "enforce",
     1209600,
     "mx1.example.com",
     true,
     0,
     DAY + 3600},
    {"max_age alone",
     "enforce 1000 -99 0 mx1.example.com",
     "mx1.example.com",
     {.has_max_age = true, .max_age = 5},
     CTL_YES,
     "enforce",
     5,
     "mx1.example.com",
     true,
     -99,
     DAY + 1000},
    {"a longer one before",
     "testing 10 -99 999999 mx1.example.com",
     "mx1.example.com",
     {.has_max_age = true, .max_age = 5},
     CTL_YES,
     "testing",
     5,
     "mx1.example.com",
     true,
     -99,
     999999},
    {"out",
     "enforce 1209600 -99 0 mx1.example.com",
     NULL,
     {.has_mode = true, .mode = STS_MODE_NONE},
     CTL_YES,
     "none",
     86400,
     "mx1.example.com",
     true,
     0,
     DAY + 1209600},
    {"out, nothing before",
     NULL,
     NULL,
     {.has_mode = true, .mode = STS_MODE_NONE},
     CTL_YES,
     "none",
     86400,
     "",
     true,
     0,
     0},
    {"in again, before all is over",
     "none 86400 -99 5000 mx1.example.com",
     "mx1.example.com",
     {.has_mode = true, .mode = STS_MODE_TESTING},
     CTL_YES,
     "testing",
     86400,
     "mx1.example.com",
     true,
     0,
     5000},
};

static void plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plan_rows); i++) {
        struct dest *d = plan_rows[i].facts != NULL ? facts(plan_rows[i].facts) : NULL;
        struct published before = {.since = 0};
        bool there = published(&before, plan_rows[i].before);
        struct sts_plan p;
        struct err e = {""};
        char mx[300] = "";

        if ((int)sts_plan_make(&p, "example.com", there ? &before : NULL, d, &plan_rows[i].wish, NOW, "me", &e) !=
            plan_rows[i].code)
            fail_msg("%s: %s", plan_rows[i].name, e.text);
        assert_int_equal(plan_rows[i].code != CTL_YES, e.text[0] != '\0');
        for (size_t k = 0; k < p.next.policy.mx_count; k++)
            snprintf(mx + strlen(mx), sizeof(mx) - strlen(mx), "%s%s", k > 0 ? " " : "", p.next.policy.mx[k]);
        if (plan_rows[i].code == CTL_YES) {
            print_message("%s\n", plan_rows[i].name);
            assert_string_equal(sts_mode_name(p.next.policy.mode), plan_rows[i].mode);
            assert_int_equal(p.next.policy.max_age, plan_rows[i].max_age);
            assert_string_equal(mx, plan_rows[i].mx);
            assert_int_equal(p.changed, plan_rows[i].changed);
            assert_string_equal(p.next.id, plan_rows[i].changed ? "20261122T101500Z" : "before");
            assert_string_equal(p.next.by, plan_rows[i].changed ? "me" : "old");
            assert_int_equal(p.next.since - NOW, plan_rows[i].since);
            assert_int_equal(p.next.held == 0 ? 0 : p.next.held - NOW, plan_rows[i].held);
        }
        sts_plan_clear(&p);
        sts_plan_clear(&p);
        published_clear(&before);
        dest_free(d);
    }
}

/* A policy that somebody else has published for the domain binds senders, too. */
static void live_policy_counts(void **state)
{
    static const char body[] = "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 500000\n";
    const struct sts_wish wish = {.has_mode = true, .mode = STS_MODE_NONE};
    struct dest *d = facts("mx1.example.com");
    struct sts_plan p;

    (void)state;
    assert_int_equal(dest_sts_set_policy(&d->sts, "x", body, strlen(body), NOW - 100, NULL), 0);
    snprintf(d->sts.id, sizeof(d->sts.id), "20261122T101500Z");
    assert_int_equal(sts_plan_make(&p, "example.com", NULL, d, &wish, NOW, "", NULL), CTL_YES);
    assert_int_equal(p.next.held, NOW + 500000 + DAY);
    assert_string_not_equal(p.next.id, d->sts.id); /* the one that is in DNS already */
    sts_plan_clear(&p);
    dest_free(d);
}

/* What could not be read again is not published. */
static void authors(void **state)
{
    static char *const given[] = {"mx.example.com"};
    static const struct {
        const char *by;
        int code;
    } rows[] = {
        {"J\xc3\xa4ger \"x\\", CTL_YES},
        {"", CTL_YES},
        {"a\033[2Jb", CTL_NO},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xc3\xa4", CTL_YES}, /* cut within the last */
        {"1234567890123456789012345678901234567890123456789012345678901234567890", CTL_YES},
    };
    const struct sts_wish wish = {.mx = given, .mx_count = 1};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sts_plan p;
        struct err e = {""};

        if ((int)sts_plan_make(&p, "example.com", NULL, NULL, &wish, NOW, rows[i].by, &e) != rows[i].code)
            fail_msg("%zu: %s: %s", i, p.next.by, e.text);
        assert_int_equal(rows[i].code != CTL_YES, strstr(e.text, "by: not printable") != NULL);
        sts_plan_clear(&p);
    }
}

static void the_way_out(void **state)
{
    static const struct {
        const char *published;
        int code;
        const char *why;
    } rows[] = {
        {"enforce 100 -999999 0 mx.a", CTL_NO, "mode enforce"},
        {"testing 100 -999999 0 mx.a", CTL_NO, "--mode none"},
        {"none 86400 -99 1 mx.a", CTL_NO, "until 2026-11-22T10:15:01Z (in 1 s)"},
        {"none 86400 -99 0", CTL_YES, ""},
        {"none 86400 -99 -1", CTL_YES, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct published p;
        struct err e = {""};

        published(&p, rows[i].published);
        assert_int_equal(sts_may_remove(&p, NOW, &e), rows[i].code);
        assert_non_null(strstr(e.text, rows[i].why));
        published_clear(&p);
    }
}

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

/* --- promotion --- */

static void testing_takes_time(void **state)
{
    static const struct {
        const char *published, *want;
    } rows[] = {
        {"testing 86400 -172800 0 a", "ok time in testing"}, /* nobody held another one */
        {"testing 86400 -172799 0 a", "bad time in testing"},
        {"testing 86400 -300000 -172800 a", "ok time in testing"}, /* whatever its own max_age is */
        {"testing 86400 -300000 -172799 a", "bad time in testing"},
        {"testing 0 0 0 a", "bad time in testing"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verdicts v = {0};
        struct published p;

        published(&p, rows[i].published);
        sts_judge_testing(&v, &p, NOW);
        expect(&v, rows[i].want, rows[i].published);
        verdicts_clear(&v);
        published_clear(&p);
    }
}

#define RANGE(day) "\"date-range\":{\"start-datetime\":\"" day "T00:00:00Z\",\"end-datetime\":\"" day "T23:59:59Z\"}"
#define POLICY(type, domain, good, bad, details)                                                        \
    "{\"policy\":{\"policy-type\":\"" type "\",\"policy-domain\":\"" domain                             \
    "\"},\"summary\":{\"total-successful-session-count\":" good ",\"total-failure-session-count\":" bad \
    "},\"failure-details\":[" details "]}"
#define NO_POLICY(domain, details) POLICY("no-policy-found", domain, "7", "9", details)
#define DETAIL(type, count) \
    "{\"result-type\":\"" type "\",\"receiving-mx-hostname\":\"mx1\",\"failed-session-count\":" count "}"
#define REPORT(day, policies) "{\"organization-name\":\"Big\"," RANGE(day) ",\"policies\":[" policies "]}"

static void reports(void **state)
{
    static const struct {
        const char *name, *report[2], *want;
        size_t rows;
        int64_t sessions; /* of the first row */
    } rows[] = {
        {"none", {NULL}, "warn TLS reports", 0, 0},
        {"good", {REPORT("2026-11-22", POLICY("sts", "Example.com.", "5", "0", ""))}, "ok TLS reports", 0, 0},
        {"bad",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "1", DETAIL("certificate-expired", "1")))},
         "bad TLS reports",
         1,
         1},
        {"the same twice, added up",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "1", DETAIL("certificate-expired", "1"))),
          REPORT("2026-11-23", POLICY("sts", "example.com", "5", "3", DETAIL("certificate-expired", "3")))},
         "bad TLS reports",
         1,
         4},
        {"failed, without details",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "2", ""))},
         "bad TLS reports",
         1,
         2},
        {"a detail, though nothing failed",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "0", DETAIL("sts-policy-fetch-error", "0")))},
         "bad TLS reports",
         1,
         0},
        {"counts that cannot be",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "-5", "-2",
                                      DETAIL("x", "9223372036854775807") "," DETAIL("x", "9223372036854775807")))},
         "bad TLS reports",
         1,
         INT64_MAX},
        {"of another domain",
         {REPORT("2026-11-22", POLICY("sts", "example.net", "5", "1", DETAIL("x", "1")))},
         "warn TLS reports",
         0,
         0},
        {"of DANE",
         {REPORT("2026-11-22", POLICY("tlsa", "example.com", "5", "1", DETAIL("x", "1")))},
         "warn TLS reports",
         0,
         0},
        {"of before",
         {REPORT("2026-11-21", POLICY("sts", "example.com", "5", "1", DETAIL("x", "1")))},
         "warn TLS reports|warn TLS reports",
         0,
         0},
        {"of before, and a good one",
         {REPORT("2026-11-21", POLICY("sts", "example.com", "5", "1", DETAIL("x", "1"))),
          REPORT("2026-11-22", POLICY("sts", "example.com", "5", "0", ""))},
         "warn TLS reports|ok TLS reports",
         0,
         0},
        {"a sender that could not have the policy",
         {REPORT("2026-11-22", NO_POLICY("example.com", DETAIL("sts-policy-fetch-error", "3")))},
         "bad TLS reports",
         1,
         3},
        {"another one that could not, beside good ones",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "0", "")),
          REPORT("2026-11-22", NO_POLICY("example.com", DETAIL("sts-webpki-invalid", "0")))},
         "bad TLS reports",
         1,
         0},
        {"each type, and failures under the policy",
         {REPORT("2026-11-22", POLICY("sts", "example.com", "5", "1", DETAIL("certificate-expired", "1"))),
          REPORT("2026-11-22",
                 NO_POLICY("example.com", DETAIL("sts-policy-invalid", "2") "," DETAIL("sts-webpki-invalid", "4")))},
         "bad TLS reports|bad TLS reports|bad TLS reports",
         3,
         1},
        {"without a policy, failures that are not about one",
         {REPORT("2026-11-22", NO_POLICY("example.com", DETAIL("certificate-expired", "3")))},
         "warn TLS reports",
         0,
         0},
        {"without a policy, and nothing failed",
         {REPORT("2026-11-22", NO_POLICY("example.com", ""))},
         "warn TLS reports",
         0,
         0},
        {"no policy of another domain",
         {REPORT("2026-11-22", NO_POLICY("example.net", DETAIL("sts-policy-fetch-error", "3")))},
         "warn TLS reports",
         0,
         0},
        {"no policy, before this one",
         {REPORT("2026-11-21", NO_POLICY("example.com", DETAIL("sts-policy-fetch-error", "3")))},
         "warn TLS reports|warn TLS reports",
         0,
         0},
        {"no report at all", {"{}"}, "warn TLS reports", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sts_failures f = {0};
        struct verdicts v = {0};

        for (size_t k = 0; k < 2 && rows[i].report[k] != NULL; k++) {
            json_t *json = json_loads(rows[i].report[k], 0, NULL);

            assert_non_null(json);
            sts_failures_add(&f, json, "example.com", NOW);
            json_decref(json);
        }
        sts_judge_reports(&v, &f);
        expect(&v, rows[i].want, rows[i].name);
        assert_int_equal(f.count, rows[i].rows);
        if (f.count > 0)
            assert_int_equal(f.row[0].sessions, rows[i].sessions);
        verdicts_clear(&v);
        sts_failures_clear(&f);
        sts_failures_clear(&f);
    }
}

/* A sender without the policy is told of with the type of its failure and how many sessions there were. */
static void no_policy_in_words(void **state)
{
    static const char text[] =
        REPORT("2026-11-22",
               NO_POLICY("example.com", DETAIL("sts-policy-fetch-error", "3") "," DETAIL("x", "50") "," DETAIL(
                                            "sts-policy-fetch-error", "4") "," DETAIL("sts-webpki-invalid", "1")));
    json_t *report = json_loads(text, 0, NULL);
    struct sts_failures f = {0};
    struct verdicts v = {0};

    (void)state;
    assert_non_null(report);
    sts_failures_add(&f, report, "example.com", NOW);
    sts_judge_reports(&v, &f);
    assert_int_equal(v.count, 2);
    assert_non_null(strstr(v.line[0].words, "sts-policy-fetch-error: 7 sessions of senders that had no policy"));
    assert_non_null(strstr(v.line[1].words, "sts-webpki-invalid: 1 session of senders that had no policy"));
    json_decref(report);
    verdicts_clear(&v);
    sts_failures_clear(&f);
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

/* --- words --- */

/* The order of steps: the file before the record, and what is on the way out stays until its time. */
static void steps(void **state)
{
    static const struct {
        const char *before;
        enum sts_mode mode;
        const char *want[6]; /* one after the other, in the text */
    } rows[] = {
        {NULL,
         STS_MODE_TESTING,
         {"mta-sts.example.com lead", "certificate", "Have the web server serve", "Only then publish", "--promote",
          NULL}},
        {"testing 10 -9 0 mx1.example.com",
         STS_MODE_ENFORCE,
         {"Have the web server serve", "Only then change", "TTL", "--check", NULL}},
        {"enforce 1000000 -9 0 mx1.example.com",
         STS_MODE_NONE,
         {"Have the web server serve", "Only then change", "until 2026-12-05T00:01:40Z (in 12 d)", "publish remove",
          NULL}},
        {NULL, STS_MODE_NONE, {"Only then publish", "longest max_age that ever was", NULL}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dest *d = facts("mx1.example.com");
        const struct sts_wish wish = {.has_mode = true, .mode = rows[i].mode};
        struct published before = {.since = 0};
        bool there = published(&before, rows[i].before);
        struct verdicts v = {0};
        struct sts_plan plan;
        struct sts_result r = {.plan = &plan, .verdicts = &v, .now = NOW, .done = true};
        struct buf text;
        const char *at;
        json_t *json;

        assert_int_equal(sts_plan_make(&plan, "example.com", there ? &before : NULL, d, &wish, NOW, "me", NULL), 0);
        buf_init(&text, 100000);
        sts_result_print(&text, &r, false);
        at = buf_text(&text);
        assert_non_null(strstr(at, "\n_mta-sts.example.com. IN TXT \"v=STSv1; id=20261122T101500Z;\"\n"));
        for (size_t k = 0; rows[i].want[k] != NULL; k++) {
            at = strstr(at, rows[i].want[k]);
            if (at == NULL)
                fail_msg("%s not in its place in:\n%s", rows[i].want[k], buf_text(&text));
        }
        json = sts_result_json(&r);
        assert_true(json_is_true(json_object_get(json, "published")));
        assert_true(json_array_size(json_object_get(json, "steps")) > 2);
        json_decref(json);
        buf_clear(&text);
        sts_plan_clear(&plan);
        published_clear(&before);
        dest_free(d);
    }
}

static void lists(void **state)
{
    struct published p;
    char *without[] = {(char *)"example.net"};
    struct sts_listed rows[2];
    struct buf text;
    json_t *json;

    (void)state;
    published(&p, "enforce 1209600 -172800 0 mx1.example.com,mx2.example.com");
    rows[0] = (struct sts_listed){&p, p.domain, ""};
    rows[1] = (struct sts_listed){NULL, "broken.example", "no JSON: \033[2J"};
    buf_init(&text, 10000);
    sts_list_print(&text, rows, 2, without, 1, NOW, false);
    assert_string_equal(
        buf_text(&text),
        "DOMAIN          MODE                              SINCE                           MAX_AGE  ID      MX\n"
        "example.com     enforce                           2026-11-20T10:15:00Z (2 d ago)  14 d     before  "
        "mx1.example.com\n"
        "                                                                                                   "
        "mx2.example.com\n"
        "broken.example  cannot be read: no JSON: \\x1b[2J\n"
        "example.net: in the list local, publishes no policy\n");
    json = sts_list_json(rows, 2, without, 1);
    assert_int_equal(json_array_size(json_object_get(json, "domains")), 2);
    assert_int_equal(json_array_size(json_object_get(json, "without")), 1);
    json_decref(json);
    rows[1] = (struct sts_listed){NULL, "\xff.example", "near '\xfe'"}; /* Redis has anything */
    json = sts_list_json(rows, 2, without, 1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(json, "domains"), 1), "domain")),
        "\\xff.example");
    json_decref(json);
    buf_reset(&text);
    sts_list_print(&text, NULL, 0, NULL, 0, NOW, false);
    assert_string_equal(buf_text(&text), "no domain publishes a policy\n");
    buf_clear(&text);
    published_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans),
        cmocka_unit_test(live_policy_counts),
        cmocka_unit_test(authors),
        cmocka_unit_test(the_way_out),
        cmocka_unit_test(hosts),
        cmocka_unit_test(tls),
        cmocka_unit_test(no_probe),
        cmocka_unit_test(ages),
        cmocka_unit_test(testing_takes_time),
        cmocka_unit_test(reports),
        cmocka_unit_test(no_policy_in_words),
        cmocka_unit_test(records),
        cmocka_unit_test(policy_hosts),
        cmocka_unit_test(validated),
        cmocka_unit_test(fetches),
        cmocka_unit_test(steps),
        cmocka_unit_test(lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
