/* cert_make.t.c - tests of cert_make.c, cert_guard.c and cert_pkcs12.c. */
#include "cert_make.h"

#include "cert_guard.h"
#include "cert_pkcs12.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <string.h>

#define NOW INT64_C(1800000000)
#define DAY 86400

static void takes_host_names(void **state)
{
    static struct cert_wish w;
    static const struct {
        const char *name;
        int rc;
        size_t hosts;
    } cases[] = {
        {"MX.example.com", 0, 1},
        {"mx.example.com.", 0, 1},
        {"*.example.com", 0, 2},
        {"*.EXAMPLE.com", 0, 2},
        {"example.com", 0, 3},
        {"b\xc3\xbc"
         "cher.example",
         0, 4},
        {"localhost", -1, 4},
        {"*", -1, 4},
        {"*.com", -1, 4},
        {"*.*.example.com", -1, 4},
        {"a b.example", -1, 4},
        {"", -1, 4},
        {"192.0.2.1", -1, 4},
    };
    struct err e;

    (void)state;
    memset(&w, 0, sizeof(w));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (cert_wish_add(&w, cases[i].name, &e) != cases[i].rc || w.hosts != cases[i].hosts)
            fail_msg("%s: %zu", cases[i].name, w.hosts);
    assert_string_equal(w.host[0], "mx.example.com");
    assert_string_equal(w.host[1], "*.example.com");
    assert_string_equal(w.host[3], "xn--bcher-kva.example");
    for (size_t i = w.hosts; i < CERT_WISH_HOSTS_MAX + 1; i++) {
        char name[32];

        snprintf(name, sizeof(name), "h%zu.example", i);
        assert_int_equal(cert_wish_add(&w, name, &e), i < CERT_WISH_HOSTS_MAX ? 0 : -1);
    }
}

static X509 *signed_for(const char *const *host, EVP_PKEY *key, int64_t days, const char *country)
{
    static struct cert_wish w;
    struct err e = {""};

    w = (struct cert_wish){.days = days, .country = country, .organization = "O"};
    for (; *host != NULL; host++)
        assert_int_equal(cert_wish_add(&w, *host, &e), 0);
    return cert_self_signed(&w, key, NOW, &e);
}

static void makes_certificates(void **state)
{
    static const char *const types[] = {"p256", "ed25519", "rsa2048", "rsa"};
    static const char *const hosts[] = {"a-host-with-a-name-that-is-longer.than-a-common-name-may-be-of-64.example.com",
                                        "*.example.org", NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct cert_chain c = {.count = 1};
        struct cert_facts f;
        struct err e = {""};

        c.key = cert_key_make(types[i], &e);
        assert_non_null(c.key);
        c.cert[0] = signed_for(hosts, c.key, 30, "de");
        assert_non_null(c.cert[0]);
        assert_true(cert_key_fits(c.cert[0], c.key));
        assert_int_equal(cert_facts_read(&f, c.cert[0], &e), 0);
        assert_string_equal(f.subject, "O=O,C=DE");
        assert_true(f.self_issued && !f.ca);
        assert_int_equal(f.names, 2);
        assert_int_equal(f.not_after, NOW + 30 * DAY);
        assert_int_equal(cert_chain_end(&c), NOW + 30 * DAY);
        assert_int_equal(cert_chain_judge(&c, "x.example.org", NULL, NOW, &e), CERT_GOOD);
        assert_int_equal(ERR_peek_error(), 0);
        cert_facts_clear(&f);
        cert_chain_clear(&c);
    }
    assert_null(cert_key_make("rsa1024", NULL));
    assert_null(cert_key_make("", NULL));
}

static void refuses_odd_subjects(void **state)
{
    static const char *const hosts[] = {"a.example", NULL};
    static const char *const countries[] = {"", "D", "DEU", "1a", "\xc3\xbc"};
    EVP_PKEY *key = cert_key_make("p256", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(countries) / sizeof(countries[0]); i++)
        assert_null(signed_for(hosts, key, 1, countries[i]));
    assert_int_equal(ERR_peek_error(), 0);
    EVP_PKEY_free(key);
}

/* Would the second, for these names, be taken in place of the first? */
static const struct {
    const char *before[3], *fresh[3];
    int64_t days;
    const char *lost; /* NULL: nothing */
} guards[] = {
    {{"a.example"}, {"a.example"}, 9, NULL},
    {{"a.example"}, {"b.example"}, 9, "not for a.example"},
    {{"a.example"}, {"*.example", "b.example"}, 9, NULL},
    {{"*.b.example"}, {"a.b.example"}, 9, "not for *.b.example"},
    {{"*.b.example"}, {"*.b.example"}, 9, NULL},
    {{"*.b.example"}, {"*.example"}, 9, "not for"},
    {{NULL}, {"b.example"}, 9, NULL},
    {{NULL}, {"b.example"}, -1, "expired"},
    {{"a.example"}, {"a.example"}, -1, "expired"},
};

static X509 *raw_for(const char *const *host, EVP_PKEY *key, int64_t days)
{
    static struct cert_wish w;

    w = (struct cert_wish){.days = days};
    for (; *host != NULL; host++)
        snprintf(w.host[w.hosts++], DOMAIN_BUF, "%s", *host);
    return cert_self_signed(&w, key, days < 0 ? NOW - DAY : NOW, NULL);
}

static void guards_what_is_there(void **state)
{
    EVP_PKEY *key = cert_key_make("p256", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
        struct cert_entry before = {.name = "x"};
        struct cert_chain fresh = {.count = 1, .cert = {raw_for(guards[i].fresh, key, guards[i].days)}};
        struct cert_facts leaf;
        struct err lost;

        assert_int_equal(cert_facts_read(&leaf, fresh.cert[0], NULL), 0);
        if (guards[i].before[0] != NULL) {
            before.live.cert[before.live.count++] = raw_for(guards[i].before, key, 9);
            assert_int_equal(cert_facts_read(&before.leaf, before.live.cert[0], NULL), 0);
        }
        cert_guard(&lost, &before, &fresh, &leaf, NULL, NOW);
        if (guards[i].lost == NULL ? lost.text[0] != '\0' : strstr(lost.text, guards[i].lost) == NULL)
            fail_msg("case %zu: %s", i, lost.text);
        cert_facts_clear(&leaf);
        cert_chain_clear(&fresh);
        cert_entry_clear(&before);
    }
    EVP_PKEY_free(key);
}

static void refuses_what_is_no_pkcs12(void **state)
{
    static const char *const texts[] = {"", "x", "0", "0\x80", "0\x82\xff\xff", "-----BEGIN"};
    struct err e;
    struct buf pem;

    (void)state;
    buf_init(&pem, 65536);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(cert_pkcs12_read(&pem, texts[i], strlen(texts[i]), NULL, &e), -1);
    assert_int_equal(pem.len, 0);
    assert_int_equal(ERR_peek_error(), 0);
    buf_clear(&pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_host_names),          cmocka_unit_test(makes_certificates),
        cmocka_unit_test(refuses_odd_subjects),      cmocka_unit_test(guards_what_is_there),
        cmocka_unit_test(refuses_what_is_no_pkcs12),
    };
    return cmocka_run_group_tests_name("cert_make", tests, NULL, NULL);
}
