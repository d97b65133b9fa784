/* tlsa_match.t.c - records of each form against a chain of three, of two, and against one certificate alone. */
#include "tlsa_match.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static X509 *chain[3]; /* leaf, intermediate, root: whoever signed them does not matter here */

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *key = EVP_EC_gen("P-256");

        chain[i] = X509_new();
        X509_gmtime_adj(X509_getm_notBefore(chain[i]), -1);
        X509_gmtime_adj(X509_getm_notAfter(chain[i]), 60);
        X509_set_pubkey(chain[i], key);
        assert_true(X509_sign(chain[i], key, EVP_sha256()) > 0);
        EVP_PKEY_free(key);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        X509_free(chain[i]);
    return 0;
}

static struct tlsa record(X509 *cert, uint8_t usage, uint8_t selector, uint8_t matching)
{
    struct tlsa rr = {.usage = usage, .selector = selector, .matching_type = matching};
    unsigned char digest[SHA512_DIGEST_LENGTH], *der = NULL;
    int len = selector == 0 ? i2d_X509(cert, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    const unsigned char *data = matching == 0   ? der
                                : matching == 1 ? SHA256(der, (size_t)len, digest)
                                                : SHA512(der, (size_t)len, digest);

    assert_true(len > 0);
    rr.len = (uint16_t)(matching == 0 ? len : matching == 1 ? SHA256_DIGEST_LENGTH : SHA512_DIGEST_LENGTH);
    rr.data = malloc(rr.len);
    memcpy(rr.data, data, rr.len);
    OPENSSL_free(der);
    return rr;
}

/* Of which certificate, with which usage; whether it fits the chain of three, the leaf alone, and two. */
static const struct {
    size_t of;
    uint8_t usage;
    bool three, one, two;
} forms[] = {
    {0, 3, true, true, true},   {1, 3, false, false, false}, {0, 2, false, false, false}, {1, 2, true, false, true},
    {2, 2, true, false, false}, {0, 1, false, false, false}, {1, 0, false, false, false}, {2, 3, false, false, false},
};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        for (uint8_t selector = 0; selector < 2; selector++)
            for (uint8_t matching = 0; matching < 3; matching++) {
                struct tlsa rr = record(chain[forms[i].of], forms[i].usage, selector, matching);

                assert_int_equal(tlsa_fits(&rr, chain, 3), forms[i].three);
                assert_int_equal(tlsa_fits(&rr, chain, 1), forms[i].one);
                assert_int_equal(tlsa_fits(&rr, chain, 2), forms[i].two);
                assert_false(tlsa_fits(&rr, chain, 0));
                rr.data[rr.len - 1] ^= 1;
                if (matching != 0)
                    assert_false(tlsa_fits(&rr, chain, 3));
                tlsa_clear(&rr);
            }
}

static void test_set(void **state)
{
    struct cert_chain c = {.count = 3};
    struct dns_rr rr[2] = {{0}};
    uint8_t digest[CERT_DIGEST_LEN] = "no key";

    (void)state;
    memcpy(c.cert, chain, sizeof(chain));
    rr[0].tlsa = tlsa_of_digest(digest);
    rr[1].tlsa = record(chain[0], 3, 1, 1);
    assert_false(tlsa_set_fits(rr, 0, &c));
    assert_false(tlsa_set_fits(rr, 1, &c));
    assert_true(tlsa_set_fits(rr, 2, &c));
    tlsa_clear(&rr[1].tlsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms), cmocka_unit_test(test_set)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
