/* tally.t.c - tests of tally.c, and of counts_text.c through it. */
#include "tally.h"
#include "counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY    20779
#define MEMORY ((size_t)16 << 20)
#define RECORD "v=TLSRPTv1; rua=mailto:a@example.net"

static const uint8_t key[SIPHASH_KEY] = "a secret";

/* What came out, summed up and as lines. */
struct taken {
    size_t entries, details;
    uint64_t successful, failed, sessions, left_out, other;
    struct buf lines;
};

static void on_entry(void *ctx, const struct batch_entry *e)
{
    struct taken *t = ctx;

    t->entries++;
    if (e->id == NULL) {
        t->left_out += e->successful;
        return;
    }
    t->successful += e->successful;
    t->failed += e->failed;
    if (e->detail == NULL) {
        buf_printf(&t->lines, "%d %s %s %d %d\n", (int)e->day, e->domain, e->policy, (int)e->successful,
                   (int)e->failed);
        return;
    }
    t->details++;
    t->sessions += e->sessions;
    if (strcmp(e->detail, e->other) == 0)
        t->other += e->sessions;
    buf_printf(&t->lines, " %s %d\n", e->detail, (int)e->sessions);
}

static struct taken take(struct tally *t)
{
    struct taken out = {0};

    buf_init(&out.lines, (size_t)1 << 24);
    tally_take(t, on_entry, &out);
    assert_true(buf_ok(&out.lines));
    return out;
}

static void add(struct tally *t, const char *domain, const char *reason)
{
    static const char *const lines[] = {"version: STSv1"}, *const mx[] = {"*.example.net"};
    const struct tlsrpt_failure failure = {.result = TLSRPT_CERTIFICATE_EXPIRED, .reason = reason};
    const struct tlsrpt_policy policy = {.type = TLSRPT_POLICY_STS,
                                         .domain = domain,
                                         .string = lines,
                                         .strings = 1,
                                         .mx = mx,
                                         .mx_count = 1,
                                         .failure = &failure,
                                         .failures = reason != NULL,
                                         .failed = reason != NULL};

    assert_int_equal(tally_add(t, DAY, &(struct tlsrpt_event){domain, RECORD, &policy, 1}), 0);
}

static void expect(struct tally *t, const char *lines)
{
    struct taken out = take(t);

    assert_string_equal(buf_text(&out.lines), lines);
    buf_clear(&out.lines);
}

/* J12, J13: one session for each policy, equal failures together. */
static void test_sums(void **state)
{
    struct tally *t = tally_new(key, MEMORY);

    (void)state;
    for (int i = 0; i < 2; i++) { /* the second time from memory */
        add(t, "example.com", NULL);
        add(t, "example.com", NULL);
        add(t, "example.com", "why");
        add(t, "example.com", "why");
        assert_int_equal(tally_events(t), 4);
        expect(t, "20779 example.com {\"record\": \"" RECORD "\",\"policy-type\": \"sts\",\"policy-domain\": "
                  "\"example.com\",\"policy-string\":[\"version: STSv1\"],\"mx-host\":[\"*.example.net\"]} 2 2\n"
                  " {\"result-type\": \"certificate-expired\",\"failure-reason-code\": \"why\"} 2\n");
        assert_int_equal(tally_events(t), 0);
        expect(t, "");
    }
    tally_free(t);
}

/* J19: policies side by side; a session that came off may have had failures. */
static void test_side_by_side(void **state)
{
    const struct tlsrpt_failure f[] = {{.result = TLSRPT_TLSA_INVALID, .mx_name = "MX.Example.net."},
                                       {.result = TLSRPT_STARTTLS_NOT_SUPPORTED, .receiving_ip = "192.0.2.1"}};
    const struct tlsrpt_policy p[] = {
        {.type = TLSRPT_POLICY_TLSA, .domain = "mx.example.net", .failure = f, .failures = 2, .failed = true},
        {.type = TLSRPT_POLICY_NONE, .domain = "example.com", .failure = f, .failures = 1}};
    struct tally *t = tally_new(key, MEMORY);

    (void)state;
    assert_int_equal(tally_add(t, DAY, &(struct tlsrpt_event){"example.com", RECORD, p, 2}), 0);
    expect(t, "20779 example.com {\"record\": \"" RECORD
              "\",\"policy-type\": \"no-policy-found\",\"policy-domain\": \"example.com\"} 1 0\n"
              " {\"result-type\": \"tlsa-invalid\",\"receiving-mx-hostname\": \"mx.example.net\"} 1\n"
              "20779 example.com {\"record\": \"" RECORD
              "\",\"policy-type\": \"tlsa\",\"policy-domain\": \"mx.example.net\"} 0 1\n"
              " {\"result-type\": \"starttls-not-supported\",\"receiving-ip\": \"192.0.2.1\"} 1\n"
              " {\"result-type\": \"tlsa-invalid\",\"receiving-mx-hostname\": \"mx.example.net\"} 1\n");
    tally_free(t);
}

/* D4, and foreign text. */
static const struct {
    const char *in, *out;
} domains[] = {
    {"example.com", "example.com"},
    {"EXAMPLE.com.", "example.com"},
    {"example.com..", "example.com.."},
    {".", "."},
    {"a", "a"},
    {"a.", "a"},
    {"B\xc3\xbc"
     "cher.example",
     "xn--bcher-kva.example"},
    {"a\r\nb\x7f", "a??b?"},
    {"a\xff"
     "b",
     "a?b"},
    {"", ""},
};

static void test_domains(void **state)
{
    char out[DOMAIN_BUF], text[600];

    (void)state;
    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        print_message("%s\n", domains[i].out);
        assert_int_equal(counts_domain(out, domains[i].in), strlen(domains[i].out));
        assert_string_equal(out, domains[i].out);
    }
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(counts_domain(out, text), DOMAIN_MAX);
    assert_int_equal(counts_domain(out, NULL), 0);
}

static void test_one_domain(void **state)
{
    struct tally *t = tally_new(key, MEMORY);
    struct taken out;

    (void)state;
    add(t, "example.com", NULL);
    add(t, "EXAMPLE.com.", NULL);
    add(t, "", NULL);
    out = take(t);
    assert_int_equal(out.successful, 2);
    assert_null(strstr(buf_text(&out.lines), "EXAMPLE"));
    buf_clear(&out.lines);
    tally_free(t);
}

/* E13: a million different details cost no more than a thousand; J17: text from the network is cut. */
static void test_many_details(void **state)
{
    struct tally *t = tally_new(key, (size_t)4 << 20);
    struct taken out;
    char *text = malloc(10001);

    (void)state;
    memset(text, '"', 10000);
    text[10000] = '\0';
    for (int i = 0; i < 1000000; i++) {
        (void)snprintf(text, 10001, "%d", i);
        if (i < 2)
            text[1] = '\x01';
        add(t, "example.com", text);
        assert_false(tally_full(t));
    }
    out = take(t);
    assert_int_equal(out.failed, 1000000);
    assert_int_equal(out.sessions, 1000000);
    assert_int_equal(out.details, COUNTS_DETAILS_MAX + 1);
    assert_int_equal(out.other, 1000000 - COUNTS_DETAILS_MAX);
    buf_clear(&out.lines);
    free(text);
    tally_free(t);
}

static void test_many_policies(void **state)
{
    struct tally *t = tally_new(key, MEMORY);
    struct taken out;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char record[64];
        const struct tlsrpt_policy policy = {.type = TLSRPT_POLICY_NONE, .domain = "a.test"};

        (void)snprintf(record, sizeof(record), "v=TLSRPTv1; rua=mailto:a%d@a.test", i);
        assert_int_equal(tally_add(t, DAY, &(struct tlsrpt_event){"a.test", record, &policy, 1}), 0);
    }
    out = take(t);
    assert_int_equal(out.successful, COUNTS_POLICIES_MAX);
    assert_int_equal(out.left_out, 1000 - COUNTS_POLICIES_MAX);
    buf_clear(&out.lines);
    tally_free(t);
}

static void test_full(void **state)
{
    struct tally *t = tally_new(key, 100000);
    const struct tlsrpt_policy policy = {.type = TLSRPT_POLICY_NONE, .domain = "x"};
    uint64_t counted = 0, successful = 0;
    int full = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        char domain[32];
        const struct tlsrpt_event event = {domain, RECORD, &policy, 1};
        int rc;

        (void)snprintf(domain, sizeof(domain), "d%d.test", i);
        rc = tally_add(t, DAY, &event);
        if (rc == 1) {
            struct taken out = take(t);

            full++;
            successful += out.successful;
            buf_clear(&out.lines);
            rc = tally_add(t, DAY, &event);
        }
        assert_int_equal(rc, 0);
        counted++;
    }
    struct taken out = take(t);
    assert_true(full > 5);
    assert_int_equal(successful + out.successful, counted);
    buf_clear(&out.lines);
    tally_free(t);
    tally_free(NULL);
}

/* The largest event fits. */
static void test_long(void **state)
{
    char *text = malloc(20001);
    const char *list[50];
    struct tlsrpt_failure f = {.result = TLSRPT_VALIDATION_FAILURE};
    struct tlsrpt_policy p = {.type = TLSRPT_POLICY_STS, .string = list, .strings = 50, .mx = list, .mx_count = 50};
    struct tally *t = tally_new(key, MEMORY);

    (void)state;
    memset(text, '\x01', 20000);
    text[20000] = '\0';
    for (size_t i = 0; i < 50; i++)
        list[i] = i < 40 ? "a line of a policy" : text;
    p.domain = text;
    f.sending_ip = f.mx_name = f.mx_helo = f.receiving_ip = f.additional = f.reason = text;
    p.failure = &f;
    p.failures = 1;
    assert_int_equal(tally_add(t, DAY, &(struct tlsrpt_event){text, text, &p, 1}), 0);
    struct taken out = take(t);
    assert_int_equal(out.entries, 2);
    buf_clear(&out.lines);
    tally_free(t);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),       cmocka_unit_test(test_side_by_side), cmocka_unit_test(test_domains),
        cmocka_unit_test(test_one_domain), cmocka_unit_test(test_many_details), cmocka_unit_test(test_many_policies),
        cmocka_unit_test(test_full),       cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
