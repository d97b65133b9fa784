/* tlsa.t.c - tests of tlsa.c: RFC 7672 3.1, RFC 6698, check B-2. */
#include "tlsa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DER_CAP  4096

/* A certificate and its key, made anew for each run, with room for one octet more. */
static uint8_t cert_der[DER_CAP];
static uint16_t cert_len;
static uint8_t key_der[DER_CAP];
static uint16_t key_len;

static int make_certificate(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    unsigned char *at = cert_der;

    (void)state;
    assert_non_null(key);
    assert_non_null(cert);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    cert_len = (uint16_t)i2d_X509(cert, &at);
    at = key_der;
    key_len = (uint16_t)i2d_PUBKEY(key, &at);
    assert_in_range(cert_len, 100, DER_CAP - 1);
    assert_in_range(key_len, 50, DER_CAP - 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    return 0;
}

/* Usable or not, with the data in a block of its own size. Says why not, "" when usable. */
static const char *judge(unsigned usage, unsigned selector, unsigned matching, const uint8_t *data, size_t len)
{
    static struct err e;
    struct tlsa rr = {(uint8_t)usage, (uint8_t)selector, (uint8_t)matching, (uint16_t)len, NULL};
    bool usable;

    rr.data = malloc(len == 0 ? 1 : len);
    assert_non_null(rr.data);
    memcpy(rr.data, data, len);
    e.text[0] = '\0';
    usable = tlsa_usable(&rr, &e);
    assert_int_equal(usable, e.text[0] == '\0');
    assert_int_equal(tlsa_usable(&rr, NULL), usable);
    assert_int_equal(ERR_peek_error(), 0); /* nothing left for the TLS session of the caller to stumble over */
    tlsa_clear(&rr);
    return e.text;
}

static void judges_digests(void **state)
{
    static const struct {
        unsigned usage, selector, matching, len;
        const char *say;
    } rows[] = {
        {3, 1, 1, 32, ""},
        {3, 0, 1, 32, ""},
        {2, 0, 1, 32, ""},
        {2, 1, 1, 32, ""},
        {3, 1, 2, 64, ""},
        {2, 0, 2, 64, ""},
        {0, 0, 1, 32, "certificate usage 0 is not for SMTP, only 2 (DANE-TA) and 3 (DANE-EE) are"},
        {1, 1, 1, 32, "certificate usage 1 is not for SMTP, only 2 (DANE-TA) and 3 (DANE-EE) are"},
        {4, 1, 1, 32, "certificate usage 4 is not for SMTP, only 2 (DANE-TA) and 3 (DANE-EE) are"},
        {255, 1, 1, 32, "certificate usage 255 is not for SMTP, only 2 (DANE-TA) and 3 (DANE-EE) are"},
        {3, 2, 1, 32, "selector 2 is unknown"},
        {3, 255, 1, 32, "selector 255 is unknown"},
        {3, 1, 3, 32, "matching type 3 is unknown"},
        {3, 1, 255, 32, "matching type 255 is unknown"},
        {3, 1, 1, 31, "matching type 1 needs a digest of 32 octets, but there are 31"},
        {3, 1, 1, 33, "matching type 1 needs a digest of 32 octets, but there are 33"},
        {3, 1, 1, 64, "matching type 1 needs a digest of 32 octets, but there are 64"},
        {3, 1, 1, 0, "matching type 1 needs a digest of 32 octets, but there are 0"},
        {3, 1, 2, 63, "matching type 2 needs a digest of 64 octets, but there are 63"},
        {3, 1, 2, 32, "matching type 2 needs a digest of 64 octets, but there are 32"},
        {3, 1, 0, 0, "the association data is empty"},
        {3, 0, 0, 32, "the association data is no DER certificate"},
        {3, 1, 0, 32, "the association data is no DER public key"},
        {2, 0, 0, 1, "the association data is no DER certificate"},
    };
    static const uint8_t data[64] = {0x30, 0x1e};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("B-2 %u %u %u, %u octets\n", rows[i].usage, rows[i].selector, rows[i].matching, rows[i].len);
        assert_string_equal(judge(rows[i].usage, rows[i].selector, rows[i].matching, data, rows[i].len), rows[i].say);
    }
}

/* B-2: "3 0 0" holds a certificate, "3 1 0" a key: neither passes for the other. */
static void judges_full_data(void **state)
{
    static const char no_cert[] = "the association data is no DER certificate";
    static const char no_key[] = "the association data is no DER public key";

    (void)state;
    for (unsigned usage = 2; usage <= 3; usage++) {
        assert_string_equal(judge(usage, 0, 0, cert_der, cert_len), "");
        assert_string_equal(judge(usage, 1, 0, key_der, key_len), "");
        assert_string_equal(judge(usage, 1, 0, cert_der, cert_len), no_key);
        assert_string_equal(judge(usage, 0, 0, key_der, key_len), no_cert);
        assert_string_equal(judge(usage, 0, 0, cert_der, cert_len + 1U), no_cert); /* trailing octet */
        assert_string_equal(judge(usage, 1, 0, key_der, key_len + 1U), no_key);
        assert_string_equal(judge(usage, 0, 0, cert_der, cert_len - 1U), no_cert);
        assert_string_equal(judge(usage, 1, 0, key_der, key_len - 1U), no_key);
    }
}

static void judges_long_data(void **state)
{
    uint8_t *data = calloc(1, TLSA_DATA_MAX + 1);

    (void)state;
    assert_non_null(data);
    assert_string_equal(judge(3, 0, 0, data, TLSA_DATA_MAX), "the association data is no DER certificate");
    assert_string_equal(judge(3, 0, 0, data, TLSA_DATA_MAX + 1),
                        "the association data has 16385 octets, more than 16384");
    free(data);
}

/* An error that was in OpenSSL's queue before is still there after. */
static void leaves_errors_alone(void **state)
{
    struct tlsa rr = {3, 0, 0, 1, (uint8_t[]){0x30}};

    (void)state;
    ERR_raise(ERR_LIB_USER, 7);
    assert_false(tlsa_usable(&rr, NULL));
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 7);
    ERR_clear_error();
}

static void formats_and_parses(void **state)
{
    static const struct {
        const char *text;
        const char *again; /* NULL: the same */
        size_t len;
    } rows[] = {
        {"3 1 1 0123456789abcdef", NULL, 8}, {"2 0 2 ff00", NULL, 2},
        {"255 255 255 00", NULL, 1},         {"0 0 0 ", NULL, 0},
        {"3 1 1 ABcdEF", "3 1 1 abcdef", 3}, {"03 001 1 aa", "3 1 1 aa", 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tlsa rr;
        struct err e;
        char *text;
        print_message("%s\n", rows[i].text);
        assert_int_equal(tlsa_parse(&rr, rows[i].text, strlen(rows[i].text), &e), 0);
        assert_int_equal(rr.len, rows[i].len);
        text = malloc(TLSA_TEXT_BUF(rr.len));
        assert_non_null(text);
        tlsa_format(text, &rr);
        assert_string_equal(text, rows[i].again == NULL ? rows[i].text : rows[i].again);
        free(text);
        tlsa_clear(&rr);
        tlsa_clear(&rr);
        assert_null(rr.data);
        assert_int_equal(rr.len, 0);
    }
    tlsa_clear(NULL);
}

static void parses_members(void **state)
{
    struct tlsa rr;
    struct err e;

    (void)state;
    assert_int_equal(tlsa_parse(&rr, "3 1 2 0aF9", 10, &e), 0);
    assert_int_equal(rr.usage, 3);
    assert_int_equal(rr.selector, 1);
    assert_int_equal(rr.matching_type, 2);
    assert_int_equal(rr.len, 2);
    assert_int_equal(rr.data[0], 0x0a);
    assert_int_equal(rr.data[1], 0xf9);
    tlsa_clear(&rr);
}

static void refuses_text(void **state)
{
    static const struct {
        const char *text;
        const char *say;
    } rows[] = {
        {"", "octet 1: the certificate usage must stand here, a number up to 255 and one blank"},
        {"3", "octet 1: the certificate usage must stand here, a number up to 255 and one blank"},
        {"256 1 1 00", "octet 1: the certificate usage must stand here, a number up to 255 and one blank"},
        {"0003 1 1 00", "octet 1: the certificate usage must stand here, a number up to 255 and one blank"},
        {"-3 1 1 00", "octet 1: the certificate usage must stand here, a number up to 255 and one blank"},
        {" 3 1 1 00", "octet 1: the certificate usage must stand here, a number up to 255 and one blank"},
        {"3\t1 1 00", "octet 1: the certificate usage must stand here, a number up to 255 and one blank"},
        {"3 x 1 00", "octet 3: the selector must stand here, a number up to 255 and one blank"},
        {"3  1 1 00", "octet 3: the selector must stand here, a number up to 255 and one blank"},
        {"3 1 1", "octet 5: the matching type must stand here, a number up to 255 and one blank"},
        {"3 1 999 00", "octet 5: the matching type must stand here, a number up to 255 and one blank"},
        {"3 1 1 0", "the association data has an odd number of hex digits"},
        {"3 1 1 0g", "octet 8: not a hex digit"},
        {"3 1 1 g0", "octet 7: not a hex digit"},
        {"3 1 1 00 1", "octet 9: not a hex digit"},
        {"3 1 1 (00)", "octet 7: not a hex digit"},
        {"3 1 1 00\n", "the association data has an odd number of hex digits"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tlsa rr;
        struct err e = {""};
        print_message("%s\n", rows[i].text);
        memset(&rr, 'x', sizeof rr);
        assert_int_equal(tlsa_parse(&rr, rows[i].text, strlen(rows[i].text), &e), -1);
        assert_string_equal(e.text, rows[i].say);
        assert_null(rr.data);
        assert_int_equal(rr.len, 0);
    }
}

/* Put the words over the beginning of the text, without a NUL. */
static void overwrite(char *text, const char *words)
{
    for (size_t i = 0; words[i] != '\0'; i++)
        text[i] = words[i];
}

static void limits_length(void **state)
{
    size_t len = 6 + 2 * (TLSA_DATA_MAX + 1);
    char *text = malloc(len);
    struct tlsa rr;
    struct err e;

    (void)state;
    assert_non_null(text);
    memset(text, 'a', len);
    overwrite(text, "3 0 0 ");
    assert_int_equal(tlsa_parse(&rr, text, len - 2, &e), 0);
    assert_int_equal(rr.len, TLSA_DATA_MAX);
    tlsa_clear(&rr);
    assert_int_equal(tlsa_parse(&rr, text, len, &e), -1);
    assert_string_equal(e.text, "the association data has 16385 octets, more than 16384");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_digests),      cmocka_unit_test(judges_full_data),   cmocka_unit_test(judges_long_data),
        cmocka_unit_test(leaves_errors_alone), cmocka_unit_test(formats_and_parses), cmocka_unit_test(parses_members),
        cmocka_unit_test(refuses_text),        cmocka_unit_test(limits_length),
    };
    return cmocka_run_group_tests_name("tlsa", tests, make_certificate, NULL);
}
