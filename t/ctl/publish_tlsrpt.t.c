/* publish_tlsrpt.t.c - records that are made, refused, and found in DNS. */
#include "publish_tlsrpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct text_case {
    const char *rua[3];
    const char *record; /* NULL: refused, and why says: */
    const char *why;
};

static const struct text_case texts[] = {
    {{"mailto:a@b.example"}, "v=TLSRPTv1; rua=mailto:a@b.example", NULL},
    {{"mailto:a@b.example", "https://c.example/d?e=f"},
     "v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/d?e=f",
     NULL},
    {{"mailto:a%2Bb@c.example"}, "v=TLSRPTv1; rua=mailto:a%2Bb@c.example", NULL},
    {{"a@b.example"}, NULL, "written as mailto:"},
    {{"mailto:a@b.example,mailto:c@d.example"}, NULL, "%2C"},
    {{"mailto:a@b.example; rua=https://evil.example/"}, NULL, "%3B"},
    {{"mailto:a@b.example\nx"}, NULL, "0x0a"},
    {{"mailto:a@b.example?bcc=c@d.example"}, NULL, ""},
    {{"mailto:a@b.example", "ftp://b.example/"}, NULL, "ftp://b.example/: reports go to mailto: and https:"},
    {{"http://b.example/"}, NULL, "reports go to"},
    {{""}, NULL, ""},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct text_case *c = &texts[i];
        struct tlsrpt_record record;
        struct err e = {""};
        struct buf out;
        size_t n = 0;
        int rc;

        while (n < 3 && c->rua[n] != NULL)
            n++;
        buf_init(&out, TLSRPT_RECORD_MAX);
        rc = tlsrpt_text(&out, &record, c->rua, n, &e);
        if (rc != (c->record != NULL ? 0 : -1) || strcmp(buf_text(&out), c->record != NULL ? c->record : "") != 0 ||
            (c->why != NULL && strstr(e.text, c->why) == NULL))
            fail_msg("%s: %d \"%s\" %s", c->rua[0], rc, buf_text(&out), e.text);
        buf_clear(&out);
    }
}

static void test_none_and_many(void **state)
{
    const char *rua[TLSRPT_RUA_MAX + 1];
    struct tlsrpt_record record;
    struct buf out;

    (void)state;
    for (size_t i = 0; i <= TLSRPT_RUA_MAX; i++)
        rua[i] = "mailto:a@b.example";
    buf_init(&out, TLSRPT_RECORD_MAX);
    assert_int_equal(tlsrpt_text(&out, &record, rua, 0, NULL), -1);
    assert_int_equal(tlsrpt_text(&out, &record, rua, TLSRPT_RUA_MAX + 1, NULL), -1);
    assert_int_equal(tlsrpt_text(&out, &record, rua, TLSRPT_RUA_MAX, NULL), 0);
    assert_int_equal(record.rua_count, 1); /* doubles dropped */
    buf_clear(&out);
}

static void test_mailto(void **state)
{
    static const char *const pairs[][2] = {
        {"a@b.example", "mailto:a@b.example"},
        {"tls-rpt+x@B.example.", "mailto:tls-rpt+x@b.example"},
        {"a!b@c.example", "mailto:a%21b@c.example"},
        {"a?b#c&d/e@f.example", "mailto:a%3Fb%23c%26d%2Fe@f.example"},
        {"a b@c.example", NULL},
        {"a", NULL},
    };
    char uri[TLSRPT_URI_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        int rc = tlsrpt_mailto(uri, pairs[i][0], NULL);

        if (rc != (pairs[i][1] != NULL ? 0 : -1) || (rc == 0 && strcmp(uri, pairs[i][1]) != 0))
            fail_msg("%s: %d %s", pairs[i][0], rc, uri);
    }
}

/* Does a line of this level say that? */
static bool says(const struct verdicts *v, enum verdict_level level, const char *words)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->line[i].level == level && strstr(v->line[i].words, words) != NULL)
            return true;
    return false;
}

static void test_advice(void **state)
{
    static const struct {
        const char *rua[2];
        bool alone;
        const char *ok;
    } cases[] = {
        {{"mailto:a@own.example"}, true, "the domain itself"},
        {{"mailto:a@mail.own.example"}, true, "another name"},
        {{"mailto:a@notown.example"}, false, "another name than own.example"},
        {{"mailto:a@own.example", "https://own.example/"}, false, "https://own.example/"},
        {{"mailto:a@own.example", "mailto:a@b.example"}, false, "b.example"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tlsrpt_record record = {.rua_count = 0};
        struct verdicts v = {0};

        for (size_t j = 0; j < 2 && cases[i].rua[j] != NULL; j++)
            (void)snprintf(record.rua[record.rua_count++], sizeof(record.rua[0]), "%s", cases[i].rua[j]);
        tlsrpt_advise(&v, "own.example", &record);
        assert_int_equal(says(&v, VERDICT_WARN, "may not arrive"), cases[i].alone);
        assert_true(says(&v, VERDICT_OK, cases[i].ok));
        verdicts_clear(&v);
    }
}

struct live_case {
    enum dns_status status;
    const char *txt[2];
    enum verdict_level level;
    const char *words;
    bool there;
};

static const struct live_case lives[] = {
    {DNS_FAILED, {NULL}, VERDICT_UNKNOWN, "SERVFAIL", false},
    {DNS_NXDOMAIN, {NULL}, VERDICT_BAD, "there is no TXT record", false},
    {DNS_NODATA, {NULL}, VERDICT_BAD, "there is no TXT record", false},
    {DNS_FOUND, {"v=spf1 -all"}, VERDICT_BAD, "none of the TXT records", false},
    {DNS_FOUND, {"v=TLSRPTv1; rua=mailto:a@b.example"}, VERDICT_OK, "valid", true},
    {DNS_FOUND, {"v=spf1", "v=TLSRPTv1;rua=mailto:a@b.example;"}, VERDICT_OK, "valid", true},
    {DNS_FOUND, {"v=TLSRPTv1; rua=mailto:c@d.example"}, VERDICT_BAD, "other URIs", true},
    {DNS_FOUND, {"v=TLSRPTv1; rua=mailto:a@b.example,mailto:c@d.example"}, VERDICT_BAD, "other URIs", true},
    {DNS_FOUND, {"v=TLSRPTv1; rua=ftp://b.example/"}, VERDICT_BAD, "names no mailto", false},
    {DNS_FOUND, {"v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:a@b.example"}, VERDICT_BAD, "", false},
    {DNS_FOUND, {"v=TLSRPTv1; mailto:a@b.example"}, VERDICT_BAD, "no reports come", false},
};

static void test_live(void **state)
{
    const struct tlsrpt_record want = {.rua = {"mailto:a@b.example"}, .rua_count = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        const struct live_case *c = &lives[i];
        struct dns_rr rr[2] = {{0}};
        struct dns_answer answer = {.status = c->status, .rr = rr, .why = "SERVFAIL"};
        struct tlsrpt_record live;
        struct verdicts v = {0};
        bool there;

        for (size_t j = 0; j < 2 && c->txt[j] != NULL; j++, answer.count++) {
            rr[j].text = (char *)c->txt[j];
            rr[j].text_len = strlen(c->txt[j]);
        }
        there = tlsrpt_compare(&v, &live, "_smtp._tls.own.example", &answer, &want);
        if (there != c->there || verdicts_worst(&v) != c->level || !says(&v, c->level, c->words))
            fail_msg("%zu: %d %s", i, there, v.count > 0 ? v.line[0].words : "nothing");
        verdicts_clear(&v);
    }
}

static void test_mail_domain(void **state)
{
    struct dns_rr null_mx = {.name = ""}, mx = {.name = "mx.example"};
    const struct {
        struct dns_answer answer;
        enum verdict_level level;
    } cases[] = {
        {{.status = DNS_FOUND, .rr = &mx, .count = 1}, VERDICT_OK},
        {{.status = DNS_NODATA}, VERDICT_OK},
        {{.status = DNS_FOUND, .rr = &null_mx, .count = 1}, VERDICT_BAD},
        {{.status = DNS_NXDOMAIN}, VERDICT_BAD},
        {{.status = DNS_FAILED}, VERDICT_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdicts v = {0};

        tlsrpt_mail_domain(&v, "b.example", &cases[i].answer);
        assert_int_equal(verdicts_worst(&v), cases[i].level);
        verdicts_clear(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),  cmocka_unit_test(test_none_and_many), cmocka_unit_test(test_mailto),
        cmocka_unit_test(test_advice), cmocka_unit_test(test_live),          cmocka_unit_test(test_mail_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
