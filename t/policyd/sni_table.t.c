/* sni_table.t.c - tests of sni_table.c: what goes out for a host name, at which time, and how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "make_cert.h"
#include "netstring.h"
#include "sni_table.h"
#include "socketmap.h"

#include <stdio.h>
#include <string.h>

static const uint8_t secret[16] = {7};

static const struct one {
    const char *name, *key, *sans;
    int64_t from, to;
    const char *trouble;
} stored[] = {
    {"own", "P-256", "DNS:a.example,DNS:b.example", -9, 9, ""},
    {"wild", "P-256", "DNS:*.example", -9, 90, ""},
    {"rsa", "rsa2048", "DNS:*.example", -9, 5, ""},
    {"soon", "P-256", "DNS:later.test", 2, 50, ""},
    {"ends", "P-256", "DNS:later.test", -9, 3, ""},
    {"broken", "P-256", "DNS:broken.test", -9, 9, "live.pem: broken"},
    {"csr", NULL, NULL, 0, 0, ""},
};
#define STORED (sizeof(stored) / sizeof(stored[0]))

static struct cert_entry entry[STORED];
static const struct cert_entries all = {entry, STORED};

static int make_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORED; i++) {
        const struct one *one = &stored[i];
        struct made m = {one->name, one->sans, one->from, one->to, false, false};

        (void)snprintf(entry[i].name, sizeof(entry[i].name), "%s", one->name);
        (void)snprintf(entry[i].trouble, sizeof(entry[i].trouble), "%s", one->trouble);
        if (one->key == NULL)
            continue;
        entry[i].live.key = make_key(one->key);
        entry[i].live.cert[0] = make_cert(&m, entry[i].live.key, NULL, NULL);
        entry[i].live.count = 1;
        assert_int_equal(cert_facts_read(&entry[i].leaf, entry[i].live.cert[0], NULL), 0);
    }
    return 0;
}

static int clear_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORED; i++)
        cert_entry_clear(&entry[i]);
    return 0;
}

static struct sni_table *table_at(int64_t day)
{
    struct sni_table *t = sni_table_new(&all, MADE_NOW + day * MADE_DAY, true, secret);

    assert_non_null(t);
    return t;
}

/* The names of what a reply holds, in its order, each key with its certificate: "own rsa"; "" for none. */
static void held(char out[100], struct sni_table *t, const char *host)
{
    static char pem[SOCKETMAP_REPLY_MAX];
    struct netstring ns;
    size_t len;
    const char *wire = sni_table_get(t, host, &len);
    BIO *bio;
    EVP_PKEY *key;

    out[0] = '\0';
    if (wire == NULL)
        return;
    assert_int_equal(netstring_parse(&ns, wire, len, SOCKETMAP_REPLY_MAX), 1);
    assert_int_equal(ns.total, len);
    assert_memory_equal(ns.data, "OK ", 3);
    assert_null(memchr(ns.data, '\n', ns.len));
    len = (size_t)EVP_DecodeBlock((unsigned char *)pem, (const unsigned char *)ns.data + 3, (int)ns.len - 3);
    bio = BIO_new_mem_buf(pem, (int)len);
    while ((key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL)) != NULL) {
        X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        assert_non_null(cert);
        assert_true(cert_key_fits(cert, key));
        if (out[0] != '\0')
            strcat(out, " ");
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out + strlen(out), 20);
        X509_free(cert);
        EVP_PKEY_free(key);
    }
    BIO_free(bio);
}

static const struct {
    const char *host;
    int64_t day;
    const char *held;
} rows[] = {
    {"a.example", 0, "own rsa"},  {"b.example", 0, "own rsa"},  {"c.example", 0, "wild rsa"}, {"example", 0, ""},
    {"x.a.example", 0, ""},       {"*.example", 0, "wild rsa"}, {"a.example", 6, "own"},      {"a.example", 10, "wild"},
    {"a.example", 100, "own"},    {"later.test", 0, "ends"},    {"later.test", 2, "soon"},    {"later.test", 4, "soon"},
    {"later.test", -100, "soon"}, {"broken.test", 0, ""},       {"none.test", 0, ""},         {"test", 0, ""},
};

static void test_rows(void **state)
{
    char got[100];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sni_table *t = table_at(rows[i].day);

        held(got, t, rows[i].host);
        if (strcmp(got, rows[i].held) != 0)
            fail_msg("%s on day %d: \"%s\", not \"%s\"", rows[i].host, (int)rows[i].day, got, rows[i].held);
        sni_table_free(t);
    }
}

/* Between two moments that it names, nothing changes; at each of them it is made anew. */
static void test_until(void **state)
{
    static const int64_t days[][3] = {{0, 2, 0}, {2, 3, 1}, {3, 5, 1}, {20, 50, 1}, {60, 90, 1}};
    char *trouble = entry[5].trouble;
    struct sni_table *t = table_at(0);

    (void)state;
    assert_int_equal(sni_table_until(t), MADE_NOW + 300); /* one is in trouble, and may get over it */
    sni_table_free(t);
    trouble[0] = '\0';
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        t = table_at(days[i][0]);
        if (i > 0) { /* the last second of an end still counts */
            sni_table_free(t);
            t = sni_table_new(&all, MADE_NOW + days[i][0] * MADE_DAY + 1, true, secret);
            assert_non_null(t);
        }
        assert_int_equal(sni_table_until(t), MADE_NOW + days[i][1] * MADE_DAY + days[i][2]);
        sni_table_free(t);
    }
    t = table_at(1000);
    assert_true(sni_table_until(t) == INT64_MAX);
    sni_table_free(t);
    memcpy(trouble, stored[5].trouble, strlen(stored[5].trouble) + 1);
}

static void test_certificates(void **state)
{
    static const char *const order[STORED] = {"ends", "rsa", "broken", "own", "soon", "wild", "csr"};
    struct sni_table *t = table_at(0);
    size_t count;
    const struct sni_certificate *c = sni_table_certificates(t, &count);

    (void)state;
    assert_int_equal(count, STORED);
    for (size_t i = 0; i < STORED; i++)
        assert_string_equal(c[i].name, order[i]);
    assert_int_equal(c[0].expires, MADE_NOW + 3 * MADE_DAY);
    assert_int_equal(c[STORED - 1].expires, 0);
    assert_string_equal(c[2].trouble, "live.pem: broken");
    assert_int_equal(sni_table_names(t), 4);
    sni_table_free(t);
}

static void test_no_answers(void **state)
{
    struct sni_table *t = sni_table_new(&all, MADE_NOW, false, secret);
    size_t len;

    (void)state;
    assert_non_null(t);
    assert_null(sni_table_get(t, "a.example", &len));
    (void)sni_table_certificates(t, &len);
    assert_int_equal(len, STORED);
    sni_table_free(t);
}

static void test_empty(void **state)
{
    const struct cert_entries none = {0};
    struct sni_table *t = sni_table_new(&none, MADE_NOW, true, secret);
    size_t len;

    (void)state;
    assert_non_null(t);
    assert_null(sni_table_get(t, "a.example", &len));
    assert_true(sni_table_until(t) == INT64_MAX);
    sni_table_free(t);
    sni_table_free(NULL);
}

/* A chain that fills Postfix's limit: the other kind of key goes out alone; with nothing left, nothing does. */
static void test_too_long(void **state)
{
    static char sans[60000];
    struct cert_entry big[2] = {entry[0], entry[2]};
    const struct cert_entries two = {big, 2}, one = {big + 1, 1};
    struct made m = {"big", sans, -9, 9, false, false};
    EVP_PKEY *key = make_key("P-256");
    X509 *filler;
    struct sni_table *t;
    char got[100];
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; len < 40000; i++)
        len += (size_t)snprintf(sans + len, sizeof(sans) - len, "%sDNS:h%u.example.net", i == 0 ? "" : ",", i);
    filler = make_cert(&m, key, NULL, NULL);
    big[1].live.cert[1] = big[1].live.cert[2] = filler;
    big[1].live.count = 3;
    t = sni_table_new(&two, MADE_NOW, true, secret);
    assert_non_null(t);
    held(got, t, "a.example");
    assert_string_equal(got, "own");
    sni_table_free(t);
    t = sni_table_new(&one, MADE_NOW, true, secret);
    assert_non_null(t);
    assert_null(sni_table_get(t, "c.example", &len));
    sni_table_free(t);
    X509_free(filler);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_until), cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_no_answers), cmocka_unit_test(test_empty), cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests_name("sni_table", tests, make_all, clear_all);
}
