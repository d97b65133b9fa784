/* report_read.t.c - reports of anybody's, and what is noticed about them (D 6). */
#include "report_read.h"
#include "report_notes.h"
#include "report_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FILE_NAME "sender.example!good.example!1795305600!1795391999.json.gz"
#define SUBJECT \
    "Report Domain: good.example Submitter: sender.example Report-ID: <20261122.good.example.1@sender.example>"
#define TYPE "multipart/report; report-type=\"tlsrpt\"; boundary=\"b\""

/* The report alone, or NULL with the reason. */
static json_t *report_read(const char *octets, size_t len, struct err *e)
{
    struct report_found f;
    json_t *json;

    if (report_find(&f, octets, len, e) != 0)
        return NULL;
    json = json_incref(f.json);
    report_found_clear(&f);
    return json;
}

/* --- mails --- */

struct mail {
    const char *type, *subject, *domain, *submitter, *part_type, *file_name;
    const char *json;  /* NULL: SAMPLE_OWN */
    bool plain;        /* not compressed, and not in base64 */
    const char *after; /* the last boundary and what follows; NULL: as it should be */
};

static void mail_make(struct buf *out, const struct mail *m)
{
    const char *json = m->json != NULL ? m->json : SAMPLE_OWN;
    struct buf gzip;

    buf_init(out, 10000000);
    buf_init(&gzip, 10000000);
    sample_gzip(&gzip, json, strlen(json));
    buf_printf(out, "From: tls@sender.example\r\nSubject: %s\r\n", m->subject != NULL ? m->subject : SUBJECT);
    if (m->domain == NULL || m->domain[0] != '\0')
        buf_printf(out, "TLS-Report-Domain: %s\r\n", m->domain != NULL ? m->domain : "good.example");
    if (m->submitter == NULL || m->submitter[0] != '\0')
        buf_printf(out, "TLS-Report-Submitter: %s\r\n", m->submitter != NULL ? m->submitter : "sender.example");
    buf_printf(out, "Content-Type: %s\r\n\r\nfor old readers\r\n--b\r\n\r\nA report. --b\r\n--bb\r\n\r\n--b  \r\n",
               m->type != NULL ? m->type : TYPE);
    buf_printf(out, "Content-Type: %s\r\nContent-Disposition: attachment;\r\n filename=\"%s\"\r\n",
               m->part_type != NULL ? m->part_type : "application/tlsrpt+gzip",
               m->file_name != NULL ? m->file_name : FILE_NAME);
    if (m->plain) {
        buf_printf(out, "\r\n%s", json);
    } else {
        buf_str(out, "Content-Transfer-Encoding: base64\r\n\r\n");
        sample_base64(out, gzip.data, gzip.len);
    }
    buf_str(out, m->after != NULL ? m->after : "\r\n--b--\r\n");
    buf_clear(&gzip);
    assert_true(buf_ok(out));
}

/* --- notes --- */

static void on_note(void *ctx, const char *note)
{
    buf_str(ctx, note);
    buf_char(ctx, '\n');
}

static void demand_notes(const struct report_found *f, const char *want)
{
    struct buf notes;

    buf_init(&notes, 100000);
    report_notes(f, on_note, &notes);
    if (want == NULL ? notes.len > 0 : strstr(buf_text(&notes), want) == NULL)
        fail_msg("notes are \"%s\", not \"%s\"", buf_text(&notes), want != NULL ? want : "");
    if (want != NULL && strchr(buf_text(&notes), '\n') != buf_text(&notes) + notes.len - 1)
        fail_msg("more notes than \"%s\": %s", want, buf_text(&notes));
    buf_clear(&notes);
}

/* --- good ones --- */

static void demand_own(const json_t *json)
{
    const char *id = NULL, *type = NULL;
    json_int_t ok = 0, failed = 0;

    assert_int_equal(json_unpack((json_t *)json, "{s:s, s:[{s:{s:s}, s:{s:I, s:I}}]}", "report-id", &id, "policies",
                                 "policy", "policy-type", &type, "summary", "total-successful-session-count", &ok,
                                 "total-failure-session-count", &failed),
                     0);
    assert_string_equal(id, "20261122.good.example.1");
    assert_string_equal(type, "sts");
    assert_int_equal(ok, 5);
    assert_int_equal(failed, 2);
}

static void test_json_and_gzip(void **state)
{
    struct report_found f;
    struct buf gzip;
    struct err e = {""};

    (void)state;
    assert_int_equal(report_find(&f, SAMPLE_OWN, strlen(SAMPLE_OWN), &e), 0);
    demand_own(f.json);
    demand_notes(&f, NULL);
    assert_false(f.gzip || f.mail);
    report_found_clear(&f);
    buf_init(&gzip, 100000);
    sample_gzip(&gzip, SAMPLE_OWN, strlen(SAMPLE_OWN));
    assert_int_equal(report_find(&f, gzip.data, gzip.len, &e), 0);
    demand_own(f.json);
    demand_notes(&f, NULL);
    assert_true(f.gzip);
    report_found_clear(&f);
    buf_add(&gzip, "\0\0\0", 3);
    assert_int_equal(report_find(&f, gzip.data, gzip.len, &e), 0);
    demand_notes(&f, NULL);
    report_found_clear(&f);
    buf_str(&gzip, "more");
    assert_int_equal(report_find(&f, gzip.data, gzip.len, &e), 0);
    demand_notes(&f, "7 octets follow");
    report_found_clear(&f);
    buf_clear(&gzip);
}

static const struct good_mail {
    const char *name;
    struct mail mail;
    const char *note; /* NULL: none; else the only one */
} good_mails[] = {
    {"ours", {.type = TYPE}, NULL},
    {"no quotes", {.type = "multipart/report; report-type=tlsrpt; boundary=b"}, NULL},
    {"in capitals",
     {.type = "Multipart/Report; Report-Type=TLSRPT; Boundary=b", .part_type = "Application/TLSRPT+GZIP"},
     NULL},
    {"within multipart/mixed",
     {.type = "multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: " TYPE, .after = "\r\n--b--\r\n--o--\r\n"},
     NULL},
    {"no end", {.after = ""}, NULL},
    {"not compressed",
     {.part_type = "application/tlsrpt+json",
      .file_name = "sender.example!good.example!1795305600!1795391999!x1.json",
      .plain = true},
     NULL},
    {"subject folded, encoded, id as it is",
     {.subject = "Report Domain: good.example\r\n Submitter: sender.example\r\n Report-ID: "
                 "=?us-ascii?q?<20261122.good.example.1>?="},
     NULL},
    {"domain in another form", {.domain = "GOOD.example."}, NULL},
    {"D 6: domain of the subject",
     {.subject = "Report Domain: bad.example Submitter: sender.example Report-ID: <20261122.good.example.1>"},
     "subject has another domain"},
    {"D 6: submitter of the subject",
     {.subject = "Report Domain: good.example Submitter: other.example Report-ID: <20261122.good.example.1>"},
     "subject has another submitter"},
    {"D 6: id of the subject",
     {.subject = "Report Domain: good.example Submitter: sender.example Report-ID: <20261122.good.example.10>"},
     "subject has another report-id"},
    {"E5: form of the subject", {.subject = "report domain: good.example"}, "subject is not of the form"},
    {"D 6: TLS-Report-Domain", {.domain = "other.example"}, "TLS-Report-Domain is another"},
    {"D 6: TLS-Report-Submitter", {.submitter = "other.example"}, "TLS-Report-Submitter is another"},
    {"E4: no TLS-Report-Domain", {.domain = ""}, "no TLS-Report-Domain"},
    {"E4: no TLS-Report-Submitter", {.submitter = ""}, "no TLS-Report-Submitter"},
    {"E6: form of the file name", {.file_name = "report.json.gz"}, "file name is not of the form"},
    {"E6: six parts", {.file_name = "a!b!1!2!3!4.json.gz"}, "file name is not of the form"},
    {"D 6: domain of the file name",
     {.file_name = "sender.example!x.example!1795305600!1795391999.json.gz"},
     "file name has another domain"},
    {"D 6: submitter of the file name",
     {.file_name = "x.example!good.example!1795305600!1795391999.json.gz"},
     "file name has another submitter"},
    {"D 6: begin",
     {.file_name = "sender.example!good.example!1795305601!1795391999.json.gz"},
     "file name has another start-datetime"},
    {"D 6: end",
     {.file_name = "sender.example!good.example!1795305600!179539199.json.gz"},
     "file name has another end-datetime"},
    {"E6: extension",
     {.file_name = "sender.example!good.example!1795305600!1795391999.json"},
     "file name ends in .json, but"},
    {"E3: type",
     {.part_type = "application/tlsrpt+json"},
     "type application/tlsrpt+json, but the report is compressed"},
};

static void test_good_mails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good_mails) / sizeof(good_mails[0]); i++) {
        struct report_found f;
        struct err e = {""};
        struct buf mail;

        print_message("# %s\n", good_mails[i].name);
        mail_make(&mail, &good_mails[i].mail);
        if (report_find(&f, mail.data, mail.len, &e) != 0)
            fail_msg("%s: %s", good_mails[i].name, e.text);
        demand_own(f.json);
        assert_true(f.mail);
        demand_notes(&f, good_mails[i].note);
        report_found_clear(&f);
        buf_clear(&mail);
    }
}

/* A mail of one part. */
static void test_single_part(void **state)
{
    static const char json[] =
        "From tls@sender.example Sun Nov 22\nContent-Type: application/tlsrpt+json\n\n" SAMPLE_OWN;
    struct buf mail;
    json_t *report;
    struct err e = {""};

    (void)state;
    report = report_read(json, strlen(json), &e);
    assert_non_null(report);
    demand_own(report);
    json_decref(report);
    buf_init(&mail, 100000);
    buf_str(&mail, "Content-Type: application/tlsrpt+gzip\nContent-Transfer-Encoding: binary\n\n");
    sample_gzip(&mail, SAMPLE_OWN, strlen(SAMPLE_OWN));
    report = report_read(mail.data, mail.len, &e);
    assert_non_null(report);
    demand_own(report);
    json_decref(report);
    buf_clear(&mail);
}

static void test_lax(void **state)
{
    static const char want[] =
        "{\"organization-name\":\"Big Corp\",\"date-range\":{\"start-datetime\":\"2026-11-22T00:00:00Z\","
        "\"end-datetime\":\"2026-11-22T23:59:59Z\"},\"contact-info\":\"tlsrpt-noreply@big.example\","
        "\"report-id\":\"17\",\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"good.example\","
        "\"mx-host\":[\"*.good.example\"],\"policy-string\":[]},\"summary\":{\"total-successful-session-count\":5,"
        "\"total-failure-session-count\":1},\"failure-details\":[{\"result-type\":\"validation-failure\","
        "\"failed-session-count\":1}]},{\"policy\":{\"policy-type\":\"no-policy-found\",\"policy-domain\":"
        "\"good.example\",\"policy-string\":[],\"mx-host\":[]},\"failure-details\":[]}]}";
    struct err e = {""};
    json_t *report, *wanted = json_loads(want, 0, NULL);

    (void)state;
    report = report_read(SAMPLE_LAX, strlen(SAMPLE_LAX), &e);
    if (!json_equal(report, wanted))
        fail_msg("%s%s", e.text, json_dumps(report, 0));
    json_decref(report);
    json_decref(wanted);
}

#define POLICY(more) "{\"policies\":[{\"policy\":{\"policy-type\":\"sts\"}," more "}]}"

/* What is taken, and noticed. */
static const struct {
    const char *json, *note;
} strange[] = {
    {"{\"policies\":[]}", "no policies"},
    {POLICY("\"summary\":{}"), "without counts"},
    {"{\"policies\":[{\"policy\":{\"policy-type\":\"x\"}}]}", "a policy-type that RFC 8460 does not have: \"x\""},
    {POLICY("\"failure-details\":[{\"result-type\":\"new-one\"}]"),
     "a result-type that RFC 8460 does not have: \"new-one\""},
    {POLICY("\"summary\":{\"total-failure-session-count\":3},\"failure-details\":[{\"result-type\":\"tlsa-invalid\","
            "\"failed-session-count\":2}]"),
     "3 failed sessions, but the details have only 2"},
    {"{\"date-range\":{\"start-datetime\":\"2026-11-22T00:00:00+01:00\",\"end-datetime\":\"2026-11-22T23:59:59+01:00\"}"
     ",\"policies\":[]}",
     "not one UTC day"},
    {"{\"date-range\":{\"start-datetime\":\"today\",\"end-datetime\":\"2026-11-22T23:59:59Z\"},\"policies\":[]}",
     "date-range cannot be read"},
    {"{\"organization-name\":\"a\\u0000b\",\"policies\":[]}", "no policies"},
};

static void on_any(void *ctx, const char *note)
{
    struct buf *b = ctx;

    on_note(b, note);
}

static void test_strange(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        struct report_found f;
        struct err e = {""};
        struct buf notes;

        buf_init(&notes, 100000);
        if (report_find(&f, strange[i].json, strlen(strange[i].json), &e) != 0)
            fail_msg("%s: %s", strange[i].json, e.text);
        report_notes(&f, on_any, &notes);
        if (strstr(buf_text(&notes), strange[i].note) == NULL)
            fail_msg("%s: %s", strange[i].json, buf_text(&notes));
        report_found_clear(&f);
        buf_clear(&notes);
    }
}

/* --- bad ones --- */

static const struct {
    const char *octets, *why;
} bad[] = {
    {"", "empty"},
    {" \r\n", "empty"},
    {"{", "JSON cannot be read"},
    {"[]", "no TLS report"},
    {"{}", "no TLS report"},
    {"{\"policies\":{}}", "no TLS report"},
    {"{\"policies\":[1]}", "entry 1 of \"policies\": it has no object \"policy\""},
    {"{\"policies\":[{\"policy\":[]}]}", "entry 1 of \"policies\": it has no object \"policy\""},
    {"{\"policies\":[{\"policy\":{\"policy-type\":[]}}]}", "\"policy-type\" is no text"},
    {"{\"policies\":[{\"policy\":{\"mx-host\":[1]}}]}", "\"mx-host\" has something that is no text"},
    {"{\"policies\":[{\"policy\":{\"policy-string\":{}}}]}", "\"policy-string\" has something"},
    {POLICY("\"summary\":1"), "\"summary\" is no object"},
    {POLICY("\"summary\":{\"total-failure-session-count\":-1}"), "\"total-failure-session-count\" is no count"},
    {POLICY("\"summary\":{\"total-failure-session-count\":1.5}"), "\"total-failure-session-count\" is no count"},
    {POLICY("\"summary\":{\"total-failure-session-count\":1e300}"), "\"total-failure-session-count\" is no count"},
    {POLICY("\"summary\":{\"total-failure-session-count\":\"\"}"), "\"total-failure-session-count\" is no count"},
    {POLICY("\"failure-details\":[[]]"), "a failure detail is no object"},
    {POLICY("\"failure-details\":[{\"receiving-ip\":{}}]"), "\"receiving-ip\" is no text"},
    {"{\"date-range\":\"x\",\"policies\":[]}", "\"date-range\" is no object"},
    {"{\"report-id\":{},\"policies\":[]}", "\"report-id\" is no text"},
    {"{\"policies\":[]}x", "JSON cannot be read"},
    {"{\"policies\":[\"\xff\"]}", "JSON cannot be read"},
    {"hello", "neither a mail nor gzip nor JSON"},
    {"\x1f\x8b", "its gzip ends"},
    {"\x1f\x8b\x08x\x01\x01\x01\x01\x01\x01", "its gzip is broken"},
    {"Subject: hi\n\nhello\n", "a mail of type text/plain"},
    {"Content-Type: application/json\n\n" SAMPLE_OWN, "a mail of type application/json"},
    {"Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: application/tlsrpt+json\n\n" SAMPLE_OWN
     "\n--b--\n",
     "a mail of type multipart/related"},
    {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/tlsrpt+json\n\n" SAMPLE_OWN
     "\n--b--\n",
     "a mail of type multipart/mixed"},
    {"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: "
     "application/tlsrpt+json\n\n" SAMPLE_OWN "\n--b--\n",
     "not of report-type tlsrpt"},
    {"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: application/tlsrpt+json\n\n" SAMPLE_OWN
     "\n--b--\n",
     "not of report-type tlsrpt"},
    {"Content-Type: multipart/report; report-type=tlsrpt\n\n--b\n", "no part of type application/tlsrpt"},
    {"Content-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n--b\nContent-Type: "
     "application/json\n\n" SAMPLE_OWN "\n--b--\n",
     "no part of type application/tlsrpt"},
    {"Content-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n--b--\n--b\nContent-Type: "
     "application/tlsrpt+json\n\n" SAMPLE_OWN,
     "no part of type application/tlsrpt"},
    {"Content-Type: application/tlsrpt+gzip\n\nhello", "JSON cannot be read"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = {""};

        assert_null(report_read(bad[i].octets, strlen(bad[i].octets), &e));
        if (strstr(e.text, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].octets, e.text);
    }
}

/* --- limits --- */

static void demand_refused(const struct buf *octets, const char *why)
{
    struct err e = {""};

    assert_true(buf_ok(octets));
    assert_null(report_read(octets->data, octets->len, &e));
    if (strstr(e.text, why) == NULL)
        fail_msg("%s, not %s", e.text, why);
}

/* A gzip bomb. 20 MB of blanks are taken, an octet more is not. */
static void test_bomb(void **state)
{
    static const size_t sizes[] = {REPORT_READ_JSON_MAX, REPORT_READ_JSON_MAX + 1, 200000000};
    static const char report[] = "{\"policies\":[]";

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *blanks = malloc(sizes[i]);
        struct err e = {""};
        struct buf gzip;
        json_t *json;

        assert_non_null(blanks);
        memset(blanks, ' ', sizes[i]);
        memcpy(blanks, report, sizeof(report) - 1);
        blanks[sizes[i] - 1] = '}';
        buf_init(&gzip, 10000000);
        sample_gzip(&gzip, blanks, sizes[i]);
        json = report_read(gzip.data, gzip.len, &e);
        assert_true((json != NULL) == (i == 0));
        assert_true(i == 0 || strstr(e.text, "more than 20971520 octets") != NULL);
        json_decref(json);
        buf_clear(&gzip);
        free(blanks);
    }
}

static void test_limits(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, REPORT_READ_JSON_MAX + 100);
    buf_str(&b, "{\"policies\":[");
    for (int i = 0; i < REPORT_READ_NEST_MAX; i++)
        buf_str(&b, "[],");
    buf_str(&b, "1]}");
    demand_refused(&b, "more than 1000000 objects and arrays");
    buf_reset(&b);
    for (int i = 0; i < 100000; i++)
        buf_str(&b, "[");
    demand_refused(&b, "JSON cannot be read");
    buf_reset(&b);
    buf_str(&b, "Subject: a\n\n");
    while (b.len <= REPORT_READ_MAIL_MAX)
        buf_str(&b, "0123456789012345678901234567890123456789012345678901234567890\n");
    demand_refused(&b, "a mail longer than 15728640 octets");
    buf_reset(&b);
    buf_str(&b, "Content-Type: " TYPE "\n\n");
    for (int i = 0; i < 200; i++)
        buf_str(&b, "--b\n\n");
    demand_refused(&b, "more than 100 parts");
    buf_reset(&b);
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
    buf_str(&b, "Content-Type: application/tlsrpt+json\n\n" SAMPLE_OWN);
    demand_refused(&b, "a mail of type multipart/mixed");
    buf_clear(&b);
}

/* Whatever is cut off, it is read or refused. */
static void test_cut(void **state)
{
    static const struct mail whole = {.type = TYPE};
    struct buf mail;

    (void)state;
    mail_make(&mail, &whole);
    for (size_t len = 0; len < mail.len; len++) {
        struct err e = {""};
        json_t *report = report_read(mail.data, len, &e);

        assert_true((report != NULL) == (e.text[0] == '\0'));
        json_decref(report);
    }
    buf_clear(&mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_and_gzip), cmocka_unit_test(test_good_mails), cmocka_unit_test(test_single_part),
        cmocka_unit_test(test_lax),           cmocka_unit_test(test_strange),    cmocka_unit_test(test_bad),
        cmocka_unit_test(test_bomb),          cmocka_unit_test(test_limits),     cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests_name("report_read", tests, NULL, NULL);
}
