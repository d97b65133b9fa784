/* acme_key.t.c - keys of each type, and the request that goes to the authority. */
#include "acme_key.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static EVP_PKEY *key_of(const char *type)
{
    struct buf pem;
    EVP_PKEY *key;

    buf_init(&pem, ACME_KEY_MAX);
    assert_int_equal(acme_key_new(&pem, type, NULL), 0);
    key = acme_key_read(buf_text(&pem), pem.len);
    buf_clear(&pem);
    return key;
}

static void test_types(void **state)
{
    static const struct {
        const char *type;
        int bits; /* 0: no such type */
    } cases[] = {{"p256", 256}, {"rsa2048", 2048}, {"rsa3072", 3072}, {"rsa", 2048}, {"ed25519", 0}, {"dsa", 0},
                 {"", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = {""};
        EVP_PKEY *key;

        assert_int_equal(acme_key_type_valid(cases[i].type, &e), cases[i].bits != 0);
        if (cases[i].bits == 0)
            continue;
        key = key_of(cases[i].type);
        assert_non_null(key);
        assert_int_equal(EVP_PKEY_get_bits(key), cases[i].bits);
        EVP_PKEY_free(key);
    }
}

static X509_REQ *request_of(EVP_PKEY *key, char *const *host, size_t hosts)
{
    struct buf pem;
    BIO *bio;
    X509_REQ *request;

    buf_init(&pem, ACME_CSR_MAX);
    assert_int_equal(acme_csr(&pem, key, host, hosts, NULL), 0);
    bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    BIO_free(bio);
    buf_clear(&pem);
    assert_non_null(request);
    return request;
}

static void test_request(void **state)
{
    char first[] = "mx.example.com", second[] = "*.example.net", again[] = "MX.example.com";
    char *const host[] = {first, second, again};
    EVP_PKEY *key = key_of("p256");
    X509_REQ *request = request_of(key, host, 3);
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    char subject[100];

    (void)state;
    assert_int_equal(X509_REQ_verify(request, key), 1);
    X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(request), NID_commonName, subject, sizeof(subject));
    assert_string_equal(subject, first);
    assert_int_equal(sk_GENERAL_NAME_num(names), 2);
    for (int i = 0; i < 2; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        assert_int_equal(name->type, GEN_DNS);
        assert_int_equal(ASN1_STRING_length(name->d.dNSName), (int)strlen(host[i]));
        assert_memory_equal(ASN1_STRING_get0_data(name->d.dNSName), host[i], strlen(host[i]));
    }
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
}

/* A name that is too long for a subject stands in the extension alone. */
static void test_long_name(void **state)
{
    char name[100];
    char *const host[] = {name};
    EVP_PKEY *key = key_of("p256");
    X509_REQ *request;

    (void)state;
    memset(name, 'a', 60);
    strcpy(name + 60, ".example.com");
    request = request_of(key, host, 1);
    assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(request)), 0);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
}

static void test_no_request(void **state)
{
    char whole[] = "mx.example.com", bad[] = "a b.example.com";
    char *const host[] = {whole, bad};
    EVP_PKEY *key = key_of("p256");
    struct err e = {""};
    struct buf pem;

    (void)state;
    buf_init(&pem, ACME_CSR_MAX);
    assert_int_equal(acme_csr(&pem, key, host, 2, &e), -1);
    assert_non_null(strstr(e.text, bad));
    assert_int_equal(acme_csr(&pem, key, host, 0, &e), -1);
    assert_int_equal(pem.len, 0);
    pem.max = 10;
    assert_int_equal(acme_csr(&pem, key, host, 1, &e), -1);
    buf_clear(&pem);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_types), cmocka_unit_test(test_request),
                                       cmocka_unit_test(test_long_name), cmocka_unit_test(test_no_request)};
    return cmocka_run_group_tests_name("ctl/acme_key", tests, NULL, NULL);
}
