/* dest.t.c - tests of dest.c: making, filling and freeing destination records. */
#include "dest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENFORCE "version: STSv1\nmode: enforce\nmx: mx.example.com\nmx: *.example.net\nmax_age: 86400\n"
#define TESTING "version: STSv1\r\nmode: testing\r\nmx: mx.example.com\r\nmax_age: 100\r\n"
#define T       1000000

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(dest_mx_name(DEST_MX_TEMP), "temp");
    assert_string_equal(dest_mx_name(DEST_MX_NODOMAIN), "nodomain");
    assert_string_equal(dest_mx_name(DEST_MX_NULL), "null");
    assert_string_equal(dest_mx_name(DEST_MX_IMPLICIT), "implicit");
    assert_string_equal(dest_mx_name(DEST_MX_LIST), "list");
    assert_string_equal(dest_dane_name(DEST_DANE_NONE), "none");
    assert_string_equal(dest_dane_name(DEST_DANE_USABLE), "usable");
    assert_string_equal(dest_dane_name(DEST_DANE_UNUSABLE), "unusable");
    assert_string_equal(dest_dane_name(DEST_DANE_TEMP), "temp");
    assert_string_equal(dest_sts_record_name(DEST_STS_NONE), "none");
    assert_string_equal(dest_sts_record_name(DEST_STS_FOUND), "found");
    assert_string_equal(dest_sts_record_name(DEST_STS_INVALID), "invalid");
    assert_string_equal(dest_sts_record_name(DEST_STS_TEMP), "temp");
    assert_string_equal(dest_sts_failure_name(DEST_STS_OK), "");
    assert_string_equal(dest_sts_failure_name(DEST_STS_FETCH_ERROR), "sts-policy-fetch-error");
    assert_string_equal(dest_sts_failure_name(DEST_STS_POLICY_INVALID), "sts-policy-invalid");
    assert_string_equal(dest_sts_failure_name(DEST_STS_WEBPKI_INVALID), "sts-webpki-invalid");
}

static void test_new(void **state)
{
    char longest[DOMAIN_MAX + 2];
    struct dest *d = dest_new("example.com");

    (void)state;
    assert_non_null(d);
    assert_string_equal(d->domain, "example.com");
    assert_int_equal(d->mx, DEST_MX_TEMP);
    assert_int_equal(d->sts.record, DEST_STS_NONE);
    assert_false(d->sts.has_policy);
    assert_int_equal(d->host_count, 0);
    assert_string_equal(d->tlsrpt, "");
    dest_free(d);
    dest_free(NULL);

    memset(longest, 'a', sizeof longest);
    longest[DOMAIN_MAX] = '\0';
    d = dest_new(longest);
    assert_non_null(d);
    assert_string_equal(d->domain, longest);
    dest_free(d);
    longest[DOMAIN_MAX] = 'a';
    longest[DOMAIN_MAX + 1] = '\0';
    assert_null(dest_new(longest));
    assert_null(dest_new(""));
}

static void test_hosts(void **state)
{
    struct dest *d = dest_new("example.com");
    char name[40];

    (void)state;
    assert_non_null(d);
    for (uint16_t i = 0; i < DEST_HOSTS_MAX; i++) {
        struct dest_host *host;

        snprintf(name, sizeof name, "mx%u.example.com", (unsigned)i);
        host = dest_add_host(d, name, i);
        assert_non_null(host);
        assert_ptr_equal(host, &d->host[i]);
        assert_int_equal(host->dane, DEST_DANE_NONE);
        assert_null(host->tlsa);
    }
    assert_false(d->mx_truncated);
    assert_null(dest_add_host(d, "more.example.com", 99));
    assert_true(d->mx_truncated);
    assert_int_equal(d->host_count, DEST_HOSTS_MAX);
    assert_string_equal(d->host[0].name, "mx0.example.com");
    assert_string_equal(d->host[31].name, "mx31.example.com");
    assert_int_equal(d->host[31].preference, 31);
    dest_free(d);
}

static void test_tlsa(void **state)
{
    struct dest *d = dest_new("example.com");
    struct dest_host *host;
    struct tlsa rr = {0};

    (void)state;
    assert_non_null(d);
    host = dest_add_host(d, "mx.example.com", 10);
    assert_non_null(host);
    for (size_t i = 0; i < DEST_TLSA_MAX; i++) {
        assert_int_equal(tlsa_parse(&rr, "3 1 1 00ff", 10, NULL), 0);
        assert_int_equal(dest_add_tlsa(host, &rr), 0);
        assert_null(rr.data);
    }
    assert_int_equal(tlsa_parse(&rr, "3 1 1 00ff", 10, NULL), 0);
    assert_int_equal(dest_add_tlsa(host, &rr), -1);
    assert_non_null(rr.data);
    tlsa_clear(&rr);
    assert_int_equal(host->tlsa_count, DEST_TLSA_MAX);
    assert_int_equal(host->tlsa[15].data[1], 0xff);
    dest_free(d);
}

static void test_set_policy(void **state)
{
    struct dest_sts sts = {0};
    struct err e = {""};

    (void)state;
    assert_int_equal(dest_sts_set_policy(&sts, "20260101", ENFORCE, strlen(ENFORCE), T, &e), 0);
    assert_true(sts.has_policy);
    assert_string_equal(sts.policy_id, "20260101");
    assert_string_equal(sts.body, ENFORCE);
    assert_int_equal(sts.body_len, strlen(ENFORCE));
    assert_int_equal(sts.policy.mode, STS_MODE_ENFORCE);
    assert_int_equal(sts.policy.mx_count, 2);
    assert_int_equal(sts.fetched, T);
    assert_int_equal(sts.expires, T + 86400);

    /* Replaced, by the id and body that it holds itself, too. */
    assert_int_equal(dest_sts_set_policy(&sts, sts.policy_id, sts.body, sts.body_len, T + 1, &e), 0);
    assert_string_equal(sts.policy_id, "20260101");
    assert_string_equal(sts.body, ENFORCE);
    assert_int_equal(sts.expires, T + 86401);
    assert_int_equal(dest_sts_set_policy(&sts, "b", TESTING, strlen(TESTING), T, &e), 0);
    assert_int_equal(sts.policy.mode, STS_MODE_TESTING);
    assert_int_equal(sts.expires, T + 100);

    dest_sts_drop_policy(&sts);
    assert_false(sts.has_policy);
    assert_null(sts.body);
    assert_int_equal(sts.policy.mx_count, 0);
    assert_string_equal(sts.policy_id, "");
    dest_sts_drop_policy(&sts);
}

struct refused_case {
    const char *name;
    const char *id;
    const char *body;
    int64_t now;
};

static const struct refused_case refused[] = {
    {"A5 broken body", "1", "version: STSv2\n", T},
    {"empty body", "1", "", T},
    {"A1 no id", "", ENFORCE, T},
    {"A1 id of 33", "123456789012345678901234567890123", ENFORCE, T},
    {"A1 id with a blank", "a b", ENFORCE, T},
    {"A1 id with a dash", "a-b", ENFORCE, T},
    {"A5 body that is no UTF-8", "1", ENFORCE "x: \xff\n", T},
    {"A5 body with a surrogate", "1", ENFORCE "x: \xed\xa0\x80\n", T},
    {"A5 body with an overlong slash", "1", ENFORCE "x: \xc0\xaf\n", T},
    {"A5 body cut within a character", "1", ENFORCE "x: \xe2\x82", T},
    {"time below 0", "1", ENFORCE, -1},
    {"time beyond 2^53", "1", ENFORCE, DEST_TIME_MAX + 1},
    {"time whose policy could expire beyond 2^53", "1", ENFORCE, DEST_TIME_MAX - STS_MAX_AGE_MAX + 1},
};

static void test_set_policy_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct refused_case *c = &refused[i];
        struct dest_sts sts = {0};
        struct err e = {""};

        assert_int_equal(dest_sts_set_policy(&sts, "kept", TESTING, strlen(TESTING), 7, &e), 0);
        if (dest_sts_set_policy(&sts, c->id, c->body, strlen(c->body), c->now, &e) != -1)
            fail_msg("%s: taken", c->name);
        assert_string_not_equal(e.text, "");
        assert_string_equal(sts.policy_id, "kept");
        assert_string_equal(sts.body, TESTING);
        assert_int_equal(sts.policy.mode, STS_MODE_TESTING);
        assert_int_equal(sts.fetched, 7);
        dest_sts_drop_policy(&sts);
    }
}

static void test_body_too_long(void **state)
{
    struct dest_sts sts = {0};
    struct err e = {""};
    char *body = malloc(STS_BODY_MAX + 1);

    (void)state;
    assert_non_null(body);
    memset(body, '\n', STS_BODY_MAX + 1);
    assert_int_equal(dest_sts_set_policy(&sts, "1", body, STS_BODY_MAX + 1, T, &e), -1);
    free(body);
}

static void test_copy_policy(void **state)
{
    struct dest_sts from = {0};
    struct dest_sts to = {0};

    (void)state;
    assert_int_equal(dest_sts_set_policy(&from, "a1", ENFORCE, strlen(ENFORCE), T, NULL), 0);
    assert_int_equal(dest_sts_copy_policy(&to, &from), 0);
    assert_ptr_not_equal(to.body, from.body);
    assert_string_equal(to.body, ENFORCE);
    assert_string_equal(to.policy_id, "a1");
    assert_int_equal(to.fetched, T);
    assert_int_equal(to.expires, T + 86400);
    assert_int_equal(to.policy.mx_count, 2);
    assert_int_equal(dest_sts_copy_policy(&from, &from), 0);
    assert_true(from.has_policy);
    dest_sts_drop_policy(&from);
    assert_string_equal(to.body, ENFORCE);
    assert_int_equal(dest_sts_copy_policy(&to, &from), 0);
    assert_false(to.has_policy);
}

/* Of two policies the one fetched later counts, and it does so when it has gone, too (A7: mode none for a day). */
static void test_adopt(void **state)
{
    static const struct {
        const char *name;
        bool there;
        int64_t learnt, now;
        bool adopted;
    } rows[] = {
        {"none, never", false, 0, T + 10, true},
        {"an earlier one", true, T - 1, T + 10, true},
        {"as late", true, T, T + 10, false},
        {"a later one", true, T + 1, T + 10, false},
        {"an earlier one, gone", false, T - 1, T + 10, true},
        {"the same, gone by another clock", false, T, T + 10, true},
        {"a later one, gone", false, T + 1, T + 10, false},
        {"gone, from the future", false, T + 71, T + 10, true},
        {"a later one, gone by another clock", false, T + 70, T + 10, false},
        {"earlier, but this one is from the future", true, T - 99, T - 61, false},
        {"earlier, this one is of another clock", true, T - 99, T - 60, true},
        {"both from the future", true, T - 1, T - 62, true},
        {"from the future, but this one is not", true, T + 71, T + 10, true},

        {"expired itself", false, 0, T + 86400, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dest_sts from = {0}, to = {0};

        print_message("%s\n", rows[i].name);
        assert_int_equal(dest_sts_set_policy(&from, "1", ENFORCE, strlen(ENFORCE), T, NULL), 0);
        if (rows[i].learnt != 0)
            assert_int_equal(dest_sts_set_policy(&to, "2", TESTING, strlen(TESTING), rows[i].learnt, NULL), 0);
        if (!rows[i].there)
            dest_sts_drop_policy(&to);
        assert_int_equal(to.learnt, rows[i].learnt);
        assert_int_equal(dest_sts_adopt_policy(&to, &from, rows[i].now), 0);
        assert_int_equal(to.has_policy && to.fetched == T && strcmp(to.policy_id, "1") == 0, rows[i].adopted);
        dest_sts_drop_policy(&from);
        dest_sts_drop_policy(&to);
    }
}

static void test_live(void **state)
{
    struct dest_sts sts = {0};

    (void)state;
    assert_false(dest_sts_live(&sts, 0));
    sts.expires = T;
    assert_false(dest_sts_live(&sts, 0));
    sts.has_policy = true;
    assert_true(dest_sts_live(&sts, T - 1));
    assert_false(dest_sts_live(&sts, T)); /* A8 good for max_age, not a second more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_new),
        cmocka_unit_test(test_hosts),         cmocka_unit_test(test_tlsa),
        cmocka_unit_test(test_set_policy),    cmocka_unit_test(test_set_policy_refused),
        cmocka_unit_test(test_body_too_long), cmocka_unit_test(test_copy_policy),
        cmocka_unit_test(test_adopt),         cmocka_unit_test(test_live),
    };

    return cmocka_run_group_tests_name("dest", tests, NULL, NULL);
}
